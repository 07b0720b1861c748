package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CrashyTest {
    @Test
    void everySeventhInput_crashes_andTheOthersAreDone() {
        Outcome outcome = Outcome.of(Crashy::run, "--tasks", 15);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(16).contains("1: 1", "6: 36", "8: 64", "15: 225");
        assertThat(outcome.lines().get(6))
                .startsWith("7: ")
                .contains("WorkerDiedException", "SIGSEGV")
                .endsWith("'library'");
        assertThat(outcome.lines().get(15)).isEqualTo("15 inputs, 2 crashes, and this process is still here");
    }
}
