package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.processpool.Faults.Way;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Cancelling a task and its timeout end its worker, and nothing else. */
final class WorkerStopTest extends WorkerFixture {

    /** Notes its process and waits. */
    private static Workload<Integer, Long> noting(Workload.Builder<Object> options, Journal journal, Gate gate) {
        return options.blocking(input -> {
            long pid = ProcessHandle.current().pid();
            journal.add("" + pid);
            gate.awaitIgnoringInterrupts();
            return pid;
        });
    }

    private static long awaitPid(Journal journal) {
        Patience.await().until(() -> !journal.entries().isEmpty());
        return Long.parseLong(journal.entries().get(0));
    }

    @Test
    void cancel_ofRunningTask_killsItsWorkerOnly() throws Exception {
        WorkerProcessStrategy pool = pool(2);
        Gate gate = gate();
        Journal first = journal();
        Journal second = journal();
        CompletableFuture<Result<Long>> cancelled = pool.submit(noting(Workload.named("first"), first, gate()), 0);
        CompletableFuture<Result<Long>> other = pool.submit(noting(Workload.named("second"), second, gate), 0);
        long pid = awaitPid(first);
        long otherPid = awaitPid(second);
        CompletableFuture<Result<Long>> queued = pool.submit(PID, 0);

        assertThat(cancelled.cancel(true)).isTrue();

        awaitGone(pid);
        assertThat(Patience.get(queued).orElseThrow()).isNotIn(pid, otherPid);
        gate.open();
        assertThat(Patience.get(other).orElseThrow()).isEqualTo(otherPid);
        assertThat(first.entries()).hasSize(1);
        assertRunsAtOnce(pool, 2, Kind.BLOCKING);
        assertThat(isGone(otherPid)).as("the other worker lives on").isFalse();
    }

    @Test
    void timeout_ofRunningTask_killsItsWorkerOnly() throws Exception {
        WorkerProcessStrategy pool = pool(2);
        Gate gate = gate();
        Journal first = journal();
        Journal second = journal();
        CompletableFuture<Result<Long>> other = pool.submit(noting(Workload.named("second"), second, gate), 0);
        long otherPid = awaitPid(second);

        Result<Long> late = pool.run(noting(Workload.named("first").timeout(Duration.ofMillis(200)), first, gate()), 0);

        assertThat(causeOf(late)).isInstanceOf(TaskTimeoutException.class).hasMessageContaining("first");
        awaitGone(awaitPid(first));
        gate.open();
        assertThat(Patience.get(other).orElseThrow()).isEqualTo(otherPid);
        assertRunsAtOnce(pool, 2, Kind.BLOCKING);
        assertThat(isGone(otherPid)).as("the other worker lives on").isFalse();
    }

    /** Starts a process that starts another one. */
    private static Workload<Integer, Integer> parent(Workload.Builder<Object> options, Journal journal, Gate gate) {
        return options.blocking(input -> {
            Process shell = new ProcessBuilder("sh", "-c", "sleep 600 & wait").start();
            Patience.await().until(() -> shell.descendants().count() == 1);
            journal.add(shell.pid() + " "
                    + shell.descendants().findFirst().orElseThrow().pid());
            gate.awaitIgnoringInterrupts();
            return input;
        });
    }

    private static List<Long> awaitPids(Journal journal) {
        Patience.await().until(() -> !journal.entries().isEmpty());
        return Stream.of(journal.entries().get(0).split(" ")).map(Long::valueOf).toList();
    }

    @Test
    void cancel_ofTaskThatStartedProcesses_killsThemToo() {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        CompletableFuture<Result<Integer>> task = pool.submit(parent(Workload.named("parent"), journal, gate()), 0);
        List<Long> pids = awaitPids(journal);

        task.cancel(true);

        assertThat(pids).hasSize(2).allSatisfy(WorkerFixture::awaitGone);
        assertUsable(pool);
    }

