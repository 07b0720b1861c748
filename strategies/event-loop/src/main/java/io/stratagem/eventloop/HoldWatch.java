package io.stratagem.eventloop;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether a loop of a strategy is held by one piece of code, and reports that with its stack: once for a place in
 * the code and a workload, and again after a minute. It sleeps while all loops do.
 */
final class HoldWatch extends Thread {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

    /** So often within the limit it looks. */
    private static final int LOOKS = 4;

    private static final long PERIOD_NANOS = 60_000_000_000L;
    private static final int MOST_PLACES = 1000;

    private final long limitNanos;
    private final AtomicReferenceArray<@Nullable LoopThread> loops;
    private final int[] lastSteps;
    private final long[] sinceNanos;
    private final boolean[] isReported;
    private final Map<String, Long> places = new LinkedHashMap<>();
    private volatile boolean isParked;
    private volatile boolean isClosed;

    HoldWatch(String name, long limitNanos, AtomicReferenceArray<@Nullable LoopThread> loops) {
        super(null, null, name, 0, false);
        this.limitNanos = limitNanos;
        this.loops = loops;
        this.lastSteps = new int[loops.length()];
        this.sinceNanos = new long[loops.length()];
        this.isReported = new boolean[loops.length()];
        setDaemon(true);
        setContextClassLoader(HoldWatch.class.getClassLoader());
    }

    /** A loop has something to do. Called by it each time. */
    void loopIsAwake() {
        if (isParked) {
            isParked = false;
            LockSupport.unpark(this);
        }
    }

    void close() {
        isClosed = true;
        LockSupport.unpark(this);
    }

    @Override
    public void run() {
        long pause = Math.max(1, limitNanos / LOOKS);
        long last = System.nanoTime();
        while (!isClosed) {
            LockSupport.parkNanos(this, pause);
            long now = System.nanoTime();
            // If this thread did not run for long, the loops may not have run either.
            boolean wasStopped = now - last > 2 * pause;
            last = now;
            boolean areAllAsleep = true;
            for (int i = 0; i < loops.length(); i++) {
                LoopThread loop = loops.get(i);
                if (loop != null && !loop.isAsleep()) {
                    areAllAsleep = false;
                    look(i, loop, now, wasStopped);
                }
            }
            if (areAllAsleep) {
                isParked = true;
                while (isParked && !isClosed && areAllAsleep()) {
                    LockSupport.park(this);
                }
                isParked = false;
                last = System.nanoTime();
            }
        }
    }

    private boolean areAllAsleep() {
        for (int i = 0; i < loops.length(); i++) {
            LoopThread loop = loops.get(i);
            if (loop != null && !loop.isAsleep() && !loop.isEnded()) {
                return false;
            }
        }
        return true;
    }

    private void look(int index, LoopThread loop, long now, boolean wasStopped) {
        int steps = loop.steps();
        String workload = loop.current();
        if (workload == null || wasStopped || steps != lastSteps[index]) {
            lastSteps[index] = steps;
            sinceNanos[index] = now;
            isReported[index] = false;
            return;
        }
        long held = now - sinceNanos[index];
        if (held < limitNanos || isReported[index]) {
            return;
        }
        StackTraceElement[] stack = loop.getStackTrace();
        if (loop.steps() != steps || loop.current() == null) {
            return; // it has just gone on
        }
        isReported[index] = true;
        if (isNew(workload + " " + place(stack), now)) {
            Throwable here = new Throwable("where it is");
            here.setStackTrace(stack);
            log.warn(
                    "Workload '{}' has held {} for {} ms: nothing else can happen on this loop meanwhile. Off-load what "
                            + "blocks or computes (loop.offload), or give it to a workload of that kind",
                    workload,
                    loop.getName(),
                    held / 1_000_000,
                    here);
        }
    }

    private boolean isNew(String place, long now) {
        Long reported = places.get(place);
        if (reported != null && now - reported < PERIOD_NANOS) {
            return false;
        }
        if (reported == null && places.size() >= MOST_PLACES) {
            places.remove(places.keySet().iterator().next());
        }
        places.put(place, now);
        return true;
    }

    /** The innermost line that is not the JDK's: what is held up there is reported once. */
    private static String place(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            String name = frame.getClassName();
            if (!name.startsWith("java.") && !name.startsWith("jdk.") && !name.startsWith("sun.")) {
                return frame.toString();
            }
        }
        return "";
    }
}
