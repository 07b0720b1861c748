package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** A caller that submits tasks and waits for them, one after another, uses the connection of a worker itself. */
final class CallerTest extends WorkerFixture {

    /** Not plain. */
    record Answer(String text) {}

    /** Does what its input says; all of it is one workload, which the worker knows. */
    private static Workload<String, Object> acting(Gate gate, Journal journal) {
        return Workload.named("acting").isolated().compute(input -> {
            return switch (input) {
                case "record" -> new Answer(input);
                case "throw" -> throw new IllegalStateException(input);
                case "log" -> {
                    LoggerFactory.getLogger("acting").warn("said by a task");
                    yield input;
                }
                case "exit" -> {
                    System.exit(7);
                    yield input;
                }
                case "wait" -> {
                    journal.enter();
                    gate.awaitIgnoringInterrupts();
                    yield input;
                }
                default -> input;
            };
        });
    }

    private Gate gate;
    private Journal journal;
    private Workload<String, Object> workload;

    @BeforeEach
    void prepare() {
        gate = gate();
        journal = journal();
        workload = acting(gate, journal);
    }

    /** A pool whose tasks are sent by who submits them, as long as nothing else happens. */
    private WorkerProcessStrategy trustingPool(int workers) {
        WorkerProcessStrategy pool = pool(workers);
        trust(pool);
        return pool;
    }

    private void trust(WorkerProcessStrategy pool) {
        for (int i = 0; i < 50; i++) {
            assertThat(pool.run(workload, "" + i).orElseThrow()).isEqualTo("" + i);
        }
    }

    /** A thread, and how its call ends. */
    private static final class Caller {
        private final AtomicReference<CompletableFuture<Result<Object>>> task = new AtomicReference<>();
        private final AtomicReference<Object> end = new AtomicReference<>();
        private final Thread thread;

        interface Call {
            Object call() throws Exception;
        }

        Caller(Call call) {
            thread = new Thread(() -> run(call), "caller-test");
            thread.start();
        }

        /** Submits a task, does something with its future, and waits for it. */
        Caller(WorkerProcessStrategy pool, Workload<String, Object> workload, Consumer<CompletableFuture<?>> first) {
            this.thread = new Thread(
                    () -> run(() -> {
                        task.set(pool.submit(workload, "wait"));
                        first.accept(task.get());
                        return task.get().get();
                    }),
                    "caller-test");
            thread.start();
        }

        private void run(Call call) {
            try {
                end.set(call.call());
            } catch (Throwable e) {
                end.set(e);
            }
        }

        private boolean isIn(String method) {
            return Arrays.stream(thread.getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals(method));
        }

        Object end() throws InterruptedException {
            thread.join(Patience.LIMIT.toMillis());
            assertThat(end.get()).as("it has ended").isNotNull();
            return end.get();
        }
    }

    private Caller waiting(WorkerProcessStrategy pool) throws InterruptedException {
        return waiting(pool, task -> {});
    }

