package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Profiler.Candidate;
import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class RecommendationTest {
    private static final Workload<Integer, Integer> COMPUTES = Workload.compute("computes", n -> n);
    private static final Workload<Integer, Integer> BLOCKS = Workload.blocking("blocks", n -> n);
    private static final Workload<Integer, Integer> ISOLATED =
            Workload.named("isolated").isolated().compute((Integer n) -> n);
    private static final int TASKS = 1_000;

    @Test
    void best_muchFaster_isTheFastest() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(100), inThisJvm("thread pool", 190), inProcesses("process pool", 150));

        assertThat(nameOfBest(recommendation)).isEqualTo("thread pool");
        assertThat(recommendation.text())
                .isEqualTo("Take the thread pool: 190 tasks/s, 1.90 times as many as one thread.");
    }

    @Test
    void best_noneMuchFaster_isNoStrategy() {
        Recommendation recommendation = recommend(COMPUTES, oneThread(100), inThisJvm("thread pool", 105));

        assertThat(nameOfBest(recommendation)).isEqualTo("one thread");
        assertThat(recommendation.text()).startsWith("Call it directly, without a strategy: one thread does 100 ");
    }

    @Test
    void best_processesALittleFaster_isInThisJvm() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(10), inThisJvm("thread pool", 95), inProcesses("process pool", 100));

        assertThat(nameOfBest(recommendation)).isEqualTo("thread pool");
    }

    @Test
    void best_withinALittle_isTheChoice() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(10), inThisJvm("event loop", 100), inThisJvm("thread pool", 95));

        assertThat(nameOfBest(recommendation)).isEqualTo("thread pool");
    }

    @Test
    void best_otherThanTheChoice_saysSo() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(10), inThisJvm("thread pool", 40), inProcesses("process pool", 100));

        assertThat(nameOfBest(recommendation)).isEqualTo("process pool");
        assertThat(recommendation.text())
                .contains("Stratagem.choose, which knows only the label, says thread pool: the process pool did 2.50");
    }

    @Test
    void best_moreTasksFail_isLeftOut() {
        Recommendation recommendation = recommend(
                COMPUTES,
                oneThread(100),
                inThisJvm("thread pool", 190),
                candidate("process pool", COMPUTES, false, true, 1_000, TASKS / 2));

        assertThat(nameOfBest(recommendation)).isEqualTo("thread pool");
    }

    @Test
    void best_tasksFailOnStrategiesOnly_saysSo() {
        Recommendation recommendation = recommend(COMPUTES, oneThread(100), threadsFailing(TASKS));

        assertThat(recommendation.text())
                .isEqualTo("Call it directly, without a strategy: one thread does 100 tasks/s, on every strategy more"
                        + " tasks fail.");
    }

    @Test
    void best_tasksFailOnTheFastestStrategy_comparesWithAnother() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(100), threadsFailing(TASKS), inProcesses("process pool", 50));

        assertThat(recommendation.text()).endsWith("tasks/s, the fastest strategy does 50.");
    }

    @Test
    void best_tasksFailOnTheChoice_saysSo() {
        Recommendation recommendation =
                recommend(COMPUTES, oneThread(10), threadsFailing(TASKS / 2), inProcesses("process pool", 100));

        assertThat(recommendation.text())
                .endsWith("Stratagem.choose, which knows only the label, says thread pool, on which more tasks fail.");
    }

    @Test
    void best_nothingElseMeasured_saysSo() {
        Recommendation recommendation = recommend(COMPUTES, oneThread(100));

        assertThat(recommendation.text()).endsWith("tasks/s, no strategy could be measured.");
    }

    @Test
    void best_noStrategyMeasured_saysWhyForEach() {
        Recommendation recommendation = recommend(
                COMPUTES,
                oneThread(100),
                unmeasured("process pool", false, "it cannot be sent: it has a lock"),
                unmeasured("batched IPC", false, "it cannot be sent: it has a lock"));

        assertThat(recommendation.text())
                .endsWith("one thread does 100 tasks/s, no strategy could be measured: process pool and batched IPC: it"
                        + " cannot be sent: it has a lock.");
    }

    @Test
    void best_allFail_isNone() {
        Recommendation recommendation = recommend(COMPUTES, candidate("one thread", COMPUTES, true, false, 100, TASKS));

        assertThat(recommendation.best()).isEmpty();
        assertThat(recommendation.text()).startsWith("No strategy can be recommended");
    }

    @Test
    void best_noneMeasured_saysWhyForEach() {
        Recommendation recommendation = recommend(
                ISOLATED,
                unmeasured("process pool, one worker", true, "it does not start: no java"),
                unmeasured("process pool", false, "it does not start: no java"),
                unmeasured("batched IPC", false, "it does not start: no java"),
                unmeasured("theirs", false, "no task ended within 2 s"));

        assertThat(recommendation.best()).isEmpty();
        assertThat(recommendation.text())
                .isEqualTo("No strategy can be recommended: process pool and batched IPC: it does not start: no java;"
                        + " theirs: no task ended within 2 s.");
    }

    @Test
    void best_noneMeasuredAndSomethingFound_saysWhyForEach() {
        WorkCharacter character = tiny();
        Recommendation recommendation = recommend(
                ISOLATED,
                character,
                isolated(true, 100, 0),
                unmeasured("process pool", false, "it cannot be made: no room"));

        assertThat(recommendation.text())
                .isEqualTo("No strategy can be recommended: process pool: it cannot be made: no room.");
    }

    @Test
    void best_noTaskSucceededAlone_saysWhy() {
        WorkCharacter character = tiny();
        Failures failures = new Failures();
        failures.add(new IllegalStateException("no"));
        character.failed(failures, 1);
        Recommendation recommendation =
                recommend(ISOLATED, character, isolated(true, 100, TASKS), isolated(false, 100, TASKS));

        assertThat(recommendation.text())
                .isEqualTo("No strategy can be recommended: every task failed, the first one with"
                        + " java.lang.IllegalStateException: no.");
    }

    @Test
    void best_everyTaskFailsOnTheStrategies_saysSo() {
        Recommendation recommendation = recommend(ISOLATED, isolated(true, 100, 0), isolated(false, 100, TASKS));

        assertThat(recommendation.text()).isEqualTo("No strategy can be recommended: process pool: every task failed.");
    }

    @Test
    void text_controlCharactersInNames_areSpaces() {
        Recommendation recommendation = recommend(COMPUTES, oneThread(100), inThisJvm("a\n\u001bb", 1_000));

        assertThat(recommendation.text()).startsWith("Take the a  b: 1,000 tasks/s");
    }

    @Test
    void best_relabelled_saysWhatToDeclare() {
        Recommendation recommendation = recommend(
                COMPUTES,
                oneThread(10),
                inThisJvm("thread pool", 20),
                candidate("thread pool", BLOCKS, false, false, 1_000, 0));

        assertThat(recommendation.text())
                .startsWith(
                        "Declare it as what it is, Workload.blocking, and take the thread pool: 1,000 tasks/s, 100 ");
    }

    @Test
    void best_isolated_isNeverTheBaseline() {
        Recommendation recommendation = recommend(ISOLATED, isolated(true, 100, 0), isolated(false, 101, 0));

        assertThat(recommendation.best().orElseThrow().isBaseline()).isFalse();
        assertThat(recommendation.text()).contains("1.01 times as many as one worker process");
    }

    private static Recommendation recommend(Workload<?, ?> workload, Candidate... candidates) {
        return recommend(workload, new WorkCharacter(workload), candidates);
    }

    private static Recommendation recommend(Workload<?, ?> workload, WorkCharacter character, Candidate... candidates) {
        Choice choice = new Choice(
                workload.name(), workload.isolated() ? "process pool" : "thread pool", List.of(), List.of(), List.of());
        return new Recommendation(workload, List.of(candidates), character, choice);
    }

    /** Something is found of it, which is no reason against any strategy. */
    private static WorkCharacter tiny() {
        WorkCharacter character = new WorkCharacter(ISOLATED);
        character.took(12_000, 8);
        assertThat(character.findings()).isNotEmpty();
        return character;
    }

    private static String nameOfBest(Recommendation recommendation) {
        return recommendation.best().orElseThrow().row().name();
    }

    private static Candidate oneThread(double rate) {
        return candidate("one thread", COMPUTES, true, false, rate, 0);
    }

    private static Candidate inThisJvm(String strategy, double rate) {
        return candidate(strategy, COMPUTES, false, false, rate, 0);
    }

    private static Candidate inProcesses(String strategy, double rate) {
        return candidate(strategy, COMPUTES, false, true, rate, 0);
    }

    private static Candidate threadsFailing(int failures) {
        return candidate("thread pool", COMPUTES, false, false, 1_000, failures);
    }

    private static Candidate isolated(boolean isBaseline, double rate, int failures) {
        return candidate("process pool", ISOLATED, isBaseline, true, rate, failures);
    }

    private static Candidate unmeasured(String name, boolean isBaseline, String why) {
        return new Candidate("process pool", ISOLATED, isBaseline, true, new Row(name, Optional.empty(), why));
    }

    private static Candidate candidate(
            String strategy, Workload<?, ?> workload, boolean isBaseline, boolean isolates, double rate, int failures) {
        Figures figures = new Figures(
                TASKS,
                failures,
                rate,
                Optional.of(Duration.ofMillis(1)),
                Optional.of(Duration.ofMillis(2)),
                OptionalDouble.empty(),
                1,
                0,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                Duration.ZERO);
        return new Candidate(strategy, workload, isBaseline, isolates, new Row(strategy, Optional.of(figures), ""));
    }
}
