package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Fn;
import io.stratagem.Results;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.processpool.WorkerProcessStrategy;
import io.stratagem.processpool.spi.OutgoingResult;
import io.stratagem.testkit.Patience;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Arrays and counters that tasks make and return: they belong to the application then. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedResultTest {
    private static final int LENGTH = 1000;

    /** What a worker keeps from one task to the next. */
    private static SharedArray kept;

    /** In the application: what {@link Late} waits for. */
    private static SharedCounter collected;

    private long descriptorsBefore;

    /** An array among other things. */
    record Made(String name, SharedArray array, long pid) {}

    /** Takes its time to be rebuilt in the application: the worker's collector runs some times meanwhile. */
    record Late(int turns) {
        Late {
            if (collected != null) {
                long start = collected.get();
                Patience.await().until(() -> collected.get() >= start + turns);
            }
        }
    }

    /** An array that is opened late. */
    record LateArray(Late late, SharedArray array) {}

    static Stream<ProcessPoolBuilder<?>> strategies() {
        return Stream.of(ProcessPoolStrategy.builder(), BatchedIpcStrategy.builder());
    }

    private static WorkerProcessStrategy start(ProcessPoolBuilder<?> builder, int workers) {
        return builder.workerProcesses(workers)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1")
                .build();
    }

    private static <I, O> Workload<I, O> workload(Fn<? super I, ? extends O> function) {
        return Workload.named("make").isolated().compute(function);
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

    private static SharedArray make(long first) {
        return SharedArray.copyOf(LongStream.range(first, first + LENGTH).toArray());
    }

    private static long sum(SharedArray array) {
        try (array) {
            return LongStream.range(0, array.length()).map(array::getLong).sum();
        }
    }

    private static long sumFrom(long first) {
        return LENGTH * first + LENGTH * (LENGTH - 1) / 2;
    }

    private static Made made(int number) {
        return new Made("made " + number, make(number), ProcessHandle.current().pid());
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void arrays_thatTasksMake_areTheApplications(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 2)) {
            List<Made> all = Results.failFast(pool.map(
                    workload(SharedResultTest::made), IntStream.range(0, 100).boxed()));

            for (int i = 0; i < 100; i++) {
                assertThat(all.get(i).name).isEqualTo("made " + i);
                assertThat(sum(all.get(i).array)).isEqualTo(sumFrom(i));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void arrays_inAList_andReadOnlyOnes_arrive(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            List<SharedArray> arrays = pool.run(
                            workload((Integer count) -> {
                                SharedArray one = make(count);
                                return List.of(one, make(7), one.asReadOnly(), one);
                            }),
                            5)
                    .orElseThrow();

            arrays.get(0).setLong(0, 42);
            assertThat(arrays.get(2).getLong(0)).isEqualTo(42);
            assertThat(arrays.get(2).isReadOnly()).isTrue();
            assertThat(arrays.get(3)).isSameAs(arrays.get(0));
            assertThat(arrays.get(1).getLong(0)).isEqualTo(7);
            arrays.forEach(SharedArray::close);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void counter_thatATaskMakes_countsForOtherTasks(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 2);
                SharedCounter counter =
                        pool.run(workload(SharedCounter::new), 5L).orElseThrow()) {
            Workload<SharedCounter, Long> count = workload(each -> {
                try (each) {
                    return each.incrementAndGet();
                }
            });

            Results.failFast(pool.map(count, IntStream.range(0, 200).mapToObj(i -> counter)));

            assertThat(counter.get()).isEqualTo(205);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_closedHere_isFreedThoughTheWorkerLives(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            Made made = pool.run(workload(SharedResultTest::made), 3).orElseThrow();
            String name = "stratagem-" + made.pid + "-";
            assertThat(SharedMemoryFixture.descriptors(ProcessHandle.current().pid(), name))
                    .isEqualTo(1);
            made.array.close();

            Patience.await().untilAsserted(() -> {
                assertThat(SharedMemoryFixture.descriptors(made.pid, name)).isZero();
                assertThat(SharedMemoryFixture.mappings(made.pid, name)).isZero();
            });
            assertThat(SharedMemoryFixture.descriptors(ProcessHandle.current().pid(), name))
                    .isZero();
            if (SharedMemoryFixture.hasArenas()) {
                assertThat(SharedMemoryFixture.mappings(ProcessHandle.current().pid(), name))
                        .isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_openedLate_isNotCollectedBefore(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1);
                SharedCounter counter = new SharedCounter()) {
            collected = counter;
            Workload<SharedCounter, LateArray> late = workload(turns -> {
                collectLater(turns);
                return new LateArray(new Late(20), make(1));
            });

            LateArray result = pool.run(late, counter).orElseThrow();

            assertThat(sum(result.array)).isEqualTo(sumFrom(1));
        } finally {
            collected = null;
        }
    }

    /** From now on, as long as this worker lives. */
    private static void collectLater(SharedCounter turns) {
        Thread thread = new Thread(() -> {
            while (true) {
                System.gc();
                turns.incrementAndGet();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_ofAWorkerThatDiesNext_staysAndCanBePassedOn(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            Made made = pool.run(workload(SharedResultTest::made), 3).orElseThrow();
            assertThatThrownBy(() -> pool.run(
                                    workload((Integer code) -> {
                                        Runtime.getRuntime().halt(code);
                                        return code;
                                    }),
                                    9)
                            .orElseThrow())
                    .isInstanceOf(WorkerDiedException.class);

            assertThat(made.array.getLong(LENGTH - 1)).isEqualTo(LENGTH + 2);
            assertThat(pool.run(workload(SharedResultTest::sum), made.array).orElseThrow())
                    .isEqualTo(sumFrom(3));
            made.array.close();
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void arrays_ofProcessesForOneTaskEach_areNotLost(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder.maxTasksPerProcess(1), 2)) {
            for (int i = 0; i < 5; i++) {
                Made made = pool.run(workload(SharedResultTest::made), i).orElseThrow();
                assertThat(pool.run(workload(SharedResultTest::sum), made.array).orElseThrow())
                        .isEqualTo(sumFrom(i));
                made.array.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void input_thatIsReturned_isTheSameMemory(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1);
                SharedArray array = SharedArray.ofLongs(10)) {
            Workload<SharedArray, SharedArray> fill = workload(each -> {
                each.setLong(2, each.getLong(2) + 1);
                return each;
            });
            try (SharedArray first = pool.run(fill, array).orElseThrow();
                    SharedArray second = pool.run(fill, first).orElseThrow()) {
                assertThat(List.of(array.getLong(2), first.getLong(2), second.getLong(2)))
                        .containsOnly(2L);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_closedBeforeItIsReturned_failsTheTask(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            Workload<Integer, SharedArray> closing = workload(first -> {
                try (SharedArray array = make(first)) {
                    return array;
                }
            });

            assertThatThrownBy(() -> pool.run(closing, 1).orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining("The shared array of 1,000 longs is closed")
                    .hasMessageContaining("A task leaves open what it returns");
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_thatTheWorkerKeeps_isGivenAwayWithTheResult(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            SharedArray array = pool.run(
                            workload((Integer first) -> {
                                kept = make(first);
                                return kept;
                            }),
                            1)
                    .orElseThrow();
            Workload<Integer, Long> use = workload(i -> kept.getLong(i));

            Patience.await()
                    .untilAsserted(() -> assertThatIllegalStateException()
                            .isThrownBy(() -> pool.run(use, 0).orElseThrow())
                            .withMessageContaining("given it away"));
            assertThat(sum(array)).isEqualTo(sumFrom(1));
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_inAResultThatCannotBeSent_staysInTheWorker(ProcessPoolBuilder<?> builder) {
        try (WorkerProcessStrategy pool = start(builder, 1)) {
            Workload<Integer, List<Object>> bad = workload(first -> {
                kept = make(first);
                return List.of(kept, new Object());
            });
            assertThatThrownBy(() -> pool.run(bad, 1).orElseThrow())
                    .isInstanceOf(TransferException.class)
                    .hasMessageContaining("java.lang.Object is not Serializable");

            assertThat(pool.run(workload((Integer unused) -> sum(kept)), 0).orElseThrow())
                    .isEqualTo(sumFrom(1));
        }
    }

    // ---------------------------------------------------------------------------------------------- the waiting

    private static SharedMemory memory() throws Exception {
        return SharedMemory.create(Means.preferred(), new Contents(UUID.randomUUID(), SharedArray.Type.LONG, 10), null);
    }

    private static SharedMemoryHandle given(SharedMemory memory) {
        OutgoingResult result = new OutgoingResult();
        result.begin();
        try {
            return memory.giveAway(false, result);
        } finally {
            result.end(false);
        }
    }

    @Test
    void givenAway_isClosedOnceItIsOpened() throws Exception {
        SharedMemory memory = memory();
        SharedMemoryHandle handle = given(memory);
        GivenAway waiting = new GivenAway(memory, handle.receipt(), 0);
        assertThat(waiting.isGone(1)).isFalse();
        SharedMemory other = SharedMemory.open(memory.handle(false));
        assertThat(waiting.isGone(2)).as("another has opened it").isFalse();

        SharedMemory opened = SharedMemory.open(handle);

        assertThat(waiting.isGone(3)).isTrue();
        assertThat(memory.isClosed()).isTrue();
        assertThat(opened.isClosed()).isFalse();
        opened.close();
        other.close();
    }

    @Test
    void givenAway_whenNobodyComes_isClosedInTheEnd() throws Exception {
        SharedMemory memory = memory();
        GivenAway waiting = new GivenAway(memory, given(memory).receipt(), 0);
        assertThat(waiting.isGone(GivenAway.PATIENCE_NANOS - 1)).isFalse();
        assertThat(memory.isClosed()).isFalse();

        assertThat(waiting.isGone(GivenAway.PATIENCE_NANOS)).isTrue();
        assertThat(memory.isClosed()).isTrue();
    }
}
