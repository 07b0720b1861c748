package io.stratagem.benchmarks.auto;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Sample;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * The main class of a JVM that prints how much heap a submitted task takes while it waits for its turn: its future and
 * all that is kept for it, without its input. It is the same with each strategy.
 */
final class PendingBytes {
    private PendingBytes() {}

    public static void main(String[] arguments) throws InterruptedException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        int size = Integer.parseInt(arguments[1]);
        measure(size); // what is made only once
        System.out.println(new Sample(arguments[0], measure(size), "B").line());
    }

    private static double measure(int size) throws InterruptedException {
        CountDownLatch gate = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        Workload<Integer, Integer> waiting = Workload.compute("waiting", n -> {
            begun.countDown();
            gate.await();
            return n;
        });
        try (ThreadPoolStrategy strategy = ThreadPoolStrategy.builder()
                .computeThreads(1)
                .maxPending(size + 1)
                .build()) {
            List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>(size);
            var first = strategy.submit(waiting, 0);
            begun.await();
            long before = heapInUse();
            for (int i = 0; i < size; i++) {
                futures.add(strategy.submit(waiting, 1));
            }
            double bytes = (double) Math.max(0, heapInUse() - before) / size; // of a few it may be anything
            gate.countDown();
            futures.forEach(CompletableFuture::join);
            first.join();
            return bytes;
        }
    }

    private static long heapInUse() {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }
}
