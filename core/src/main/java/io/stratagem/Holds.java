package io.stratagem;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.OptionalDouble;

/** How long an asynchronous function holds its caller, that is until it returns its stage. Any thread may use it. */
final class Holds {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int MOST = 1_000;

    // Guarded by this.
    private final long[] nanos = new long[MOST];
    private final long[] cpuNanos = new long[MOST];
    private int count;
    private long began;
    private boolean isHeld;

    /** The same workload, which tells how long it holds the loop. It does not travel. */
    @SuppressWarnings("unchecked") // what an asynchronous workload is
    <I, O> Workload<I, O> watched(Workload<I, O> workload) {
        AsyncFn<I, O> function = (AsyncFn<I, O>) workload.function();
        Workload.Builder<Object> options = Workload.named(workload.name());
        workload.timeout().ifPresent(options::timeout);
        workload.retry().ifPresent(options::retry);
        return options.async((I input, Loop loop) -> {
            long cpu = cpuNanosOfThread();
            long start = begin();
            try {
                return function.apply(input, loop);
            } finally {
                end(start, cpuNanosOfThread() - cpu);
            }
        });
    }

    private static long cpuNanosOfThread() {
        return THREADS.isCurrentThreadCpuTimeSupported() ? THREADS.getCurrentThreadCpuTime() : 0;
    }

    private synchronized long begin() {
        began = System.nanoTime();
        isHeld = true;
        return began;
    }

    private synchronized void end(long start, long cpu) {
        isHeld = false;
        if (count < MOST) {
            nanos[count] = System.nanoTime() - start;
            cpuNanos[count++] = cpu;
        }
    }

    /** How long half of the calls held it at least; one that has not returned yet counts with what it has held so far. */
    synchronized long medianNanos() {
        if (count == 0) {
            return isHeld ? System.nanoTime() - began : 0;
        }
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return sorted[count / 2];
    }

    /** Which part of that time the calls computed; empty if none has returned. */
    synchronized OptionalDouble computing() {
        long all = Arrays.stream(nanos, 0, count).sum();
        return all == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of((double) Arrays.stream(cpuNanos, 0, count).sum() / all);
    }
}
