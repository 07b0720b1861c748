package io.stratagem.benchmarks.ipc;

import io.stratagem.batchedipc.RingRecords;
import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.processes.SharedMemoryContests;
import java.util.ArrayList;
import java.util.List;

/** Batched IPC against other ways to get data to another process. */
public final class IpcSuite implements Suite {

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
        return contests;
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
