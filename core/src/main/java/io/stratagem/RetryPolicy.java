package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Which failures of a workload are tried again, how often, and after what wait. A workload with a policy says by it
 * that a task may run more than once. Immutable: each method returns a changed copy.
 *
 * <p>The wait before attempt <i>n</i> + 1 is {@code first × multiplier}<sup>n−1</sup>, at most {@code max}, of which a
 * random part is taken away (jitter, so that many tasks that failed together do not return together). While a task
 * waits for its next attempt it holds no worker. Cancelled tasks are not tried again.
 */
public final class RetryPolicy implements Serializable {
    private static final long serialVersionUID = 1;
    private static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

    /** How often a task may be started. */
    private final int maxAttempts;

    /** The wait before the second attempt. */
    private final Duration first;

    /** By what the wait grows. */
    private final double multiplier;

    /** The longest wait. */
    private final Duration max;

    /** The random part of each wait. */
    private final double jitter;

    /** When no attempt begins any more. */
    private final Duration within;

    /** What is tried again. */
    @SuppressWarnings("serial") // List.copyOf is serializable
    private final List<Class<? extends Throwable>> causes;

    private RetryPolicy(
            int maxAttempts,
            Duration first,
            double multiplier,
            Duration max,
            double jitter,
            Duration within,
            List<Class<? extends Throwable>> causes) {
        this.maxAttempts = maxAttempts;
        this.first = first;
        this.multiplier = multiplier;
        this.max = max;
        this.jitter = jitter;
        this.within = within;
        this.causes = causes;
    }

    /**
     * Any exception (not an {@link Error}), no wait, no limit in time.
     *
     * @param maxAttempts how often a task may be started in all, from 1
     * @return the policy
     * @throws IllegalArgumentException if the number is not positive
     */
    public static RetryPolicy attempts(int maxAttempts) {
        checkArgument(maxAttempts > 0, "maxAttempts must be positive: %s", maxAttempts);
        return new RetryPolicy(maxAttempts, Duration.ZERO, 1, FOR_EVER, 0.5, FOR_EVER, List.of(Exception.class));
    }

    /**
     * The same wait before each attempt but the first.
     *
     * @param wait zero or more
     * @return a changed copy
     * @throws IllegalArgumentException if the wait is negative
     */
    public RetryPolicy backoff(Duration wait) {
        return backoff(wait, 1, wait);
    }

    /**
     * A wait that grows.
     *
     * @param first the wait before the second attempt; zero or more
     * @param multiplier by what it grows each time; at least 1
     * @param max the longest wait; not less than the first
     * @return a changed copy
     * @throws IllegalArgumentException if a value is out of its range
     */
    public RetryPolicy backoff(Duration first, double multiplier, Duration max) {
        checkArgument(!first.isNegative(), "first must not be negative: %s", first);
        checkArgument(multiplier >= 1, "multiplier must be at least 1: %s", multiplier);
        checkArgument(max.compareTo(first) >= 0, "max must not be less than first (%s): %s", first, max);
        return new RetryPolicy(maxAttempts, first, multiplier, max, jitter, within, causes);
    }

    /**
     * The part of each wait that is random: with 0.5, the default, a wait is between half of its length and all of it.
     *
     * @param part from 0 to 1
     * @return a changed copy
     * @throws IllegalArgumentException if the part is out of its range
     */
    public RetryPolicy jitter(double part) {
        checkArgument(part >= 0 && part <= 1, "jitter must be from 0 to 1: %s", part);
        return new RetryPolicy(maxAttempts, first, multiplier, max, part, within, causes);
    }

    /**
     * Only failures whose {@link Result.Failure#cause() cause} is of one of these types, or of a subtype; by that an
     * {@link Error} can be tried again, too. What an exception was itself caused by is not looked at. These types take the
     * place of those given before. What was cancelled is not tried again, whatever the types.
     *
     * @param types at least one
     * @return a changed copy
     * @throws IllegalArgumentException if there is none
     */
    @SafeVarargs
    public final RetryPolicy on(Class<? extends Throwable>... types) {
        checkArgument(types.length > 0, "on needs at least one type");
        List<Class<? extends Throwable>> retried = new ArrayList<>();
        for (Class<? extends Throwable> type : types) {
            retried.add(type);
        }
        return new RetryPolicy(maxAttempts, first, multiplier, max, jitter, within, List.copyOf(retried));
    }

    /**
     * No attempt is put off to a time later than this after the first one began; it may then have to wait for a worker.
     * No limit by default.
     *
     * @param limit positive
     * @return a changed copy
     * @throws IllegalArgumentException if the limit is not positive
     */
    public RetryPolicy within(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "within must be positive: %s", limit);
        return new RetryPolicy(maxAttempts, first, multiplier, max, jitter, limit, causes);
    }

    /**
     * How often a task may be started in all.
     *
     * @return at least 1
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * Decides about one failure.
     *
     * @param cause why the attempt failed
     * @param attempts how many attempts have been made
     * @param elapsedNanos time since the first attempt began
     * @return the wait before the next attempt in nanoseconds, or −1 for no further attempt
     */
    public long nextDelayNanos(Throwable cause, int attempts, long elapsedNanos) {
        if (attempts >= maxAttempts || cause instanceof CancellationException || !isRetried(cause)) {
            return -1;
        }
        double full = Math.min((double) NANOSECONDS.convert(first) * Math.pow(multiplier, attempts - 1), (double)
                NANOSECONDS.convert(max));
        long wait = (long) (full * (1 - jitter * ThreadLocalRandom.current().nextDouble()));
        return wait > NANOSECONDS.convert(within) - elapsedNanos ? -1 : wait;
    }

    private boolean isRetried(Throwable cause) {
        return causes.stream().anyMatch(type -> type.isInstance(cause));
    }

    @Override
    public String toString() {
        return "at most " + maxAttempts + " attempts on "
                + causes.stream().map(Class::getSimpleName).toList();
    }
}
