package io.stratagem.benchmarks.processes;

import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.benchmarks.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The main class of a JVM that measures the processor time which it and our workers use while there is nothing to do,
 * after trivial tasks; in percent of one core.
 */
final class IdleProcessorTime {
    private static final long SETTLE_SECONDS = 1;
    private static final long SECONDS = 10;

    private IdleProcessorTime() {}

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        try (BatchedIpcStrategy strategy = Workers.startedSharing()) {
            Set<Long> workers = Workers.pidsAfter(Integer.parseInt(arguments[1]), strategy);
            List<ProcessHandle> processes = new ArrayList<>(List.of(ProcessHandle.current()));
            workers.forEach(worker -> processes.add(ProcessHandle.of(worker).orElseThrow()));
            rest(SETTLE_SECONDS); // what the tasks left for the compiler and the collector is done then
            long start = System.nanoTime();
            Duration before = used(processes);
            rest(SECONDS);
            double used = used(processes).minus(before).toNanos();
            System.out.println(new Sample(arguments[0], 100 * used / (System.nanoTime() - start), "%").line());
        }
    }

    private static void rest(long seconds) throws InterruptedException {
        var unused = new CountDownLatch(1).await(seconds, TimeUnit.SECONDS);
    }

    private static Duration used(List<ProcessHandle> processes) {
        return processes.stream()
                .map(process -> process.info().totalCpuDuration().orElseThrow())
                .reduce(Duration.ZERO, Duration::plus);
    }
}
