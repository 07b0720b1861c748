package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.processpool.WorkerProcessStrategy;
import io.stratagem.testkit.Patience;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tasks in worker processes work on the application's arrays and counters themselves. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedWithTasksTest {
    private static final int CHUNKS = 4;

    /** A part of an array. */
    record Chunk(SharedArray array, int from, int count) {}

    static Stream<ProcessPoolBuilder<?>> strategies() {
        return Stream.of(ProcessPoolStrategy.builder(), BatchedIpcStrategy.builder());
    }

    private static WorkerProcessStrategy start(ProcessPoolBuilder<?> builder) {
        return builder.workerProcesses(2)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1")
                .build();
    }

    private static List<Chunk> chunks(SharedArray array) {
        int count = (int) array.length() / CHUNKS;
        return IntStream.range(0, CHUNKS)
                .mapToObj(i -> new Chunk(array, i * count, count))
                .toList();
    }

    private static double sum(Chunk chunk) {
        try (SharedArray array = chunk.array) {
            DoubleBuffer values = array.doubles(chunk.from, chunk.count);
            double sum = 0;
            while (values.hasRemaining()) {
                sum += values.get();
            }
            return sum;
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void sum_ofAMillionDoublesInChunks_isThatOfOneThread(ProcessPoolBuilder<?> builder) {
        double[] values = new Random(1).doubles(1_000_000).toArray();
        Workload<Chunk, Double> sum = Workload.named("sum").isolated().compute(SharedWithTasksTest::sum);
        try (WorkerProcessStrategy pool = start(builder);
                SharedArray array = SharedArray.copyOf(values)) {
            double total = Results.failFast(pool.map(sum, chunks(array))).stream()
                    .mapToDouble(Double::doubleValue)
                    .sum();

            double expected = 0;
            for (double value : values) {
                expected += value;
            }
            assertThat(total).isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-6));
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void writes_byTasks_areSeenHere(ProcessPoolBuilder<?> builder) {
        Workload<Chunk, Integer> fill = Workload.named("fill").isolated().compute(chunk -> {
            try (SharedArray array = chunk.array) {
                for (int i = chunk.from; i < chunk.from + chunk.count; i++) {
                    array.setLong(i, 3L * i);
                }
            }
            return chunk.count;
        });
        try (WorkerProcessStrategy pool = start(builder);
                SharedArray array = SharedArray.ofLongs(100_000)) {
            Results.failFast(pool.map(fill, chunks(array)));

            assertThat(IntStream.range(0, 100_000)).allMatch(i -> array.getLong(i) == 3L * i);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void counter_thatTasksAddTo_losesNothing(ProcessPoolBuilder<?> builder) {
        Workload<SharedCounter, Long> count = Workload.named("count").isolated().compute(counter -> {
            try (counter) {
                return counter.addAndGet(2);
            }
        });
        try (WorkerProcessStrategy pool = start(builder);
                SharedCounter counter = new SharedCounter()) {
            List<Long> seen =
                    Results.failFast(pool.map(count, IntStream.range(0, 500).mapToObj(i -> counter)));

            assertThat(counter.get()).isEqualTo(1000);
            assertThat(seen).doesNotHaveDuplicates().hasSize(500);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_ofATaskWhoseWorkerDies_staysWithTheOthers(ProcessPoolBuilder<?> builder) {
        Workload<Chunk, Integer> dying = Workload.named("dying").isolated().compute(chunk -> {
            chunk.array.setLong(0, 7);
            Runtime.getRuntime().halt(9);
            return 0;
        });
        Workload<Chunk, Long> reading = Workload.named("reading").isolated().compute(chunk -> chunk.array.getLong(0));
        try (WorkerProcessStrategy pool = start(builder);
                SharedArray array = SharedArray.ofLongs(10)) {
            Chunk chunk = new Chunk(array, 0, 10);

            Result<Integer> died = pool.run(dying, chunk);

            assertThat(died)
                    .isInstanceOfSatisfying(
                            Result.Failure.class,
                            failure -> assertThat(failure.cause()).isInstanceOf(WorkerDiedException.class));
            assertThat(pool.run(reading, chunk).orElseThrow()).isEqualTo(7);
            assertThat(array.getLong(0)).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void array_thatWasClosed_failsItsTask(ProcessPoolBuilder<?> builder) {
        Workload<Chunk, Long> reading = Workload.named("reading").isolated().compute(chunk -> chunk.array.getLong(0));
        try (WorkerProcessStrategy pool = start(builder)) {
            SharedArray array = SharedArray.ofLongs(10);
            array.close();

            Result<Long> result = pool.run(reading, new Chunk(array, 0, 10));

            assertThat(result)
                    .isInstanceOfSatisfying(
                            Result.Failure.class,
                            failure -> assertThat(failure.cause())
                                    .isInstanceOf(TransferException.class)
                                    .hasMessageContaining("closed"));
        }
    }

    /** It is found out before the frame leaves, where it would cost the worker. */
    @ParameterizedTest
    @MethodSource("strategies")
    void buffer_ofAClosedArray_failsItsTaskAndNoOther(ProcessPoolBuilder<?> builder) {
        assumeTrue(SharedMemoryFixture.hasArenas(), "else it can be read until it is collected");
        Workload<Integer, Long> pid =
                Workload.blocking("pid", n -> ProcessHandle.current().pid());
        Workload<ByteBuffer, Integer> count = Workload.blocking("count", ByteBuffer::remaining);
        Workload<Integer, ByteBuffer> closed = Workload.blocking("closed", n -> {
            try (SharedArray array = SharedArray.ofBytes(n)) {
                return array.bytes(0, n);
            }
        });
        try (WorkerProcessStrategy pool = builder.workerProcesses(1).build()) {
            long before = pool.run(pid, 0).orElseThrow();
            SharedArray array = SharedArray.ofBytes(1 << 16);
            ByteBuffer view = array.bytes(0, 1 << 16);
            array.close();

            for (Result<?> result : List.of(pool.run(count, view), pool.run(closed, 1 << 16))) {
                assertThat(result)
                        .isInstanceOfSatisfying(
                                Result.Failure.class,
                                failure -> assertThat(failure.cause()).isInstanceOf(TransferException.class));
            }
            assertThat(pool.run(pid, 0).orElseThrow()).as("the same process").isEqualTo(before);
        }
    }

    /** Who can open it can cut it, and neither side survives for certain that its memory is gone. */
    @Test
    void fileOfTheRings_isOpenOnNeitherSideWhenTasksRun() {
        assumeTrue(Passing.PREFERRED == Passing.BY_DESCRIPTOR, "else it has a name until then");
        long application = ProcessHandle.current().pid();
        String ours = "stratagem-" + application + "-";
        long before = SharedMemoryFixture.descriptors(application, ours);
        Workload<Long, List<Long>> look = Workload.named("look")
                .isolated()
                .compute(pid -> List.of(
                        SharedMemoryFixture.descriptors(pid, ours),
                        SharedMemoryFixture.descriptors(ProcessHandle.current().pid(), ours)));
        try (WorkerProcessStrategy pool = start(BatchedIpcStrategy.builder())) {
            List<Long> seen = pool.run(look, application).orElseThrow();

            assertThat(seen.get(0)).as("in the application").isLessThanOrEqualTo(before);
            assertThat(seen.get(1)).as("in the worker").isZero();
        }
    }
}
