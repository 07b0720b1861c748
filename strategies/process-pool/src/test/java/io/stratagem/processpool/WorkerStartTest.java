package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How workers start, or do not, what they start with, and when they go. */
final class WorkerStartTest extends WorkerFixture {
    private static final Duration BOUND = Duration.ofSeconds(10);

    @TempDir
    Path home;

    /** A Java home whose {@code java} notes that it was called, and does what a script says before it starts the real one. */
    private Path javaHome(String script) throws IOException {
        Files.createDirectory(home.resolve("bin"));
        Path java = home.resolve("bin").resolve("java");
        Path real = Path.of(System.getProperty("java.home"), "bin", "java");
        Files.writeString(java, """
                #!/bin/sh
                echo started >>'%s/starts'
                %s
                exec '%s' "$@"
                """.formatted(home, script, real));
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
        return home;
    }

    private long starts() {
        try {
            return Files.readAllLines(home.resolve("starts")).size();
        } catch (IOException e) {
            return 0;
        }
    }

    private static List<CompletableFuture<Result<Long>>> submit(WorkerProcessStrategy pool, int tasks) {
        return IntStream.range(0, tasks).mapToObj(i -> pool.submit(PID, i)).toList();
    }

    // ---------------------------------------------------------------------------------------------- failing to start

    @Test
    void start_withWrongJvmOption_failsTasksWithTheReasonAndStopsTrying() throws Exception {
        Path javaHome = javaHome("");
        WorkerProcessStrategy pool =
                plainPool(2, options -> options.javaHome(javaHome).jvmOptions("-XX:NoSuchOption"));
        long begin = System.nanoTime();

        for (CompletableFuture<Result<Long>> each : submit(pool, 50)) {
            assertThat(causeOf(Patience.get(each)))
                    .hasMessageContaining("could not be started")
                    .hasMessageContaining("exit code 1")
                    .hasMessageContaining("Unrecognized VM option 'NoSuchOption'");
        }

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(BOUND);
        assertThat(starts()).isBetween(3L, 6L);
    }

    /** Its class is nobody's but ours. */
    @Test
    void start_thatFails_isToldWithoutTheNameOfAClass() throws Exception {
        Path javaHome = javaHome("exit 9");
        WorkerProcessStrategy pool = pool(1, options -> options.javaHome(javaHome));

        assertThatThrownBy(() -> pool.run(PID, 0).orElseThrow())
                .hasMessageStartingWith(
                        "task failed: worker stratagem-faults-worker-1 of 'faults' could not be started: ");
    }

    @Test
    void start_thatBecomesPossible_happensAfterThePause() throws Exception {
        Path javaHome = javaHome("test -e '" + home + "/mended' || { echo 'still broken' >&2; exit 9; }");
        WorkerProcessStrategy pool = pool(1, options -> options.javaHome(javaHome));
        assertThat(causeOf(pool.run(PID, 0)))
                .hasMessageContaining("exit code 9")
                .hasMessageContaining("still broken");
        long startsBefore = starts();
        assertThat(causeOf(pool.run(PID, 0))).as("during the pause").hasMessageContaining("still broken");
        assertThat(starts()).isEqualTo(startsBefore);

        Files.createFile(home.resolve("mended"));

        Patience.await().until(() -> pool.run(PID, 0).isSuccess());
        assertThat(starts()).isEqualTo(startsBefore + 1);
    }

    @Test
    void start_thatFailsAtFirst_isTriedAgainForTheSameTasks() throws Exception {
        Path javaHome = javaHome("test $(wc -l <'" + home + "/starts') -gt 2 || exit 9");
        WorkerProcessStrategy pool = pool(1, options -> options.javaHome(javaHome));

        for (CompletableFuture<Result<Long>> each : submit(pool, 5)) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
        assertThat(starts()).isEqualTo(3);
    }

    @Test
    void start_thatFailsWhenAWorkerIsLost_isTriedAgainHoweverManyFailedBefore() throws Exception {
        Path javaHome = javaHome(
                "test ! -e '%1$s/broken' && test ! -e '%1$s/broken-once' || { rm -f '%1$s/broken-once'; exit 9; }"
                        .formatted(home));
        WorkerProcessStrategy pool = pool(2, options -> options.javaHome(javaHome));
        List<CompletableFuture<Result<Integer>>> victims = occupy(pool, 1, Kind.BLOCKING, gate());
        Files.createFile(home.resolve("broken"));
        List<CompletableFuture<Result<Long>>> waiting = submit(pool, 5);
        Patience.await().until(() -> starts() >= 4);
        Patience.await().until(() -> pool.snapshot().workers().size() == 1);
        Files.delete(home.resolve("broken"));
        Files.createFile(home.resolve("broken-once"));

        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);

