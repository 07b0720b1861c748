package io.stratagem.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs code on several threads at once, from one starting shot, and cannot lose a failure: every thread is joined, and
 * whatever any of them throws, an {@link Error} included, is thrown to the caller.
 */
public final class RacingThreads {
    private RacingThreads() {}

    /** What a thread does. */
    @FunctionalInterface
    public interface Body {
        /**
         * Runs.
         *
         * @throws Throwable what makes the race fail
         */
        void run() throws Throwable;
    }

    /** What the thread with a certain number does. */
    @FunctionalInterface
    public interface NumberedBody {
        /**
         * Runs.
         *
         * @param thread the thread's number, from 0
         * @throws Throwable what makes the race fail
         */
        void run(int thread) throws Throwable;
    }

    /**
     * The same on each thread.
     *
     * @param threads how many
     * @param body what each does
     */
    public static void run(int threads, Body body) {
        run(threads, thread -> body.run());
    }

    /**
     * A body for each thread.
     *
     * @param bodies what they do
     */
    public static void run(Body... bodies) {
        run(bodies.length, thread -> bodies[thread].run());
    }

    /**
     * The same on each thread, which knows its number.
     *
     * @param threads how many
     * @param body what each does
     */
    public static void run(int threads, NumberedBody body) {
        run(threads, Patience.LIMIT, body);
    }

    /**
     * Runs the threads and waits until all have ended. If one has thrown, an unchecked exception or error is thrown on as
     * it is; a checked one, or those of several threads, as the cause and the suppressed of an {@link AssertionError}.
     *
     * @param threads how many
     * @param limit how long they may take
     * @param body what each does
     * @throws AssertionError also if a thread does not end in time: with the stacks of those that have not, which are
     *     interrupted
     */
    public static void run(int threads, Duration limit, NumberedBody body) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be positive: " + threads);
        }
        Race race = new Race(threads, body);
        boolean isStarted = false;
        try {
            race.threads.forEach(Thread::start);
            isStarted = true;
        } finally {
            // Those that have started must end, even if others could not be started.
            race.fire(isStarted);
        }
        race.join(limit);
        race.rethrow();
    }

    private static final class Race {
        private final List<Thread> threads;
        private final CountDownLatch ready;
        private final CountDownLatch shot = new CountDownLatch(1);
        private final AtomicReferenceArray<Throwable> failures;
        private volatile boolean isOn;

        Race(int count, NumberedBody body) {
            ready = new CountDownLatch(count);
            failures = new AtomicReferenceArray<>(count);
            threads = IntStream.range(0, count)
                    .mapToObj(number -> new Thread(() -> perform(number, body), "racing-" + number))
                    .toList();
            threads.forEach(thread -> thread.setDaemon(true));
        }

        private void perform(int number, NumberedBody body) {
            try {
                ready.countDown();
                shot.await();
                if (isOn) {
                    body.run(number);
                }
            } catch (Throwable e) {
                failures.set(number, e);
            }
        }

        void fire(boolean areAllStarted) {
            isOn = areAllStarted;
            if (areAllStarted) {
                try {
                    ready.await();
                } catch (InterruptedException e) {
                    isOn = false;
                    Thread.currentThread().interrupt();
                }
            }
            shot.countDown();
        }

        void join(Duration limit) {
            long deadline = System.nanoTime() + limit.toNanos();
            try {
                for (Thread thread : threads) {
                    long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
                    thread.join(Math.max(1, leftMillis));
                }
            } catch (InterruptedException e) {
                threads.forEach(Thread::interrupt);
                Thread.currentThread().interrupt();
                throw failure("the thread that waits for the race was interrupted", e);
            }
            List<Thread> stuck = threads.stream().filter(Thread::isAlive).toList();
            if (!stuck.isEmpty()) {
                AssertionError failure = failure(
                        stuck.size() + " of " + threads.size() + " threads have not ended within " + limit, null);
                for (Thread thread : stuck) {
                    Throwable where = new Throwable(thread.getName() + " is " + thread.getState());
                    where.setStackTrace(thread.getStackTrace());
                    failure.addSuppressed(where);
                    thread.interrupt();
                }
                throw failure;
            }
        }

        void rethrow() {
            List<Throwable> all = thrown();
            if (all.isEmpty()) {
                if (!isOn) {
                    throw new AssertionError("the race was interrupted before it began");
                }
                return;
            }
            if (all.size() == 1) {
                Throwable only = all.get(0);
                if (only instanceof RuntimeException e) {
                    throw e;
                }
                if (only instanceof Error e) {
                    throw e;
                }
            }
            throw failure(all.size() + " of " + threads.size() + " threads failed", all.get(0));
        }

        /** With everything that was thrown so far: the first as its cause, if there is no other, the rest suppressed. */
        private AssertionError failure(String message, @Nullable Throwable cause) {
            AssertionError failure = new AssertionError(message, cause);
            for (Throwable each : thrown()) {
                if (each != cause) {
                    failure.addSuppressed(each);
                }
            }
            return failure;
        }

        /** Each exception once, even if several threads threw the same object. */
        private List<Throwable> thrown() {
            Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            List<Throwable> all = new ArrayList<>();
            for (int i = 0; i < failures.length(); i++) {
                Throwable failure = failures.get(i);
                if (failure != null && seen.add(failure)) {
                    all.add(failure);
                }
            }
            return all;
        }
    }
}
