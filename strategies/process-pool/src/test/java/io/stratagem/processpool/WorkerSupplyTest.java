package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How many processes there are, and what comes in place of one that is gone. */
final class WorkerSupplyTest extends WorkerFixture {
    private static final List<ByteBuffer> LEAKED = new ArrayList<>();

    /** Leaks some MB beside the heap, and gives the process. */
    private static final Workload<Integer, Long> LEAK = Workload.blocking("leak", megabytes -> {
        ByteBuffer leaked = ByteBuffer.allocateDirect(megabytes << 20);
        for (int page = 0; page < leaked.capacity(); page += 4096) {
            leaked.put(page, (byte) 1);
        }
        LEAKED.add(leaked);
        return ProcessHandle.current().pid();
    });

    private Set<Long> foreign = Set.of();

    @BeforeEach
    void lookAround() {
        foreign = Set.of();
        foreign = workers();
    }

    /** The processes that have been started in this test and are alive. */
    private Set<Long> workers() {
        return ProcessHandle.current()
                .children()
                .filter(ProcessHandle::isAlive)
                .map(ProcessHandle::pid)
                .filter(pid -> !foreign.contains(pid))
                .collect(Collectors.toSet());
    }

    private void awaitWorkers(int count) {
        Patience.await().alias(count + " processes").until(() -> workers().size() == count);
    }

    private static long pid(WorkerProcessStrategy pool) {
        return pool.run(PID, 0).orElseThrow();
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        awaitGone(pid);
    }

    @Test
    void callsOneAfterAnother_haveOneProcess() {
        WorkerProcessStrategy pool = pool(2);

        Set<Long> pids = IntStream.range(0, 300).mapToObj(i -> pid(pool)).collect(Collectors.toSet());

        assertThat(pids).hasSize(1);
        assertThat(workers()).isEqualTo(pids);
    }

    @Test
    void killedWorker_afterTheFirst_isReplacedByTheSpare() {
        WorkerProcessStrategy pool = pool(1);
        long first = pid(pool);
        awaitWorkers(1);
        kill(first);
        long second = pid(pool);
        awaitWorkers(2);
        Set<Long> spare = workers();
        spare.remove(second);

        kill(second);

        assertThat(Set.of(pid(pool))).isEqualTo(spare);
        awaitWorkers(2);
        pool.close();
        awaitWorkers(0);
    }

    @Test
    void spare_thatDies_isNotUsed() {
        WorkerProcessStrategy pool = pool(1);
        kill(pid(pool));
        long second = pid(pool);
        awaitWorkers(2);
        workers().stream().filter(pid -> pid != second).forEach(WorkerSupplyTest::kill);

        kill(second);

        assertUsable(pool);
    }

    @Test
    void closeNow_whileTheSpareStarts_leavesNothing() {
        for (int round = 0; round < 5; round++) {
            WorkerProcessStrategy pool = pool(1);
            kill(pid(pool));
            pid(pool);

            pool.closeNow();

            awaitWorkers(0);
        }
    }

    @Test
    void spare_endsWithTheLastIdleWorker() {
        WorkerProcessStrategy pool = pool(1, options -> options.idleTimeout(Duration.ofMillis(200)));
        kill(pid(pool));
        pid(pool);

        awaitWorkers(0);

        assertUsable(pool);
    }

    @Test
    void surplusWorkers_endAlthoughThereIsSomeWork() throws Exception {
        WorkerProcessStrategy pool = pool(3, options -> options.idleTimeout(Duration.ofMillis(300)));
        assertRunsAtOnce(pool, 3, Kind.BLOCKING);

        Patience.await().until(() -> {
            pid(pool);
            return workers().size() == 1;
        });
    }

    private WorkerProcessStrategy leakingPool(int workers) {
        return plainPool(
                workers,
                options -> options.maxResidentBytes(160 << 20)
                        .jvmOptions("-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=4g"));
    }

    @Test
    void maxResidentBytes_replacesAProcessThatLeaks_andLosesNothing() {
        WorkerProcessStrategy pool = leakingPool(1);
        Set<Long> pids = new HashSet<>();

        Patience.await().until(() -> {
            pids.add(pool.run(LEAK, 16).orElseThrow());
            return pids.size() == 3;
        });
    }

    @Test
    void maxResidentBytes_withABacklog_doesNotStall() throws Exception {
        WorkerProcessStrategy pool = leakingPool(2);

        List<CompletableFuture<Result<Long>>> all =
                IntStream.range(0, 100).mapToObj(i -> pool.submit(LEAK, 8)).toList();

        for (CompletableFuture<Result<Long>> each : all) {
            Patience.get(each).orElseThrow();
        }
    }

    @Test
    void resize_up_addsProcessesForWhatWaits() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        Journal journal = journal();
        Workload<Integer, Integer> waiting = Workload.blocking("waiting", input -> {
            journal.enter();
            gate.await();
            return input;
        });
        List<CompletableFuture<Result<Integer>>> all =
                IntStream.range(0, 3).mapToObj(i -> pool.submit(waiting, i)).toList();
        Patience.await().until(() -> journal.entered() == 1);

        pool.resize(3);

