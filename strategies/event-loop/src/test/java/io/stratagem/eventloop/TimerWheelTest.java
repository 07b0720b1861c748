package io.stratagem.eventloop;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.eventloop.TimerWheel.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TimerWheelTest {
    /** Shortly before {@code nanoTime} overflows. */
    private static final long ORIGIN = Long.MAX_VALUE - Duration.ofSeconds(3).toNanos();

    private final TimerWheel wheel = new TimerWheel(ORIGIN);

    private static long at(long millis) {
        return ORIGIN + Duration.ofMillis(millis).toNanos();
    }

    @SuppressWarnings("NullAway") // the wheel does not look at the loop
    private static Timer timer() {
        return new Timer(null);
    }

    private Timer add(long millis) {
        Timer timer = timer();
        wheel.add(timer, at(millis));
        return timer;
    }

    private List<Timer> due(long millis) {
        List<Timer> due = new ArrayList<>();
        for (Timer timer = wheel.pollDue(at(millis)); timer != null; timer = wheel.pollDue(at(millis))) {
            due.add(timer);
        }
        return due;
    }

    @Test
    void pollDue_timersOfSeveralTurns_giveThemInOrderAndNotEarly() {
        Timer late = add(20_000);
        Timer soon = add(5);
        Timer next = add(5 + 4096);
        assertThat(wheel.nanosToNext(at(0))).isEqualTo(Duration.ofMillis(5).toNanos());
        assertThat(due(4)).isEmpty();
        assertThat(due(5)).containsExactly(soon);
        assertThat(due(4100)).isEmpty();
        assertThat(due(30_000)).containsExactly(next, late);
        assertThat(wheel.nanosToNext(at(30_000))).isEqualTo(-1);
    }

    @Test
    void nanosToNext_timerOfALaterTurn_isItsTime() {
        Timer late = add(20_000);
        assertThat(wheel.nanosToNext(at(0))).isEqualTo(Duration.ofSeconds(20).toNanos());
        Timer sooner = add(20_000 - 4096); // in the same slot
        Timer between = add(9_000);
        assertThat(wheel.nanosToNext(at(0))).isEqualTo(Duration.ofSeconds(9).toNanos());
        assertThat(due(9_000)).containsExactly(between);
        assertThat(wheel.nanosToNext(at(9_000)))
                .isEqualTo(Duration.ofMillis(20_000 - 4096 - 9_000).toNanos());
        assertThat(due(19_000)).containsExactly(sooner);
        assertThat(wheel.nanosToNext(at(19_000)))
                .isEqualTo(Duration.ofSeconds(1).toNanos());
        wheel.remove(late);
        assertThat(wheel.nanosToNext(at(19_000))).isEqualTo(-1);
    }

    @Test
    void nanosToNext_dueOnesAreLeft_isNone() {
        Timer first = add(3);
        Timer second = add(3);
        assertThat(wheel.pollDue(at(3))).isSameAs(first);
        assertThat(wheel.nanosToNext(at(3))).isZero();
        wheel.remove(second);
        assertThat(wheel.nanosToNext(at(3))).isEqualTo(-1);
    }

    @Test
    void add_fractionOfATick_isRoundedUp() {
        Timer timer = timer();
        wheel.add(timer, at(7) + 1);
        assertThat(due(7)).isEmpty();
        assertThat(due(8)).containsExactly(timer);
    }

    @Test
    void remove_whileOthersOfItsTickRun_isNotGiven() {
        Timer first = add(3);
        Timer second = add(3);
        assertThat(wheel.pollDue(at(3))).isSameAs(first);
        wheel.remove(second);
        assertThat(due(3)).isEmpty();
        wheel.remove(second);
        wheel.remove(first);
        assertThat(wheel.pollAny()).isNull();
    }

    /** Against a plain list. */
    @Test
    void anyOrderOfCalls_givesEachTimerOnceAtItsTime() {
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        record Expected(long millis, Timer timer) {}
        List<Expected> expected = new ArrayList<>();
        long now = 0;
        int rounds = 20_000 * Integer.getInteger("stress.rounds", 1);
        for (int i = 0; i < rounds; i++) {
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    long millis = now + 1 + random.nextInt(random.nextBoolean() ? 50 : 10_000);
                    expected.add(new Expected(millis, add(millis)));
                }
                case 2 -> {
                    if (!expected.isEmpty()) {
                        wheel.remove(
                                expected.remove(random.nextInt(expected.size())).timer());
                    }
                }
                default -> {
                    now += random.nextInt(random.nextInt(100) == 0 ? 9_000 : 30);
                    long time = now;
                    List<Timer> due = due(now);
                    assertThat(due)
                            .as("seed %s, round %s", seed, i)
                            .containsExactlyInAnyOrderElementsOf(expected.stream()
                                    .filter(each -> each.millis() <= time)
                                    .map(Expected::timer)
                                    .toList());
                    expected.removeIf(each -> each.millis() <= time);
                    long next = wheel.nanosToNext(at(now));
                    long first =
                            expected.stream().mapToLong(Expected::millis).min().orElse(-1);
                    if (first < 0) {
                        assertThat(next).isEqualTo(-1);
                    } else {
                        assertThat(next)
                                .isBetween(0L, Duration.ofMillis(first - now).toNanos());
                    }
                }
            }
        }
    }
}
