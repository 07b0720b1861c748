package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SharedCountTest {
    @Test
    void counters_haveWhatTheSieveHas() {
        Outcome outcome = Outcome.of(SharedCount::run, "--numbers", 100_001, "--block", 999);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(1);
        assertThat(outcome.lines().get(0)).startsWith("9,592 primes below 100,001, counted by ");
    }

    @Test
    void tooManyNumbers_areRefused() {
        Outcome outcome = Outcome.of(SharedCount::run, "--numbers", 2_000_000_000);

        assertThat(outcome.err()).contains("--numbers takes at most");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }
}
