package io.stratagem.batchedipc;

import io.stratagem.ExecutorStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.ExecutorStrategyContract;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;

/** The whole contract, on worker processes with which memory is shared. */
final class BatchedIpcStrategyTest extends ExecutorStrategyContract {

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        BatchedIpcStrategy.Builder builder = BatchedIpcStrategy.builder()
                .workerProcesses(workers)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1");
        options.accept(builder);
        return builder.build();
    }

    @Override
    protected Set<Ability> abilities() {
        return EnumSet.noneOf(Ability.class);
    }
}
