package io.stratagem.benchmarks.processes;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The worker processes of ours: as many as every contestant has, Python's too. */
final class Workers {

    static final int COUNT = 2;

    private static final Workload<Integer, Long> PID =
            Workload.named("pid").isolated().compute(Workers::pid);

    private Workers() {}

    /** Ours, with that many workers and nothing else set; none of them has been started. */
    static ProcessPoolStrategy strategy() {
        return ProcessPoolStrategy.builder().workerProcesses(COUNT).build();
    }

    /** Ours, with all its workers started. */
    static ProcessPoolStrategy startedStrategy() {
        ProcessPoolStrategy strategy = strategy();
        pidsAfter(COUNT, strategy);
        return strategy;
    }

    /** Ours with messages through shared memory, that many workers and nothing else set, with all its workers started. */
    static BatchedIpcStrategy startedSharing() {
        BatchedIpcStrategy strategy =
                BatchedIpcStrategy.builder().workerProcesses(COUNT).build();
        pidsAfter(COUNT, strategy);
        return strategy;
    }

    /** Runs so many trivial tasks, and as often as it takes for each worker to have had one; gives their process ids. */
    static Set<Long> pidsAfter(int tasks, ExecutorStrategy strategy) {
        Set<Long> pids = new TreeSet<>();
        while (pids.size() < COUNT) {
            pids.addAll(
                    Results.failFast(strategy.map(PID, IntStream.range(0, tasks).boxed())));
        }
        return pids;
    }

    private static Long pid(Integer ignored) {
        return ProcessHandle.current().pid();
    }
}
