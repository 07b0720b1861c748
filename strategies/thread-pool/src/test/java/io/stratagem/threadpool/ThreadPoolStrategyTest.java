package io.stratagem.threadpool;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.ExecutorStrategyContract;
import java.util.function.Consumer;

/** The contract on platform threads. */
final class ThreadPoolStrategyTest extends ExecutorStrategyContract {
    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ThreadPoolStrategy.Builder builder = ThreadPoolStrategy.builder()
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(false);
        options.accept(builder);
        return builder.build();
    }
}
