package io.stratagem.threadpool;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.ExecutorStrategyContract;
import java.util.function.Consumer;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** The contract with virtual threads for blocking work, where the JVM has them. */
@EnabledForJreRange(min = JRE.JAVA_21)
final class VirtualThreadsTest extends ExecutorStrategyContract {
    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ThreadPoolStrategy.Builder builder = ThreadPoolStrategy.builder()
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(true);
        options.accept(builder);
        return builder.build();
    }
}
