package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
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

    @Test
    void anotherValueOrFailure_isNotRight() {
        Result<Integer> crash = Result.failure(new WorkerDiedException("SIGSEGV", "worker-1", 1, 139, false, false));
        Result<Integer> failure = Result.failure(new IllegalStateException("not started"));

        assertThat(Crashy.isRight(7, crash)).isTrue();
        assertThat(Crashy.isRight(7, failure)).isFalse();
        assertThat(Crashy.isRight(7, Result.success(49))).isFalse();
        assertThat(Crashy.isRight(8, Result.success(64))).isTrue();
        assertThat(Crashy.isRight(8, Result.success(65))).isFalse();
        assertThat(Crashy.isRight(8, failure)).isFalse();
        assertThat(Crashy.isRight(8, crash)).isFalse();
    }
}
