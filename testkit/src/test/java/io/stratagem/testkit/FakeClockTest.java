package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.spi.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class FakeClockTest {
    private final FakeClock clock = new FakeClock();
    private final long origin = clock.nanoTime();
    private final List<String> ran = new ArrayList<>();

    private Runnable noting(String name) {
        return () -> ran.add(name + "@" + (clock.nanoTime() - origin));
    }

    @Test
    void nanoTime_standsStill_untilMoved() {
        assertThat(clock.nanoTime()).isEqualTo(origin);
        clock.advance(Duration.ofNanos(7));
        assertThat(clock.nanoTime() - origin).isEqualTo(7);
        clock.advance(Duration.ofDays(1000));
        assertThat(clock.nanoTime() - origin)
                .as("beyond the overflow")
                .isEqualTo(Duration.ofDays(1000).toNanos() + 7);
    }

    @Test
    void advance_actions_runInOrderAtTheirTime() {
        clock.schedule(noting("c"), 30);
        clock.schedule(noting("a"), 10);
        clock.schedule(noting("a2"), 10);
        clock.schedule(noting("never"), 100);
        clock.schedule(
                () -> {
                    noting("b").run();
                    clock.schedule(noting("from b"), 5);
                },
                20);
        assertThat(ran).isEmpty();
        clock.advance(Duration.ofNanos(50));
        assertThat(ran).containsExactly("a@10", "a2@10", "b@20", "from b@25", "c@30");
        assertThat(clock.waiting()).isEqualTo(1);
        assertThat(clock.nanoTime() - origin).isEqualTo(50);
    }

    @Test
    void schedule_dueAtOnce_runsWhenNextMoved() {
        clock.schedule(noting("a"), 0);
        clock.schedule(noting("b"), -5);
        assertThat(ran).isEmpty();
        clock.advance(Duration.ZERO);
        assertThat(ran).containsExactly("a@0", "b@0");
    }

    @Test
    void cancel_waitingAction_neverRuns() {
        Clock.Timer timer = clock.schedule(noting("a"), 1);
        timer.cancel();
        timer.cancel();
        assertThat(clock.waiting()).isZero();
        clock.advance(Duration.ofSeconds(1));
        assertThat(ran).isEmpty();
    }

    @Test
    void schedule_forEver_neverRuns() {
        clock.advance(Duration.ofDays(1));
        clock.schedule(noting("a"), Long.MAX_VALUE);
        clock.advance(Duration.ofDays(10_000));
        assertThat(ran).isEmpty();
    }

    @Test
    void advance_actionThrows_othersRunAndItFails() {
        clock.schedule(
                () -> {
                    throw new IllegalStateException("in a timer");
                },
                1);
        clock.schedule(noting("b"), 2);
        assertThatThrownBy(() -> clock.advance(Duration.ofSeconds(1)))
                .isInstanceOf(AssertionError.class)
                .hasRootCauseMessage("in a timer");
        assertThat(ran).containsExactly("b@2");
        assertThatThrownBy(() -> clock.advance(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void schedule_racingThreads_losesNoAction() {
        AtomicInteger runs = new AtomicInteger();
        RacingThreads.run(4, thread -> {
            for (int i = 0; i < 1000; i++) {
                clock.schedule(runs::incrementAndGet, i);
                if (thread == 0) {
                    clock.advance(Duration.ofNanos(1));
                }
            }
        });
        clock.advance(Duration.ofSeconds(1));
        assertThat(runs).hasValue(4000);
    }
}
