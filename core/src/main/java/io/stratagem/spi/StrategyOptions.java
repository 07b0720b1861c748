package io.stratagem.spi;

import io.stratagem.ContextPropagator;
import io.stratagem.Rejection;
import io.stratagem.TaskListener;
import java.time.Duration;
import java.util.List;

/**
 * The options that all strategies have in common, as a {@link StrategyBuilder} has checked them.
 *
 * @param name in thread names, results and snapshots
 * @param maxPending how many submitted tasks may be pending
 * @param rejection what {@code submit} does beyond that
 * @param window how many tasks of a map may be in flight, for blocking and asynchronous work
 * @param windowBytes how many bytes of inputs and results a map may have in flight
 * @param closeTimeout how long {@code close} waits
 * @param listeners who hears of every task
 * @param propagators what goes with a task
 * @param clock the time
 * @param allowInProcess whether isolated workloads may run in this JVM
 */
public record StrategyOptions(
        String name,
        int maxPending,
        Rejection rejection,
        int window,
        long windowBytes,
        Duration closeTimeout,
        List<TaskListener> listeners,
        List<ContextPropagator> propagators,
        Clock clock,
        boolean allowInProcess) {}