    /** A caller that waits at the connection itself. On a busy machine it may come too late for that; so it is repeated. */
    private Caller waiting(WorkerProcessStrategy pool, Consumer<CompletableFuture<?>> first)
            throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            trust(pool);
            Caller caller = new Caller(pool, workload, first);
            Patience.await().until(() -> caller.isIn("awaitPlain") || caller.isIn("waitingGet"));
            if (caller.isIn("awaitPlain")) {
                return caller;
            }
            gate.open();
            assertThat(caller.end()).isEqualTo(Result.success("wait"));
            prepare();
        }
        throw new AssertionError("no caller has ever received for itself");
    }

    @Test
    void get_ofSlowTask_returnsItsResult() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Caller caller = waiting(pool);

        gate.open();

        assertThat(caller.end()).isEqualTo(Result.success("wait"));
        trust(pool);
    }

    @ParameterizedTest
    @ValueSource(strings = {"record", "throw", "log"})
    void get_ofWhatIsNotPlain_isLeftToTheDriver(String input) {
        LogRecorder log = new LogRecorder();
        log.attach("acting");
        try {
            WorkerProcessStrategy pool = trustingPool(1);

            Result<Object> result = pool.run(workload, input);

            switch (input) {
                case "record" -> assertThat(result.orElseThrow()).isEqualTo(new Answer(input));
                case "log" -> {
                    assertThat(result.orElseThrow()).isEqualTo(input);
                    log.await("said by a task");
                }
                default ->
                    assertThat(causeOf(result))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessage(input);
            }
            trust(pool);
        } finally {
            log.detach();
        }
    }

    @Test
    void get_ofTaskWhoseWorkerDies_fails() {
        WorkerProcessStrategy pool = trustingPool(1);

        Result<Object> result = pool.run(workload, "exit");

        assertThat(causeOf(result))
                .isInstanceOfSatisfying(
                        WorkerDiedException.class,
                        died -> assertThat(died.exitCode()).isEqualTo(7));
        trust(pool);
    }

    @Test
    void get_withLimit_endsInTimeAndTheTaskGoesOn() throws Exception {
        WorkerProcessStrategy pool = trustingPool(1);
        CompletableFuture<Result<Object>> task = pool.submit(workload, "wait");

        assertThatThrownBy(() -> task.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);

        gate.open();
        assertThat(Patience.get(task)).isEqualTo(Result.success("wait"));
        trust(pool);
    }

    @Test
    void get_interrupted_endsAndTheTaskGoesOn() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Caller caller = waiting(pool);

        caller.thread.interrupt();

        assertThat(caller.end()).isInstanceOf(InterruptedException.class);
        gate.open();
        assertThat(Patience.get(caller.task.get())).isEqualTo(Result.success("wait"));
        trust(pool);
    }

    @Test
    void submit_whileInterrupted_breaksNoConnection() throws Exception {
        WorkerProcessStrategy pool = trustingPool(1);
        Long pid = pool.run(PID, 0).orElseThrow();
        trust(pool);
        Thread.currentThread().interrupt();

        CompletableFuture<Result<Object>> task = pool.submit(workload, "once");

        assertThat(Thread.interrupted()).as("the caller keeps its interrupt").isTrue();
        assertThat(Patience.get(task)).isEqualTo(Result.success("once"));
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
    }

    @Test
    void cancel_byAnotherThread_endsTheWaitAndTheWorker() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        Caller caller = waiting(pool);
        Patience.await().until(() -> journal.entered() == 1); // else it would be taken back, and cost no process

        assertThat(caller.task.get().cancel(true)).isTrue();

        assertThat(caller.end()).isInstanceOf(CancellationException.class);
        awaitGone(pid);
        gate.open();
        trust(pool);
    }

    /** Its caller does something else instead. */
    @Test
    void submit_withoutWaiting_isNoticedBySomebodyElse() throws Exception {
        WorkerProcessStrategy pool = trustingPool(1);
        CountDownLatch isThere = new CountDownLatch(1);

        var unused = pool.submit(workload, "later").thenRun(isThere::countDown);

        assertThat(isThere.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        trust(pool);
    }

    @Test
    void dependentStage_thatNeverEnds_holdsUpNoOtherTask() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        CountDownLatch isInStage = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        AtomicBoolean isMeant = new AtomicBoolean();
        Caller caller = waiting(pool, task -> {
            var unused = task.thenRun(() -> {
                if (isMeant.get()) {
                    isInStage.countDown();
                    Patience.await().until(() -> mayGoOn.getCount() == 0);
                }
            });
        });
        isMeant.set(true);
        gate.open();
        assertThat(isInStage.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();

        assertThat(pool.run(workload, "other").orElseThrow()).isEqualTo("other");

        mayGoOn.countDown();
        assertThat(caller.end()).isEqualTo(Result.success("wait"));
    }

    @Test
    void submit_byOthersMeanwhile_getsAnotherWorker() throws Exception {
        WorkerProcessStrategy pool = pool(2);
        Caller caller = waiting(pool);

        assertThat(pool.run(workload, "other").orElseThrow()).isEqualTo("other");

        gate.open();
        assertThat(caller.end()).isEqualTo(Result.success("wait"));
    }

    @Test
    void submit_byOthersWhileAllAreBusy_isRunAfterwards() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Caller caller = waiting(pool);

        CompletableFuture<Result<Object>> queued = pool.submit(workload, "other");

        assertThat(queued).isNotDone();
        gate.open();
        assertThat(caller.end()).isEqualTo(Result.success("wait"));
        assertThat(Patience.get(queued)).isEqualTo(Result.success("other"));
    }

    @Test
    void close_byAnotherThread_waitsForTheTask() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Caller caller = waiting(pool);
        Caller closer = new Caller(() -> {
            pool.close();
            return "closed";
        });
        Patience.await().until(() -> closer.thread.getState() != Thread.State.RUNNABLE);

        gate.open();

        assertThat(caller.end()).isEqualTo(Result.success("wait"));
        assertThat(closer.end()).isEqualTo("closed");
    }

    @Test
    void closeNow_byAnotherThread_endsTheWait() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Caller caller = waiting(pool);

        pool.closeNow();

        assertThat(caller.end())
                .isInstanceOfSatisfying(
                        Result.Failure.class,
                        failure -> assertThat(failure.cause()).isInstanceOf(CancellationException.class));
    }

    @Test
    void idleTimeout_countsFromTheLastTask() {
        WorkerProcessStrategy pool = pool(1, builder -> builder.idleTimeout(Duration.ofMillis(300)));
        long pid = pool.run(PID, 0).orElseThrow();
        trust(pool);

        awaitGone(pid);

        Patience.await().until(() -> pool.snapshot().workers().isEmpty());
        trust(pool);
    }

    /** Threads that wait, threads that do not, and a worker that dies now and then: each task has its one result. */
    @Tag("stress")
    @Test
    void callersOfAllSorts_eachTaskHasItsResult() {
        WorkerProcessStrategy pool = trustingPool(2);
        long seed = Long.getLong("stress.seed", System.nanoTime());
        int rounds = 2_000 * Integer.getInteger("stress.rounds", 1);
        RacingThreads.run(3, Duration.ofMinutes(5), thread -> {
            Random random = new Random(seed + thread);
            List<CompletableFuture<Result<Object>>> open = new ArrayList<>();
            List<String> inputs = new ArrayList<>();
            for (int i = 0; i < rounds; i++) {
                String input =
                        random.nextInt(500) == 0 ? "exit" : random.nextInt(50) == 0 ? "record" : thread + "." + i;
                CompletableFuture<Result<Object>> task = pool.submit(workload, input);
                if (thread == 0 || random.nextInt(20) > 0) {
                    check(input, task.get(), seed);
                } else {
                    open.add(task);
                    inputs.add(input);
                }
            }
            for (int i = 0; i < open.size(); i++) {
                check(inputs.get(i), Patience.get(open.get(i)), seed);
            }
        });
        Patience.await().until(() -> pool.snapshot().queued() == 0);
    }

    /** Workers are killed at any moment, idle ones, too: each task has its one result, and nobody waits for ever. */
    @Tag("stress")
    @Test
    void callers_whoseWorkersAreKilled_eachGetAResult() {
        WorkerProcessStrategy pool = trustingPool(2);
        int kills = 40 * Integer.getInteger("stress.rounds", 1);
        long seed = Long.getLong("stress.seed", System.nanoTime());
        AtomicBoolean isOver = new AtomicBoolean();
        RacingThreads.run(3, Duration.ofMinutes(5), thread -> {
            if (thread == 0) {
                Random random = new Random(seed);
                for (int i = 0; i < kills; i++) {
                    // One that was up: if all are killed while they start, no more are started for a while.
                    Result<Long> worker = pool.run(PID, 0);
                    long next = System.nanoTime() + random.nextInt(30_000_000);
                    Patience.await().until(() -> System.nanoTime() > next);
                    if (worker.isSuccess()) {
                        ProcessHandle.of(worker.orElseThrow()).ifPresent(ProcessHandle::destroyForcibly);
                    }
                }
                isOver.set(true);
                return;
            }
            for (int i = 0; !isOver.get(); i++) {
                String input = thread + "." + i;
                Result<Object> result = pool.run(workload, input);
                if (result.isSuccess()) {
                    assertThat(result.orElseThrow()).as("seed %s", seed).isEqualTo(input);
                } else {
                    assertThat(causeOf(result)).as("seed %s", seed).isInstanceOf(WorkerDiedException.class);
                }
            }
        });
        trust(pool);
    }

    private static void check(String input, Result<Object> result, long seed) {
        switch (input) {
            case "exit" -> assertThat(causeOf(result)).as("seed %s", seed).isInstanceOf(WorkerDiedException.class);
            case "record" ->
                assertThat(result.orElseThrow()).as("seed %s", seed).isEqualTo(new Answer(input));
            default -> assertThat(result).as("seed %s", seed).isEqualTo(Result.success(input));
        }
    }
}
