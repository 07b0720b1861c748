package io.stratagem.benchmarks.eventloop;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Sample;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.eventloop.EventLoopStrategy;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The main class of a JVM that measures how much heap each of very many tasks of a map takes while it waits in a delay:
 * all that is there for it, its input and its place in the window included.
 */
final class DelayBytes {

    private static final int MINUTES_TO_BEGIN = 1;

    /** Threads that have nothing to do keep what they did last for a second. */
    private static final int LOOKS_AT_THE_HEAP = 15;

    private static final int MILLIS_BETWEEN_LOOKS = 100;

    private DelayBytes() {}

    public static void main(String[] arguments) throws InterruptedException, WrongResultException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        int size = Integer.parseInt(arguments[1]);
        measure(size, Duration.ZERO); // what is made only once
        System.out.println(new Sample(arguments[0], measure(size, Duration.ofHours(1)), "B").line());
    }

    /** The bytes for each, if they wait for that long. */
    private static double measure(int size, Duration delay) throws InterruptedException, WrongResultException {
        CountDownLatch toBegin = new CountDownLatch(size);
        Workload<Integer, Void> waiting = Workload.async("delay", (n, loop) -> {
            toBegin.countDown();
            return loop.delay(delay);
        });
        EventLoopStrategy strategy =
                EventLoopStrategy.builder().loops(1).window(size).build();
        try {
            long before = delay.isZero() ? 0 : settledHeap();
            int results = delay.isZero() ? size : 1; // there are none as long as all wait
            Thread reader = new Thread(() -> read(results, strategy, waiting, size), "reader");
            reader.start();
            if (!toBegin.await(MINUTES_TO_BEGIN, TimeUnit.MINUTES)) {
                throw new IllegalStateException(toBegin.getCount() + " tasks have not begun");
            }
            if (delay.isZero()) {
                reader.join();
                return 0;
            }
            double bytes = (double) Math.max(0, settledHeap() - before) / size; // of a few it may be anything
            WrongResultException.check(
                    "tasks that wait", size, strategy.snapshot().running());
            strategy.closeNow();
            reader.join();
            return bytes;
        } finally {
            strategy.closeNow();
        }
    }

    private static void read(int some, EventLoopStrategy strategy, Workload<Integer, Void> waiting, int size) {
        try (Stream<Result<Void>> results =
                strategy.map(waiting, IntStream.range(0, size).boxed())) {
            results.limit(some).forEach(result -> {});
        }
    }

    /** When all that is of no use any more has been let go. */
    private static long settledHeap() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < LOOKS_AT_THE_HEAP; i++) {
            TimeUnit.MILLISECONDS.sleep(MILLIS_BETWEEN_LOOKS);
            least = Math.min(least, heapInUse());
        }
        return least;
    }

    private static long heapInUse() {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }
}
