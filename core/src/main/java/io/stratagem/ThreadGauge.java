package io.stratagem;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads what one platform thread has used. Made on that thread; any thread may read it while that lives. */
final class ThreadGauge {
    private static final long UNKNOWN = -1;
    private static final Path PROCESSES = Path.of("/proc");

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    @SuppressWarnings("deprecation") // its successor is not in Java 17
    private final long id = Thread.currentThread().getId();

    /** Where Linux tells for how long the thread was ready and had no CPU; null elsewhere. */
    private final @Nullable Path schedule = scheduleOfCurrentThread();

    /**
     * What the thread has used so far.
     *
     * @param wallNanos the time
     * @param cpuNanos how long it ran on a CPU; −1 if the JVM does not say
     * @param queuedNanos how long it could have run and had no CPU, since others had them; 0 if the system does not say
     * @param allocatedBytes what it took of the heap; −1 if the JVM does not say
     */
    record Reading(long wallNanos, long cpuNanos, long queuedNanos, long allocatedBytes) {

        /** What was used between the two. */
        Reading since(Reading earlier) {
            return new Reading(
                    wallNanos - earlier.wallNanos,
                    cpuNanos < 0 || earlier.cpuNanos < 0 ? UNKNOWN : cpuNanos - earlier.cpuNanos,
                    queuedNanos - earlier.queuedNanos,
                    allocatedBytes < 0 || earlier.allocatedBytes < 0
                            ? UNKNOWN
                            : allocatedBytes - earlier.allocatedBytes);
        }
    }

    Reading read() {
        return new Reading(System.nanoTime(), cpuNanos(), queuedNanos(), allocatedBytes());
    }

    private long cpuNanos() {
        return threads.isThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled()
                ? threads.getThreadCpuTime(id)
                : UNKNOWN;
    }

    private long queuedNanos() {
        if (schedule == null) {
            return 0;
        }
        try {
            return Long.parseLong(Files.readString(schedule).strip().split(" ", -1)[1]);
        } catch (IOException | RuntimeException e) {
            return 0; // it says nothing, or the thread has ended
        }
    }

    private static @Nullable Path scheduleOfCurrentThread() {
        try {
            Path schedule = PROCESSES
                    .resolve(Files.readSymbolicLink(PROCESSES.resolve("thread-self")))
                    .resolve("schedstat");
            return Files.isReadable(schedule) ? schedule : null;
        } catch (IOException | RuntimeException e) {
            return null; // not Linux
        }
    }

    private long allocatedBytes() {
        try {
            return Allocations.of(threads, id);
        } catch (NoClassDefFoundError e) {
            return UNKNOWN; // a runtime image without jdk.management
        }
    }

    /** Apart, since what it needs may not be there. */
    private static final class Allocations {
        static long of(ThreadMXBean threads, long id) {
            return threads instanceof com.sun.management.ThreadMXBean more
                            && more.isThreadAllocatedMemorySupported()
                            && more.isThreadAllocatedMemoryEnabled()
                    ? more.getThreadAllocatedBytes(id)
                    : UNKNOWN;
        }
    }
}
