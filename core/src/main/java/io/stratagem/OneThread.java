package io.stratagem;

import io.stratagem.WorkloadProfile.Figures;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs a sample on one thread of this JVM, without any strategy: what the others are compared with, and where it shows
 * whether the work waits or computes. The thread is given up when its time is over and it does not end.
 */
/* The thread measures itself, and writes its fields, which who waits for it reads when it has ended. Only `first`,
 * `gauge` and `slowest` are read before. A task that exceeds its timeout, or the time of all, is interrupted under the
 * lock, and only while it runs: so the next one is not hit.
 */
final class OneThread<I, O> {
    /** Tasks that take less are not timed one by one. */
    private static final double TINY_NANOS = 5_000;

    /** How long a thread has at least to end when it was interrupted. */
    private static final long GRACE_NANOS = 300_000_000;

    private static final long LOOK_MILLIS = 5;

    private final Fn<? super I, ? extends O> function;
    private final List<? extends I> sample;
    private final long limitNanos;
    private final long timeoutNanos;
    private final @Nullable RetryPolicy retry;
    private final Thread thread;

    // Guarded by this.
    private boolean isRunning;
    private boolean isStopped;
    private boolean isTimedOut;
    private long began;

    private volatile @Nullable ThreadGauge gauge;
    private volatile ThreadGauge.@Nullable Reading first;

    /** How long the slowest of the tasks that have ended took, in nanoseconds. */
    private volatile long slowest;

    private final AtomicReference<@Nullable Object> sink = new AtomicReference<>();

    // The thread's own, read when it has ended.
    private final Failures failures = new Failures();
    private final Latencies latencies = new Latencies();
    private long tasks;
    private double tasksPerSecond;
    private ThreadGauge.@Nullable Reading used;
    private int next;
    private long taken;

    @SuppressWarnings("unchecked") // what a workload is that is not asynchronous
    OneThread(Workload<I, O> workload, List<? extends I> sample, long limitNanos) {
        this.function = (Fn<? super I, ? extends O>) workload.function();
        this.sample = sample;
        this.limitNanos = limitNanos;
        this.timeoutNanos =
                workload.timeout().map(TimeUnit.NANOSECONDS::convert).orElse(Long.MAX_VALUE);
        this.retry = workload.retry().orElse(null);
        this.thread = new Thread(this::measure, "stratagem-profile-" + workload.name());
        thread.setDaemon(true);
        thread.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    }

    /**
     * What came of it.
     *
     * @param figures empty if no task ended
     * @param used what the thread used in all
     * @param isStuck whether it has not ended: it was interrupted, and goes on
     */
    record Outcome(Optional<Figures> figures, Failures failures, Optional<ThreadGauge.Reading> used, boolean isStuck) {}

