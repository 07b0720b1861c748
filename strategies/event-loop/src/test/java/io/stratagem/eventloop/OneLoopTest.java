package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import java.util.function.Consumer;

/** The contract on one loop, and on virtual threads where the JVM has good ones. */
final class OneLoopTest extends EventLoopStrategyTest {
    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        EventLoopStrategy.Builder builder =
                EventLoopStrategy.builder().loops(1).computeThreads(workers).blockingThreads(workers);
        options.accept(builder);
        return builder.build();
    }
}
