package io.stratagem.benchmarks.auto;

import com.sun.management.ThreadMXBean;
import io.stratagem.AutoStrategy;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.benchmarks.Sample;
import java.lang.management.ManagementFactory;

/** The main class of a JVM that prints how many bytes of heap are allocated to find the strategy for a task. */
final class RoutingBytes {
    private RoutingBytes() {}

    public static void main(String[] arguments) {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        int size = Integer.parseInt(arguments[1]);
        try (AutoStrategy auto = Stratagem.auto()) {
            measure(auto, size); // what is made only once
            System.out.println(new Sample(arguments[0], measure(auto, size), "B").line());
        }
    }

    /** The bytes for each task. */
    private static double measure(AutoStrategy auto, int size) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        OnStrategy[] all = OnStrategy.values();
        ExecutorStrategy found = auto;
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < size; i++) {
            found = auto.strategyFor(all[i % all.length].workload());
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        if (found == auto) {
            throw new IllegalStateException("nothing was routed");
        }
        return (double) bytes / size;
    }
}