    @Test
    void timeout_ofTaskThatStartedProcesses_killsThemToo() {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();

        Result<Integer> late =
                pool.run(parent(Workload.named("parent").timeout(Duration.ofSeconds(1)), journal, gate()), 0);

        assertThat(causeOf(late)).isInstanceOf(TaskTimeoutException.class);
        assertThat(awaitPids(journal)).hasSize(2).allSatisfy(WorkerFixture::awaitGone);
        assertUsable(pool);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void timeout_inCompiledCountedLoop_endsIt(Kind kind) {
        WorkerProcessStrategy pool = plainPool(1, options -> {});
        Journal journal = journal();

        Result<Integer> late = pool.run(
                workload(kind, Workload.named("spinning").timeout(Duration.ofMillis(400)), input -> {
                    journal.add("" + ProcessHandle.current().pid());
                    Way.HANG.happen();
                    return input;
                }),
                0);

        assertThat(causeOf(late)).isInstanceOf(TaskTimeoutException.class);
        awaitGone(awaitPid(journal));
        assertUsable(pool);
    }

    @Test
    void timeout_ofOneTaskInABatch_failsThatOne() {
        WorkerProcessStrategy pool = pool(2);
        Workload<Integer, Integer> tiny = Workload.named("tiny")
                .timeout(Duration.ofMillis(300))
                .compute(input -> {
                    if (input == 1_234) {
                        Way.HANG.happen();
                    }
                    return input + 1;
                });

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream =
                pool.map(tiny, IntStream.range(0, 5_000).boxed())) {
            results = stream.toList();
        }

        for (int i = 0; i < results.size(); i++) {
            if (i == 1_234) {
                assertThat(causeOf(results.get(i))).isInstanceOf(TaskTimeoutException.class);
            } else {
                assertThat(results.get(i)).isEqualTo(Result.success(i + 1));
            }
        }
        assertThat(results).hasSize(5_000);
        assertUsable(pool);
    }

    @Test
    void timeout_ofATaskAfterOneThatCouldNotBeSent_hitsTheOneThatRuns() {
        WorkerProcessStrategy pool = pool(1);
        Workload<Object, Object> tiny = Workload.named("tiny")
                .timeout(Duration.ofMillis(300))
                .compute(input -> {
                    if (input.equals("hang")) {
                        Way.HANG.happen();
                    }
                    return input;
                });
        List<Object> inputs = new ArrayList<>(IntStream.range(0, 2_000).boxed().toList());
        Object unsent = new Object();
        // More than one batch takes: so that of the task after them begins with some that are not sent.
        inputs.addAll(1_000, Collections.nCopies(1_000, unsent));
        inputs.add(2_000, "hang");

        List<Result<Object>> results;
        try (Stream<Result<Object>> stream = pool.map(tiny, inputs)) {
            results = stream.toList();
        }

        for (int i = 0; i < inputs.size(); i++) {
            Object input = inputs.get(i);
            if (input == unsent) {
                assertThat(causeOf(results.get(i))).as("task %s", i).isInstanceOf(TransferException.class);
            } else if (input.equals("hang")) {
                assertThat(causeOf(results.get(i))).as("task %s", i).isInstanceOf(TaskTimeoutException.class);
            } else {
                assertThat(results.get(i)).isEqualTo(Result.success(input));
            }
        }
    }

    @Test
    void cancel_ofTasksThatEndJustThen_hitsNoOther() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        Workload<Integer, Integer> quick = Workload.blocking("quick", input -> {
            journal.add("" + input);
            return input;
        });

        for (int i = 0; i < 60; i += 2) {
            CompletableFuture<Result<Integer>> victim = pool.submit(quick, i);
            CompletableFuture<Result<Integer>> next = pool.submit(quick, i + 1);
            victim.cancel(true);
            assertThat(Patience.get(next).orElseThrow()).isEqualTo(i + 1);
        }

        assertThat(journal.entries()).doesNotHaveDuplicates();
    }

    @Test
    void closeNow_withHangingTasks_endsAllWorkers() {
        WorkerProcessStrategy pool = pool(2);
        Journal first = journal();
        Journal second = journal();
        CompletableFuture<Result<Long>> one = pool.submit(noting(Workload.named("first"), first, gate()), 0);
        CompletableFuture<Result<Long>> two = pool.submit(noting(Workload.named("second"), second, gate()), 0);
        List<Long> pids = List.of(awaitPid(first), awaitPid(second));

        pool.closeNow();

        assertThat(pids).allSatisfy(WorkerFixture::awaitGone);
        Patience.await().until(() -> one.isDone() && two.isDone());
    }
}
