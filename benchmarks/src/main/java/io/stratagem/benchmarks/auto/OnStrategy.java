package io.stratagem.benchmarks.auto;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Loop;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Each strategy with its defaults, and work that suits it: one is added to an integer. */
@SuppressWarnings("ImmutableEnumChecker") // neither changes
enum OnStrategy {
    THREADS(Stratagem::threads, Workload.compute("increment", (Integer n) -> n + 1)),
    EVENT_LOOP(
            Stratagem::eventLoop,
            Workload.async("increment", (Integer n, Loop loop) -> CompletableFuture.completedFuture(n + 1))),
    PROCESSES(Stratagem::processes, Workload.named("increment").isolated().compute((Integer n) -> n + 1)),
    BATCHED_IPC(
            Stratagem::batchedIpc,
            Workload.named("increment").isolated().fineGrained().compute((Integer n) -> n + 1));

    private final Supplier<ExecutorStrategy> direct;
    private final Workload<Integer, Integer> workload;

    OnStrategy(Supplier<ExecutorStrategy> direct, Workload<Integer, Integer> workload) {
        this.direct = direct;
        this.workload = workload;
    }

    /** What stands behind the last dash of {@code round-trip-event_loop}. */
    static OnStrategy of(String metric) {
        return valueOf(metric.substring(metric.lastIndexOf('-') + 1).toUpperCase(Locale.ROOT));
    }

    /** A new one. */
    ExecutorStrategy create() {
        return direct.get();
    }

    Workload<Integer, Integer> workload() {
        return workload;
    }
}