        assertThat(causeOf(Patience.get(victims.get(0)))).isInstanceOf(WorkerDiedException.class);
        for (CompletableFuture<Result<Long>> each : waiting) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
    }

    @Test
    void worker_thatDiesAgainAndAgainBeforeItHasATask_isNotReplacedForEver() {
        WorkerProcessStrategy pool = pool(1);
        pool.run(PID, 0).orElseThrow();

        Patience.await().until(() -> {
            if (isIdle("stratagem-faults-worker-1")) {
                ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
            }
            return pool.snapshot().workers().isEmpty();
        });

        Patience.await().until(() -> pool.run(PID, 0).isSuccess());
    }

    /** Whether a driver has a worker that is ready, and waits for tasks. */
    private static boolean isIdle(String driver) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(each -> each.getKey().getName().equals(driver))
                .anyMatch(each -> Stream.of(each.getValue())
                        .anyMatch(frame -> frame.getMethodName().equals("awaitWork")));
    }

    @Test
    void start_afterThePause_happensAlsoWhileAnotherWorkerIsBusy() throws Exception {
        Path javaHome = javaHome("test ! -e '" + home + "/broken' || exit 9");
        WorkerProcessStrategy pool = pool(2, options -> options.javaHome(javaHome));
        occupy(pool, 1, Kind.BLOCKING, gate());
        Files.createFile(home.resolve("broken"));
        List<CompletableFuture<Result<Long>>> waiting = submit(pool, 2);
        Patience.await().until(() -> starts() >= 4);
        Patience.await().until(() -> pool.snapshot().workers().size() == 1);

        Files.delete(home.resolve("broken"));

        for (CompletableFuture<Result<Long>> each : waiting) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
    }

    @Test
    void start_thatTakesTooLong_failsTasksAndEndsTheProcess() throws Exception {
        Path javaHome = javaHome("echo $$ >>'" + home + "/pids'; exec sleep 600");
        WorkerProcessStrategy pool =
                pool(1, options -> options.javaHome(javaHome).startTimeout(Duration.ofMillis(300)));

        for (CompletableFuture<Result<Long>> each : submit(pool, 3)) {
            assertThat(causeOf(Patience.get(each))).hasMessageContaining("could not be started");
        }

        assertThat(starts()).isEqualTo(3);
        for (String pid : Files.readAllLines(home.resolve("pids"))) {
            awaitGone(Long.parseLong(pid));
        }
    }

    @Test
    void start_withoutADirectoryForTemporaryFiles_namesItAndTheRemedy() {
        String former = System.getProperty("java.io.tmpdir");
        Path missing = home.resolve("missing");
        WorkerProcessStrategy pool = pool(1);
        System.setProperty("java.io.tmpdir", missing.toString());
        try {
            assertThat(causeOf(pool.run(PID, 0)))
                    .hasMessageContaining("could not be started")
                    .hasMessageContaining("cannot make " + missing)
                    .hasMessageContaining("-Djava.io.tmpdir");
        } finally {
            System.setProperty("java.io.tmpdir", former);
        }
    }

    @Test
    void start_thatTakesTooLong_saysSo() throws Exception {
        Path javaHome = javaHome("exec sleep 600");
        WorkerProcessStrategy pool =
                pool(1, options -> options.javaHome(javaHome).startTimeout(Duration.ofMillis(300)));

        assertThat(causeOf(pool.run(PID, 0))).hasMessageContaining("not ready within PT0.3S");
    }

    @Test
    void close_duringAStartThatTakesLong_endsThePool() throws Exception {
        Path javaHome = javaHome("exec sleep 600");
        WorkerProcessStrategy pool = pool(1, options -> options.javaHome(javaHome));
        CompletableFuture<Result<Long>> waiting = pool.submit(PID, 0);
        Patience.await().until(() -> starts() == 1);

        pool.closeNow();

        Patience.await().until(waiting::isDone);
        long begin = System.nanoTime();
        pool.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(BOUND);
    }

    // ---------------------------------------------------------------------------------------------- the initializer

    @Test
    void initializer_runsOncePerWorkerBeforeItsTasks() {
        Journal journal = journal();
        WorkerProcessStrategy pool = pool(
                1,
                options -> options.initializer(() -> {
                    System.setProperty(
                            "initialized.as", "pid " + ProcessHandle.current().pid());
                    journal.enter();
                }));
        Workload<Integer, String> look = Workload.blocking("look", input -> System.getProperty("initialized.as"));

        for (int i = 0; i < 20; i++) {
            long pid = pool.run(PID, 0).orElseThrow();
            assertThat(pool.run(look, 0).orElseThrow()).isEqualTo("pid " + pid);
        }

        assertThat(journal.entered()).isEqualTo(1);
    }

    @Test
    void initializer_thatFails_givesEveryWaitingTaskTheReasonAndIsNotRepeated() throws Exception {
        Journal journal = journal();
        WorkerProcessStrategy pool = pool(
                2,
                options -> options.initializer(() -> {
                    journal.enter();
                    throw new IOException("no licence");
                }));

        for (CompletableFuture<Result<Long>> each : submit(pool, 20)) {
            assertThat(causeOf(Patience.get(each)))
                    .hasMessageContaining("initializer of 'faults' failed")
                    .hasMessageContaining("no licence")
                    .hasCauseInstanceOf(IOException.class);
        }

        assertThat(journal.entered()).isBetween(1L, 2L);
    }

    @Test
    void initializer_thatExits_givesTheReason() {
        WorkerProcessStrategy pool = pool(
                1,
                options -> options.initializer(() -> {
                    System.err.println("cannot go on");
                    System.exit(11);
                }));

        assertThat(causeOf(pool.run(PID, 0)))
                .hasMessageContaining("exit code 11")
                .hasMessageContaining("cannot go on");
    }

    @Test
    void initializer_thatHangs_isEndedByTheStartTimeout() {
        Journal journal = journal();
        // On a busy machine a second is over before the initializer begins.
        for (int seconds = 1; journal.entries().isEmpty(); seconds *= 4) {
            Duration timeout = Duration.ofSeconds(seconds);
            WorkerProcessStrategy pool = pool(
                    1,
                    options -> options.startTimeout(timeout).initializer(() -> {
                        journal.add("" + ProcessHandle.current().pid());
                        Faults.Way.HANG.happen();
                    }));

            assertThat(causeOf(pool.run(PID, 0))).hasMessageContaining("could not be started");
        }

        assertThat(journal.entries()).allSatisfy(pid -> awaitGone(Long.parseLong(pid)));
    }

    /** Cannot be serialised, for want of memory. */
    private static final class Endless implements Initializer {
        private static final long serialVersionUID = 1;

        @Override
        public void run() {}

        private void writeObject(ObjectOutputStream out) {
            throw new OutOfMemoryError("on purpose");
        }
    }

    @Test
    void initializer_whoseSerialisingRunsOutOfMemory_failsTheTasksAndStopsTrying() throws Exception {
        Path javaHome = javaHome("");
        WorkerProcessStrategy pool =
                pool(1, options -> options.javaHome(javaHome).initializer(new Endless()));

        assertThat(causeOf(Patience.get(pool.submit(PID, 0))))
                .hasMessageContaining("could not be started")
                .hasMessageContaining("on purpose");

        assertThat(starts()).isEqualTo(3);
    }

    @Test
    void initializer_thatFailsAtLength_failsTheTasks() {
        WorkerProcessStrategy pool = pool(
                1,
                options -> options.maxMessageBytes(100_000).initializer(() -> {
                    throw new IOException("x".repeat(3_000_000));
                }));

        assertThat(causeOf(pool.run(PID, 0)))
                .hasMessageContaining("initializer of 'faults' failed")
                .hasMessageContaining("java.io.IOException")
                .hasMessageContaining("limit of");
    }

    @Test
    void initializer_thatCannotTravel_failsTheTasks() {
        Object captured = new Object();
        WorkerProcessStrategy pool = pool(1, options -> options.initializer(() -> System.out.println(captured)));

        assertThat(causeOf(pool.run(PID, 0)))
                .hasStackTraceContaining("initializer of 'faults'")
                .hasStackTraceContaining("java.lang.Object is not Serializable");
    }

    // ---------------------------------------------------------------------------------------------- options

    @Test
    void worker_hasTheOptionsOfThePool() throws Exception {
        WorkerProcessStrategy pool = plainPool(
                1,
                options -> options.environment("FAULTS_COLOUR", "green")
                        .workingDirectory(home)
                        .jvmOptions("-XX:TieredStopAtLevel=1", "-Dfaults.shape=round"));

        Result<List<String>> seen = pool.run(
                Workload.blocking(
                        "seen",
                        input -> List.of(
                                System.getenv("FAULTS_COLOUR"),
                                Path.of("").toAbsolutePath().toString(),
                                System.getProperty("faults.shape"),
                                "" + (Runtime.getRuntime().maxMemory() <= 64 << 20))),
                0);

        assertThat(seen.orElseThrow())
                .containsExactly("green", home.toRealPath().toString(), "round", "true");
    }

    @Test
    void timeouts_ofAnyLength_areTaken() {
        Duration forEver = ChronoUnit.FOREVER.getDuration();
        WorkerProcessStrategy pool =
                pool(1, options -> options.startTimeout(forEver).idleTimeout(forEver));

        assertUsable(pool);
    }

    @Test
    void javaHome_thatIsRelative_isFoundFromAnyWorkingDirectory() throws Exception {
        Path here = Path.of("").toAbsolutePath();
        Path relative = here.relativize(Path.of(System.getProperty("java.home")));
        Path deep = Files.createDirectories(home.resolve("so/deep/that/the/way/up/from/here/ends/below/the/root"));
        WorkerProcessStrategy pool =
                pool(1, options -> options.javaHome(relative).workingDirectory(deep));

        assertUsable(pool);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-XX:+UseParallelGC", "-XX:+UseG1GC"})
    void collector_ofThePool_isTheWorkers(String option) {
        WorkerProcessStrategy pool = plainPool(1, options -> options.jvmOptions(option));

        Result<String> command = pool.run(
                Workload.blocking(
                        "command",
                        input -> ManagementFactory.getRuntimeMXBean()
                                .getInputArguments()
                                .toString()),
                0);

        assertThat(command.orElseThrow()).contains(option).doesNotContain("UseSerialGC");
    }

    @Test
    void maxHeapBytes_ofTheLeast_isEnoughForAWorker() {
        WorkerProcessStrategy pool = closedAfterTest(ProcessPoolStrategy.builder()
                .name("faults")
                .workerProcesses(1)
                .maxHeapBytes(8 << 20)
                .build());

        assertUsable(pool);
        assertThat(pool.run(Workload.blocking("texts", input -> List.of("x".repeat(100_000))), 0)
                        .isSuccess())
                .isTrue();
        assertThatThrownBy(() -> ProcessPoolStrategy.builder().maxHeapBytes((8 << 20) - 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxHeapBytes must be 8 MiB or more: 8388607");
    }

    // ---------------------------------------------------------------------------------------------- going

    @Test
    void worker_thatIsIdleForLong_ends() {
        WorkerProcessStrategy pool = pool(1, options -> options.idleTimeout(Duration.ofMillis(100)));
        long pid = pool.run(PID, 0).orElseThrow();

        awaitGone(pid);

        Patience.await().until(() -> pool.snapshot().workers().isEmpty());
        assertThat(pool.run(PID, 0).orElseThrow()).isNotEqualTo(pid);
    }

    @Test
    void maxTasksPerProcess_withABacklog_replacesProcessesWithoutStalling() throws Exception {
        WorkerProcessStrategy pool = pool(1, options -> options.maxTasksPerProcess(5));
        long begin = System.nanoTime();

        List<CompletableFuture<Result<Long>>> all = submit(pool, 20);

        List<Long> pids = new ArrayList<>();
        for (CompletableFuture<Result<Long>> each : all) {
            pids.add(Patience.get(each).orElseThrow());
        }
        assertThat(pids.stream().distinct()).hasSize(4);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(BOUND);
        awaitGone(pids.get(0));
    }

    @Test
    void maxTasksPerProcess_withThreadsLeftBehind_doesNotWaitForThem() throws Exception {
        WorkerProcessStrategy pool = pool(1, options -> options.maxTasksPerProcess(1));
        Workload<Integer, Long> leaving = Workload.blocking("leaving", input -> {
            new Thread(() -> Faults.Way.HANG.happen()).start();
            return ProcessHandle.current().pid();
        });

        List<CompletableFuture<Result<Long>>> all =
                IntStream.range(0, 4).mapToObj(i -> pool.submit(leaving, i)).toList();

        for (CompletableFuture<Result<Long>> each : all) {
            awaitGone(Patience.get(each).orElseThrow());
        }
    }
}
