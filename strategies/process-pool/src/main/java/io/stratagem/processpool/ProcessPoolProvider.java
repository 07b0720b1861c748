package io.stratagem.processpool;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;

/** Makes {@link ProcessPoolStrategy} known to {@link Stratagem#choose}. */
public final class ProcessPoolProvider implements StrategyProvider {

    /** For {@link java.util.ServiceLoader}. */
    public ProcessPoolProvider() {}

    @Override
    public String name() {
        return "process pool";
    }

    @Override
    public Suitability assess(Workload<?, ?> workload) {
        if (workload.isolated()) {
            return new Suitability(
                    90, "it is isolated: in a process of its own it may crash, hang or exit, and can be killed");
        }
        return new Suitability(
                20, "worker processes would isolate it, but serialising inputs and results costs microseconds a task");
    }

    @Override
    public ExecutorStrategy create() {
        return ProcessPoolStrategy.create();
    }
}
