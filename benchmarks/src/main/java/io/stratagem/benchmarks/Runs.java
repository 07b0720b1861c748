package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** What one program's processes have given so far: for each metric one value a round. */
final class Runs {

    private final Map<String, List<Double>> values = new LinkedHashMap<>();
    private String missing = "";
    private String failure = "";

    /** Takes in what one process printed; several samples of a metric count with their median. */
    void add(List<Sample> samples) {
        Map<String, List<Double>> round = new LinkedHashMap<>();
        for (Sample sample : samples) {
            round.computeIfAbsent(sample.metric(), key -> new ArrayList<>()).add(sample.value());
        }
        round.forEach((metric, several) ->
                values.computeIfAbsent(metric, key -> new ArrayList<>()).add(Median.of(several)));
    }

    void miss(String what) {
        missing = what;
    }

    void fail(String why) {
        failure = why;
    }

    /** What is not installed here; empty if the program could be started. */
    String missing() {
        return missing;
    }

    /** Why a process failed; empty if none did. */
    String failure() {
        return failure;
    }

    /** Whether it is no use to start the program again. */
    boolean isOver() {
        return !missing.isEmpty() || !failure.isEmpty();
    }

    /** The values of a metric in the order of the rounds. */
    List<Double> values(String metric) {
        return List.copyOf(values.getOrDefault(metric, List.of()));
    }

    /** The median over the rounds; none if a process failed or there were no figures. */
    OptionalDouble median(String metric) {
        List<Double> all = values(metric);
        return isOver() || all.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Median.of(all));
    }
}
