package io.stratagem.processpool;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.util.List;

/** Makes {@link ProcessPoolStrategy} known to {@link Stratagem#choose}. */
public final class ProcessPoolProvider implements StrategyProvider {

    /** For {@link java.util.ServiceLoader}. */
    public ProcessPoolProvider() {}

    @Override
    public String name() {
        return Stratagem.PROCESS_POOL;
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
    public List<String> warnings(Workload<?, ?> workload) {
        return WorkerProcessStrategy.warnings(workload);
    }

    @Override
    public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
        ProcessPoolStrategy.Builder builder =
                ProcessPoolStrategy.builder().workerProcesses(cpus).cpusPerWorker(1);
        return (jvmOptions.isEmpty() ? builder : builder.jvmOptions(jvmOptions.toArray(String[]::new))).build();
    }
}
