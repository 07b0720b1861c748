package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.Faults.Way;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.MDC;

/** A worker that ends takes one task with it. */
final class WorkerDeathTest extends WorkerFixture {

    @ParameterizedTest
    @CsvSource(textBlock = """
                    EXIT,          7,   ended with exit code 7
                    HALT,          8,   ended with exit code 8
                    KILL,          137, was killed by SIGKILL
                    SEGFAULT,      139, crashed with SIGSEGV
                    ABORT,         134, was killed by SIGABRT
                    OUT_OF_MEMORY, 3,   ran out of memory""")
    void task_thatEndsItsWorker_failsAloneAndOnce(Way way, int exitCode, String how) throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        Workload<Integer, Integer> fatal = Workload.blocking("fatal", input -> {
            journal.add("" + ProcessHandle.current().pid());
            System.err.println("about to " + way);
            System.err.flush();
            way.happen();
            return input;
        });

        CompletableFuture<Result<Integer>> lost = pool.submit(fatal, 0);
        List<CompletableFuture<Result<Long>>> queued =
                IntStream.range(0, 5).mapToObj(i -> pool.submit(PID, i)).toList();

        WorkerDiedException death = (WorkerDiedException) causeOf(Patience.get(lost));
        assertThat(journal.entries()).containsExactly("" + death.pid());
        assertThat(death)
                .hasMessageContaining("workload 'fatal'")
                .hasMessageContaining(death.worker())
                .hasMessageContaining("pid " + death.pid())
                .hasMessageContaining(how);
        if (way != Way.SEGFAULT) { // there the last lines are the JVM's
            assertThat(death).hasMessageContaining("about to " + way);
        }
        assertThat(death.worker()).isEqualTo("stratagem-faults-worker-1");
        assertThat(death.exitCode()).isEqualTo(exitCode);
        assertThat(death.isOutOfMemory()).isEqualTo(way == Way.OUT_OF_MEMORY);
        assertThat(death.mayHaveFinished()).isFalse();
        for (CompletableFuture<Result<Long>> each : queued) {
            assertThat(Patience.get(each).orElseThrow()).isNotEqualTo(death.pid());
        }
    }

    @Test
    void stackOverflow_inTask_isOrdinaryFailure() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Integer> result = pool.run(Workload.blocking("deep", Faults::recurse), 0);

        assertThat(causeOf(result)).isInstanceOf(StackOverflowError.class);
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    /** As that for direct buffers is, which the JVM does not notice. */
    @Test
    void outOfMemoryError_thrownByJavaCode_endsTheWorker() {
        WorkerProcessStrategy pool = pool(1);

        Result<Integer> result = pool.run(
                Workload.blocking("hoarder", input -> {
                    List<ByteBuffer> buffers = new ArrayList<>();
                    while (buffers.size() < input) {
                        buffers.add(ByteBuffer.allocateDirect(1 << 24));
                    }
                    return buffers.size();
                }),
                Integer.MAX_VALUE);

        WorkerDiedException death = (WorkerDiedException) causeOf(result);
        assertThat(death.isOutOfMemory()).isTrue();
        assertThat(death).hasMessageContaining("ran out of memory").hasMessageContaining("direct buffer memory");
        assertUsable(pool);
    }

    /** Takes all the memory beside the heap when it is written. */
    private static final class Hoard implements Serializable {
        private static final long serialVersionUID = 1;

        private void writeObject(ObjectOutputStream out) {
            List<ByteBuffer> buffers = new ArrayList<>();
            while (buffers.size() < Integer.MAX_VALUE) {
                buffers.add(ByteBuffer.allocateDirect(1 << 24));
            }
        }
    }

    @Test
    void outOfMemoryError_whileTheResultIsSerialised_endsTheWorkerWithItsVerdict() {
        WorkerProcessStrategy pool = pool(1);

        WorkerDiedException death =
                (WorkerDiedException) causeOf(pool.run(Workload.blocking("hoarder", input -> new Hoard()), 0));

        assertThat(death.isOutOfMemory()).isTrue();
        assertThat(death.mayHaveFinished()).isTrue();
        assertUsable(pool);
    }

    // ---------------------------------------------------------------------------------------------- after the result

    private static Workload<Integer, Long> leavingBehind(Gate gate, Journal journal, Way way) {
        return Workload.blocking("leaving", input -> {
            Thread thread = new Thread(() -> {
                gate.awaitIgnoringInterrupts();
                journal.enter();
                way.happen();
            });
            thread.setDaemon(true);
            thread.start();
            return ProcessHandle.current().pid();
        });
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    EXIT,     ended with exit code 7
                    HALT,     ended with exit code 8
                    SEGFAULT, crashed with SIGSEGV""")
    void threadLeftBehind_endsTheWorkerDuringAnotherTask_failsThatOne(Way way, String how) throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate end = gate();
        long pid = pool.run(leavingBehind(end, journal(), way), 0).orElseThrow();
        Journal journal = journal();
        CompletableFuture<Result<Integer>> victim =
                pool.submit(Workload.blocking("victim", telling(journal, gate())), 1);
        Patience.await().until(() -> journal.entered() == 1);

        end.open();

        WorkerDiedException death = (WorkerDiedException) causeOf(Patience.get(victim));
        assertThat(death.pid()).isEqualTo(pid);
        assertThat(death).hasMessageContaining("workload 'victim'").hasMessageContaining(how);
        assertUsable(pool);
    }

    @ParameterizedTest
    @EnumSource(names = {"THROW", "HANG"})
    void threadLeftBehind_throwsOrHangs_failsNothing(Way way) {
        WorkerProcessStrategy pool = pool(1);
        Gate end = gate();
        Journal journal = journal();
        long pid = pool.run(leavingBehind(end, journal, way), 0).orElseThrow();

        end.open();
        Patience.await().until(() -> journal.entered() == 1);

        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @ParameterizedTest
    @EnumSource(names = {"EXIT", "HALT", "SEGFAULT"})
    void threadLeftBehind_endsTheWorkerWhileItIsIdle_failsNothing(Way way) {
        WorkerProcessStrategy pool = pool(1);
        Gate end = gate();
        long pid = pool.run(leavingBehind(end, journal(), way), 0).orElseThrow();

        end.open();
        awaitGone(pid);

        assertThat(pool.run(PID, 0).orElseThrow()).isNotEqualTo(pid);
        assertThat(pool.snapshot().failed()).isZero();
    }

    /** Makes its process deaf to the application, when that has the result; and keeps it alive for a while. */
    private static Workload<Integer, Long> goingDeaf(Gate gate, Journal journal) {
        return Workload.blocking("going deaf", input -> {
            Thread thread = new Thread(() -> {
                try {
                    gate.await();
                    connection().shutdownInput();
                    journal.enter();
                    Thread.sleep(60_000);
                } catch (IOException | InterruptedException | ReflectiveOperationException e) {
                    journal.add(e.toString());
                }
            });
            thread.start();
            return ProcessHandle.current().pid();
        });
    }

    private static SocketChannel connection() throws ReflectiveOperationException {
        Field link = Outbox.class.getDeclaredField("link");
        Field channel = Link.class.getDeclaredField("channel");
        link.setAccessible(true);
        channel.setAccessible(true);
        return (SocketChannel) channel.get(link.get(Outbox.present()));
    }

    @Test
    void connection_thatEndsBeforeAWorkloadIsKnownThere_failsNothing() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        Journal journal = journal();
        pool.run(goingDeaf(gate, journal), 0).orElseThrow();
        gate.open();
        Patience.await().until(() -> !journal.entries().isEmpty());
        assertThat(journal.entered()).as("%s", journal).isEqualTo(1);

        Result<Long> result = Patience.get(pool.submit(PID, 0));

        // Of another process, as this one is deaf; or of this one, if its tasks come through memory.
        assertThat(result.isSuccess()).as("%s", result).isTrue();
    }

    /** It has not begun, so it may go to another worker; but they all die of it. */
    private static void assertFailsAndHoldsUpNoOther(
            WorkerProcessStrategy pool, CompletableFuture<Result<Integer>> large) throws Exception {
        CompletableFuture<Result<Long>> other = pool.submit(PID, 0);

        assertThat(causeOf(Patience.get(large)))
                .isInstanceOfSatisfying(WorkerDiedException.class, died -> {
                    assertThat(died.isOutOfMemory()).isTrue();
                    assertThat(died.mayHaveFinished()).isFalse();
                })
                .hasMessageContaining("received a task of workload 'large' and not begun it");
        assertThat(Patience.get(other).isSuccess()).isTrue();
    }

    @Test
    void input_thatIsLargerThanAWorkersHeap_failsAndHoldsUpNoOtherTask() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Workload<byte[], Integer> workload = Workload.named("large").isolated().compute(input -> input.length);

        CompletableFuture<Result<Integer>> large = pool.submit(workload, new byte[60 << 20]);

        assertFailsAndHoldsUpNoOther(pool, large);
        assertUsable(pool);
    }

    /** It is sent before the first task of its workload. */
    @Test
    void function_thatIsLargerThanAWorkersHeap_failsItsTaskAndHoldsUpNoOther() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        byte[] captured = new byte[60 << 20];

        CompletableFuture<Result<Integer>> large =
                pool.submit(Workload.blocking("large", input -> captured.length + input), 0);

        assertFailsAndHoldsUpNoOther(pool, large);
    }

    @Test
    void mdc_thatIsLargerThanAWorkersHeap_failsItsTaskAndHoldsUpNoOther() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        CompletableFuture<Result<Integer>> large;
        MDC.put("large", "x".repeat(60 << 20));
        try {
            large = pool.submit(Workload.blocking("large", input -> input), 0);
        } finally {
            MDC.remove("large");
        }

        assertFailsAndHoldsUpNoOther(pool, large);
    }

    static Stream<Object> sharedInputs() {
        return Stream.of(List.of("small"), new byte[2 << 20]);
    }

    /** Not the input's fault: the workers are killed from elsewhere, and the task runs on another each time. */
    @ParameterizedTest
    @MethodSource("sharedInputs")
    void input_ofManyTasks_isNotAccusedOfDeathsThatItsTasksSurvive(Object shared) throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Workload<Object, Long> workload =
                Workload.blocking("shared", input -> ProcessHandle.current().pid());

        for (int i = 0; i < 4; i++) {
            long pid = pool.run(workload, shared).orElseThrow();
            signal("STOP", pid);
            Patience.await().until(() -> list(Path.of("/proc/" + pid + "/task")).allMatch(WorkerDeathTest::isStopped));
            CompletableFuture<Result<Long>> result = pool.submit(workload, shared);
            Patience.await()
                    .until(() -> pool.snapshot().workers().get(0).workload().isPresent());

            signal("KILL", pid);

            assertThat(Patience.get(result).orElseThrow()).as("round %s", i).isNotEqualTo(pid);
        }
    }

    private static boolean isStopped(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (IOException e) {
            return false;
        }
    }

    private static void signal(String name, long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, "" + pid).start().waitFor())
                .isZero();
    }

    // ---------------------------------------------------------------------------------------------- at most once

    @Test
    void retryPolicy_afterDeath_runsTheTaskAgainInAnotherProcess() {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        Workload<Integer, Integer> second = Workload.named("second")
                .retry(RetryPolicy.attempts(3))
                .blocking(input -> {
                    journal.add("" + ProcessHandle.current().pid());
                    if (journal.entries().size() == 1) {
                        Way.HALT.happen();
                    }
                    return input;
                });

        Result<Integer> result = pool.run(second, 42);

        assertThat(result.orElseThrow()).isEqualTo(42);
        assertThat(result.execution().attempts()).isEqualTo(2);
        assertThat(journal.entries()).hasSize(2).doesNotHaveDuplicates();
    }

    /** Takes its process with it when it is written. */
    private static final class Poison implements Serializable {
        private static final long serialVersionUID = 1;
        private final Way way;

        Poison(Way way) {
            this.way = way;
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            way.happen();
            out.defaultWriteObject();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"EXIT", "HALT", "KILL", "SEGFAULT", "OUT_OF_MEMORY"})
    void death_whileTheResultIsSerialised_saysThatTheTaskMayHaveFinished(Way way) {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();

        Result<Object> result = pool.run(
                Workload.blocking("poisoned", input -> {
                    journal.enter();
                    return new Poison(way);
                }),
                0);

        WorkerDiedException death = (WorkerDiedException) causeOf(result);
        assertThat(death.mayHaveFinished()).isTrue();
        assertThat(death).hasMessageContaining("which may have finished");
        assertThat(journal.entered()).isEqualTo(1);
        assertUsable(pool);
    }

    // ---------------------------------------------------------------------------------------------- batches

    private static int exitAt(int input, int fatal, Way way) {
        if (input == fatal) {
            way.happen();
        }
        return input + 1;
    }

    @Test
    void map_ofTinyTasksOneOfWhichExits_failsExactlyThatOne() {
        WorkerProcessStrategy pool = pool(2);
        Workload<Integer, Integer> tiny = Workload.compute("tiny", input -> exitAt(input, 7_777, Way.EXIT));

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = pool.map(tiny, numbers(20_000))) {
            results = stream.toList();
        }

        assertThat(results).hasSize(20_000);
        for (int i = 0; i < results.size(); i++) {
            if (i == 7_777) {
                WorkerDiedException death = (WorkerDiedException) causeOf(results.get(i));
                assertThat(death.mayHaveFinished()).isFalse();
                assertThat(death).hasMessageContaining("exit code 7");
            } else {
                assertThat(results.get(i)).isEqualTo(Result.success(i + 1));
            }
        }
    }

    @Test
    void linesOfAChild_areNoVerdictOnTheWorker() {
        WorkerProcessStrategy pool = pool(1);
        pool.run(
                        Workload.blocking("says so", input -> {
                            System.err.println("Terminating due to java.lang.OutOfMemoryError: of a child");
                            return input;
                        }),
                        0)
                .orElseThrow();

        WorkerDiedException death = (WorkerDiedException) causeOf(pool.run(
                Workload.blocking("killed", input -> {
                    Way.KILL.happen();
                    return input;
                }),
                0));

        assertThat(death.isOutOfMemory()).isFalse();
        assertThat(death).hasMessageContaining("SIGKILL");
    }

    /** No worker can receive it, nor say which it was. */
    @Test
    void map_withAnInputTooLargeForTheWorker_failsThatTaskAlone() {
        Workload<Object, Integer> size = Workload.named("size")
                .isolated()
                .compute(input -> input instanceof byte[] bytes ? bytes.length : (Integer) input);
        int tooLarge = 300;
        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = pool(1).map(
                        size, IntStream.range(0, 600).mapToObj(i -> i == tooLarge ? new byte[80 << 20] : (Object) i))) {
            results = stream.toList();
        }

        for (int i = 0; i < results.size(); i++) {
            if (i == tooLarge) {
                assertThat(causeOf(results.get(i))).isInstanceOf(WorkerDiedException.class);
            } else {
                assertThat(results.get(i)).isEqualTo(Result.success(i));
            }
        }
        assertThat(results).hasSize(600);
    }

    @Test
    void directBuffer_forWhichTheWorkerHasNoRoom_endsItWithItsVerdict() {
        WorkerProcessStrategy pool = plainPool(1, options -> options.jvmOptions("-XX:MaxDirectMemorySize=16m"));

        WorkerDiedException death = (WorkerDiedException) causeOf(pool.run(
                Workload.<ByteBuffer, Integer>blocking("count", ByteBuffer::remaining),
                ByteBuffer.allocateDirect(24 << 20)));

        assertThat(death.isOutOfMemory()).isTrue();
    }

    /** With one worker, a task may wait for one before it. */
    @Test
    void map_whoseWorkerDies_goesOnInOrder() {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        Workload<Integer, Integer> tiny = Workload.compute("tiny", input -> {
            journal.add("" + input);
            return exitAt(input, 1_500, Way.HALT);
        });

        try (Stream<Result<Integer>> results = pool.map(tiny, numbers(4_000))) {
            assertThat(results.filter(result -> !result.isSuccess())).isNotEmpty();
        }

        assertThat(journal.entries().stream().map(Integer::valueOf).toList()).isSorted();
    }

    /** A signal leaves no time to send the results of the last two milliseconds. */
    @ParameterizedTest
    @EnumSource(names = {"HALT", "KILL", "SEGFAULT"})
    void map_ofTinyTasksOneOfWhichCrashes_runsEachOnceAndTellsWhatWasLost(Way way) {
        WorkerProcessStrategy pool = pool(2);
        Journal journal = journal();
        Workload<Integer, Integer> tiny = Workload.compute("tiny", input -> {
            journal.add("" + input);
            return exitAt(input, 1_500, way);
        });

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = pool.map(tiny, numbers(4_000))) {
            results = stream.toList();
        }

        List<String> entries = journal.entries();
        assertThat(entries).doesNotHaveDuplicates();
        Set<String> ran = new HashSet<>(entries);
        assertThat(IntStream.range(0, results.size())
                        .filter(i -> !ran.contains("" + i))
                        .mapToObj(i -> i + ": " + results.get(i)))
                .as("never ran")
                .isEmpty();
        List<Integer> lost = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            if (results.get(i).isSuccess()) {
                assertThat(results.get(i).orElseThrow()).isEqualTo(i + 1);
            } else {
                lost.add(i);
                WorkerDiedException death = (WorkerDiedException) causeOf(results.get(i));
                assertThat(death.mayHaveFinished()).as("%s", death).isEqualTo(i != 1_500);
            }
        }
        assertThat(lost).contains(1_500).endsWith(1_500).hasSizeLessThan(1_000);
    }

    private static Stream<Integer> numbers(int count) {
        return IntStream.range(0, count).boxed();
    }

    @Test
    void workers_thatDieAgainAndAgain_loseOnlyWhatKilledThem() throws Exception {
        WorkerProcessStrategy pool = pool(2);
        Workload<Integer, Integer> sometimes = Workload.blocking("sometimes", input -> {
            if (input % 5 == 0) {
                Way.HALT.happen();
            }
            return input;
        });

        List<CompletableFuture<Result<Integer>>> all =
                numbers(50).map(i -> pool.submit(sometimes, i)).toList();

        for (int i = 0; i < all.size(); i++) {
            Result<Integer> result = Patience.get(all.get(i));
            assertThat(result.isSuccess()).as("task %s: %s", i, result).isEqualTo(i % 5 != 0);
        }
    }
}
