package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.util.List;

/** Makes {@link EventLoopStrategy} known to {@link Stratagem#choose}. */
public final class EventLoopProvider implements StrategyProvider {

    /** For {@link java.util.ServiceLoader}. */
    public EventLoopProvider() {}

    @Override
    public String name() {
        return Stratagem.EVENT_LOOP;
    }

    @Override
    public Suitability assess(Workload<?, ?> workload) {
        if (workload.isolated()) {
            return new Suitability(0, "it runs in this JVM, and '" + workload.name() + "' must not");
        }
        return switch (workload.kind()) {
            case ASYNC ->
                new Suitability(
                        90,
                        "it waits without a thread, and on an event loop a waiting task costs some hundred bytes; its "
                                + "connections are served by the same thread");
            case BLOCKING, COMPUTE ->
                new Suitability(
                        40, "its threads run such work as those of a thread pool do; its loops are of no use to it");
        };
    }

    @Override
    public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
        return EventLoopStrategy.builder()
                .loops(EventLoopStrategy.defaultLoops(cpus))
                .computeThreads(cpus)
                .build();
    }
}
