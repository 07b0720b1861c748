package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What a comparison gave.
 *
 * @param contests what was measured
 * @param runs the figures of each program
 * @param rounds how many rounds were run
 */
record Outcome(List<Contest> contests, Map<Program, Runs> runs, int rounds) {

    /** The rows, in the order of the contests. */
    List<Row> rows() {
        return contests.stream().flatMap(contest -> contest.rows(runs).stream()).toList();
    }

    /** Who was skipped, and what is not installed: {@code METRIC/NAME: WHAT}. */
    List<String> skipped() {
        return named(Runs::missing);
    }

    /** Who failed, and how: {@code METRIC/NAME: WHY}. */
    List<String> failed() {
        return named(Runs::failure);
    }

    private List<String> named(Function<Runs, String> reason) {
        List<String> lines = new ArrayList<>();
        for (Contest contest : contests) {
            contest.programs().forEach((name, program) -> {
                String text = reason.apply(runs.get(program));
                if (!text.isEmpty()) {
                    lines.add(contest.metric() + "/" + name + ": " + text);
                }
            });
        }
        return lines;
    }
}
