package io.stratagem.threadpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import io.stratagem.testkit.StrategyFixture;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.MDC;

/** Pipelines over several strategies, and what can only be seen in this JVM. */
final class PipelineTest extends StrategyFixture {
    private static final Workload<Integer, Integer> IDENTITY = Workload.blocking("identity", n -> n);

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ThreadPoolStrategy.Builder builder = ThreadPoolStrategy.builder()
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(false);
        options.accept(builder);
        return builder.build();
    }

    private static MapOptions options(boolean isOrdered) {
        return isOrdered ? MapOptions.ordered() : MapOptions.unordered();
    }

    private static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    /** A strategy of which nothing is known but its interface. */
    private static ExecutorStrategy foreign(ExecutorStrategy strategy) {
        return (ExecutorStrategy) Proxy.newProxyInstance(
                PipelineTest.class.getClassLoader(), new Class<?>[] {ExecutorStrategy.class}, (proxy, method, args) -> {
                    try {
                        return method.invoke(strategy, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    // ---------------------------------------------------------------------------------------------- where stages run

    @Test
    void stages_onStrategiesOfTheirOwn_runThere() {
        ExecutorStrategy first = strategy(1);
        ExecutorStrategy second = strategy(1);
        ExecutorStrategy rest = strategy(1);
        Workload<Object, String> where = Workload.blocking(
                "where", before -> before + " " + Thread.currentThread().getName());
        Pipeline<Object, String> pipeline =
                Pipeline.of(where).on(first).then(where).on(second).then(where);
        assertThat(pipeline)
                .hasToString(
                        "Pipeline[where on " + first.name() + ", then where on " + second.name() + ", then where]");
        try (var results = pipeline.map(rest, List.<Object>of("a", "b"))) {
            assertThat(results).hasSize(2).allSatisfy(result -> {
                assertThat(result.orElseThrow())
                        .matches(". stratagem-" + first.name() + "-\\S+ stratagem-" + second.name() + "-\\S+ stratagem-"
                                + rest.name() + "-\\S+");
                assertThat(result.execution().strategy()).isEqualTo(rest.name());
            });
        }
        Pipeline<Object, String> pinned = Pipeline.of(where).on(first);
        assertThatThrownBy(() -> pinned.on(second))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(first.name());
    }

    /** What a later stage runs is not taken from the worker that ran the stage before it. */
    @Test
    void stages_haveTheContextOfWhoMadeTheStream() {
        ExecutorStrategy one = strategy(1);
        ExecutorStrategy other = strategy(1);
        Workload<String, String> noting = Workload.blocking("noting", before -> {
            String found = before + MDC.get("who");
            MDC.put("who", "somebody else");
            return found;
        });
        MDC.put("who", "me");
        try (var results = Pipeline.of(noting)
                .on(foreign(other))
                .then(noting)
                .then(noting)
                .on(foreign(other))
                .map(one, List.of(""))) {
            MDC.put("who", "nobody");
            assertThat(results).containsExactly(Result.success("mememe"));
            assertThat(MDC.get("who")).isEqualTo("nobody");
        } finally {
            MDC.remove("who");
        }
    }

    @Test
    void stages_ofAFullStrategy_needNotWaitForRoom() throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1).rejection(Rejection.REJECT));
        CompletableFuture<?> pending = strategy.submit(waiting(Kind.COMPUTE, gate), 1);
        try (var results = Pipeline.of(IDENTITY).then(IDENTITY).map(strategy, List.of(1, 2, 3))) {
            assertThat(results.map(Result::orElseThrow)).containsExactly(1, 2, 3);
        }
        gate.open();
        Patience.get(pending);
    }

    // ---------------------------------------------------------------------------------------------- bounds

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void window_finishedResults_areReplacedAsTheyAreTaken(boolean isOrdered) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        int window = 10;
        try (var results = Pipeline.of(IDENTITY)
                .then(IDENTITY)
                .map(
                        strategy,
                        Stream.iterate(0, n -> n + 1).peek(n -> pulled.incrementAndGet()),
                        options(isOrdered).window(window))) {
            Iterator<Result<Integer>> each = results.iterator();
            int delivered = 0;
            // From one at least, it grows by one with each result, and then stays full.
            for (; delivered < 3 * window; delivered++) {
                each.next();
                Patience.await()
                        .until(() -> strategy.snapshot().running()
                                        + strategy.snapshot().queued()
                                == 0);
            }
            assertThat(pulled.get() - delivered).isBetween(window - 1, window);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void window_slowInput_doesNotHoldBackWhatIsDone(boolean isOrdered) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Stream<Integer> slow = IntStream.range(0, 50).boxed().peek(n -> {
            pulled.incrementAndGet();
            // Whenever the next one comes, the one before is done.
            Patience.await().until(() -> strategy.snapshot().succeeded() == 2 * n);
        });
        try (var results = Pipeline.of(IDENTITY).then(IDENTITY).map(strategy, slow, options(isOrdered))) {
            Iterator<Result<Integer>> each = results.iterator();
            for (int delivered = 1; delivered <= 50; delivered++) {
                assertThat(each.next().isSuccess()).isTrue();
                // With the first there may be three: one of which nothing was known, and two more.
                assertThat(pulled.get()).isLessThanOrEqualTo(2 * delivered + 1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bytes_ofInputsAndBetweenStages_areBounded(boolean isOrdered) {
        ExecutorStrategy strategy = strategy(2, options -> options.windowBytes(1_000_000));
        ExecutorStrategy other = strategy(2);
        Workload<Integer, byte[]> grow = Workload.blocking("grow", byte[]::new);
        Workload<byte[], byte[]> same = Workload.blocking("same", bytes -> bytes);
        int size = 250_000;
        AtomicInteger pulled = new AtomicInteger();
        AtomicInteger delivered = new AtomicInteger();
        Stream<byte[]> inputs = Stream.generate(() -> new byte[size])
                .limit(100)
                .peek(input ->
                        assertThat(pulled.incrementAndGet() - delivered.get()).isLessThanOrEqualTo(5));
        try (var results = Pipeline.of(same).on(strategy).then(same).map(other, inputs, options(isOrdered))) {
            results.forEach(result -> {
                assertThat(result.orElseThrow()).hasSize(size);
                delivered.incrementAndGet();
            });
        }
        assertThat(delivered).hasValue(100);

        pulled.set(0);
        try (var results = Pipeline.of(grow)
                .then(same)
                .map(
                        strategy,
                        Stream.generate(() -> size).peek(input -> pulled.incrementAndGet()),
                        options(isOrdered).window(1000))) {
            Iterator<Result<byte[]>> each = results.iterator();
            for (int taken = 1; taken <= 20; taken++) {
                each.next();
                Patience.await()
                        .until(() -> strategy.snapshot().running()
                                        + strategy.snapshot().queued()
                                == 0);
                int before = pulled.get();
                if (before - taken >= 5) { // a megabyte and more is there
                    each.next();
                    taken++;
                    assertThat(pulled.get() - before).isLessThanOrEqualTo(1);
                }
            }
        }
    }

    /** The reader waits for the first, and for room in bytes; the second stage makes some. */
    @Test
    void bytes_freedBehindASlowHead_areUsedAtOnce() {
        ExecutorStrategy strategy = strategy(3, options -> options.windowBytes(1_000_000));
        Gate head = gate();
        AtomicInteger done = new AtomicInteger();
        Workload<byte[], Integer> shrink = Workload.blocking("shrink", bytes -> {
            if (bytes[0] == 1) {
                head.await();
            }
            return bytes.length;
        });
        Workload<Integer, Integer> last = Workload.blocking("last", n -> {
            if (done.incrementAndGet() == 50) {
                head.open();
            }
            return n;
        });
        Stream<byte[]> inputs = IntStream.range(0, 60).mapToObj(n -> {
            byte[] bytes = new byte[400_000];
            bytes[0] = (byte) (n == 0 ? 1 : 0);
            return bytes;
        });
        try (var results = Pipeline.of(shrink).then(last).map(strategy, inputs)) {
            assertThat(results.filter(Result::isSuccess).count()).isEqualTo(60);
        }
    }

    @Test
    void memory_ofWhatWasPassedOnOrTaken_isNotKept() {
        ExecutorStrategy strategy = strategy(2);
        Queue<WeakReference<Object>> between = new ConcurrentLinkedQueue<>();
        Workload<Integer, Object> making = Workload.blocking("making", n -> {
            Object value = new Object();
            between.add(new WeakReference<>(value));
            return value;
        });
        Workload<Object, Integer> forgetting = Workload.blocking("forgetting", value -> 1);
        Workload<Integer, Object> last = Workload.blocking("last", n -> {
            Object value = new Object();
            between.add(new WeakReference<>(value));
            return value;
        });
        readSome(Pipeline.of(making).then(forgetting).then(last), strategy, between);
        awaitCollected(List.copyOf(between)); // the strategy keeps nothing of a stream that was closed early
    }

    private static void readSome(
            Pipeline<Integer, Object> pipeline, ExecutorStrategy strategy, Queue<WeakReference<Object>> between) {
        try (var results = pipeline.map(
                strategy, Stream.generate(() -> 1), MapOptions.ordered().window(4))) {
            Iterator<Result<Object>> each = results.iterator();
            for (int i = 0; i < 50; i++) {
                each.next().orElseThrow();
            }
            awaitCollected(List.copyOf(between).subList(0, 80));
        }
    }

    private static void awaitCollected(List<WeakReference<Object>> all) {
        Patience.await().until(() -> {
            System.gc();
            return all.stream().allMatch(each -> each.get() == null);
        });
    }

    // ---------------------------------------------------------------------------------------------- who waits for whom

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void reader_onTheOnlyWorker_runsTheStagesItself(boolean isOrdered) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ExecutorStrategy other = strategy(1);
        for (Kind kind : List.of(Kind.BLOCKING, Kind.COMPUTE)) {
            Workload<Integer, Integer> plus = workload(kind, "plus", n -> n + 1);
            List<Pipeline<Integer, Integer>> pipelines = List.of(
                    Pipeline.of(plus).then(plus).then(plus),
                    Pipeline.of(plus).then(plus).on(other).then(plus),
                    Pipeline.of(plus)
                            .on(foreign(strategy))
                            .then(plus)
                            .on(other)
                            .then(plus)
                            .on(foreign(strategy)));
            for (Pipeline<Integer, Integer> inner : pipelines) {
                Workload<Integer, Integer> outer = workload(kind, "outer", n -> {
                    try (var results =
                            inner.map(strategy, IntStream.range(0, 40).boxed(), options(isOrdered))) {
                        return results.mapToInt(Result::orElseThrow).sum();
                    }
                });
                assertThat(Patience.get(strategy.submit(outer, 1))).isEqualTo(Result.success(780 + 3 * 40));
            }
        }
    }

    @Test
    void run_onTheOnlyWorker_doesNotDeadlock() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> outer = Workload.blocking(
                "outer",
                n -> Pipeline.of(IDENTITY).then(IDENTITY).run(strategy, n).orElseThrow());
        assertThat(Patience.get(strategy.submit(outer, 3))).isEqualTo(Result.success(3));
    }

    @Test
    void run_interrupted_cancelsAndKeepsTheFlag() {
        ExecutorStrategy strategy = strategy(1);
        Journal journal = journal();
        Workload<Integer, Integer> telling = Workload.blocking("telling", telling(journal, gate()));
        Thread.currentThread().interrupt();
        Result<Integer> result = Pipeline.of(IDENTITY).then(telling).run(strategy, 1);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(causeOf(result)).isInstanceOf(CancellationException.class);
        Patience.await().until(() -> strategy.snapshot().running() == 0 && journal.inside() == 0);
        assertThat(journal.count("through")).isZero();
    }

    // ---------------------------------------------------------------------------------------------- ends

    @Test
    void close_ofTheStrategyOfALaterStage_waitsForWhatWasTakenIn() {
        ExecutorStrategy first = strategy(2);
        ExecutorStrategy second = strategy(2);
        Gate gate = gate();
        Journal journal = journal();
        Workload<Integer, Integer> telling = Workload.blocking("telling", telling(journal, gate));
        List<Result<Integer>> delivered = new ArrayList<>();
        AtomicBoolean closed = new AtomicBoolean();
        RacingThreads.run(
                () -> {
                    try (var results = Pipeline.of(telling)
                            .on(first)
                            .then(IDENTITY)
                            .map(
                                    second,
                                    Stream.iterate(1, n -> n + 1),
                                    MapOptions.ordered().window(2))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(RejectedExecutionException.class)
                                .hasMessageContaining(second.name());
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 2);
                    second.close();
                    closed.set(true);
                },
                () -> {
                    Patience.await().until(() -> second.snapshot().closed());
                    assertThat(closed).isFalse();
                    gate.open();
                });
        assertThat(delivered).containsExactly(Result.success(1), Result.success(2));
        assertThat(first.snapshot().closed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void foreignStrategy_refuses_inputFailsAndTheReaderGetsTheSame(boolean isOrdered) {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> isolated = Workload.named("alone").isolated().blocking(n -> n);
        AtomicInteger pulled = new AtomicInteger();
        List<Result<Integer>> delivered = new ArrayList<>();
        try (var results = Pipeline.of(IDENTITY)
                .then(isolated)
                .on(foreign(strategy))
                .map(strategy, Stream.iterate(0, n -> n + 1).peek(n -> pulled.incrementAndGet()), options(isOrdered))) {
            assertThatThrownBy(() -> results.forEach(delivered::add))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("alone");
        }
        assertThat(delivered)
                .hasSize(pulled.get())
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(IllegalArgumentException.class));
    }

    @Test
    void foreignStrategy_streamClosed_cancelsItsTasks() {
        ExecutorStrategy strategy = strategy(4);
        Journal journal = journal();
        Workload<Integer, Integer> telling = Workload.blocking("telling", telling(journal, gate()));
        Pipeline<Integer, Integer> pipeline =
                Pipeline.of(IDENTITY).then(telling).on(foreign(strategy)).then(IDENTITY);
        var results = pipeline.map(strategy, List.of(1, 2, 3));
        List<Result<Integer>> delivered = new ArrayList<>();
        RacingThreads.run(() -> results.forEach(delivered::add), () -> {
            Patience.await().until(() -> journal.inside() == 3);
            results.close();
        });
        assertThat(delivered)
                .hasSize(3)
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(CancellationException.class));
        awaitInterrupted(journal, 3);
    }

    /**
     * Whatever stage an input is in when the stream is closed: nothing begins any more, and each has one result. (An
     * asynchronous function that has begun is not interrupted, and may still off-load something.)
     */
    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void close_whileStagesFollowOneAnother_beginsNothingMore(Kind kind) {
        ExecutorStrategy one = strategy(2);
        ExecutorStrategy other = strategy(2);
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            AtomicBoolean closed = new AtomicBoolean();
            AtomicInteger late = new AtomicInteger();
            AtomicInteger pulled = new AtomicInteger();
            AtomicInteger delivered = new AtomicInteger();
            CountDownLatch begun = new CountDownLatch(1 + random.nextInt(30));
            Workload<Integer, Integer> noting = workload(kind, "noting", n -> {
                // What began before was told to stop before the closing thread went on.
                if (closed.get() && !Thread.currentThread().isInterrupted()) {
                    late.incrementAndGet();
                }
                begun.countDown();
                return n;
            });
            var results = Pipeline.of(noting)
                    .then(noting)
                    .on(other)
                    .then(noting)
                    .map(
                            one,
                            Stream.iterate(0, n -> n + 1).peek(n -> pulled.incrementAndGet()),
                            options(round % 2 == 0).window(1 + random.nextInt(8)));
            RacingThreads.run(() -> results.forEach(result -> delivered.incrementAndGet()), () -> {
                begun.await();
                results.close();
                closed.set(true);
            });
            assertThat(late.get()).as("seed %d, round %d", seed, round).isZero();
            assertThat(delivered.get()).as("seed %d, round %d", seed, round).isEqualTo(pulled.get());
        }
        for (ExecutorStrategy each : List.of(one, other)) {
            Patience.await()
                    .until(() -> each.snapshot().running() + each.snapshot().queued() == 0);
        }
    }

    /** Closing finds inputs between stages: they have their results, or are cancelled, and closing ends. */
    @Test
    void closeOfStrategies_whileStagesFollowOneAnother_losesNothing() {
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            ExecutorStrategy one = strategy(2);
            ExecutorStrategy other = strategy(2);
            boolean isForced = random.nextBoolean();
            ExecutorStrategy closing = random.nextBoolean() ? one : other;
            AtomicInteger pulled = new AtomicInteger();
            List<Result<Integer>> delivered = new ArrayList<>();
            CountDownLatch begun = new CountDownLatch(1 + random.nextInt(50));
            Workload<Integer, Integer> noting = Workload.compute("noting", n -> {
                begun.countDown();
                return n;
            });
            try (var results = Pipeline.of(noting)
                    .then(noting)
                    .on(other)
                    .then(noting)
                    .map(
                            one,
                            Stream.iterate(0, n -> n + 1).peek(n -> pulled.incrementAndGet()),
                            MapOptions.ordered().window(1 + random.nextInt(8)))) {
                RacingThreads.run(
                        () -> assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(RejectedExecutionException.class),
                        () -> {
                            begun.await();
                            if (isForced) {
                                closing.closeNow();
                            }
                            closing.close();
                        });
            }
            assertThat(delivered).as("seed %d, round %d", seed, round).hasSize(pulled.get());
            long failed =
                    delivered.stream().filter(result -> !result.isSuccess()).count();
            if (isForced) {
                assertThat(delivered)
                        .allMatch(result -> result.isSuccess()
                                || causeOf(result) instanceof CancellationException
                                || causeOf(result) instanceof RejectedExecutionException);
            } else {
                // One may have been pulled just before its strategy was seen to be closed.
                assertThat(failed).as("seed %d, round %d", seed, round).isLessThanOrEqualTo(1);
            }
        }
    }
}
