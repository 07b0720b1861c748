package io.stratagem.spi;

import io.stratagem.Rejection;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Bounds how many submitted tasks are pending, and counts them. There is a counter for those who enter and one for
 * those who leave, so that the two do not fight for one cache line; who enters looks at the other only when its last
 * look does not show room any more.
 */
/* Who waits has announced itself before it looks for room; who leaves makes room before it looks whether anybody waits.
 * The adder promises no order between its update and that look, and a fence for each task would cost more than it is
 * worth: who waits looks again every millisecond.
 */
final class Admission {
    private static final long LOOK_AGAIN_NANOS = 1_000_000;

    private final int limit;

    /**
     * How much room there must be before somebody is woken, so that not every task that ends wakes a thread which at
     * once fills up what there is. If it never becomes that much, who waits looks by himself.
     */
    private final int slack;

    private final AtomicLong entered = new AtomicLong();
    private final LongAdder left = new LongAdder();

    /** A value that {@link #left} had; never too high. Written without order. */
    private volatile long leftSeen;

    private volatile int waiting; // changed under lock
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();

    Admission(int limit) {
        this.limit = limit;
        this.slack = limit / 16;
    }

    long entered() {
        return entered.get();
    }

    long left() {
        return left.sum();
    }

    /** Enters if there is room. */
    boolean tryEnter() {
        for (; ; ) {
            long now = entered.get();
            if (now - leftSeen >= limit) {
                long left = this.left.sum();
                leftSeen = left;
                if (now - left >= limit) {
                    return false;
                }
            }
            if (entered.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    /** Enters even if there is no room: a strategy's own threads must not wait for themselves. */
    void enterAnyway() {
        entered.incrementAndGet();
    }

    /**
     * Waits for room and enters.
     *
     * @param isOpen asked again and again while waiting
     * @return false if it no longer is open, and nothing was entered
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    boolean enter(BooleanSupplier isOpen) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            waiting++;
            while (isOpen.getAsBoolean()) {
                if (tryEnter()) {
                    return true;
                }
                room.awaitNanos(LOOK_AGAIN_NANOS);
            }
            return false;
        } finally {
            waiting--;
            lock.unlock();
        }
    }

    void leave() {
        left.increment();
        if (waiting > 0 && entered.get() - left.sum() <= limit - slack) {
            wakeOne();
        }
    }

    private void wakeOne() {
        lock.lock();
        try {
            room.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Wakes all who wait, to look again whether this is open. */
    void wakeAll() {
        lock.lock();
        try {
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    String fullMessage(String strategy) {
        return "strategy '" + strategy + "' has " + limit
                + " tasks pending, its limit: raise maxPending, submit less, or " + "build it with rejection("
                + Rejection.BLOCK + ") to wait for room";
    }
}
