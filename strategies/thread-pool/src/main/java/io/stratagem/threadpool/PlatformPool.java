package io.stratagem.threadpool;

import io.stratagem.spi.AdaptiveSpin;
import io.stratagem.spi.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads that park when there is no work, and end when there is none for a while. With a limit of one per
 * CPU it is the pool for computing, with a higher one the pool for blocking.
 */
/* Waking costs more than most short tasks take, so it is done as rarely as possible: at most one thread at a time is on
 * its way to find work ("searching"). Who adds work wakes a thread only if none is; a searching thread that finds work
 * stops searching, and if then no other is and there is more work, it wakes the next. A thread that finds nothing puts
 * itself among the idle, stops searching, and looks into the queue once more before it parks. So either the adder sees
 * nobody searching and wakes one, or the searcher sees the work. After the scheduler of the Go runtime (proc.go, "Worker
 * thread parking/unparking").
 *
 * The first thread is handed its work instead, so that work is refused, and not queued, if there is no thread at all.
 * Where a further one cannot be started, an adder may have relied on its search: that is made up for by a later try.
 */
final class PlatformPool extends WorkerPool {
    /** Some 10 µs of looking into the queue before parking, where parking and waking cost 4 to 60. */
    private static final int SPINS = 500;

    private final AdaptiveSpin spin = new AdaptiveSpin(SPINS);
    private final AtomicInteger searching = new AtomicInteger();
    private final Deque<Parking> idle = new ArrayDeque<>(); // guarded by lock

    /** Written under the lock. */
    private volatile int idleThreads;

    PlatformPool(PoolSettings settings, ThreadEngine owner, Clock clock) {
        super(settings, owner, clock);
    }

    /** A thread that waits; {@code isCalled} is set, and it is counted as searching, by who takes it from the idle. */
    private static final class Parking {
        private final Thread thread = Thread.currentThread();
        private volatile boolean isCalled;
    }

    @Override
    void add(Object work) {
        if (tryCountFirst() && startOrThrow(work)) {
            return;
        }
        queue.add(work);
        if (isClosed) {
            // The threads may be gone already. Who finds this work is to run it all the same.
            callOrStart();
        } else {
            callIfNobodySearches();
        }
    }

    private void callIfNobodySearches() {
        if (searching.get() == 0 && (idleThreads > 0 || hasRoom())) {
            callOrStart();
        }
    }

    private void callOrStart() {
        Parking called;
        lock.lock();
        try {
            called = idle.pollFirst();
            if (called != null) {
                idleThreads = idle.size();
                searching.incrementAndGet();
                called.isCalled = true;
            }
        } finally {
            lock.unlock();
        }
        if (called != null) {
            LockSupport.unpark(called.thread);
        } else if (tryCount()) {
            searching.incrementAndGet();
            if (!tryStart(null)) {
                searching.decrementAndGet();
            }
        }
    }

    @Override
    void work(PoolWorker worker, @Nullable Object first) {
        Object work = first != null ? first : search(worker);
        while (work != null) {
            perform(worker, work);
            if (worker.isAbandoned() || leaveIfTooMany(worker)) {
                return;
            }
            work = queue.poll();
            if (work == null) {
                searching.incrementAndGet();
                work = search(worker);
                worker.forgetTime();
            }
        }
    }

    private boolean hasWork() {
        return !queue.isEmpty();
    }

    /** Called while counted as searching; on return it is not. Null if the thread is to end. */
    private @Nullable Object search(PoolWorker worker) {
        for (; ; ) {
            Object work = spin.until(this::hasWork) ? queue.poll() : null;
            if (work != null) {
                if (searching.decrementAndGet() == 0 && !queue.isEmpty()) {
                    callIfNobodySearches();
                }
                return work;
            }
            if (!park(worker)) {
                return null;
            }
        }
    }

    /** Called while counted as searching. True: it is again. False: it is not, and has left the threads that count. */
    private boolean park(PoolWorker worker) {
        Parking parking = new Parking();
        lock.lock();
        try {
            idle.addFirst(parking);
            idleThreads = idle.size();
        } finally {
            lock.unlock();
        }
        searching.decrementAndGet();
        long since = System.nanoTime();
        while (!parking.isCalled) {
            long left = settings.keepAliveNanos() - (System.nanoTime() - since);
            boolean mayEnd = isClosed || left <= 0;
            if (mayEnd || !queue.isEmpty()) {
                if (!withdraw(parking)) {
                    continue;
                }
                if (mayEnd && leaveUnlessWork(worker)) {
                    return false;
                }
                searching.incrementAndGet();
                return true;
            }
            LockSupport.parkNanos(this, left);
            Thread.interrupted();
        }
        return true;
    }

    /** Takes itself from the idle; false if somebody has called it, and says so in a moment. */
    private boolean withdraw(Parking parking) {
        lock.lock();
        try {
            boolean wasIdle = idle.remove(parking);
            idleThreads = idle.size();
            return wasIdle;
        } finally {
            lock.unlock();
        }
    }

    @Override
    void replace() {
        if (!queue.isEmpty()) {
            callIfNobodySearches();
        }
    }

    @Override
    void close() {
        super.close();
        lock.lock();
        try {
            idle.forEach(parking -> LockSupport.unpark(parking.thread));
        } finally {
            lock.unlock();
        }
    }
}
