package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Above all: that it fails when it should. */
final class RacingThreadsTest {
    @Test
    void run_allReturn_ranEachOnceAndAtTheSameTime() {
        AtomicInteger runs = new AtomicInteger();
        CyclicBarrier all = new CyclicBarrier(5);
        RacingThreads.run(5, () -> {
            all.await(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS);
            runs.incrementAndGet();
        });
        assertThat(runs).hasValue(5);
    }

    @Test
    void run_numbered_givesEachItsNumber() {
        AtomicInteger sum = new AtomicInteger();
        RacingThreads.run(4, thread -> {
            sum.addAndGet(1 << thread);
        });
        assertThat(sum).hasValue(0b1111);
    }

    @Test
    void run_oneThreadFails_throwsItAsItIs() {
        Error error = new AssertionError("on one thread");
        RuntimeException unchecked = new IllegalStateException("on one thread");
        assertThatThrownBy(() -> RacingThreads.run(8, thread -> {
                    if (thread == 7) {
                        throw error;
                    }
                }))
                .isSameAs(error);
        assertThatThrownBy(() -> RacingThreads.run(8, thread -> {
                    if (thread == 0) {
                        throw unchecked;
                    }
                }))
                .isSameAs(unchecked);
        IOException checked = new IOException("on one thread");
        assertThatThrownBy(() -> RacingThreads.run(
                        () -> {
                            throw checked;
                        },
                        () -> {}))
                .isInstanceOf(AssertionError.class)
                .hasCause(checked);
    }

    @Test
    void run_severalThreadsFail_losesNone() {
        Throwable[] thrown = new Throwable[8];
        assertThatThrownBy(() -> RacingThreads.run(8, thread -> {
                    thrown[thread] = thread % 2 == 0 ? new AssertionError(thread) : new IOException("" + thread);
                    throw thrown[thread];
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("8 of 8")
                .hasCause(thrown[0])
                .satisfies(all -> assertThat(all.getSuppressed())
                        .containsExactly(thrown[1], thrown[2], thrown[3], thrown[4], thrown[5], thrown[6], thrown[7]));
    }

    @Test
    void run_sameExceptionOnAllThreads_throwsIt() {
        AssertionError same = new AssertionError("shared");
        assertThatThrownBy(() -> RacingThreads.run(3, () -> {
                    throw same;
                }))
                .isSameAs(same);
    }

    @Test
    void run_failsAfterInterruptingTheOthers_isNotLost() {
        assertThatThrownBy(() -> RacingThreads.run(2, thread -> {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException("with the flag set");
                }))
                .isInstanceOf(AssertionError.class)
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void run_threadHangs_failsWithItsStackAndTheOthersFailures() throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        assertThatThrownBy(() -> RacingThreads.run(3, Duration.ofMillis(200), thread -> {
                    if (thread == 0) {
                        throw new IOException("not lost");
                    }
                    if (thread == 2) {
                        hangHere(interrupted);
                    }
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("1 of 3")
                .satisfies(failure -> {
                    assertThat(failure.getSuppressed()).anyMatch(IOException.class::isInstance);
                    assertThat(failure.getSuppressed()).anySatisfy(where -> {
                        assertThat(where).hasMessageContaining("racing-2");
                        assertThat(where.getStackTrace())
                                .anyMatch(frame -> frame.getMethodName().equals("hangHere"));
                    });
                });
        assertThat(interrupted.await(Patience.LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("the stuck thread is interrupted")
                .isTrue();
    }

    private static void hangHere(CountDownLatch interrupted) {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            interrupted.countDown();
        }
    }

    @Test
    void run_callerInterrupted_failsKeepsFlagAndLeavesNoThread() {
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> RacingThreads.run(1, () -> hangHere(interrupted)))
                .isInstanceOf(AssertionError.class);
        assertThat(Thread.interrupted()).isTrue();
        ThreadLeaks.awaitNone("racing-");
    }

    @Test
    void run_noThreads_isRefused() {
        assertThatThrownBy(() -> RacingThreads.run(0, () -> {})).isInstanceOf(IllegalArgumentException.class);
    }
}
