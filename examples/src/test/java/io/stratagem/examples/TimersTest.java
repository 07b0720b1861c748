package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TimersTest {
    @Test
    void allTasks_wait() {
        Outcome outcome = Outcome.of(Timers::run, "--tasks", 1_000, "--millis", 100);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(3);
        assertThat(outcome.lines().get(0)).isEqualTo("1,000 tasks wait 0.10 s each; one by one: 100 s");
        assertThat(outcome.lines().get(2)).matches(" +loop.delay.*: \\S+ m?s, [\\d,]+ at once.*");
    }

    @Test
    void noTasks_areRefused() {
        Outcome outcome = Outcome.of(Timers::run, "--tasks", 0);

        assertThat(outcome.err()).contains("--tasks takes a positive number, not 0");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    @Test
    void tooManyTasks_areRefused() {
        Outcome outcome = Outcome.of(Timers::run, "--tasks", 2_000_000_000, "--millis", 1);

        assertThat(outcome.err()).contains("--tasks takes at most 10000000, not 2000000000");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.out()).isEmpty();
    }

    @Test
    void timeOfAllOneByOne_isShownHoweverLong() {
        assertThat(Units.time(Duration.ofDays(1_000_000))).isEqualTo("24000000 h");
    }
}
