package io.stratagem.spi;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Workload;

/** What all tasks of one map, or those submitted one after another alike, have in common. Immutable. */
final class Terms {
    final EngineStrategy strategy;
    final Workload<?, ?> workload;
    final Context context;

    /** 0 for none. */
    final long timeoutNanos;

    /** How many tasks of one key may be in flight; 0 if there are no keys. */
    final int limitPerKey;

    /** Whether tasks need more than their input and outcome: a timeout, further attempts, a key, listeners. */
    final boolean haveDetails;

    Terms(EngineStrategy strategy, Workload<?, ?> workload, Context context) {
        this.strategy = strategy;
        this.workload = workload;
        this.context = context;
        this.timeoutNanos = workload.timeout().map(NANOSECONDS::convert).orElse(0L);
        this.limitPerKey = workload.limitPerKey().orElse(0);
        this.haveDetails =
                timeoutNanos > 0 || workload.retry().isPresent() || limitPerKey > 0 || strategy.hasListeners();
    }

    /** Whether they also serve for this. */
    boolean fit(Workload<?, ?> otherWorkload, Context otherContext) {
        return workload == otherWorkload && context == otherContext;
    }

    Clock clock() {
        return strategy.clock();
    }
}
