package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class OneThreadTest {
    @Test
    void run_slowTaskUnderWayAtTheEnd_waitsAsLongAsOthersTook() throws InterruptedException {
        Workload<Integer, Integer> computes = Workload.compute("computes", n -> {
            if (n == 0) {
                spin(700);
            } else {
                spinUntilInterrupted();
                spin(450);
            }
            return n;
        });

        OneThread.Outcome outcome = run(computes, 1_500, 0, 1);

        assertThat(outcome.isStuck()).isFalse();
        assertThat(outcome.figures().orElseThrow().tasks()).isEqualTo(2);
        assertThat(outcome.failures().count()).isZero();
    }

    @Test
    void run_timedOutTaskStoppedAtTheEnd_isCounted() throws InterruptedException {
        Workload<Integer, Integer> stubborn = Workload.named("stubborn")
                .timeout(Duration.ofMillis(20))
                .compute((Integer n) -> {
                    spinUntilInterrupted();
                    Thread.interrupted();
                    spinUntilInterrupted();
                    throw new IOException("at last");
                });

        OneThread.Outcome outcome = run(stubborn, 300, 0);

        assertThat(outcome.failures().count()).isEqualTo(1);
        assertThat(outcome.failures().first())
                .hasValueSatisfying(first -> assertThat(first).startsWith("TaskTimeoutException"));
        assertThat(outcome.figures().orElseThrow().tasks()).isEqualTo(1);
    }

    @Test
    void run_outOfMemoryWhenTheTimeIsOver_saysSo() throws InterruptedException {
        Workload<Integer, Integer> greedy = Workload.compute("greedy", n -> {
            spinUntilInterrupted();
            throw new OutOfMemoryError("a test");
        });

        OneThread.Outcome outcome = run(greedy, 50, 0);

        assertThat(outcome.failures().isOutOfMemory()).isTrue();
        assertThat(outcome.figures().orElseThrow().tasks()).isEqualTo(1);
    }

    @Test
    void run_failsOnceAndMayBeTriedAgain_doesNotFail() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        Workload<Integer, Integer> flaky = Workload.named("flaky")
                .retry(RetryPolicy.attempts(2).backoff(Duration.ofHours(1)))
                .compute((Integer n) -> {
                    if (calls.getAndIncrement() % 2 == 0) {
                        throw new IOException("not yet");
                    }
                    return n;
                });

        OneThread.Outcome outcome = run(flaky, 500, 0);

        assertThat(outcome.failures().count()).isZero();
        assertThat(outcome.figures().orElseThrow().tasks())
                .isPositive()
                .as("a task is counted once")
                .isLessThanOrEqualTo(calls.get() / 2);
    }

    @Test
    void run_failsMoreOftenThanItMayBeTried_fails() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        Workload<Integer, Integer> fails = Workload.named("fails")
                .retry(RetryPolicy.attempts(3))
                .compute((Integer n) -> {
                    calls.getAndIncrement();
                    throw new IOException("never");
                });

        OneThread.Outcome outcome = run(fails, 500, 0);

        long tasks = outcome.figures().orElseThrow().tasks();
        assertThat(outcome.failures().count()).isEqualTo(tasks);
        // The one that fails when the time is over is not counted, whichever of its attempts that is.
        assertThat((long) calls.get()).isBetween(3 * tasks, 3 * tasks + 3);
    }

    @Test
    void run_timesOutOnceAndMayBeTriedAgain_hasItsTimeAnew() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        Workload<Integer, Integer> slowAtFirst = Workload.named("slow at first")
                .timeout(Duration.ofMillis(500))
                .retry(RetryPolicy.attempts(2).on(TaskTimeoutException.class))
                .blocking((Integer n) -> {
                    if (calls.getAndIncrement() == 0) {
                        new CountDownLatch(1).await();
                    }
                    return n;
                });

        OneThread.Outcome outcome = run(slowAtFirst, 2_000, 0);

        assertThat(calls.get()).isGreaterThan(1);
        assertThat(outcome.failures().count()).isZero();
    }

    @Test
    void run_endlessTimeout_isNone() throws InterruptedException {
        Workload<Integer, Integer> patient = Workload.named("patient")
                .timeout(Duration.ofSeconds(Long.MAX_VALUE))
                .compute((Integer n) -> n);

        assertThat(run(patient, 20, 0).failures().count()).isZero();
    }

    @Test
    void run_tinyTaskInterruptsItsThread_isNotFeltByTheNext() throws InterruptedException {
        Workload<Integer, Integer> interrupts = Workload.compute("interrupts", n -> {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted before it began");
            }
            Thread.currentThread().interrupt();
            return n;
        });

        OneThread.Outcome outcome =
                run(interrupts, 200, Collections.nCopies(10_000, 0).toArray(Integer[]::new));

        assertThat(outcome.figures().orElseThrow().tasks()).isGreaterThan(1);
        assertThat(outcome.failures().count()).isZero();
    }

    @Test
    void run_noTaskEndsAfterTheFirstRound_hasTheTimesOfThat() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        Workload<Integer, Integer> hangsLater = Workload.blocking("hangs later", n -> {
            if (calls.getAndIncrement() > 0) {
                new CountDownLatch(1).await();
            }
            Thread.sleep(1);
            return n;
        });

        OneThread.Outcome outcome = run(hangsLater, 400, 0);

        assertThat(outcome.figures().orElseThrow().tasks()).isEqualTo(1);
        assertThat(outcome.figures().orElseThrow().p50()).isPresent();
    }

    private static OneThread.Outcome run(Workload<Integer, Integer> workload, long millis, Integer... sample)
            throws InterruptedException {
        return new OneThread<>(workload, List.of(sample), TimeUnit.MILLISECONDS.toNanos(millis)).run();
    }

    private static void spinUntilInterrupted() {
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
    }

    /** Takes no notice of an interrupt. */
    private static void spin(long millis) {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(millis)) {
            Thread.onSpinWait();
        }
    }
}
