package io.stratagem.benchmarks.queues;

import io.stratagem.benchmarks.Sample;
import java.util.Collection;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * The main class of a JVM that measures one queue with JMH. It is itself the fork, made by the comparison, so JMH
 * makes none.
 */
public final class HandOffRun {

    private static final int ITERATIONS = 3;

    private HandOffRun() {}

    public static void main(String[] arguments) throws RunnerException {
        if (arguments.length != 7) {
            throw new IllegalArgumentException(
                    "expected: QUEUE PRODUCERS CONSUMERS METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        Options options = new OptionsBuilder()
                .include("\\." + HandOff.class.getSimpleName() + "\\.")
                .param("queue", arguments[0])
                .param("producers", arguments[1])
                .param("consumers", arguments[2])
                .forks(0)
                .warmupIterations(ITERATIONS)
                .warmupTime(share(arguments[5]))
                .measurementIterations(ITERATIONS)
                .measurementTime(share(arguments[6]))
                .verbosity(VerboseMode.SILENT)
                .build();
        Collection<RunResult> results = new Runner(options).run();
        for (RunResult result : results) {
            double nanos = result.getPrimaryResult().getScore();
            System.out.println(new Sample(arguments[3], nanos, "ns").line());
        }
    }

    private static TimeValue share(String millis) {
        return TimeValue.milliseconds(Math.max(1, Long.parseLong(millis) / ITERATIONS));
    }
}
