package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PrimesTest {
    @Test
    void threadsAndProcesses_findTheSamePrimes() {
        Outcome outcome = Outcome.of(Primes::run, "--numbers", 100, "--from", 10_000_003);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(0)).isEqualTo("8 primes among 100 numbers");
        assertThat(outcome.lines().get(3)).contains("process pool", "times as fast");
    }

    @Test
    void noNumber_isRefused() {
        Outcome outcome = Outcome.of(Primes::run, "--from", "ten");

        assertThat(outcome.err()).contains("--from takes a positive number, not ten");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    /** The last one would be a negative number. */
    @Test
    void numbersBeyondTheLargest_areRefused() {
        Outcome outcome = Outcome.of(Primes::run, "--numbers", 2, "--from", Long.MAX_VALUE - 1);

        assertThat(outcome.err()).contains("--from takes at most 9223372036854775805, not 9223372036854775806");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }
}
