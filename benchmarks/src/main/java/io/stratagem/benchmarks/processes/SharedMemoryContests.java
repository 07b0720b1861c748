package io.stratagem.benchmarks.processes;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.PythonProgram;
import io.stratagem.benchmarks.Size;
import java.util.List;

/** What the processes suite has of tasks, with the strategy whose messages go through shared memory. */
public final class SharedMemoryContests {
    private static final Size ONE = Size.of(1);
    private static final Size MILLION = Size.of(1_000_000);

    private SharedMemoryContests() {}

    /**
     * The contests.
     *
     * @return in the order of the table
     */
    public static List<Contest> all() {
        return List.of(mapTrivial(), submitGet(), submitGetBusy(), submitManyThreads(), sharedMapGet(), idleCpu());
    }

    private static Contest mapTrivial() {
        String metric = "map-trivial";
        Size shorter = new Size(1_000_000, 100_000);
        return Contest.ofLess(
                        metric, "ns", JavaProgram.trial(MapIncrements.InSharedMemory.class, metric, "ns", MILLION))
                .peer("Pool", PythonProgram.of("processes.py", MILLION, "map-pool", metric, "ns"), 1.2)
                .peer(
                        "joblib",
                        PythonProgram.of("processes.py", shorter, "map-joblib", metric, "ns")
                                .with("joblib"),
                        20)
                .peer("process-pool", JavaProgram.trial(MapIncrements.InBatches.class, metric, "ns", MILLION), 2);
    }

    private static Contest submitGet() {
        String metric = "submit-get-p50";
        return Contest.ofLess(metric, "us", JavaProgram.trial(SubmitGet.OnBatchedIpcStrategy.class, metric, "us", ONE))
                .peer("ProcessPoolExecutor", PythonProgram.of("processes.py", ONE, "submit-get", metric, "us"), 20)
                .peer("process-pool", JavaProgram.trial(SubmitGet.OnProcessPoolStrategy.class, metric, "us", ONE));
    }

    private static Contest submitGetBusy() {
        String metric = "submit-get-busy-p50";
        return Contest.ofLess(metric, "us", JavaProgram.trial(SubmitGet.OnBusyMachine.class, metric, "us", ONE))
                .peer("socket-echo", JavaProgram.trial(SubmitGet.OnBusySocketEcho.class, metric, "us", ONE), 0.5);
    }

    private static Contest submitManyThreads() {
        String metric = "submit-many-threads";
        Size size = new Size(200_000, 50_000);
        return Contest.ofLess(
                        metric,
                        "us",
                        JavaProgram.trial(SubmitManyThreads.OnBatchedIpcStrategy.class, metric, "us", size))
                .peer(
                        "process-pool",
                        JavaProgram.trial(SubmitManyThreads.OnProcessPoolStrategy.class, metric, "us", size),
                        5);
    }

    private static Contest idleCpu() {
        String metric = "idle-cpu-percent";
        return Contest.ofLess(metric, "%", JavaProgram.of(IdleProcessorTime.class, Size.of(10_000), metric))
                .limit(0.5);
    }

    private static Contest sharedMapGet() {
        String metric = "sharedmap-get";
        return Contest.ofLess(metric, "us", JavaProgram.of(SharedMapGet.class, new Size(2000, 500), metric))
                .peer("Manager", PythonProgram.of("processes.py", ONE, "manager-get", metric, "us"), 1);
    }
}
