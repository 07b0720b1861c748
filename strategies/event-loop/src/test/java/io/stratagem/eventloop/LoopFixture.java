package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.StrategyFixture;
import java.util.function.Consumer;

/** Strategies with so many loops. */
abstract class LoopFixture extends StrategyFixture {
    /** Cannot be logged. */
    static final class UnspeakableException extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no words");
        }
    }

    @Override
    protected final ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        EventLoopStrategy.Builder builder = EventLoopStrategy.builder().loops(workers);
        options.accept(builder);
        return builder.build();
    }
}
