package io.stratagem.eventloop;

import org.jspecify.annotations.Nullable;

/** Timers of one loop, to the millisecond. Only the loop's thread uses it. To add and to remove take constant time. */
/* A hashed wheel: a timer that is due at tick t is in the list of slot t mod SLOTS, together with those that are due whole
 * turns later. A bit for each slot says whether its list is empty, so that the next slot to look at is found without
 * walking the wheel, and a number what its earliest timer is, so that nobody wakes for those of later turns. Both numbers,
 * that one and `next`, may be too low when timers have been removed: then one look finds nothing. What is due is first
 * moved to the list `due`, and then run one by one: so a timer that is removed meanwhile is removed from there. After
 * Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", scheme 6.
 */
final class TimerWheel {
    static final long TICK_NANOS = 1_000_000;

    /** A turn is four seconds; a power of two. */
    private static final int SLOTS = 1 << 12;

    private static final int DUE = SLOTS;
    private static final int NOWHERE = -1;

    /** The first timer of each slot, if there is one; its lists are rings. */
    private final @Nullable Timer[] heads = new @Nullable Timer[SLOTS + 1];

    private final long[] occupied = new long[SLOTS / Long.SIZE];

    /** No timer of this slot is due before, if it is occupied. */
    private final long[] earliest = new long[SLOTS];

    private final long originNanos;

    /** All timers up to this tick have been run, or are in {@code due}. */
    private long tick;

    /** How many timers are in slots. */
    private int count;

    /** No timer is due before this tick. */
    private long next = Long.MAX_VALUE;

    TimerWheel(long nowNanos) {
        this.originNanos = nowNanos;
    }

    /**
     * A timer as a link of the list of a slot; what it is for, a subclass knows. It is a future so that a delay is one
     * object: there may be very many.
     */
    static class Timer extends LoopFuture<Void> {
        private long tick;
        private int slot = NOWHERE;
        private Timer previous = this;
        private Timer next = this;

        Timer(LoopThread loop) {
            super(loop);
        }
    }

    /** Adds a timer that is in no list. */
    void add(Timer timer, long deadlineNanos) {
        long sinceOrigin = deadlineNanos - originNanos;
        timer.tick = Math.max(tick + 1, Math.floorDiv(sinceOrigin + TICK_NANOS - 1, TICK_NANOS));
        next = Math.min(next, timer.tick);
        append(timer, (int) (timer.tick & (SLOTS - 1)));
    }

    private void append(Timer timer, int slot) {
        Timer first = heads[slot];
        timer.slot = slot;
        if (first == null) {
            heads[slot] = timer;
        } else {
            Timer last = first.previous;
            timer.previous = last;
            timer.next = first;
            last.next = timer;
            first.previous = timer;
        }
        if (slot != DUE) {
            earliest[slot] = first == null ? timer.tick : Math.min(earliest[slot], timer.tick);
            occupied[slot >>> 6] |= 1L << slot;
            count++;
        }
    }

    /** Removes a timer, if it is in a list. */
    void remove(Timer timer) {
        int slot = timer.slot;
        if (slot == NOWHERE) {
            return;
        }
        Timer after = timer.next;
        boolean isOnly = after == timer;
        timer.previous.next = after;
        after.previous = timer.previous;
        if (heads[slot] == timer) {
            heads[slot] = isOnly ? null : after;
        }
        if (slot != DUE) {
            count--;
            if (isOnly) {
                occupied[slot >>> 6] &= ~(1L << slot);
            }
        }
        timer.slot = NOWHERE;
        timer.previous = timer;
        timer.next = timer;
    }

    /** Moves the time on and takes the next timer that is due, or null. */
    @Nullable
    Timer pollDue(long nowNanos) {
        long now = Math.floorDiv(nowNanos - originNanos, TICK_NANOS);
        Timer due = heads[DUE];
        while (due == null) {
            if (next > now) {
                tick = Math.max(tick, now);
                return null;
            }
            tick = next;
            int slot = (int) (next & (SLOTS - 1));
            earliest[slot] = moveDue(heads[slot]);
            next = findNext();
            due = heads[DUE];
        }
        remove(due);
        return due;
    }

    /** Moves what is due of a slot to the list of that; gives the earliest tick of what is left. */
    private long moveDue(@Nullable Timer first) {
        long later = Long.MAX_VALUE;
        Timer last = first == null ? null : first.previous;
        for (Timer timer = first; timer != null; ) {
            Timer after = timer == last ? null : timer.next;
            if (timer.tick <= tick) {
                remove(timer);
                append(timer, DUE);
            } else {
                later = Math.min(later, timer.tick);
            }
            timer = after;
        }
        return later;
    }

    /** The tick of the earliest timer in a slot, after the present one; MAX_VALUE if there is none. */
    private long findNext() {
        int from = (int) ((tick + 1) & (SLOTS - 1));
        int word = from >>> 6;
        long bits = occupied[word] & (-1L << from);
        long later = Long.MAX_VALUE;
        for (int i = 0; i <= occupied.length; i++) {
            for (; bits != 0; bits &= bits - 1) {
                int slot = (word << 6) + Long.numberOfTrailingZeros(bits);
                long inThisTurn = tick + 1 + ((slot - from) & (SLOTS - 1));
                if (earliest[slot] <= inThisTurn) {
                    return inThisTurn;
                }
                later = Math.min(later, earliest[slot]);
            }
            word = (word + 1) & (occupied.length - 1);
            bits = occupied[word];
        }
        return later;
    }

    /** How long there is certainly no timer due; -1 if there is none at all. */
    long nanosToNext(long nowNanos) {
        if (heads[DUE] != null) {
            return 0;
        }
        if (count == 0) {
            return -1;
        }
        return Math.max(0, originNanos + next * TICK_NANOS - nowNanos);
    }

    /** Takes any timer, or null if there is none. */
    @Nullable
    Timer pollAny() {
        for (int slot = 0; slot <= DUE; slot++) {
            Timer first = heads[slot];
            if (first != null) {
                remove(first);
                return first;
            }
        }
        return null;
    }
}
