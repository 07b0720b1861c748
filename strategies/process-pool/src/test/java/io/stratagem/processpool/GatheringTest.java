package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** Lone tasks that wait for a worker go to it together, if the strategy does that; each is a task of its own all the same. */
final class GatheringTest extends WorkerFixture {
    private static final int TASKS = 100;
    private static final int SPECIAL = 60;

    /** Whether the strategy that the tests are of gathers tasks. */
    private static final boolean GATHERS = System.getProperty(UNDER_TEST, "").contains("BatchedIpc");

    /** The number of the frame that the calling task has come in. */
    private static long frame() {
        try {
            Field batch = Outbox.class.getDeclaredField("batch");
            batch.setAccessible(true);
            return batch.getLong(Outbox.present());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** Submits tasks while the only worker is busy, so that they wait for it. */
    private <R> List<CompletableFuture<Result<R>>> submitBehind(
            WorkerProcessStrategy pool, Workload<Integer, R> workload) throws Exception {
        pool.run(workload, -1).orElseThrow(); // now it is known
        Gate gate = gate();
        Journal journal = journal();
        CompletableFuture<Result<Integer>> busy = pool.submit(
                Workload.blocking("busy", (Integer n) -> {
                    journal.enter();
                    gate.awaitIgnoringInterrupts();
                    return n;
                }),
                0);
        Patience.await().until(() -> journal.entered() == 1);
        List<CompletableFuture<Result<R>>> futures = new ArrayList<>();
        for (int i = 0; i < TASKS; i++) {
            futures.add(pool.submit(workload, i));
        }
        gate.open();
        assertThat(Patience.get(busy)).isEqualTo(Result.success(0));
        return futures;
    }

    /** Tasks that note that they run, one of which is special. */
    private static Workload<Integer, Integer> noting(Journal journal, Fn<Integer, Integer> special) {
        return Workload.named("noting").isolated().compute(n -> {
            journal.add(Integer.toString(n));
            return n == SPECIAL ? special.apply(n) : n;
        });
    }

    private static Fn<Integer, Integer> waiting(Gate gate) {
        return n -> {
            gate.awaitIgnoringInterrupts();
            return n;
        };
    }

    private static void assertEachRanOnce(Journal journal) {
        List<String> expected =
                IntStream.range(-1, TASKS).mapToObj(Integer::toString).toList();
        assertThat(journal.entries()).containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void loneTasks_thatWait_comeTogether() throws Exception {
        List<CompletableFuture<Result<Long>>> futures =
                submitBehind(pool(1), Workload.compute("frame", (Integer n) -> frame()));

        List<Long> frames = new ArrayList<>();
        for (CompletableFuture<Result<Long>> each : futures) {
            frames.add(Patience.get(each).orElseThrow());
        }

        long distinct = frames.stream().distinct().count();
        if (GATHERS) {
            assertThat(distinct).isLessThan(TASKS / 2);
        } else {
            assertThat(distinct).isEqualTo(TASKS);
        }
    }

    /** Else what is behind in the queue might wait for what is given back, and for ever if it is itself slow. */
    @Test
    void loneTasks_behindASlowOne_areRunBeforeWhatCameLater() throws Exception {
        Gate first = gate();
        Gate later = gate();
        Journal journal = journal();
        WorkerProcessStrategy pool = pool(1);
        Gate busyGate = gate();
        var busy = pool.submit(Workload.blocking("busy", waiting(busyGate)), 0);
        Patience.await().until(() -> pool.snapshot().running() == 1);
        Workload<Integer, Integer> gathered = Workload.compute("gathered", n -> {
            journal.enter();
            if (n == 0) {
                first.awaitIgnoringInterrupts();
            }
            return n;
        });
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
        for (int i = 0; i < TASKS; i++) {
            futures.add(pool.submit(gathered, i));
        }
        var waiting = pool.submit(Workload.blocking("waiting", waiting(later)), 0);
        busyGate.open();
        Patience.await().until(() -> journal.entered() == 1 && pool.snapshot().running() == 1);
        first.open();
        for (CompletableFuture<Result<Integer>> each : futures) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
        later.open();
        assertThat(Patience.get(busy).isSuccess()).isTrue();
        assertThat(Patience.get(waiting).isSuccess()).isTrue();
    }

    @Test
    void loneTasks_withOthersOfAnotherContext_haveTheirOwn() throws Exception {
        Workload<Integer, Boolean> workload =
                Workload.compute("context", (Integer n) -> Objects.equals(MDC.get("task"), n / 10 + ""));
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        var busy = pool.submit(Workload.blocking("busy", waiting(gate)), 0);
        List<CompletableFuture<Result<Boolean>>> futures = new ArrayList<>();
        for (int i = 0; i < TASKS; i++) {
            MDC.put("task", i / 10 + "");
            futures.add(pool.submit(workload, i));
        }
        MDC.remove("task");
        gate.open();

        for (CompletableFuture<Result<Boolean>> each : futures) {
            assertThat(Patience.get(each)).isEqualTo(Result.success(true));
        }
        assertThat(Patience.get(busy).isSuccess()).isTrue();
    }

    @Test
    void loneTask_thatFails_failsAlone() throws Exception {
        Journal journal = journal();
        List<CompletableFuture<Result<Integer>>> futures =
                submitBehind(pool(1), noting(journal, n -> Math.floorDiv(n, 0)));

        for (int n = 0; n < TASKS; n++) {
            Result<Integer> result = Patience.get(futures.get(n));
            if (n == SPECIAL) {
                assertThat(causeOf(result)).isInstanceOf(ArithmeticException.class);
            } else {
                assertThat(result).isEqualTo(Result.success(n));
            }
        }
        assertEachRanOnce(journal);
    }

    @Test
    void loneTask_thatKillsItsWorker_takesNoneWithItThatHadNotRun() throws Exception {
        Journal journal = journal();
        List<CompletableFuture<Result<Integer>>> futures = submitBehind(pool(1), noting(journal, n -> {
            Runtime.getRuntime().halt(7);
            return n;
        }));

        for (int n = 0; n < TASKS; n++) {
            Result<Integer> result = Patience.get(futures.get(n));
            if (result.isSuccess()) {
                assertThat(result).isEqualTo(Result.success(n));
            } else {
                int task = n;
                assertThat(causeOf(result))
                        .isInstanceOfSatisfying(
                                WorkerDiedException.class,
                                died -> assertThat(died.mayHaveFinished()).isEqualTo(task != SPECIAL));
            }
        }
        assertThat(Patience.get(futures.get(SPECIAL)).isSuccess()).isFalse();
        assertEachRanOnce(journal);
    }

    @Test
    void loneTask_cancelledBeforeItsTurn_doesNotRun() throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        List<CompletableFuture<Result<Integer>>> futures = submitBehind(pool(1), noting(journal, waiting(gate)));
        Patience.await().until(() -> journal.entries().contains(SPECIAL + ""));

        futures.get(SPECIAL + 1).cancel(true);
        gate.open();

        for (int n = 0; n < TASKS; n++) {
            if (n == SPECIAL + 1) {
                assertThat(futures.get(n)).isCancelled();
            } else {
                assertThat(Patience.get(futures.get(n))).isEqualTo(Result.success(n));
            }
        }
        assertThat(journal.entries()).hasSize(TASKS).doesNotContain(SPECIAL + 1 + "");
    }

    @Test
    void loneTask_cancelledWhileItRuns_takesNoneWithIt() throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        List<CompletableFuture<Result<Integer>>> futures = submitBehind(pool(1), noting(journal, waiting(gate)));
        Patience.await().until(() -> journal.entries().contains(SPECIAL + ""));
        Patience.get(futures.get(SPECIAL - 1)); // those before it have ended, and said so

        futures.get(SPECIAL).cancel(true);

        for (int n = 0; n < TASKS; n++) {
            if (n == SPECIAL) {
                assertThat(futures.get(n)).isCancelled();
            } else {
                assertThat(Patience.get(futures.get(n))).isEqualTo(Result.success(n));
            }
        }
        assertEachRanOnce(journal);
    }

    @Test
    void loneTasks_thatWaitForOneAnother_areNotHeldUp() throws Exception {
        assumeThat(GATHERS).isTrue(); // else few go ahead of others
        Journal journal = journal();
        Workload<Integer, Integer> meeting = Workload.named("meeting")
                .isolated()
                .compute(n -> {
                    if (n == SPECIAL) {
                        Patience.await().until(() -> journal.entered() == 1);
                    } else if (n == TASKS - 1) {
                        journal.enter();
                    }
                    return n;
                });

        List<CompletableFuture<Result<Integer>>> futures = submitBehind(pool(2), meeting);

        for (int n = 0; n < TASKS; n++) {
            assertThat(Patience.get(futures.get(n))).isEqualTo(Result.success(n));
        }
    }

    @Test
    void loneTasks_withAnMdcThatFillsAFrame_areRun() throws Exception {
        List<CompletableFuture<Result<Integer>>> futures;
        MDC.put("large", "x".repeat(1 << 19));
        try {
            futures = submitBehind(pool(1), Workload.compute("plain", n -> n));
        } finally {
            MDC.remove("large");
        }

        for (int n = 0; n < TASKS; n++) {
            assertThat(Patience.get(futures.get(n))).isEqualTo(Result.success(n));
        }
    }

    @Test
    void loneTasks_whenThePoolIsClosedByForce_allEnd() throws Exception {
        Journal journal = journal();
        WorkerProcessStrategy pool = pool(1);
        List<CompletableFuture<Result<Integer>>> futures = submitBehind(pool, noting(journal, waiting(gate())));
        Patience.await().until(() -> journal.entries().contains(SPECIAL + ""));

        pool.closeNow();

        int cancelled = 0;
        for (CompletableFuture<Result<Integer>> each : futures) {
            Result<Integer> result = Patience.get(each);
            if (!result.isSuccess()) {
                assertThat(causeOf(result)).isInstanceOf(CancellationException.class);
                cancelled++;
            }
        }
        assertThat(cancelled).isPositive();
        assertThat(journal.entries()).doesNotHaveDuplicates();
    }
}
