package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.ExecutorStrategyContract;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The contract on as many loops as there are workers. */
class EventLoopStrategyTest extends ExecutorStrategyContract {
    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        EventLoopStrategy.Builder builder = EventLoopStrategy.builder()
                .loops(workers)
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(false);
        options.accept(builder);
        return builder.build();
    }

    @Override
    protected void holdUpStarts(ExecutorStrategy strategy, Gate gate) {
        Journal journal = journal();
        Workload<Integer, Integer> holding = Workload.async("holding", (n, loop) -> {
            journal.enter();
            gate.await();
            return CompletableFuture.completedFuture(n);
        });
        var unused = strategy.submit(holding, 1);
        Patience.await().until(() -> journal.entered() == 1);
    }
}
