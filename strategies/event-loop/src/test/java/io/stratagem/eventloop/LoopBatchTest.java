package io.stratagem.eventloop;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tasks that are done at once share batches; what is promised of each task holds for those, too. */
final class LoopBatchTest extends LoopFixture {
    private static final int MANY = 20_000;

    private static Stream<Integer> inputs() {
        return IntStream.range(0, MANY).boxed();
    }

    private static int largestBatch(List<? extends Result<?>> results) {
        return results.stream()
                .mapToInt(result -> result.execution().batchSize())
                .max()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void map_ofTasksThatAreDoneAtOnce_goesInBatches(int loops) {
        ExecutorStrategy strategy = strategy(loops);
        Workload<Integer, Integer> increment =
                Workload.async("increment", (n, loop) -> CompletableFuture.completedFuture(n + 1));

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = strategy.map(increment, inputs())) {
            results = stream.toList();
        }

        assertThat(results.stream().map(Result::orElseThrow))
                .containsExactlyElementsOf(inputs().map(n -> n + 1).toList());
        assertThat(largestBatch(results)).isGreaterThan(10);
    }

    @Test
    void map_ofTasksThatWait_leavesEachOnItsOwn() {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> waiting = Workload.async(
                "waiting", (n, loop) -> loop.delay(Duration.ofMillis(1)).thenApply(nothing -> n));

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = strategy.map(
                waiting, inputs().limit(2_000), MapOptions.ordered().window(100))) {
            results = stream.toList();
        }