    /** Runs it and waits for it. */
    Outcome run() throws InterruptedException {
        long begin = System.nanoTime();
        thread.start();
        try {
            while (System.nanoTime() - begin < limitNanos) {
                thread.join(LOOK_MILLIS);
                if (!thread.isAlive()) {
                    return outcome();
                }
                interruptIfTimedOut();
            }
            ThreadGauge present = gauge;
            ThreadGauge.Reading soFar = present == null ? null : present.read();
            stop();
            // A task that computes takes no notice, and is healthy if it takes as long as others did.
            TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(GRACE_NANOS, 2 * slowest));
            if (!thread.isAlive()) {
                return outcome();
            }
            ThreadGauge.Reading begun = first;
            return new Outcome(
                    Optional.empty(),
                    new Failures(),
                    soFar == null || begun == null ? Optional.empty() : Optional.of(soFar.since(begun)),
                    true);
        } finally {
            stop();
        }
    }

    private synchronized void interruptIfTimedOut() {
        if (isRunning && !isTimedOut && System.nanoTime() - began > timeoutNanos) {
            isTimedOut = true;
            thread.interrupt();
        }
    }

    private synchronized void stop() {
        isStopped = true;
        if (isRunning) {
            thread.interrupt();
        }
    }

    private Outcome outcome() {
        Optional<ThreadGauge.Reading> all = Optional.ofNullable(used);
        if (tasks == 0) {
            return new Outcome(Optional.empty(), failures, all, false);
        }
        OptionalDouble allocated = all.filter(reading -> reading.allocatedBytes() >= 0)
                .map(reading -> OptionalDouble.of((double) reading.allocatedBytes() / tasks))
                .orElse(OptionalDouble.empty());
        double cpus = all.map(reading -> Math.max(0.0, (double) reading.cpuNanos() / reading.wallNanos()))
                .orElse(0.0);
        Figures figures = new Figures(
                tasks,
                failures.count(),
                tasksPerSecond,
                latencies.median(),
                latencies.slow(),
                OptionalDouble.empty(),
                cpus,
                0,
                allocated,
                OptionalLong.empty(),
                Duration.ZERO);
        return new Outcome(Optional.of(figures), failures, all, false);
    }

    // ---------------------------------------------------------------------------------------------- on the thread

    private void measure() {
        ThreadGauge own = new ThreadGauge();
        ThreadGauge.Reading begun = own.read();
        first = begun;
        gauge = own;
        try {
            long begin = System.nanoTime();
            long end = begin + limitNanos;
            // The first round loads and compiles the function; its figures stand only if there is no time for more.
            timed(begin + limitNanos / 5, sample.size());
            if (latencies.isEmpty() || !goesOn(end)) {
                return;
            }
            if (latencies.meanNanos() < TINY_NANOS) {
                untimed(begin + limitNanos * 3 / 4);
                double rate = tasksPerSecond;
                timed(end, Latencies.MOST);
                tasksPerSecond = rate;
            } else {
                timed(end, Long.MAX_VALUE);
            }
        } finally {
            used = own.read().since(begun);
        }
    }

    private boolean goesOn(long end) {
        return !isStopped() && !failures.isOutOfMemory() && System.nanoTime() - end < 0;
    }

    private synchronized boolean isStopped() {
        return isStopped;
    }

    /** Runs tasks one after another, each with its time, until the end, or as many. */
    private void timed(long end, long most) {
        latencies.startOver();
        long begin = System.nanoTime();
        for (long done = 1; done <= most && goesOn(end) && runOne(); done++) {
            latencies.add(taken);
            tasksPerSecond = done * 1e9 / Math.max(1, System.nanoTime() - begin);
        }
    }

    /** The same without, and without a look at the lock, which would take longer than the tasks. */
    private void untimed(long end) {
        long begin = System.nanoTime();
        long before = tasks;
        Pace pace = new Pace(end);
        if (timeoutNanos == Long.MAX_VALUE && begin()) {
            while (!pace.isOver() && apply(next()) && !isEndedByInterrupt()) {
                // until then
            }
            end();
        } else {
            while (!pace.isOver() && runOne()) {
                // until then
            }
        }
        tasksPerSecond = (tasks - before) * 1e9 / Math.max(1, System.nanoTime() - begin);
    }

    /** Takes back an interrupt that a task has left. */
    private boolean isEndedByInterrupt() {
        return Thread.interrupted() && isStopped();
    }

    private I next() {
        I input = sample.get(next);
        next = next + 1 == sample.size() ? 0 : next + 1;
        return input;
    }

    /** False if it is not to go on, and the task is not to be counted. */
    private boolean runOne() {
        if (!begin()) {
            return false;
        }
        long start = System.nanoTime();
        boolean goesOn = apply(next());
        taken = System.nanoTime() - start;
        if (taken > slowest) {
            slowest = taken;
        }
        end();
        return goesOn;
    }

    /**
     * Runs a task as often as its policy says. It does not wait in between, as a strategy holds no worker meanwhile: that
     * would look like work that waits.
     */
    private boolean apply(I input) {
        long start = retry == null ? 0 : System.nanoTime();
        Throwable failure = attempt(input);
        for (int attempts = 1; failure != null && isTriedAgain(failure, attempts, start); attempts++) {
            end();
            if (!begin()) {
                return false;
            }
            failure = attempt(input);
        }
        if (failure != null) {
            boolean isItsOwn = isTimedOut() || failure instanceof VirtualMachineError;
            if (isStopped() && !isItsOwn) {
                return false;
            }
            failures.add(failure);
        }
        tasks++;
        return !failures.isOutOfMemory();
    }

    /** Why it failed; null if it did not. */
    private @Nullable Throwable attempt(I input) {
        Throwable thrown = null;
        try {
            sink.setOpaque(function.apply(input)); // so that the compiler cannot leave it out
        } catch (Throwable e) {
            thrown = e;
        }
        return timeoutNanos < Long.MAX_VALUE && isTimedOut() ? timedOut() : thrown;
    }

    private boolean isTriedAgain(Throwable failure, int attempts, long start) {
        return retry != null && !isStopped() && retry.nextDelayNanos(failure, attempts, System.nanoTime() - start) >= 0;
    }

    /** Whether the latest attempt has exceeded its timeout. */
    private synchronized boolean isTimedOut() {
        return isTimedOut;
    }

    private TaskTimeoutException timedOut() {
        return new TaskTimeoutException(
                "it took longer than its timeout of " + Quantity.time(Duration.ofNanos(timeoutNanos)));
    }

    private synchronized boolean begin() {
        if (isStopped) {
            return false;
        }
        isRunning = true;
        isTimedOut = false;
        began = timeoutNanos == Long.MAX_VALUE ? 0 : System.nanoTime();
        return true;
    }

    private synchronized void end() {
        isRunning = false;
        Thread.interrupted(); // it may be meant for what has just ended, or be left by it
    }
}
