package io.stratagem.benchmarks.auto;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Program;
import io.stratagem.benchmarks.Repeated;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the choice costs, and what each strategy costs that can be chosen. */
public final class AutoSuite implements Suite {
    private static final double LEAST = 0.95;
    private static final double PIPELINE_GAIN = 1.5;

    /** A first use may be a little slower or faster each time: so several JVMs a round. */
    private static final Size COLD_RUNS = new Size(5, 2);

    @Override
    public String name() {
        return "auto";
    }

    @Override
    public String about() {
        return "the choice against naming the strategy, and what each strategy costs";
    }

    @Override
    public List<Contest> contests() {
        List<Contest> contests = new ArrayList<>();
        String metric = "auto-vs-direct";
        Size many = Size.of(100_000);
        Size some = new Size(20_000, 5_000);
        contests.add(Contest.ofLess(metric, "ns", trial(SubmitAll.AutoOnThreads.class, metric, "ns", many))
                .peer("threads", trial(SubmitAll.DirectOnThreads.class, metric, "ns", many), LEAST));
        contests.add(Contest.ofLess(metric, "ns", trial(SubmitAll.AutoOnProcesses.class, metric, "ns", some))
                .peer("processes", trial(SubmitAll.DirectOnProcesses.class, metric, "ns", some), LEAST));
        contests.add(
                alone("routing-bytes", "B", JavaProgram.of(RoutingBytes.class, Size.of(1_000_000), "routing-bytes"))
                        .limit(0.01));
        Size files = new Size(100, 40);
        contests.add(Contest.ofLess("pipeline", "ms", trial(Stages.InAPipeline.class, "pipeline", "ms", files))
                .peer(
                        "stages-one-after-another",
                        trial(Stages.OneAfterAnother.class, "pipeline", "ms", files),
                        PIPELINE_GAIN));
        for (OnStrategy each : OnStrategy.values()) {
            contests.add(alone(each, "round-trip-", "us", LoneTask.class, Size.of(1)));
        }
        for (OnStrategy each : OnStrategy.values()) {
            contests.add(alone(each, "map-", "ns", MapAll.class, Size.of(1_000_000)));
        }
        for (OnStrategy each : OnStrategy.values()) {
            String first = metric("first-result-", each);
            contests.add(
                    alone(first, "ms", new Repeated(trial(LoneTask.First.class, first, "ms", Size.of(1)), COLD_RUNS)));
        }
        contests.add(
                alone("pending-bytes", "B", JavaProgram.of(PendingBytes.class, Size.of(100_000), "pending-bytes")));
        return List.copyOf(contests);
    }

    private static Contest alone(
            OnStrategy strategy, String prefix, String unit, Class<? extends Trial> trial, Size size) {
        String metric = metric(prefix, strategy);
        return alone(metric, unit, trial(trial, metric, unit, size));
    }

    private static Contest alone(String metric, String unit, Program ours) {
        return Contest.ofLess(metric, unit, ours);
    }

    private static String metric(String prefix, OnStrategy strategy) {
        return prefix + strategy.name().toLowerCase(Locale.ROOT);
    }

    private static JavaProgram trial(Class<? extends Trial> trial, String metric, String unit, Size size) {
        return JavaProgram.trial(trial, metric, unit, size);
    }
}
