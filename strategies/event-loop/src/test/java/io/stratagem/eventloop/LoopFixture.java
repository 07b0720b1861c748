package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.StrategyFixture;
import java.util.function.Consumer;

/** Strategies with so many loops. */
abstract class LoopFixture extends StrategyFixture {
    @Override
    protected final ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        EventLoopStrategy.Builder builder = EventLoopStrategy.builder().loops(workers);
        options.accept(builder);
        return builder.build();
    }
}
