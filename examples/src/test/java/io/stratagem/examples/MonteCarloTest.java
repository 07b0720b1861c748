package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class MonteCarloTest {
    @Test
    void workers_hitAsOneThreadDoes() {
        Outcome outcome = Outcome.of(MonteCarlo::run, "--tasks", 5_000, "--darts", 50);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(0)).isEqualTo("pi by 5,000 tasks with 50 darts each");
        assertThat(outcome.lines().get(2)).startsWith("  batched IPC").endsWith("tasks per second");
        assertThat(outcome.lines().get(3)).startsWith("  pi is about 3.1");
    }

    @Test
    void noNumber_isRefused() {
        Outcome outcome = Outcome.of(MonteCarlo::run, "--darts", "many");

        assertThat(outcome.err()).contains("--darts takes a positive number, not many");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }
}
