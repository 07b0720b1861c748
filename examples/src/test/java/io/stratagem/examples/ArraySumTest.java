package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(ints = {2_000_000_000, Integer.MAX_VALUE})
    void tooManyNumbers_areRefused(int numbers) {
        Outcome outcome = Outcome.of(ArraySum::run, "--numbers", numbers);

        assertThat(outcome.err()).contains("--numbers takes at most 134217728, not " + numbers);
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    @Test
    void largeArray_isFilledAndAddedUpByWorkers() {
        Outcome outcome = Outcome.of(largeOf(1_000_003));

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(1)).startsWith("  filled").endsWith("e+05");
        assertThat(outcome.lines().get(3)).startsWith("  shared").endsWith("e+05");
    }

    @Test
    void largeArray_withoutRoom_isLeftOut() {
        Outcome outcome = Outcome.of(largeOf(1L << 50));

        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(2);
        assertThat(outcome.lines().get(1)).startsWith("  left out: No room for a shared array");
    }

    private static Outcome.Example largeOf(long numbers) {
        return (args, out, err) ->
                Cli.run("arraysum", "", args, out, err, cli -> ArraySum.compareLarge(numbers, 5, cli));
    }
}
