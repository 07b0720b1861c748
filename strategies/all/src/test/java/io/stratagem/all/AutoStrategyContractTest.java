package io.stratagem.all;

import io.stratagem.AutoStrategy;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.ExecutorStrategyContract;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The contract where threads and loops have the same options. What isolates has its contract by itself. */
class AutoStrategyContractTest extends ExecutorStrategyContract {
    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ThreadPoolStrategy.Builder threads = ThreadPoolStrategy.builder()
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(false);
        options.accept(threads);
        EventLoopStrategy.Builder loops = EventLoopStrategy.builder()
                .loops(workers)
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(false);
        options.accept(loops);
        ThreadPoolStrategy made = threads.build();
        return AutoStrategy.builder()
                .name(made.name())
                .make(Stratagem.THREAD_POOL, () -> made)
                .make(Stratagem.EVENT_LOOP, loops::build)
                .build();
    }

    @Override
    protected Set<Ability> abilities() {
        return EnumSet.complementOf(EnumSet.of(Ability.REFUSES_ISOLATED));
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
