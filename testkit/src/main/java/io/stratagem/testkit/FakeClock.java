package io.stratagem.testkit;

import io.stratagem.spi.Clock;
import java.time.Duration;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * A clock that stands still until a test moves it. Actions run on the thread that moves it, in the order of their
 * times, outside the clock's lock. An action that is due at once runs when the clock is moved next, be it by zero.
 *
 * <p>It begins shortly before {@code nanoTime} overflows, since code must compare differences only.
 */
public final class FakeClock implements Clock {
    private static final long ORIGIN = Long.MAX_VALUE - Duration.ofSeconds(5).toNanos();

    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>();
    private long elapsed;
    private long alarmsMade;

    /** Creates a clock that stands. */
    public FakeClock() {}

    @Override
    public synchronized long nanoTime() {
        return ORIGIN + elapsed;
    }

    @Override
    public synchronized Timer schedule(Runnable action, long delayNanos) {
        Alarm alarm = new Alarm(saturatedSum(elapsed, Math.max(0, delayNanos)), alarmsMade++, action);
        alarms.add(alarm);
        return () -> forget(alarm);
    }

    private synchronized void forget(Alarm alarm) {
        alarms.remove(alarm);
    }

    /**
     * Moves the time on and runs what becomes due meanwhile, each action at its own time.
     *
     * @param step by how much; zero runs what is due now
     * @throws IllegalArgumentException if the step is negative
     */
    public void advance(Duration step) {
        if (step.isNegative()) {
            throw new IllegalArgumentException("time does not go back: " + step);
        }
        long until = now(step.toNanos());
        Throwable failure = null;
        for (Alarm next = takeDue(until); next != null; next = takeDue(until)) {
            try {
                next.action.run();
            } catch (Throwable e) {
                failure = withSuppressed(e, failure);
            }
        }
        if (failure != null) {
            throw new AssertionError("a timer's action failed", failure);
        }
    }

    /**
     * How many actions wait for their time; a cancelled one does not.
     *
     * @return their number
     */
    public synchronized int waiting() {
        return alarms.size();
    }

    private synchronized long now(long plusNanos) {
        return saturatedSum(elapsed, plusNanos);
    }

    private synchronized @Nullable Alarm takeDue(long until) {
        Alarm next = alarms.peek();
        boolean isDue = next != null && next.at <= until;
        elapsed = Math.max(elapsed, isDue ? next.at : until);
        return isDue ? alarms.poll() : null;
    }

    private static Throwable withSuppressed(Throwable latest, @Nullable Throwable first) {
        if (first == null) {
            return latest;
        }
        if (first != latest) {
            first.addSuppressed(latest);
        }
        return first;
    }

    private static long saturatedSum(long one, long other) {
        long sum = one + other;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    private record Alarm(long at, long number, Runnable action) implements Comparable<Alarm> {
        @Override
        public int compareTo(Alarm other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }
}
