package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import com.google.common.collect.Iterables;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** How long a strategy takes for some tasks, and how long a plain loop: the best of rounds in which they take turns. */
record Speedup(int tasks, Duration strategy, Duration loop) {
    private static final int ROUNDS = 5;
    private static final int MOST_TASKS = 100_000;
    private static final Duration LONG = Duration.ofSeconds(5);
    private static final Duration TOO_SHORT = Duration.ofMillis(20);
    private static final Duration TOO_SMALL = Duration.ofNanos(1_000);

    /**
     * Measures, with the inputs over and over until the loop takes {@code round}. What comes before the rounds warms up
     * both, shows progress, and checks that they give the same.
     */
    static <I, O> Speedup measure(
            ExecutorStrategy strategy, Workload<I, O> workload, Fn<I, O> function, List<I> inputs, Duration round)
            throws Exception {
        int tasks = tasksFor(round, function, inputs);
        Iterable<I> sequence = repeat(inputs, tasks);
        Stopwatch watch = Stopwatch.createStarted();
        List<O> outputs;
        try (Stream<Result<O>> results = Progress.of(strategy.map(workload, sequence), workload.name(), tasks)) {
            outputs = Results.failFast(results);
        }
        if (!outputs.equals(inLoop(function, sequence))) {
            throw new IllegalStateException(workload.name() + " has other results in a plain loop");
        }
        int rounds = watch.elapsed().compareTo(LONG) < 0 ? ROUNDS : 1;

        List<Duration> strategyTimes = new ArrayList<>();
        List<Duration> loopTimes = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            strategyTimes.add(time(() -> Results.failFast(strategy.map(workload, sequence))));
            loopTimes.add(time(() -> inLoop(function, sequence)));
        }
        return new Speedup(tasks, Collections.min(strategyTimes), Collections.min(loopTimes));
    }

    /** How many times faster the strategy was, or that such a figure would mean nothing. */
    String factor() {
        if (loop.compareTo(TOO_SHORT) < 0 || loop.dividedBy(tasks).compareTo(TOO_SMALL) < 0) {
            return "the tasks are too small to tell a speed-up";
        }
        return String.format(Locale.ROOT, "%.2f times as fast", (double) loop.toNanos() / strategy.toNanos());
    }

    private static <I, O> int tasksFor(Duration round, Fn<I, O> function, List<I> inputs) throws Exception {
        Object unused = function.apply(inputs.get(0)); // loads classes
        int tasks = Math.max(inputs.size(), 4 * Stratagem.cpus());
        while (tasks < MOST_TASKS) {
            Iterable<I> sequence = repeat(inputs, tasks);
            if (time(() -> inLoop(function, sequence)).compareTo(round) >= 0) {
                break;
            }
            tasks *= 2;
        }
        return tasks;
    }

    private static <I> Iterable<I> repeat(List<I> inputs, int tasks) {
        return Iterables.limit(Iterables.cycle(inputs), tasks);
    }

    private static <I, O> List<O> inLoop(Fn<I, O> function, Iterable<I> inputs) throws Exception {
        List<O> outputs = new ArrayList<>();
        for (I input : inputs) {
            outputs.add(function.apply(input));
        }
        return outputs;
    }

    private static Duration time(Callable<?> work) throws Exception {
        Stopwatch watch = Stopwatch.createStarted();
        work.call();
        return watch.elapsed();
    }
}
