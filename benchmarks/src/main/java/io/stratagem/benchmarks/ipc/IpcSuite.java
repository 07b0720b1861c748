package io.stratagem.benchmarks.ipc;

import io.stratagem.batchedipc.RingRecords;
import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.PythonProgram;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.processes.SharedMemoryContests;
import java.util.ArrayList;
import java.util.List;

/** Batched IPC against other ways to get data to another process. */
public final class IpcSuite implements Suite {

    /** A hundred million bytes of them. */
    private static final Size DOUBLES = Size.of(12_500_000);

    private static final Size RECORDS = new Size(5_000_000, 2_000_000);

    @Override
    public String name() {
        return "ipc";
    }

    @Override
    public String about() {
        return "batched IPC against other ways to get data to another process";
    }

    @Override
    public List<Contest> contests() {
        List<Contest> contests = new ArrayList<>(SharedMemoryContests.all());
        contests.add(ring());
        contests.add(payload());
        contests.add(arraySum());
        contests.add(sharedArraySum());
        contests.add(freshArraySum());
        return contests;
    }

    private static Contest payload() {
        String metric = "payload-1MiB";
        Size mebibyte = Size.of(1 << 20);
        return Contest.ofLess(metric, "us", JavaProgram.trial(CopyBytes.ToWorker.class, metric, "us", mebibyte))
                .peer("memcpy", JavaProgram.trial(CopyBytes.InMemory.class, metric, "us", mebibyte), 0.7);
    }

    private static Contest arraySum() {
        String metric = "array-100MB-sum";
        return Contest.ofLess(metric, "ms", JavaProgram.trial(SumArray.Sent.class, metric, "ms", DOUBLES))
                .peer("ProcessPoolExecutor", python("executor", metric), 10);
    }

    private static Contest sharedArraySum() {
        String metric = "array-100MB-sum-shared";
        return Contest.ofLess(metric, "ms", JavaProgram.trial(SumArray.Shared.class, metric, "ms", DOUBLES))
                .peer("shared_memory", python("shared", metric), 1);
    }

    private static Contest freshArraySum() {
        String metric = "array-100MB-sum-fresh";
        return Contest.ofLess(metric, "ms", JavaProgram.trial(SumArray.SentFresh.class, metric, "ms", DOUBLES))
                .peer("joblib", python("joblib", metric).with("numpy", "joblib"), 1.5);
    }

    private static PythonProgram python(String trial, String metric) {
        return PythonProgram.of("arrays.py", DOUBLES, trial, metric, "ms").with("numpy");
    }

    private static Contest ring() {
        String metric = "ring-64B";
        return Contest.ofLess(metric, "ns", trial(metric, RingRecords.OnStratagem.class))
                .peer("agrona", trial(metric, RingRecords.OnAgrona.class), 1);
    }

    private static JavaProgram trial(String metric, Class<? extends Trial> trial) {
        return JavaProgram.trial(trial, metric, "ns", RECORDS);
    }
}
