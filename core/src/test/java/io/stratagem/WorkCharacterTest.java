package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WorkCharacterTest {
    private static final Workload<Integer, Integer> COMPUTE = Workload.compute("compute", n -> n);
    private static final Workload<Integer, Integer> BLOCKING = Workload.blocking("blocking", n -> n);

    @Test
    void alone_waitsDeclaredCompute_saysHowMuch() {
        WorkCharacter character = alone(COMPUTE, 1_000, 40, 0);

        assertThat(character.findings())
                .singleElement()
                .asString()
                .startsWith("declared compute, waits 96 % of the time");
        assertThat(character.better()).contains(Kind.BLOCKING);
        assertThat(character.waiting()).hasValue(0.96);
    }

    @Test
    void alone_computesDeclaredBlocking_saysHowMuch() {
        WorkCharacter character = alone(BLOCKING, 1_000, 970, 0);

        assertThat(character.findings())
                .singleElement()
                .asString()
                .startsWith("declared blocking, computes 97 % of the time");
        assertThat(character.better()).contains(Kind.COMPUTE);
    }

    @Test
    void alone_asDeclared_findsNothing() {
        assertThat(alone(COMPUTE, 1_000, 900, 0).findings()).isEmpty();
        assertThat(alone(BLOCKING, 1_000, 300, 0).findings()).isEmpty();
    }

    @Test
    void alone_keptFromTheCpus_doesNotCountThatAsWaiting() {
        WorkCharacter character = alone(COMPUTE, 1_000, 200, 800);

        assertThat(character.findings()).isEmpty();
        assertThat(character.waiting()).hasValue(0);
    }

    @Test
    void alone_crowdedMachine_saysNothingThatItCannotKnow() {
        for (Workload<?, ?> workload : new Workload<?, ?>[] {COMPUTE, BLOCKING}) {
            WorkCharacter character = alone(workload, 2_000, 100, 1_600);

            assertThat(character.findings()).isEmpty();
            assertThat(character.better()).isEmpty();
            assertThat(character.waiting()).isEmpty();
        }
    }

    @Test
    void alone_unknownCpuTime_saysNothing() {
        assertThat(alone(COMPUTE, 1_000, -1, 0).waiting()).isEmpty();
    }

    @Test
    void took_isolated_hintsAtFineGrained() {
        WorkCharacter tiny = new WorkCharacter(Workload.named("tiny").isolated().compute((Integer n) -> n));
        tiny.took(12_000, 8);
        assertThat(tiny.findings()).singleElement().asString().contains("tiny, 12 µs each", "fineGrained");

        WorkCharacter large = new WorkCharacter(
                Workload.named("large").isolated().fineGrained().compute((Integer n) -> n));
        large.took(40e6, 8);
        assertThat(large.findings()).singleElement().asString().contains("declared fine-grained", "40 ms");

        WorkCharacter arrays = new WorkCharacter(
                Workload.named("arrays").isolated().fineGrained().compute((byte[] each) -> each.length));
        arrays.took(40e6, 2 << 20);
        assertThat(arrays.findings()).isEmpty();

        WorkCharacter pickled =
                new WorkCharacter(Workload.named("pickled").isolated().compute((byte[] each) -> 1));
        pickled.took(12_000, 2 << 20);
        assertThat(pickled.findings()).singleElement().asString().contains("2.10 MB for each task", "fineGrained");

        WorkCharacter here = new WorkCharacter(COMPUTE);
        here.took(12_000, 8);
        assertThat(here.findings()).isEmpty();
    }

    @Test
    void failed_noTaskCounted_saysThatEveryTaskFailed() {
        Workload<Integer, Integer> isolated =
                Workload.named("isolated").isolated().compute((Integer n) -> n);
        WorkCharacter character = new WorkCharacter(isolated);
        character.failed(oneFailure(), 0);

        assertThat(character.findings())
                .containsExactly("every task failed, the first one with java.lang.IllegalStateException: no");
    }

    @Test
    void failed_some_saysWhichPart() {
        WorkCharacter character = new WorkCharacter(COMPUTE);
        character.failed(oneFailure(), 4);

        assertThat(character.findings())
                .containsExactly("25 % of the tasks failed, the first one with java.lang.IllegalStateException: no");
    }

    @Test
    void obstacle_noTaskSucceeded_isWhatIsMostImportant() {
        WorkCharacter stuck = alone(COMPUTE, 1_000, 40, 0);
        stuck.stuck("2 s");
        assertThat(stuck.obstacle()).hasValueSatisfying(text -> assertThat(text).startsWith("a task did not end"));

        WorkCharacter hung = alone(COMPUTE, 1_000, 40, 0);
        hung.hung("2 s");
        assertThat(hung.obstacle()).hasValueSatisfying(text -> assertThat(text).startsWith("no task ended"));

        WorkCharacter failed = alone(COMPUTE, 1_000, 40, 0);
        failed.failed(oneFailure(), 1);
        assertThat(failed.obstacle())
                .hasValueSatisfying(text -> assertThat(text).startsWith("every task failed"));
    }

    @Test
    void obstacle_someTasksSucceeded_isNone() {
        WorkCharacter character = alone(COMPUTE, 1_000, 40, 0);
        character.failed(oneFailure(), 4);
        assertThat(character.findings()).hasSize(2);
        assertThat(character.obstacle()).isEmpty();
    }

    private static Failures oneFailure() {
        Failures failures = new Failures();
        failures.add(new IllegalStateException("no"));
        return failures;
    }

    private static WorkCharacter alone(Workload<?, ?> workload, long wall, long cpu, long queued) {
        WorkCharacter character = new WorkCharacter(workload);
        character.alone(wall, cpu, queued);
        return character;
    }
}
