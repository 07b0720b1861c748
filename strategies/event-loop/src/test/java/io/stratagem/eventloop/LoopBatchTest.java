package io.stratagem.eventloop;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.StrategyFixture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tasks that are done at once share batches; what is promised of each task holds for those, too. */
final class LoopBatchTest extends StrategyFixture {
    private static final int MANY = 20_000;

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        EventLoopStrategy.Builder builder = EventLoopStrategy.builder().loops(workers);
        options.accept(builder);
        return builder.build();
    }

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