        Patience.await().until(() -> journal.entered() == 3);
        gate.open();
        for (CompletableFuture<Result<Integer>> each : all) {
            Patience.get(each).orElseThrow();
        }
    }

    @Test
    void resize_up_startsNoMoreThanThereIsWork() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        occupy(pool, 1, Kind.BLOCKING, gate);
        CompletableFuture<Result<Long>> waiting = pool.submit(PID, 0);

        pool.resize(4);

        assertThat(pool.snapshot().workers()).hasSize(2);
        assertThat(Patience.get(waiting).isSuccess()).isTrue();
    }

    @Test
    void resize_down_endsWhoIsIdle_andLetsTheOthersFinish() throws Exception {
        WorkerProcessStrategy pool = pool(3);
        Gate gate = gate();
        List<CompletableFuture<Result<Integer>>> all = occupy(pool, 3, Kind.BLOCKING, gate);

        pool.resize(1);

        gate.open();
        for (CompletableFuture<Result<Integer>> each : all) {
            Patience.get(each).orElseThrow();
        }
        awaitWorkers(1);
        assertUsable(pool);
        pool.resize(2);
        assertRunsAtOnce(pool, 2, Kind.BLOCKING);
    }

    @Test
    void resize_toNothing_isRefused() {
        WorkerProcessStrategy pool = pool(1);

        assertThatThrownBy(() -> pool.resize(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("workerProcesses must be positive: 0");
    }

    /** Workloads have other numbers there. */
    @Test
    void longTask_afterItsProcessWasReplaced_holdsUpNoOther() throws Exception {
        WorkerProcessStrategy pool = pool(1, options -> options.maxTasksPerProcess(30));
        long first = pid(pool);
        for (int i = 1; i < 30; i++) {
            assertThat(pid(pool)).isEqualTo(first); // the last one is short, then the process is replaced
        }
        Gate gate = gate();
        Journal journal = journal();
        Workload<Integer, Integer> other = Workload.blocking("other", input -> {
            if (input == 0) {
                journal.enter();
                gate.awaitIgnoringInterrupts();
            }
            return input;
        });
        CompletableFuture<Result<Integer>> waiting = pool.submit(other, 0);
        CompletableFuture<Result<Integer>> second = pool.submit(other, 1);
        Patience.await().until(() -> journal.entered() == 1);

        pool.resize(2);

        assertThat(Patience.get(second).orElseThrow()).isEqualTo(1);
        gate.open();
        assertThat(Patience.get(waiting).isSuccess()).isTrue();
    }

    @Test
    void cancel_ofWhatWasSentAhead_costsNoProcess() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        Journal journal = journal();
        // The first of each round waits; those before it were short, so others go ahead.
        Workload<Integer, Long> sometimesWaiting = Workload.compute("sometimes-waiting", input -> {
            if (input == 0) {
                journal.enter();
                gate.awaitIgnoringInterrupts();
            } else if (input < 0) {
                journal.add("cancelled task ran");
            }
            return ProcessHandle.current().pid();
        });
        runUntilShort(pool, sometimesWaiting, 1);
        CompletableFuture<Result<Long>> running = pool.submit(sometimesWaiting, 0);
        CompletableFuture<Result<Long>> cancelled = pool.submit(sometimesWaiting, -1);
        CompletableFuture<Result<Long>> last = pool.submit(sometimesWaiting, 2);
        Patience.await().until(() -> journal.entered() == 1);

        cancelled.cancel(true);

        gate.open();
        assertThat(Patience.get(last).orElseThrow())
                .isEqualTo(Patience.get(running).orElseThrow());
        assertThat(journal.count("cancelled task ran")).isZero();
    }

    /** The batches that cannot be sent get numbers, too. */
    @Test
    void cancel_ofWhatWasSentAhead_afterWhatCouldNotBeSent_hitsNoOther() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        Workload<Object, String> named = Workload.blocking("named", input -> {
            Hooked hooked = (Hooked) input;
            if (hooked.name().equals("waiting")) {
                gate.awaitIgnoringInterrupts();
            }
            return hooked.name();
        });
        runUntilShort(pool, named, new Hooked("short"));
        Gate submitted = gate();
        CountDownLatch isWritten = new CountDownLatch(1);
        Hooked.whenWritten("waiting", submitted::awaitIgnoringInterrupts);
        Hooked.whenWritten("cancelled", isWritten::countDown);
        CompletableFuture<Result<String>> waiting = pool.submit(named, new Hooked("waiting"));
        CompletableFuture<Result<String>> innocent = pool.submit(named, new Hooked("innocent"));
        List<CompletableFuture<Result<String>>> unsent = IntStream.range(0, 3)
                .mapToObj(i -> pool.submit(named, new Object()))
                .toList();
        CompletableFuture<Result<String>> cancelled = pool.submit(named, new Hooked("cancelled"));
        submitted.open();
        assertThat(isWritten.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        Patience.await().until(() -> isReceiving("stratagem-faults-worker-1"));

        cancelled.cancel(true);

        gate.open();
        assertThat(Patience.get(waiting).orElseThrow()).isEqualTo("waiting");
        assertThat(Patience.get(innocent).orElseThrow()).isEqualTo("innocent");
        for (CompletableFuture<Result<String>> each : unsent) {
            assertThat(causeOf(Patience.get(each))).isInstanceOf(TransferException.class);
        }
    }

    /** Whether a driver has sent what it had to, and waits for its worker. */
    private static boolean isReceiving(String driver) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(each -> each.getKey().getName().equals(driver))
                .anyMatch(each -> Stream.of(each.getValue())
                        .anyMatch(frame -> frame.getMethodName().equals("receive")));
    }
}
