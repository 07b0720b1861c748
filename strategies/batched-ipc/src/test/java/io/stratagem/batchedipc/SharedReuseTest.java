package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedMemoryFixture.passed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.stratagem.Fn;
import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.processpool.WorkerProcessStrategy;
import io.stratagem.testkit.Patience;
import java.lang.ref.WeakReference;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What one process opens several times is mapped once, and each user has a life of its own. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedReuseTest {
    /** What a worker keeps from one task to the next. */
    private static final List<SharedArray> kept = new ArrayList<>();

    /** What a worker has of the memory of this process. */
    record Seen(long pid, long descriptors, long mappings) {}

    private static final String OURS = "stratagem-" + ProcessHandle.current().pid() + "-";

    private static WorkerProcessStrategy start() {
        return BatchedIpcStrategy.builder()
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1")
                .build();
    }

    private static <I, O> Workload<I, O> workload(Fn<? super I, ? extends O> function) {
        return Workload.named("use").isolated().compute(function);
    }

    private static boolean keep(SharedArray array) {
        return kept.add(array);
    }

    private static Seen look(String name) {
        long pid = ProcessHandle.current().pid();
        return new Seen(pid, SharedMemoryFixture.descriptors(pid, name), SharedMemoryFixture.mappings(pid, name));
    }

    private static Seen look(WorkerProcessStrategy pool) {
        return pool.run(workload(SharedReuseTest::look), OURS).orElseThrow();
    }

    @Test
    void arrays_thatTasksLeaveOpen_areMappedOnce() {
        try (WorkerProcessStrategy pool = start();
                SharedArray array = SharedArray.ofLongs(100)) {
            Seen before = look(pool); // its rings
            Results.failFast(pool.map(
                    workload(SharedReuseTest::keep), IntStream.range(0, 50).mapToObj(i -> array)));

            assertThat(look(pool)).isEqualTo(new Seen(before.pid, before.descriptors + 1, before.mappings + 1));
        }
    }

    /** How many mappings the worker has just before the array is opened for a task. */
    record Before(long mappings) {
        Before {
            mappings = SharedMemoryFixture.mappings();
        }
    }

    /** A task's input. */
    record Input(Before before, SharedArray array) {}

    @Test
    void arrays_thatTasksClose_stayMappedForTheNextTask() {
        Workload<Input, Long> use = workload(input -> {
            try (SharedArray array = input.array) {
                array.getAndAddLong(0, 1);
                return input.before.mappings;
            }
        });
        try (WorkerProcessStrategy pool = start();
                SharedArray array = SharedArray.ofLongs(1 << 20)) {
            List<Long> seen = Results.failFast(pool.map(
                    use, IntStream.range(0, 50).mapToObj(i -> new Input(new Before(0), array))));

            assertThat(seen.get(0)).as("its rings").isEqualTo(1);
            assertThat(seen).contains(2L);
            assertThat(array.getLong(0)).isEqualTo(50);
        }
    }

    @Test
    void close_byOneTask_leavesItToTheOthers() {
        try (WorkerProcessStrategy pool = start();
                SharedArray array = SharedArray.ofLongs(100)) {
            Workload<SharedArray, Boolean> close = workload(each -> {
                each.close();
                each.close();
                return each.isClosed();
            });
            assertThat(pool.run(workload(SharedReuseTest::keep), array).orElseThrow())
                    .isTrue();
            assertThat(pool.run(close, array).orElseThrow()).isTrue();
            array.setLong(3, 7);

            assertThat(pool.run(workload((Integer i) -> kept.get(0).getLong(i)), 3)
                            .orElseThrow())
                    .isEqualTo(7);
            Workload<SharedArray, Long> useAfterClose = workload(each -> {
                each.close();
                return each.getLong(3);
            });
            assertThatIllegalStateException()
                    .isThrownBy(() -> pool.run(useAfterClose, array).orElseThrow())
                    .withMessageContaining("closed");
        }
    }

    @Test
    void array_closedHere_isSoonGoneFromTheWorkerThatUsedIt() {
        Workload<SharedArray, Long> use = workload(array -> {
            try (array) {
                return array.getLong(0);
            }
        });
        try (WorkerProcessStrategy pool = start()) {
            Seen before = look(pool);
            try (SharedArray array = SharedArray.ofLongs(100)) {
                assertThat(pool.run(use, array).orElseThrow()).isZero();
            }
            Patience.await()
                    .untilAsserted(() -> assertThat(SharedMemoryFixture.descriptors(before.pid, OURS))
                            .isEqualTo(before.descriptors));
            if (SharedMemoryFixture.hasArenas()) {
                assertThat(SharedMemoryFixture.mappings(before.pid, OURS)).isEqualTo(before.mappings);
            }
        }
    }

    @Test
    void array_ofAnIdleWorker_isSoonGoneFromIt() {
        Workload<SharedArray, Long> use = workload(array -> {
            try (array) {
                return array.getLong(0);
            }
        });
        try (WorkerProcessStrategy pool = start();
                SharedArray array = SharedArray.ofLongs(100)) {
            Seen before = look(pool);
            assertThat(pool.run(use, array).orElseThrow()).isZero();
            Patience.await()
                    .untilAsserted(() -> assertThat(SharedMemoryFixture.descriptors(before.pid, OURS))
                            .isEqualTo(before.descriptors));
            assertThat(pool.run(use, array).orElseThrow()).isZero();
        }
    }

    @Test
    void buffer_ofAForgottenUser_staysValidWhenTheOtherCloses() throws Exception {
        DoubleBuffer buffer;
        try (SharedArray array = SharedArray.ofDoubles(100);
                SharedArray other = passed(array)) {
            List<WeakReference<SharedArray>> forgotten = new ArrayList<>();
            buffer = bufferOf(passed(array), forgotten);
            other.setDouble(17, 2.5);
            Patience.await().until(() -> {
                System.gc();
                return forgotten.get(0).refersTo(null);
            });
            awaitCleaner();
        }
        assertThat(buffer.get(7)).isEqualTo(2.5);
    }

    private static DoubleBuffer bufferOf(SharedArray array, List<WeakReference<SharedArray>> references) {
        references.add(new WeakReference<>(array));
        return array.doubles(10, 50);
    }

    private static void awaitCleaner() {
        AtomicBoolean hasRun = new AtomicBoolean();
        SharedMemory.CLEANER.register(new Object(), () -> hasRun.set(true));
        Patience.await().until(() -> {
            System.gc();
            return hasRun.get();
        });
    }
}
