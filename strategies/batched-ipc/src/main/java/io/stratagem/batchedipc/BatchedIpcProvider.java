package io.stratagem.batchedipc;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.util.List;

/** Makes {@link BatchedIpcStrategy} known to {@link Stratagem#choose}. */
public final class BatchedIpcProvider implements StrategyProvider {

    /** For {@link java.util.ServiceLoader}. */
    public BatchedIpcProvider() {}

    @Override
    public String name() {
        return Stratagem.BATCHED_IPC;
    }

    @Override
    public Suitability assess(Workload<?, ?> workload) {
        if (workload.isolated() && workload.fineGrained()) {
            return new Suitability(
                    95,
                    "it is isolated and its tasks are small: messages to worker processes go through shared memory");
        }
        if (workload.isolated()) {
            return new Suitability(
                    80, "worker processes isolate it; shared memory pays for small tasks, and costs memory");
        }
        return new Suitability(
                15,
                "worker processes would isolate it, but to pass inputs and results costs about a microsecond a task");
    }

    @Override
    public List<String> warnings(Workload<?, ?> workload) {
        return BatchedIpcStrategy.warningsOf(workload);
    }

    @Override
    public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
        BatchedIpcStrategy.Builder builder =
                BatchedIpcStrategy.builder().workerProcesses(cpus).cpusPerWorker(1);
        return (jvmOptions.isEmpty() ? builder : builder.jvmOptions(jvmOptions.toArray(String[]::new))).build();
    }
}
