package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ArraySumTest {
    @Test
    void sentAndShared_giveTheSumOfOneThread() {
        Outcome outcome = Outcome.of(ArraySum::run, "--numbers", 100_003, "--chunks", 7);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(0)).startsWith("sum of 100,003 numbers");
        assertThat(outcome.lines().get(2)).startsWith("  sent").endsWith("e+04");
        assertThat(outcome.lines().get(3)).startsWith("  shared").endsWith("e+04");
    }

    @Test
    void moreChunksThanNumbers_areAsManyAsThere() {
        Outcome outcome = Outcome.of(ArraySum::run, "--numbers", 3, "--chunks", 50);

        assertThat(outcome.exitCode()).isZero();
    }

    @Test
    void tooManyNumbers_areRefused() {
        Outcome outcome = Outcome.of(ArraySum::run, "--numbers", 2_000_000_000);

        assertThat(outcome.err()).contains("--numbers");
        assertThat(outcome.exitCode()).isNotZero();
    }
}