        assertThat(results).hasSize(2_000).allMatch(result -> result.execution().batchSize() == 1);
    }

    @Test
    void task_thatWaits_doesNotHoldUpThoseBehindIt() {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Void> released = new CompletableFuture<>();
        Workload<Integer, Integer> sometimes = Workload.async(
                "sometimes-waiting",
                (n, loop) -> n >= 10_000 && n % 100 == 0
                        ? released.thenApply(nothing -> n)
                        : CompletableFuture.completedFuture(n));

        List<Integer> values = new ArrayList<>();
        try (Stream<Result<Integer>> stream =
                strategy.map(sometimes, inputs(), MapOptions.unordered().window(4_000))) {
            Iterator<Result<Integer>> results = stream.iterator();
            for (int i = 0; i < MANY - 100; i++) {
                values.add(results.next().orElseThrow());
            }
            assertThat(values).noneMatch(n -> n >= 10_000 && n % 100 == 0);
            released.complete(null);
            results.forEachRemaining(result -> {
                assertThat(result.execution().batchSize()).isEqualTo(1);
                values.add(result.orElseThrow());
            });
        }

        assertThat(values).containsExactlyInAnyOrderElementsOf(inputs().toList());
    }

    @Test
    void map_closedWhenItsTaskIsAboutToStart_isForgotten() throws Exception {
        Gate gate = gate();
        AtomicInteger applied = new AtomicInteger();
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.propagator(() -> () -> {
                    applied.incrementAndGet();
                    gate.awaitIgnoringInterrupts();
                    return () -> {};
                }));

        WeakReference<Object> input = beginAndClose(strategy, applied);
        gate.open();

        Patience.await().until(() -> {
            System.gc();
            return input.get() == null;
        });
    }

    private static WeakReference<Object> beginAndClose(ExecutorStrategy strategy, AtomicInteger applied)
            throws InterruptedException {
        Object input = new Object();
        Workload<Object, Object> never = Workload.async("never", (n, loop) -> new CompletableFuture<>());
        Stream<Result<Object>> results = strategy.map(never, Stream.of(input));
        Thread reader = new Thread(() -> results.forEach(result -> {}), "reader");
        reader.start();
        Patience.await().until(() -> applied.get() == 1);
        results.close();
        reader.join();
        return new WeakReference<>(input);
    }

    @Test
    void failures_inABatch_areThoseTasksOnly() {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> failing = Workload.async("failing", (n, loop) -> {
            if (n % 50 == 7) {
                throw new IllegalStateException("thrown " + n);
            } else if (n % 50 == 8) {
                return CompletableFuture.failedFuture(new IllegalStateException("completed " + n));
            }
            return n % 50 == 9 ? null : CompletableFuture.completedFuture(n);
        });

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = strategy.map(failing, inputs())) {
            results = stream.toList();
        }

        for (int n = 0; n < MANY; n++) {
            if (n % 50 == 7 || n % 50 == 8) {
                assertThat(causeOf(results.get(n)))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage((n % 50 == 7 ? "thrown " : "completed ") + n);
            } else if (n % 50 == 9) {
                assertThat(causeOf(results.get(n)))
                        .isInstanceOf(NullPointerException.class)
                        .hasMessageContaining("'failing' returned no stage");
            } else {
                assertThat(results.get(n)).isEqualTo(Result.success(n));
            }
        }
    }

    /** A future that does not keep what its class promises, as long as nobody waits for it in the usual way. */
    private static final class OddFuture extends CompletableFuture<Integer> {
        @Override
        public boolean isDone() {
            throw new UnsupportedOperationException("isDone");
        }

        @Override
        public boolean isCompletedExceptionally() {
            return false;
        }

        @Override
        public Integer join() {
            throw new UnsupportedOperationException("join");
        }

        @Override
        public Integer getNow(Integer otherwise) {
            throw new UnsupportedOperationException("getNow");
        }
    }

    private static CompletionStage<Integer> stage(int n, Loop loop) {
        switch (n / 10 % 4) {
            case 0 -> {
                return CompletableFuture.completedStage(n);
            }
            case 1 -> {
                OddFuture odd = new OddFuture();
                odd.complete(n);
                return odd;
            }
            case 2 -> {
                CompletableFuture<Integer> late = new CompletableFuture<>();
                loop.executor().execute(() -> late.complete(n));
                return late.minimalCompletionStage();
            }
            default -> {
                return CompletableFuture.completedFuture(n);
            }
        }
    }

    @Test
    void stages_ofAnyClass_haveTheirResults() {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> odd =
                Workload.async("odd", (n, loop) -> n < 5_000 ? CompletableFuture.completedFuture(n) : stage(n, loop));

        try (Stream<Result<Integer>> results = strategy.map(odd, inputs())) {
            assertThat(results.map(Result::orElseThrow)).containsExactlyElementsOf(inputs().toList());
        }
    }

    @Test
    void stages_thatCanNeitherBeAskedNorWaitedFor_goInBatches() {
        Workload<Integer, Integer> minimal =
                Workload.async("minimal", (n, loop) -> CompletableFuture.completedStage(n));

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream = strategy(1).map(minimal, inputs())) {
            results = stream.toList();
        }

        assertThat(largestBatch(results)).isGreaterThan(10);
    }

    /** What has been done at once says nothing of what comes: as many tasks wait at once as the window says. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void window_afterTasksThatWereDoneAtOnce_isUsedUp(boolean isOrdered) throws Exception {
        ExecutorStrategy strategy = strategy(2);
        int window = 8;
        for (int i = 0; i < window; i++) {
            int quick = 4_000 + i;
            AtomicInteger waiting = new AtomicInteger();
            CompletableFuture<Void> allWait = new CompletableFuture<>();
            Workload<Integer, Integer> meeting = Workload.async("meeting", (n, loop) -> {
                if (n < quick) {
                    return CompletableFuture.completedFuture(n);
                }
                if (waiting.incrementAndGet() == window) {
                    allWait.complete(null);
                }
                return allWait.thenApply(nothing -> n);
            });
            MapOptions options = isOrdered ? MapOptions.ordered() : MapOptions.unordered();

            CompletableFuture<List<Integer>> reading = CompletableFuture.supplyAsync(
                    () -> {
                        // Its size is not known beforehand: the tail is not split for its sake.
                        Stream<Integer> numbers = Stream.iterate(0, n -> n + 1).limit(quick + window);
                        try (Stream<Result<Integer>> results = strategy.map(meeting, numbers, options.window(window))) {
                            return results.map(Result::orElseThrow).toList();
                        }
                    },
                    action -> new Thread(action).start());

            assertThat(Patience.get(reading)).hasSize(quick + window).doesNotHaveDuplicates();
        }
    }

    private static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    @Test
    void close_ofTheStream_startsNothingMoreOfABatch() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Gate reached = gate();
        Gate closed = gate();
        AtomicInteger startedAfter = new AtomicInteger();
        Workload<Integer, Integer> holding = Workload.async("holding", (n, loop) -> {
            if (n == 15_000) {
                reached.open();
                closed.awaitIgnoringInterrupts();
            } else if (n > 15_000) {
                startedAfter.incrementAndGet();
            }
            return CompletableFuture.completedFuture(n);
        });
        CompletableFuture<Integer> reading;
        try (Stream<Result<Integer>> stream = strategy.map(holding, inputs())) {
            Iterator<Result<Integer>> results = stream.iterator();
            reading = CompletableFuture.supplyAsync(
                    () -> {
                        int count = 0;
                        while (results.next().isSuccess()) {
                            count++;
                        }
                        return count;
                    },
                    action -> new Thread(action).start());
            reached.await();
        }
        closed.open();
        assertThat(Patience.get(reading)).isEqualTo(15_000);
        Patience.await()
                .until(() -> strategy.snapshot().running() + strategy.snapshot().queued() == 0);
        assertThat(startedAfter).hasValue(0);
    }

    @Test
    void closeNow_inTheMiddleOfABatch_cancelsTheRest() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Gate reached = gate();
        Gate closed = gate();
        Workload<Integer, Integer> holding = Workload.async("holding", (n, loop) -> {
            if (n == 15_000) {
                reached.open();
                closed.awaitIgnoringInterrupts();
            }
            return CompletableFuture.completedFuture(n);
        });
        CompletableFuture<List<Result<Integer>>> reading = CompletableFuture.supplyAsync(
                () -> {
                    List<Result<Integer>> results = new ArrayList<>();
                    try (Stream<Result<Integer>> stream = strategy.map(holding, inputs())) {
                        stream.forEach(results::add);
                    } catch (RuntimeException e) { // what was not taken in is refused
                        results.add(Result.failure(e));
                    }
                    return results;
                },
                action -> new Thread(action).start());
        reached.await();
        CompletableFuture<Void> closing =
                CompletableFuture.runAsync(strategy::closeNow, action -> new Thread(action).start());
        Patience.await()
                .until(() -> strategy.snapshot().running() + strategy.snapshot().queued() == 0);
        closed.open();
        Patience.get(closing);

        List<Result<Integer>> results = Patience.get(reading);
        assertThat(results.subList(0, 15_000)).allMatch(Result::isSuccess);
        assertThat(results.subList(15_000, results.size() - 1))
                .isNotEmpty()
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(CancellationException.class));
    }

    /** Though the batch goes on. */
    @Test
    void whatATaskOpened_isClosedAtItsEnd() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        AtomicInteger started = new AtomicInteger();
        ConcurrentLinkedQueue<CompletableFuture<Server>> servers = new ConcurrentLinkedQueue<>();
        Workload<Integer, Integer> opening = Workload.async("opening", (n, loop) -> {
            started.incrementAndGet();
            if (n % 2_000 == 1_999) {
                servers.add(Network.of(loop).listen(anyPort(), Connection::closed));
            }
            return CompletableFuture.completedFuture(n);
        });

        try (Stream<Result<Integer>> results = strategy.map(opening, inputs())) {
            assertThat(results).hasSize(MANY).allMatch(Result::isSuccess);
        }

        assertThat(servers).hasSize(MANY / 2_000);
        for (CompletableFuture<Server> each : servers) {
            Patience.await().until(each::isDone);
            if (!each.isCompletedExceptionally()) {
                Patience.get(
                        each.join().closed().handle((nothing, failure) -> true).toCompletableFuture());
            }
        }
    }

    private static SocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
