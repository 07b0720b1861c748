package io.stratagem.threadpool;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.util.List;

/** Makes {@link ThreadPoolStrategy} known to {@link Stratagem#choose}. */
public final class ThreadPoolProvider implements StrategyProvider {

    /** For {@link java.util.ServiceLoader}. */
    public ThreadPoolProvider() {}

    @Override
    public String name() {
        return Stratagem.THREAD_POOL;
    }

    @Override
    public Suitability assess(Workload<?, ?> workload) {
        if (workload.isolated()) {
            return new Suitability(0, "it runs in this JVM, and '" + workload.name() + "' must not");
        }
        return switch (workload.kind()) {
            case COMPUTE ->
                new Suitability(
                        90,
                        "it computes, and threads of this JVM, one for each CPU, run in parallel without copying anything; "
                                + "small tasks are batched");
            case BLOCKING ->
                new Suitability(
                        90,
                        VirtualThreads.areDefault()
                                ? "it waits in blocking calls, and on this JVM a virtual thread for each costs about a kilobyte"
                                : "it waits in blocking calls, and a pool of platform threads lets many wait at once");
            case ASYNC ->
                new Suitability(
                        50,
                        "it waits without a thread, and timers and callbacks serve it; each step of a task wakes a thread");
        };
    }

    @Override
    public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
        return ThreadPoolStrategy.builder().computeThreads(cpus).build();
    }
}
