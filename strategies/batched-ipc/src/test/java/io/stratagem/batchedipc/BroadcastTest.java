package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedMemoryFixture.passed;
import static io.stratagem.batchedipc.SharedMemoryFixture.read;
import static io.stratagem.batchedipc.SharedMemoryFixture.written;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.example.broadcast.BroadcastProbe;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.processpool.WorkerProcessStrategy;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.InputStream;
import java.io.InvalidObjectException;
import java.io.Serializable;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class BroadcastTest {
    private static final int TASKS = 200;

    private static final AtomicInteger tablesMade = new AtomicInteger();

    private long descriptorsBefore;

    /** Counts how often it is made in a process. */
    record Table(Map<String, Integer> entries, List<Double> weights) {
        Table {
            tablesMade.incrementAndGet();
        }
    }

    /** A task's input with a broadcast in it. */
    record Query(Broadcast<Table> table, String key) {}

    /** What a task found, where, and how many tables had been made there. */
    record Answer(int value, long pid, int tablesMade) {}

    /** A broadcast made elsewhere, among other things. */
    record Holder(String name, Broadcast<?> broadcast) {}

    /** Has a field that cannot travel. */
    record Order(String name, List<Object> items) {}

    /** Is not to be rebuilt. */
    static final class Grumpy implements Serializable {
        private static final long serialVersionUID = 1;

        private Object readResolve() {
            throw new IllegalStateException("not today");
        }
    }

    static Stream<ProcessPoolBuilder<?>> strategies() {
        return Stream.of(ProcessPoolStrategy.builder(), BatchedIpcStrategy.builder());
    }

    private static WorkerProcessStrategy start(ProcessPoolBuilder<?> builder) {
        return builder.workerProcesses(2)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1")
                .build();
    }

    private static <I, O> Workload<I, O> workload(Fn<? super I, ? extends O> function) {
        return Workload.named("look up").isolated().compute(function);
    }

    @BeforeEach
    void countDescriptors() {
        descriptorsBefore = SharedMemoryFixture.descriptors();
    }

    @AfterEach
    void nothingIsLeft() {
        // Memory of rings of the test before may have been there at its beginning.
        Patience.await()
                .untilAsserted(
                        () -> assertThat(SharedMemoryFixture.descriptors()).isLessThanOrEqualTo(descriptorsBefore));
    }

    private static Table table() {
        return new Table(Map.of("a", 1, "b", 2), List.of(0.5, 1.5));
    }

    private static Answer answer(Table table, String key) {
        return new Answer(table.entries.get(key), ProcessHandle.current().pid(), tablesMade.get());
    }

    private static void assertRebuiltOncePerProcess(List<Answer> answers) {
        Set<Long> processes = new HashSet<>();
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i).value).isEqualTo(i % 2 == 0 ? 1 : 2);
            assertThat(answers.get(i).tablesMade).isEqualTo(1);
            processes.add(answers.get(i).pid);
        }
        assertThat(processes).doesNotContain(ProcessHandle.current().pid());
    }

    private static String key(int i) {
        return i % 2 == 0 ? "a" : "b";
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void input_isRebuiltOncePerWorker(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder);
                Broadcast<Table> table = Broadcast.of(table())) {
            assertRebuiltOncePerProcess(Results.failFast(pool.map(
                    workload((Query query) -> answer(query.table.value(), query.key)),
                    IntStream.range(0, TASKS).mapToObj(i -> new Query(table, key(i))))));
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void captured_byFunctionsOfSeveralWorkloads_isRebuiltOncePerWorker(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder);
                Broadcast<Table> table = Broadcast.of(table())) {
            for (int round = 0; round < 3; round++) {
                assertRebuiltOncePerProcess(Results.failFast(pool.map(
                        workload((String key) -> answer(table.value(), key)),
                        IntStream.range(0, TASKS).mapToObj(BroadcastTest::key))));
            }
        }
    }

    @Test
    void input_largerThanAnyMessage_isSharedByAllTasks() {
        byte[] bytes = new byte[16 << 20];
        Arrays.fill(bytes, (byte) 3);
        record Part(Broadcast<byte[]> bytes, int at) {}
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder().maxMessageBytes(4096));
                Broadcast<byte[]> all = Broadcast.of(bytes)) {
            List<Integer> seen = Results.failFast(pool.map(
                    workload((Part part) -> (int) part.bytes.value()[part.at]),
                    IntStream.range(0, TASKS).mapToObj(i -> new Part(all, i * 70_000))));

            assertThat(seen).containsOnly(3).hasSize(TASKS);
        }
    }

    static Stream<Object> arrays() {
        return Stream.of(
                new byte[] {1, -2},
                new int[] {1, -2},
                new long[] {1, 1L << 40},
                new float[] {1.5f},
                new double[100_003],
                new double[0],
                new boolean[] {true, false},
                new char[] {'x'},
                new short[] {7},
                new String[] {"x", "y"});
    }

    @ParameterizedTest
    @MethodSource("arrays")
    void arrays_ofEachType_areEqualThere(Object array) {
        if (array instanceof double[] doubles) {
            Arrays.setAll(doubles, i -> i / 7d);
        }
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder());
                Broadcast<Object> broadcast = Broadcast.of(array)) {
            Workload<Broadcast<Object>, Integer> hash =
                    workload(each -> Arrays.deepHashCode(new Object[] {each.value()}));

            assertThat(pool.run(hash, broadcast).orElseThrow()).isEqualTo(Arrays.deepHashCode(new Object[] {array}));
        }
    }

    @Test
    void value_here_isTheOriginal() throws Exception {
        Table table = table();
        try (Broadcast<Table> broadcast = Broadcast.of(table)) {
            assertThat(broadcast.value()).isSameAs(table);
            assertThat(passed(broadcast)).isSameAs(broadcast);
            assertThat(broadcast).hasToString("Broadcast[" + Table.class.getName() + "]");
        }
    }

    /** Two loaders of the application, each with a class of the same name. */
    @Test
    void value_ofAClassOfTheSubmittersLoader_isRebuiltWithIt(@TempDir Path directory) throws Exception {
        copyProbe(directory);
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder())) {
            for (int i = 0; i < 2; i++) {
                ClassLoader loader = new ProbeLoader(directory);
                @SuppressWarnings("unchecked")
                Function<ExecutorStrategy, String> probe =
                        (Function<ExecutorStrategy, String>) loader.loadClass(BroadcastProbe.class.getName())
                                .getDeclaredConstructor()
                                .newInstance();
                assertThat(probe.getClass()).isNotEqualTo(BroadcastProbe.class);

                assertThat(probe.apply(pool)).matches("hello by class loader \\d+ of the application");
            }
        }
    }

    /** Has classes of its own of the probe. */
    private static final class ProbeLoader extends URLClassLoader {
        ProbeLoader(Path directory) throws MalformedURLException {
            super(new URL[] {directory.toUri().toURL()}, BroadcastTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean mustResolve) throws ClassNotFoundException {
            if (!name.startsWith(BroadcastProbe.class.getName())) {
                return super.loadClass(name, mustResolve);
            }
            Class<?> known = findLoadedClass(name);
            return known != null ? known : findClass(name);
        }

        @Override
        public URL getResource(String name) {
            URL own = findResource(name);
            return own != null ? own : super.getResource(name);
        }
    }

    private static void copyProbe(Path directory) throws IOException {
        for (String name : List.of("BroadcastProbe", "BroadcastProbe$Word")) {
            Path file = directory.resolve("com/example/broadcast/" + name + ".class");
            Files.createDirectories(file.getParent());
            try (InputStream in = BroadcastProbe.class.getResourceAsStream(name + ".class")) {
                Files.copy(in, file);
            }
        }
    }

    @Test
    void broadcastInABroadcast_isRebuiltAsWell() {
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder());
                Broadcast<Table> inner = Broadcast.of(table());
                Broadcast<List<Broadcast<Table>>> outer = Broadcast.of(List.of(inner, inner))) {
            assertThat(pool.run(
                                    workload((String key) ->
                                            answer(outer.value().get(1).value(), key)),
                                    "b")
                            .orElseThrow()
                            .value)
                    .isEqualTo(2);
        }
    }

    @Test
    void captured_byMoreWorkloadsThanTheWorkerHasRoomFor_isDroppedAndRebuilt() {
        List<Workload<Integer, Integer>> workloads = new ArrayList<>(); // or it depends on this JVM's collector
        List<Broadcast<byte[]>> broadcasts = new ArrayList<>();
        try (WorkerProcessStrategy pool = BatchedIpcStrategy.builder()
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .build()) {
            for (int i = 0; i < 12; i++) {
                byte[] value = new byte[8 << 20];
                value[i] = (byte) i;
                Broadcast<byte[]> broadcast = Broadcast.of(value);
                broadcasts.add(broadcast);
                workloads.add(workload(at -> (int) broadcast.value()[at]));
                assertThat(pool.run(workloads.get(i), i)).isEqualTo(Result.success(i));
            }
            assertThat(pool.run(workloads.get(3), 3)).isEqualTo(Result.success(3));
        } finally {
            broadcasts.forEach(Broadcast::close);
        }
    }

    // ---------------------------------------------------------------------------------------------- the end

    @Test
    void closed_refusesUseAndTravel() {
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder())) {
            Broadcast<Table> table = Broadcast.of(table());
            table.close();
            table.close();
            String message = "The broadcast of " + Table.class.getName() + " is closed";

            assertThatIllegalStateException().isThrownBy(table::value).withMessage(message);
            assertThat(table).hasToString("Broadcast[" + Table.class.getName() + ", closed]");
            assertThatThrownBy(() -> pool.run(
                                    workload((Query query) -> answer(query.table.value(), query.key)),
                                    new Query(table, "a"))
                            .orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining(message);
        }
    }

    @Test
    void handle_ofOneThatIsClosed_isRefusedWithTheRemedy() {
        Broadcast<Table> table = Broadcast.of(table());
        byte[] handle = written(table);
        table.close();
        assertThatThrownBy(() -> read(handle))
                .isInstanceOf(InvalidObjectException.class)
                .hasMessageContaining("broadcast of " + Table.class.getName())
                .hasMessageContaining("Keep a broadcast open until the tasks that use it are done");
    }

    @Test
    void memory_isNotHeldByWorkers() {
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder())) {
            String ours = "stratagem-" + ProcessHandle.current().pid() + "-";
            Workload<Broadcast<Table>, List<Long>> look = workload(table -> {
                long pid = ProcessHandle.current().pid();
                table.close(); // which does nothing there
                return List.of(
                        SharedMemoryFixture.descriptors(pid, ours), SharedMemoryFixture.mappings(pid, ours), (long)
                                table.value().entries.size());
            });
            try (Broadcast<Table> table = Broadcast.of(table())) {
                assertThat(pool.run(look, table).orElseThrow())
                        .as("the rings, which nobody can open, and nothing else")
                        .containsExactly(0L, 1L, 2L);
                assertThat(table.value()).isNotNull();
            }
        }
    }

    @Test
    void forgotten_isClosedByTheCollector() {
        forget();
        Patience.await().untilAsserted(() -> {
            System.gc();
            assertThat(SharedMemoryFixture.descriptors()).isLessThanOrEqualTo(descriptorsBefore);
        });
    }

    private static void forget() {
        assertThat(Broadcast.of("forgotten").value()).isEqualTo("forgotten");
    }

    // ---------------------------------------------------------------------------------------------- what cannot travel

    @Test
    void value_thatIsNotSerializable_isRefusedAtOnceWithItsPath() {
        assertThatThrownBy(() -> Broadcast.of(new Order("x", List.of("fine", new Object()))))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("broadcast of " + Order.class.getName() + " cannot be serialised")
                .hasMessageContaining("java.lang.Object is not Serializable")
                .hasMessageContaining("Order.items[1]");
    }

    @Test
    void value_thatIsTooLarge_isRefused() {
        assertThatThrownBy(() -> Broadcast.of("0123456789".repeat(100), 500))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("broadcast of java.lang.String")
                .hasMessageContaining("more than the limit of 500 bytes");
    }

    @Test
    void value_thatCannotBeRebuilt_failsTheTaskAndSaysWhy() {
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder());
                Broadcast<List<Grumpy>> grumpy = Broadcast.of(List.of(new Grumpy()))) {
            Workload<Broadcast<List<Grumpy>>, Integer> size =
                    workload(each -> each.value().size());
            assertThatThrownBy(() -> pool.run(size, grumpy).orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining("input of workload 'look up'")
                    .hasMessageContaining("broadcast of java.util.ImmutableCollections$List12")
                    .hasMessageContaining("not today");
            assertThat(pool.run(workload((Integer i) -> i + 1), 1).orElseThrow())
                    .isEqualTo(2);
        }
    }

    @Test
    void value_thatTheFilterOfTheWorkerRejects_failsTheTask() {
        try (ExecutorStrategy pool = BatchedIpcStrategy.builder()
                        .workerProcesses(1)
                        .jvmOptions("-Djdk.serialFilter=!" + Table.class.getName())
                        .build();
                Broadcast<Table> table = Broadcast.of(table())) {
            assertThatThrownBy(() -> pool.run(
                                    workload((Broadcast<Table> each) ->
                                            each.value().entries().size()),
                                    table)
                            .orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining(Table.class.getName() + " is not allowed");
        }
    }

    // ---------------------------------------------------------------------------------------------- results

    @ParameterizedTest
    @MethodSource("strategies")
    void result_thatIsTheInput_isTheOriginalHere(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder);
                Broadcast<Table> table = Broadcast.of(table())) {
            Holder holder = pool.run(workload((Broadcast<Table> each) -> new Holder("back", each)), table)
                    .orElseThrow();
            assertThat(holder.broadcast).isSameAs(table);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void result_thatAWorkerHasBroadcast_isRefused_andNothingOfItRebuilt(ProcessPoolBuilder<?> builder) {
        int before = tablesMade.get();
        try (WorkerProcessStrategy pool = start(builder)) {
            Workload<Integer, Holder> forge = workload(i -> new Holder("forged", Broadcast.of(table())));

            assertThatThrownBy(() -> pool.run(forge, 1).orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining("result of workload 'look up'")
                    .hasMessageContaining("cannot be returned: return its value");
        }
        assertThat(tablesMade).hasValue(before);
    }
}
