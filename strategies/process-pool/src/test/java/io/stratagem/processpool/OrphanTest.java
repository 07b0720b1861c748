package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Workload;
import io.stratagem.processpool.Faults.Way;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An application that is killed leaves nothing behind. */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OrphanTest {
    @TempDir
    Path directory;

    private Path temporary;
    private Path signs;
    private Process application;

    @BeforeEach
    void makeDirectories() throws IOException {
        temporary = Files.createDirectory(directory.resolve("t"));
        signs = Files.createDirectory(directory.resolve("signs"));
    }

    @AfterEach
    void killAll() throws InterruptedException {
        if (application != null) {
            application.descendants().forEach(ProcessHandle::destroyForcibly);
            application.destroyForcibly().waitFor();
        }
    }

    private void startApplication(Class<?> main) throws IOException {
        application = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx64m",
                        "-Djava.io.tmpdir=" + temporary,
                        "-D" + WorkerFixture.UNDER_TEST + "=" + System.getProperty(WorkerFixture.UNDER_TEST, ""),
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        signs.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("printed").toFile())
                .start();
    }

    /** Signs are files named after a state and a process. */
    private static void sign(String signs, String state) throws IOException {
        Files.createFile(Path.of(signs, state + "-" + ProcessHandle.current().pid()));
    }

    private static long count(String signs, String state) {
        return WorkerFixture.list(Path.of(signs))
                .filter(file -> file.getFileName().toString().startsWith(state + "-"))
                .count();
    }

    private List<Long> awaitPids(String state, int number) {
        Patience.await().until(() -> {
            assertThat(application.isAlive())
                    .as(() -> "the application lives; it printed " + printed())
                    .isTrue();
            return count(signs.toString(), state) == number;
        });
        return WorkerFixture.list(signs)
                .map(file -> file.getFileName().toString())
                .filter(name -> name.startsWith(state + "-"))
                .map(name -> Long.valueOf(name.substring(state.length() + 1)))
                .toList();
    }

    private String printed() {
        try {
            return Files.readString(directory.resolve("printed"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void killApplicationAndAwait(List<Long> workers) throws InterruptedException {
        killApplicationAndAwait(workers, Duration.ofSeconds(1));
    }

    private void killApplicationAndAwait(List<Long> workers, Duration limit) throws InterruptedException {
        application.destroyForcibly();
        application.waitFor();
        Patience.await()
                .atMost(limit)
                .untilAsserted(() -> assertThat(workers).as("workers").allMatch(WorkerFixture::isGone));
        assertThat(WorkerFixture.list(temporary)
                        .filter(file -> file.getFileName().toString().startsWith("stratagem-")))
                .as("left behind")
                .isEmpty();
    }

    // ---------------------------------------------------------------------------------------------- at work

    /** Has three workers: one sleeps, one computes, one is idle. */
    static final class Busy {
        private Busy() {}

        public static void main(String[] arguments) throws Exception {
            String signs = arguments[0];
            WorkerProcessStrategy pool = WorkerFixture.newBuilder()
                    .workerProcesses(3)
                    .maxHeapBytes(64 << 20)
                    .build();
            Workload<Integer, Integer> all = Workload.blocking("all", input -> {
                sign(signs, "up");
                Patience.await().until(() -> count(signs, "up") == 3);
                return input;
            });
            List<CompletableFuture<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                tasks.add(pool.submit(all, i));
            }
            for (CompletableFuture<?> task : tasks) {
                task.get();
            }
            tasks.add(pool.submit(Workload.blockingAction("sleeping", input -> sleep(signs)), 0));
            tasks.add(pool.submit(Workload.computeAction("spinning", input -> spin(signs)), 0));
            System.out.println("the sleeping task has ended: " + tasks.get(3).get());
        }

        private static void sleep(String signs) throws IOException, InterruptedException {
            long child = new ProcessBuilder("sleep", "600").start().pid();
            Files.createFile(Path.of(signs, "child-" + child));
            sign(signs, "busy");
            Thread.sleep(600_000);
        }

        private static void spin(String signs) throws IOException {
            Faults.count(0); // compiled from here on
            sign(signs, "busy");
            Way.HANG.happen();
        }
    }

    @Test
    void workers_idleBlockedAndInCompiledLoop_endWithTheKilledApplication() throws Exception {
        startApplication(Busy.class);
        List<Long> workers = awaitPids("up", 3);
        assertThat(workers).containsAll(awaitPids("busy", 2)).doesNotHaveDuplicates();
        List<Long> all = new ArrayList<>(workers);
        all.addAll(awaitPids("child", 1)); // of a task

        killApplicationAndAwait(all);
    }

    // ---------------------------------------------------------------------------------------------- at the start

    /** Has a worker that never gets ready. */
    static final class Starting {
        private Starting() {}

        public static void main(String[] arguments) throws Exception {
            String signs = arguments[0];
            WorkerProcessStrategy pool = WorkerFixture.newBuilder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .initializer(() -> {
                        sign(signs, "up");
                        Thread.sleep(600_000);
                    })
                    .build();
            pool.run(Workload.blocking("any", input -> input), 0);
        }
    }

    @Test
    void worker_thatIsNotReadyYet_endsWithTheKilledApplication() throws Exception {
        startApplication(Starting.class);
        List<Long> workers = awaitPids("up", 1);

        killApplicationAndAwait(workers);
    }

    /** Runs a task in a pool for which that script is {@code java}. */
    private static void runWorkerAs(Path home, String script) throws IOException {
        Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
        Files.writeString(java, script);
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
        WorkerProcessStrategy pool = WorkerFixture.newBuilder()
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .javaHome(home)
                .build();
        pool.run(Workload.blocking("any", input -> input), 0);
    }

    /** Has a worker whose JVM starts when the application is gone. */
    static final class Overtaken {
        private Overtaken() {}

        public static void main(String[] arguments) throws Exception {
            Path signs = Path.of(arguments[0]);
            Path real = Path.of(System.getProperty("java.home"), "bin", "java");
            runWorkerAs(signs, """
                    #!/bin/sh
                    touch '%1$s/up-'$$
                    cat > '%1$s/said'
                    exec '%2$s' "$@" < '%1$s/said'
                    """.formatted(signs, real));
        }
    }

    /** Is killed by what was to become its worker. */
    static final class Undone {
        private Undone() {}

        public static void main(String[] arguments) throws Exception {
            Path signs = Path.of(arguments[0]);
            runWorkerAs(signs, "#!/bin/sh\nkill -9 $PPID\n");
        }
    }

    @Test
    void application_thatIsKilledBeforeItHasAWorker_leavesNothing() throws Exception {
        startApplication(Undone.class);
        Patience.await().until(() -> !application.isAlive());

        assertThat(application.exitValue()).as(() -> printed()).isEqualTo(128 + 9);
        killApplicationAndAwait(List.of());
    }

    @Test
    void worker_thatHasNotConnectedYet_endsWithTheKilledApplicationAndTidiesUp() throws Exception {
        startApplication(Overtaken.class);
        List<Long> workers = awaitPids("up", 1);
        Patience.await() // for something to tidy up
                .until(() -> WorkerFixture.list(temporary)
                        .anyMatch(file -> file.getFileName().toString().startsWith("stratagem-")));
        killApplicationAndAwait(workers, Patience.LIMIT);
    }

    // ---------------------------------------------------------------------------------------------- in good order

    /** Returns from its main method without closing its pool. */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) {
            String signs = arguments[0];
            WorkerProcessStrategy pool = WorkerFixture.newBuilder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .build();
            pool.run(Workload.blockingAction("any", input -> sign(signs, "up")), 0);
        }
    }

    @Test
    void application_thatForgetsToClose_endsAndLeavesNothing() throws Exception {
        startApplication(Forgetful.class);
        Patience.await().until(() -> !application.isAlive());

        assertThat(application.exitValue()).as(() -> printed()).isZero();
        List<Long> workers = WorkerFixture.list(signs)
                .map(file -> Long.valueOf(file.getFileName().toString().substring(3)))
                .toList();
        assertThat(workers).hasSize(1);
        killApplicationAndAwait(workers);
    }

    /** Exits some time after it has lost a worker, while another one is started. */
    static final class Hasty {
        private Hasty() {}

        public static void main(String[] arguments) {
            WorkerProcessStrategy pool = WorkerFixture.newBuilder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .build();
            pool.run(
                    Workload.blockingAction(
                            "dying", input -> Runtime.getRuntime().halt(1)),
                    0);
            long end = System.nanoTime()
                    + WorkerFixture.list(Path.of(arguments[0])).count() * 50_000_000;
            Patience.await().until(() -> System.nanoTime() > end);
            System.exit(0);
        }
    }

    /** At several moments of the start. */
    @Test
    void application_thatExitsWhileAWorkerIsStarted_leavesNothing() throws Exception {
        for (int moment = 0; moment < 6; moment++) {
            Files.createFile(signs.resolve("moment-" + moment));
            startApplication(Hasty.class);
            application.waitFor();

            assertThat(application.exitValue()).as(() -> printed()).isZero();
            Patience.await()
                    .untilAsserted(() -> assertThat(WorkerFixture.list(temporary)
                                    .filter(file ->
                                            file.getFileName().toString().startsWith("stratagem-")))
                            .as("left behind")
                            .isEmpty());
        }
    }
}
