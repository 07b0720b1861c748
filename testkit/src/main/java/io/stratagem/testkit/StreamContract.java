package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.Spliterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The part of the contract that is about streams of results: order, bounds, ends, and deadlines. */
public abstract class StreamContract extends TaskContract {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** For subclasses. */
    protected StreamContract() {}

    /** Each kind, in order and not. */
    static Stream<Mode> modes() {
        return Arrays.stream(Kind.values()).flatMap(kind -> Stream.of(new Mode(kind, true), new Mode(kind, false)));
    }

    /** How a stream is made. */
    record Mode(Kind kind, boolean isOrdered) {
        MapOptions options() {
            return isOrdered ? MapOptions.ordered() : MapOptions.unordered();
        }

        @Override
        public String toString() {
            return kind + (isOrdered ? ", ordered" : ", unordered");
        }
    }

    // ---------------------------------------------------------------------------------------------- what comes out

    @ParameterizedTest
    @MethodSource("modes")
    void map_anySize_givesOneResultForEachInput(Mode mode) {
        ExecutorStrategy strategy = strategy(3);
        Workload<Integer, Integer> uneven = workload(mode.kind, "uneven", n -> {
            for (int i = 0; i < n % 7 * 50; i++) {
                Thread.onSpinWait();
            }
            return -n;
        });
        for (int size : new int[] {0, 1, 2, 3, 10, 257, 3000}) {
            List<Integer> inputs = IntStream.range(0, size).boxed().toList();
            List<Integer> expected = inputs.stream().map(n -> -n).toList();
            for (Stream<Integer> stream :
                    List.of(inputs.stream(), inputs.stream().filter(n -> true))) {
                try (var results = strategy.map(uneven, stream, mode.options())) {
                    List<Integer> values = results.map(Result::orElseThrow).toList();
                    if (mode.isOrdered) {
                        assertThat(values).isEqualTo(expected);
                    } else {
                        assertThat(values).containsExactlyInAnyOrderElementsOf(expected);
                    }
                }
            }
        }
    }

    @Test
    void map_manyTinyTasks_givesThemInOrder() {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> tiny = Workload.compute("tiny", n -> n + 1);
        int size = 300_000;
        try (var results = strategy.map(tiny, IntStream.range(0, size).boxed())) {
            AtomicInteger next = new AtomicInteger();
            results.forEach(result -> assertThat(result.orElseThrow()).isEqualTo(next.incrementAndGet()));
            assertThat(next).hasValue(size);
        }
        try (var results = strategy.mapUnordered(tiny, IntStream.range(0, size).boxed())) {
            assertThat(results.mapToLong(Result::orElseThrow).sum()).isEqualTo(size * (size + 1L) / 2);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_someTasksFail_eachIsOneFailure(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> some = workload(mode.kind, "some", n -> {
            if (n % 3 == 0) {
                throw new IOException("third");
            }
            return n;
        });
        try (var results = strategy.map(some, IntStream.range(0, 999).boxed(), mode.options())) {
            List<Result<Integer>> all = results.toList();
            assertThat(all).hasSize(999);
            assertThat(all).filteredOn(result -> !result.isSuccess()).hasSize(333);
            if (mode.isOrdered) {
                for (int n = 0; n < all.size(); n++) {
                    assertThat(all.get(n).isSuccess()).isEqualTo(n % 3 != 0);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_nulls_areKept(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Workload<String, String> identity = workload(mode.kind, "identity", s -> s);
        try (var results = strategy.map(identity, Stream.of("a", null, "b", null), mode.options())) {
            List<String> values = results.map(result -> result.orElse("failed")).toList();
            assertThat(values).containsExactlyInAnyOrder("a", null, "b", null);
        }
    }

    @Test
    void map_iterable_givesTheSame() {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> half = Workload.compute("half", n -> n / 2);
        Iterable<Integer> inputs = () -> List.of(2, 4, 6).iterator();
        try (var results = strategy.map(half, inputs)) {
            assertThat(results.map(Result::orElseThrow)).containsExactly(1, 2, 3);
        }
        try (var results = strategy.mapUnordered(half, inputs)) {
            assertThat(results.map(Result::orElseThrow)).containsExactlyInAnyOrder(1, 2, 3);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_countOnly_runsAllTasks(Mode mode) {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> noting = workload(mode.kind, "noting", n -> {
            journal.enter();
            return n;
        });
        try (var results = strategy.map(noting, List.of(1, 2, 3).stream(), mode.options())) {
            assertThat(results.count()).isEqualTo(3);
        }
        assertThat(journal.entered()).isEqualTo(3);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_iteratorParallelOrShortCircuit_giveTheSame(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        List<Integer> inputs = IntStream.range(0, 500).boxed().toList();
        List<Integer> values = new ArrayList<>();
        try (var results = strategy.map(identity, inputs.stream(), mode.options())) {
            for (Iterator<Result<Integer>> each = results.iterator(); each.hasNext(); ) {
                values.add(each.next().orElseThrow());
            }
        }
        assertThat(values).containsExactlyInAnyOrderElementsOf(inputs);
        try (var results = strategy.map(identity, inputs.stream(), mode.options())) {
            assertThat(results.parallel().map(Result::orElseThrow).toList())
                    .containsExactlyInAnyOrderElementsOf(inputs);
        }
        try (var results = strategy.map(identity, inputs.stream(), mode.options())) {
            assertThat(results.map(Result::orElseThrow).anyMatch(n -> n == 250)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_actionReadsOnOrThrows_othersAreStillGivenInTurn(Mode mode) {
        Workload<Integer, Integer> tiny = workload(mode.kind, "tiny", n -> n);
        List<Integer> inputs = IntStream.range(0, 3000).boxed().toList();
        try (var stream = strategy(2).map(tiny, inputs.stream(), mode.options())) {
            Spliterator<Result<Integer>> results = stream.spliterator();
            List<Integer> values = new ArrayList<>();
            Consumer<Result<Integer>> add = result -> values.add(result.orElseThrow());
            while (values.size() < inputs.size()) {
                int throwFrom = values.size() + 20;
                Throwable thrown = catchThrowable(() -> results.forEachRemaining(result -> {
                    add.accept(result);
                    results.tryAdvance(add);
                    results.tryAdvance(add);
                    if (values.size() >= throwFrom) {
                        throw new IllegalStateException("enough");
                    }
                    if (values.size() % 5 == 0) {
                        results.forEachRemaining(behind -> {
                            add.accept(behind);
                            throw new IllegalStateException("one is enough");
                        });
                    }
                }));
                if (values.size() < inputs.size()) {
                    assertThat(thrown).hasMessageEndingWith("enough");
                }
            }
            assertThat(results.tryAdvance(add)).isFalse();
            if (mode.isOrdered) {
                assertThat(values).isEqualTo(inputs);
            } else {
                assertThat(values).containsExactlyInAnyOrderElementsOf(inputs);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_retries_keepOrderAndNumber(Mode mode) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(3);
        int size = 2000;
        List<AtomicInteger> runs =
                Stream.generate(AtomicInteger::new).limit(size).toList();
        RetryPolicy policy =
                RetryPolicy.attempts(3).backoff(Duration.ofNanos(1000)).jitter(1);
        Workload<Integer, Integer> flaky =
                workload(mode.kind, Workload.named("flaky").retry(policy), n -> {
                    if (runs.get(n).incrementAndGet() <= n % 4) {
                        throw new IOException("again");
                    }
                    return n;
                });
        try (var results = strategy.map(flaky, IntStream.range(0, size).boxed(), mode.options())) {
            List<Result<Integer>> all = results.toList();
            assertThat(all).hasSize(size);
            assertThat(all.stream()
                            .mapToInt(result -> result.execution().attempts())
                            .sum())
                    .isEqualTo(size / 4 * (1 + 2 + 3 + 3));
            assertThat(all.stream().filter(Result::isSuccess).count()).isEqualTo(size / 4 * 3);
            if (mode.isOrdered) {
                for (int n = 0; n < size; n++) {
                    assertThat(all.get(n)).isEqualTo(n % 4 == 3 ? all.get(n) : Result.success(n));
                    assertThat(all.get(n).isSuccess()).isEqualTo(n % 4 < 3);
                }
            }
        }
    }

    @Test
    void map_retryWaits_orderedResultsBehindItComeAfterIt() {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        RetryPolicy policy =
                RetryPolicy.attempts(2).backoff(Duration.ofSeconds(1)).jitter(0);
        Workload<Integer, Integer> flaky = Workload.named("flaky").retry(policy).compute(n -> {
            if (n == 3) {
                journal.enter();
                throw new IOException("as ever");
            }
            return n;
        });
        List<Result<Integer>> delivered = Collections.synchronizedList(new ArrayList<>());
        RacingThreads.run(
                () -> {
                    try (var results =
                            strategy.map(flaky, IntStream.range(0, 10).boxed())) {
                        results.forEach(delivered::add);
                    }
                },
                () -> {
                    Patience.await()
                            .until(() -> journal.entered() == 1 && delivered.size() == 3 && clock.waiting() == 1);
                    clock.advance(Duration.ofSeconds(1));
                });
        assertThat(journal.entered()).isEqualTo(2);
        assertThat(delivered).hasSize(10);
        assertThat(delivered.stream().map(result -> result.orElse(-1))).containsExactly(0, 1, 2, -1, 4, 5, 6, 7, 8, 9);
        assertThat(delivered.get(3).execution().attempts()).isEqualTo(2);
    }

    // ---------------------------------------------------------------------------------------------- laziness, bounds

    /** Counts what was taken from it. */
    private static <T> Stream<T> counting(Stream<T> inputs, AtomicInteger pulled) {
        return inputs.peek(input -> pulled.incrementAndGet());
    }

    private static Stream<Integer> endless() {
        return Stream.iterate(0, n -> n + 1);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_notRead_doesNothing(Mode mode) {
        AtomicInteger pulled = new AtomicInteger();
        AtomicBoolean closed = new AtomicBoolean();
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        try (var results = strategy.map(
                        identity, counting(endless(), pulled).onClose(() -> closed.set(true)), mode.options());
                var mapped = results.map(Result::orElseThrow)) {
            assertThat(mapped).isNotNull();
            assertThat(pulled).hasValue(0);
            assertThat(strategy.snapshot().submitted()).isZero();
            assertThat(closed).isFalse();
        }
        assertThat(closed).as("closing the stream closes the input").isTrue();
        assertThat(pulled).hasValue(0);
    }

    @Test
    void map_iterableNotRead_isNotAskedForItsIterator() {
        ExecutorStrategy strategy = strategy(1);
        AtomicInteger asked = new AtomicInteger();
        Iterable<Integer> inputs = () -> {
            asked.incrementAndGet();
            return List.of(1).iterator();
        };
        try (var results = strategy.map(Workload.compute("identity", (Integer n) -> n), inputs)) {
            assertThat(asked).hasValue(0);
            assertThat(results.count()).isEqualTo(1);
        }
        try (var results = strategy.mapUnordered(Workload.compute("identity", (Integer n) -> n), inputs)) {
            assertThat(asked).hasValue(1);
            assertThat(results.count()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_window_isNeverExceeded(Mode mode) {
        ExecutorStrategy strategy = strategy(4, options -> options.window(7));
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        for (int window : new int[] {0, 1, 2, 10, 100}) {
            if (window == 0 && mode.kind == Kind.COMPUTE) {
                continue; // its default window follows from what is measured
            }
            int limit = window == 0 ? 7 : window;
            MapOptions options = window == 0 ? mode.options() : mode.options().window(window);
            AtomicInteger pulled = new AtomicInteger();
            AtomicInteger delivered = new AtomicInteger();
            Stream<Integer> inputs = IntStream.range(0, 3000)
                    .boxed()
                    .peek(input -> assertThat(pulled.incrementAndGet() - delivered.get())
                            .as("in flight")
                            .isLessThanOrEqualTo(limit));
            try (var results = strategy.map(identity, inputs, options)) {
                results.forEach(result -> delivered.incrementAndGet());
            }
            assertThat(delivered).hasValue(3000);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_slowReader_takesInOneWindowOnly(Mode mode) {
        ExecutorStrategy strategy = strategy(4);
        Journal journal = journal();
        Workload<Integer, Integer> noting = workload(mode.kind, "noting", n -> {
            journal.enter();
            journal.leave();
            return n;
        });
        AtomicInteger pulled = new AtomicInteger();
        int window = 20;
        try (var results =
                strategy.map(noting, counting(endless(), pulled), mode.options().window(window))) {
            Iterator<Result<Integer>> each = results.iterator();
            for (int taken = 1; taken <= 50; taken++) {
                assertThat(each.next().isSuccess()).isTrue();
                assertThat(pulled.get()).isLessThanOrEqualTo(taken + window);
            }
            // Read no further: what was taken in is done, and then nothing goes on.
            Patience.await().until(() -> journal.entered() == pulled.get() && journal.inside() == 0);
            assertThat(pulled.get()).isLessThanOrEqualTo(50 + window);
        }
        assertThat(pulled.get()).isLessThanOrEqualTo(50 + window);
    }

    @ParameterizedTest
    @EnumSource(names = "COMPUTE", mode = EnumSource.Mode.EXCLUDE)
    void map_window_isTheNumberOfConcurrentWaits(Kind kind) {
        ExecutorStrategy strategy = strategy(8);
        Journal journal = journal();
        Gate gate = gate();
        Workload<Integer, Integer> waiting = workload(kind, "waiting", telling(journal, gate));
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            waiting,
                            IntStream.range(0, 50).boxed(),
                            MapOptions.unordered().window(5))) {
                        assertThat(results.filter(Result::isSuccess).count()).isEqualTo(50);
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 5);
                    gate.open();
                });
        assertThat(journal.peak()).isEqualTo(5);
    }

    @Test
    void map_largeInputs_areBoundedByBytes() {
        ExecutorStrategy strategy = strategy(2, options -> options.windowBytes(1_000_000));
        AtomicInteger pulled = new AtomicInteger();
        AtomicInteger delivered = new AtomicInteger();
        Workload<byte[], Integer> length = workload(Kind.BLOCKING, "length", bytes -> bytes.length);
        Stream<byte[]> inputs = Stream.generate(() -> new byte[250_000])
                .limit(200)
                .peek(input ->
                        assertThat(pulled.incrementAndGet() - delivered.get()).isLessThanOrEqualTo(5));
        try (var results = strategy.map(length, inputs)) {
            results.forEach(result -> {
                assertThat(result).isEqualTo(Result.success(250_000));
                delivered.incrementAndGet();
            });
        }
        assertThat(delivered).hasValue(200);
    }

    @Test
    void map_largeInputsInBatches_areBoundedByBytes() {
        ExecutorStrategy strategy = strategy(2, options -> options.windowBytes(1_000_000));
        AtomicInteger pulled = new AtomicInteger();
        AtomicInteger delivered = new AtomicInteger();
        AtomicInteger mostAhead = new AtomicInteger();
        Workload<byte[], Integer> length = workload(Kind.COMPUTE, "length", bytes -> bytes.length);
        // Small ones first, so that the batches grow.
        Stream<byte[]> inputs = IntStream.range(0, 200_000)
                .mapToObj(n -> new byte[n < 190_000 ? 0 : 10_000])
                .peek(input -> {
                    int ahead = pulled.incrementAndGet() - delivered.get();
                    if (input.length > 0) {
                        mostAhead.accumulateAndGet(ahead, Math::max);
                    }
                });
        try (var results = strategy.map(length, inputs)) {
            Iterator<Result<Integer>> each = results.iterator();
            while (each.hasNext() && each.next().orElseThrow() == 0) {
                delivered.incrementAndGet();
            }
            delivered.incrementAndGet();
            Patience.await()
                    .until(() ->
                            strategy.snapshot().running() + strategy.snapshot().queued() == 0);
            mostAhead.set(0);
            while (each.hasNext()) {
                assertThat(each.next()).isEqualTo(Result.success(10_000));
                delivered.incrementAndGet();
            }
        }
        assertThat(delivered).hasValue(200_000);
        assertThat(mostAhead).hasValueBetween(1, 110);
    }

    @Test
    void map_largeResults_areBoundedByBytes() {
        ExecutorStrategy strategy = strategy(2, options -> options.windowBytes(1_000_000));
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, byte[]> growing = workload(Kind.BLOCKING, "growing", byte[]::new);
        try (var results = strategy.map(
                growing,
                counting(Stream.generate(() -> 250_000), pulled),
                MapOptions.ordered().window(1000))) {
            Iterator<Result<byte[]>> each = results.iterator();
            for (int taken = 1; taken <= 50; taken++) {
                assertThat(each.next().orElseThrow()).hasSize(250_000);
                Patience.await()
                        .until(() -> strategy.snapshot().running()
                                        + strategy.snapshot().queued()
                                == 0);
            }
            int before = pulled.get();
            assertThat(each.next().isSuccess()).isTrue();
            assertThat(pulled.get() - before).isLessThanOrEqualTo(1000);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_endlessInput_ends_whereTheReaderStops(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        AtomicBoolean closed = new AtomicBoolean();
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        try (var results = strategy.map(identity, endless().onClose(() -> closed.set(true)), mode.options())) {
            assertThat(results.limit(5000).filter(Result::isSuccess).count()).isEqualTo(5000);
        }
        assertThat(closed).isTrue();
    }

    // ---------------------------------------------------------------------------------------------- who waits for whom

    @ParameterizedTest
    @EnumSource
    void mapUnordered_headNotDone_otherResultsFlow(Kind kind) {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2, options -> options.window(10));
        Workload<Integer, Integer> slowHead = workload(kind, "slow head", n -> {
            if (n == 0) {
                gate.await();
            }
            return n;
        });
        int size = 2000;
        AtomicInteger delivered = new AtomicInteger();
        try (var results =
                strategy.mapUnordered(slowHead, IntStream.range(0, size).boxed())) {
            results.forEach(result -> {
                int n = result.orElseThrow();
                if (delivered.incrementAndGet() == size - 1) {
                    gate.open();
                }
                assertThat(n == 0).isEqualTo(delivered.get() == size);
            });
        }
        assertThat(delivered).hasValue(size);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_slowTask_doesNotHoldBackThoseFinishedBeforeIt(Mode mode) {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Gate gate = gate();
        int slow = 6000;
        Workload<Integer, Integer> mixed = workload(mode.kind, "mixed", n -> {
            if (n == slow) {
                gate.await();
            }
            return n;
        });
        AtomicInteger before = new AtomicInteger();
        AtomicReference<Result<Integer>> ofSlow = new AtomicReference<>();
        try (var results = strategy.map(mixed, endless().limit(9000), mode.options())) {
            results.forEach(result -> {
                int n = result.orElseThrow();
                if (n < slow && before.incrementAndGet() == slow) {
                    gate.open();
                }
                if (n == slow) {
                    ofSlow.set(result);
                }
            });
        }
        assertThat(before).hasValue(slow);
        if (mode.kind == Kind.COMPUTE) {
            assertThat(ofSlow.get().execution().batchSize()).as("it had mates").isGreaterThan(1);
        } else {
            assertThat(ofSlow.get().execution().batchSize()).isEqualTo(1);
        }
    }

    @Test
    void map_slowTaskAtTheEnd_leavesTheRestToIdleWorkers() {
        assume(Ability.IN_THIS_JVM); // what is at a worker elsewhere cannot be shared out
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Gate gate = gate();
        int slow = 6000;
        int size = 9000;
        Workload<Integer, Integer> mixed = workload(Kind.COMPUTE, "mixed", n -> {
            if (n == slow) {
                gate.await();
            }
            return n;
        });
        AtomicInteger delivered = new AtomicInteger();
        try (var results = strategy.mapUnordered(mixed, endless().limit(size))) {
            results.forEach(result -> {
                if (delivered.incrementAndGet() == size - 1) {
                    gate.open();
                }
            });
        }
        assertThat(delivered).hasValue(size);
    }

    // ---------------------------------------------------------------------------------------------- ends

    @ParameterizedTest
    @MethodSource("modes")
    void map_inputThrows_earlierResultsComeFirst(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        for (int before : new int[] {0, 1, 2, 50, 700}) {
            for (Throwable thrown : List.of(new IllegalStateException("input"), new AssertionError("input"))) {
                List<Integer> values = new ArrayList<>();
                Stream<Integer> inputs = endless().peek(n -> {
                    if (n == before) {
                        sneakyThrow(thrown);
                    }
                });
                try (var results = strategy.map(identity, inputs, mode.options())) {
                    assertThatThrownBy(() -> results.forEach(result -> values.add(result.orElseThrow())))
                            .isSameAs(thrown);
                }
                assertThat(values)
                        .containsExactlyInAnyOrderElementsOf(
                                IntStream.range(0, before).boxed().toList());
                if (mode.isOrdered) {
                    assertThat(values).isSorted();
                }
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneakyThrow(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_closedEarly_cancelsTheRestAndClosesTheInput(Mode mode) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        AtomicInteger closed = new AtomicInteger();
        AtomicInteger pulled = new AtomicInteger();
        // A worker for each, so that the first need not wait behind those that wait for the gate.
        ExecutorStrategy strategy = strategy(6);
        Workload<Integer, Integer> mixed = workload(mode.kind, "mixed", n -> {
            if (n > 0) {
                telling(journal, gate).apply(n);
            }
            return n;
        });
        int before;
        try (var results = strategy.map(
                mixed,
                counting(endless(), pulled).onClose(closed::incrementAndGet),
                mode.options().window(6))) {
            assertThat(results.iterator().next()).isEqualTo(Result.success(0));
            before = pulled.get();
            assertThat(before).isBetween(1, 7);
            assertThat(closed).hasValue(0);
        }
        assertThat(closed).hasValue(1);
        awaitNoneInside(journal);
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().running()).isZero();
            assertThat(strategy.snapshot().cancelled())
                    .as("%s, %s", journal, strategy)
                    .isEqualTo(before - 1L);
        });
        assertThat(journal.count("through")).isZero();
        assertThat(pulled).hasValue(before);
        assertRunsAtOnce(strategy, 2, mode.kind);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_closedByAnotherThread_endsTheReadersWait(Mode mode) {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> waiting = workload(mode.kind, "waiting", telling(journal, gate));
        var results = strategy.map(waiting, endless(), mode.options().window(4));
        RacingThreads.run(() -> assertThat(results.limit(4)).allMatch(result -> !result.isSuccess()), () -> {
            Patience.await().until(() -> journal.inside() > 0);
            results.close();
        });
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_readerInterrupted_keepsFlagAndCancelsTheRest(Mode mode) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> waiting = workload(mode.kind, "waiting", telling(journal, gate));
        AtomicReference<Thread> reader = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    reader.set(Thread.currentThread());
                    try (var results =
                            strategy.map(waiting, endless(), mode.options().window(4))) {
                        assertThatThrownBy(results::count).isInstanceOf(CancellationException.class);
                        assertThat(Thread.currentThread().isInterrupted())
                                .as("flag")
                                .isTrue();
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() > 0);
                    reader.get().interrupt();
                });
        awaitNoneInside(journal);
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().running()).isZero();
        });
        assertThat(journal.count("through")).isZero();
        assertRunsAtOnce(strategy, 2, mode.kind);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_strategyClosesMidway_givesWhatWasTakenInThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        List<Integer> values = new ArrayList<>();
        try (var results = strategy.map(
                identity, counting(endless(), pulled), mode.options().window(5))) {
            Iterator<Result<Integer>> each = results.iterator();
            values.add(each.next().orElseThrow());
            strategy.close();
            assertThatThrownBy(() -> {
                        while (each.hasNext()) {
                            values.add(each.next().orElseThrow());
                        }
                    })
                    .hasMessageContaining(strategy.name())
                    .isInstanceOf(RejectedExecutionException.class);
        }
        assertThat(values)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, pulled.get()).boxed().toList());
        assertThat(pulled.get()).isLessThanOrEqualTo(6);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_strategyClosesNowMidway_failsWhatWasTakenInThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Journal journal = journal();
        Gate gate = gate();
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> waiting = workload(mode.kind, "waiting", telling(journal, gate));
        List<Result<Integer>> delivered = new ArrayList<>();
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            waiting, counting(endless(), pulled), mode.options().window(5))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(RejectedExecutionException.class);
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() > 0);
                    strategy.closeNow();
                });
        assertThat(delivered)
                .hasSize(pulled.get())
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(CancellationException.class));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_strategyClosesNowWhileAnInputIsPulled_failsThatTooThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> identity = workload(mode.kind, "identity", n -> n);
        Stream<Integer> inputs = counting(endless(), pulled).peek(n -> {
            if (n == 2) {
                strategy.closeNow();
            }
        });
        List<Result<Integer>> delivered = new ArrayList<>();
        try (var results = strategy.map(identity, inputs, mode.options().window(5))) {
            assertThatThrownBy(() -> results.forEach(delivered::add)).isInstanceOf(RejectedExecutionException.class);
        }
        assertSomeCancelled(delivered, pulled.get());
    }

    static void assertSomeCancelled(List<Result<Integer>> delivered, int taken) {
        assertThat(delivered).hasSize(taken);
        assertThat(delivered.stream().filter(result -> !result.isSuccess()))
                .isNotEmpty()
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(CancellationException.class));
    }

    // ---------------------------------------------------------------------------------------------- deadline

    @ParameterizedTest
    @MethodSource("modes")
    void deadline_passes_failsWhatIsInFlightThenThrows(Mode mode) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        AtomicInteger pulled = new AtomicInteger();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Workload<Integer, Integer> waiting = workload(mode.kind, "waiting", telling(journal, gate));
        List<Result<Integer>> delivered = new ArrayList<>();
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            waiting,
                            counting(endless(), pulled),
                            mode.options().deadline(DEADLINE).window(4))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(TaskTimeoutException.class)
                                .hasMessageContainingAll("waiting", "" + DEADLINE);
                    }
                },
                () -> {
                    Patience.await()
                            .until(() ->
                                    journal.inside() == 2 && strategy.snapshot().submitted() >= 2);
                    clock.advance(DEADLINE.minusNanos(1));
                    assertThat(delivered).isEmpty();
                    clock.advance(Duration.ofNanos(1));
                });
        assertThat(delivered)
                .isNotEmpty()
                .hasSizeLessThanOrEqualTo(4)
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(TaskTimeoutException.class));
        awaitNoneInside(journal);
        assertThat(journal.count("through")).isZero();
        assertRunsAtOnce(strategy, 2, mode.kind);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void deadline_passesAfterAllWasTakenIn_endsNormally(Mode mode) {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(3, options -> options.clock(clock));
        Workload<Integer, Integer> mixed = workload(mode.kind, "mixed", n -> {
            if (n > 0) {
                telling(journal, gate).apply(n);
            }
            return n;
        });
        List<Result<Integer>> delivered = Collections.synchronizedList(new ArrayList<>());
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            mixed, Stream.of(0, 1, 2), mode.options().deadline(DEADLINE))) {
                        results.forEach(delivered::add);
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 2 && delivered.size() == 1);
                    clock.advance(DEADLINE);
                });
        assertThat(delivered).hasSize(3);
        assertThat(delivered.get(0)).isEqualTo(Result.success(0));
        assertThat(delivered.subList(1, 3))
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(TaskTimeoutException.class));
    }

    @Test
    void deadline_countsFromTheFirstResultAskedFor() {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        try (var results = strategy.map(
                Workload.compute("identity", (Integer n) -> n),
                Stream.of(1, 2, 3),
                MapOptions.ordered().deadline(DEADLINE))) {
            clock.advance(DEADLINE.multipliedBy(2));
            assertThat(results.map(Result::orElseThrow)).containsExactly(1, 2, 3);
        }
        assertThat(clock.waiting()).as("the timer is gone").isZero();
    }

    @Test
    void deadline_passesWhileNobodyReads_isToldToTheReader() {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        try (var results = strategy.map(
                Workload.blocking("identity", (Integer n) -> n),
                endless(),
                MapOptions.ordered().deadline(DEADLINE).window(3))) {
            Iterator<Result<Integer>> each = results.iterator();
            assertThat(each.next()).isEqualTo(Result.success(0));
            clock.advance(DEADLINE);
            assertThatThrownBy(() -> {
                        while (each.hasNext()) {
                            each.next();
                        }
                    })
                    .isInstanceOf(TaskTimeoutException.class);
        }
    }

    // ---------------------------------------------------------------------------------------------- all at once

    @ParameterizedTest
    @MethodSource("modes")
    void map_randomFailuresTimeoutsAndRetries_conservesTasks(Mode mode) {
        assume(Ability.INTERRUPTS); // to kill a worker for each timeout takes long
        long seed = Long.getLong("stress.seed", System.nanoTime());
        ExecutorStrategy strategy = strategy(3);
        int size = 2000 * Integer.getInteger("stress.rounds", 1);
        Workload.Builder<Object> options = Workload.named("random")
                .timeout(Duration.ofMillis(2))
                .retry(RetryPolicy.attempts(3).jitter(1).on(IOException.class, TaskTimeoutException.class));
        Workload<Integer, Integer> random = workload(mode.kind, options, n -> {
            Random dice = new Random(seed + n);
            switch (dice.nextInt(40)) {
                case 0 -> throw new IOException("retried");
                case 1 -> throw new IllegalStateException("not retried");
                case 2 -> new CountDownLatch(1).await();
                default -> {
                    for (int spins = dice.nextInt(200); spins > 0; spins--) {
                        Thread.onSpinWait();
                    }
                }
            }
            return n;
        });
        try (var results = strategy.map(random, IntStream.range(0, size).boxed(), mode.options())) {
            List<Result<Integer>> all = results.toList();
            assertThat(all).as("seed %s", seed).hasSize(size);
            List<Integer> values = all.stream()
                    .filter(Result::isSuccess)
                    .map(Result::orElseThrow)
                    .collect(Collectors.toList());
            assertThat(values).as("seed %s", seed).doesNotHaveDuplicates();
            if (mode.isOrdered) {
                assertThat(values).as("seed %s", seed).isSorted();
                for (int n = 0; n < size; n++) {
                    assertThat(all.get(n).orElse(-1)).isIn(n, -1);
                }
            }
            long failures = all.size() - values.size();
            Patience.await().untilAsserted(() -> {
                assertThat(strategy.snapshot().succeeded()).isEqualTo(values.size());
                assertThat(strategy.snapshot().failed()).isEqualTo(failures);
                assertThat(strategy.snapshot().running()).isZero();
                assertThat(strategy.snapshot().queued()).isZero();
            });
        }
    }
}
