package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The part of the contract that is about pipelines of which this strategy runs all stages. */
public abstract class PipelineContract extends ViewContract {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** For subclasses. */
    protected PipelineContract() {}

    /** Each kind, and each order: neither depends on the other. */
    static Stream<Mode> someModes() {
        return Stream.of(new Mode(Kind.BLOCKING, true), new Mode(Kind.COMPUTE, false), new Mode(Kind.ASYNC, true));
    }

    /** Skips what the reader does alone where each test has to start processes. */
    private void assumeQuickStart() {
        assume(Ability.IN_THIS_JVM);
    }

    private static Stream<Integer> endless() {
        return Stream.iterate(0, n -> n + 1);
    }

    private static Stream<Integer> counting(AtomicInteger pulled) {
        return endless().peek(input -> pulled.incrementAndGet());
    }

    /** The first stage fails for zero, the second waits for the gate, the third says that it was reached. */
    private static Pipeline<Integer, Integer> waitingInTheMiddle(Kind kind, Journal second, Journal third, Gate gate) {
        Workload<Integer, Integer> first = workload(kind, "first", n -> 7 / n);
        Workload<Integer, Integer> last = workload(kind, "third", n -> {
            third.enter();
            return n;
        });
        Workload<Integer, Integer> middle = workload(kind, "second", telling(second, gate));
        return Pipeline.of(first).then(middle).then(last);
    }

    private static Workload<Integer, Integer> identity(Kind kind) {
        return workload(kind, "identity", n -> n);
    }

    private static void assertIdle(ExecutorStrategy strategy) {
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().running()).isZero();
        });
    }

    // ---------------------------------------------------------------------------------------------- what comes out

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_anySize_givesOneResultForEachInput(Mode mode) {
        ExecutorStrategy strategy = strategy(3);
        Workload<Integer, Long> uneven = workload(mode.kind(), "uneven", n -> {
            for (int i = 0; i < n % 7 * 50; i++) {
                Thread.onSpinWait();
            }
            return 10L * n;
        });
        Workload<Number, String> toText = workload(mode.kind(), "text", n -> "" + n);
        Workload<String, String> shout = workload(mode.kind(), "shout", s -> s + "!");
        Pipeline<Integer, String> pipeline = Pipeline.of(uneven).then(toText).then(shout);
        for (int size : new int[] {0, 1, 2, 3, 257, 1000}) {
            List<String> expected =
                    IntStream.range(0, size).mapToObj(n -> 10 * n + "!").toList();
            try (var results = pipeline.map(strategy, IntStream.range(0, size).boxed(), mode.options())) {
                List<String> values = results.map(Result::orElseThrow).toList();
                if (mode.isOrdered()) {
                    assertThat(values).isEqualTo(expected);
                } else {
                    assertThat(values).containsExactlyInAnyOrderElementsOf(expected);
                }
            }
        }
        assertIdle(strategy);
        assertThat(strategy.snapshot().submitted()).isEqualTo(3 * 1263);
        assertThat(strategy.snapshot().succeeded()).isEqualTo(3 * 1263);
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_someFail_eachFailureStaysWithItsInputAndSkipsWhatFollows(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Journal second = journal();
        Journal third = journal();
        Workload<Integer, Integer> failing = workload(mode.kind(), "failing", n -> {
            if (n % 3 == 0) {
                throw new IOException("of the first " + n);
            }
            return n;
        });
        Workload<Integer, Integer> noting = workload(mode.kind(), "noting", n -> {
            second.enter();
            if (n % 3 == 1) {
                throw new IOException("of the second " + n);
            }
            return n;
        });
        Workload<Integer, Integer> last = workload(mode.kind(), "last", n -> {
            third.enter();
            return n;
        });
        try (var results = Pipeline.of(failing)
                .then(noting)
                .then(last)
                .map(strategy, IntStream.range(0, 99).boxed(), mode.options())) {
            List<Result<Integer>> all = results.toList();
            assertThat(all).hasSize(99);
            assertThat(all).filteredOn(Result::isSuccess).hasSize(33);
            if (mode.isOrdered()) {
                for (int n = 0; n < 99; n++) {
                    Result<Integer> result = all.get(n);
                    assertThat(result.execution().strategy()).isEqualTo(strategy.name());
                    if (n % 3 == 2) {
                        assertThat(result).isEqualTo(Result.success(n));
                    } else {
                        String stage = n % 3 == 0 ? "first " : "second ";
                        assertThat(causeOf(result))
                                .isInstanceOf(IOException.class)
                                .hasMessage("of the " + stage + n);
                    }
                }
            }
        }
        assertThat(second.entered()).isEqualTo(66);
        assertThat(third.entered()).isEqualTo(33);
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_nulls_goFromStageToStage(Mode mode) {
        assumeQuickStart();
        ExecutorStrategy strategy = strategy(2);
        Workload<String, String> swap = workload(mode.kind(), "swap", s -> s == null ? "null" : null);
        try (var results =
                Pipeline.of(swap).then(swap).then(swap).map(strategy, Stream.of("a", null, "b"), mode.options())) {
            List<String> values = results.map(result -> result.orElse("failed")).toList();
            assertThat(values).containsExactlyInAnyOrder(null, "null", null);
        }
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_stagesTriedAgain_goOn(Mode mode) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(3);
        int size = 200;
        List<AtomicInteger> runs =
                Stream.generate(AtomicInteger::new).limit(size).toList();
        RetryPolicy policy =
                RetryPolicy.attempts(2).backoff(Duration.ofNanos(1000)).jitter(1);
        Workload<Integer, Integer> negative = workload(mode.kind(), "negative", n -> -n);
        Workload<Integer, Integer> flaky =
                workload(mode.kind(), Workload.named("flaky").retry(policy), n -> {
                    if (runs.get(n).incrementAndGet() <= n % 3) {
                        throw new IOException("again");
                    }
                    return n;
                });
        try (var results = Pipeline.of(identity(mode.kind()))
                .then(flaky)
                .then(negative)
                .map(strategy, IntStream.range(0, size).boxed(), mode.options())) {
            List<Result<Integer>> all = results.toList();
            assertThat(all).hasSize(size);
            assertThat(all).filteredOn(result -> !result.isSuccess()).hasSize(size / 3);
            if (mode.isOrdered()) {
                for (int n = 0; n < size; n++) {
                    assertThat(all.get(n).orElse(1)).isEqualTo(n % 3 == 2 ? 1 : -n);
                }
            }
        }
        assertIdle(strategy);
    }

    @ParameterizedTest
    @EnumSource
    void pipeline_run_givesTheResult(Kind kind) {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> divide = workload(kind, "divide", n -> 12 / n);
        Workload<Integer, String> text = workload(kind, "text", n -> "<" + n + ">");
        Pipeline<Integer, String> pipeline = Pipeline.of(divide).then(text);
        assertThat(pipeline.run(strategy, 4)).isEqualTo(Result.success("<3>"));
        assertThat(causeOf(pipeline.run(strategy, 0))).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void pipeline_isolatedStageInThisJvm_isRefusedAtOnce() {
        assume(Ability.REFUSES_ISOLATED);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> isolated = Workload.named("alone").isolated().compute(n -> n);
        AtomicInteger pulled = new AtomicInteger();
        assertThatThrownBy(() -> Pipeline.of(Workload.compute("identity", (Integer n) -> n))
                        .then(isolated)
                        .map(strategy, counting(pulled)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("alone");
        assertThat(pulled).hasValue(0);
    }

    // ---------------------------------------------------------------------------------------------- laziness, bounds

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_notRead_doesNothing(Mode mode) {
        assumeQuickStart();
        AtomicInteger pulled = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> identity = identity(mode.kind());
        try (var results = Pipeline.of(identity)
                .then(identity)
                .map(strategy, counting(pulled).onClose(closed::incrementAndGet), mode.options())) {
            assertThat(results).isNotNull();
            assertThat(strategy.snapshot().submitted()).isZero();
            assertThat(closed).hasValue(0);
        }
        assertThat(closed).as("closing the stream closes the input").hasValue(1);
        assertThat(pulled).hasValue(0);
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_window_isOneForAllStages(Mode mode) {
        assumeQuickStart();
        ExecutorStrategy strategy = strategy(4, options -> options.window(7));
        Workload<Integer, Integer> identity = identity(mode.kind());
        for (int window : new int[] {0, 1, 2, 20}) {
            int limit = window == 0 ? 7 : window;
            MapOptions options = window == 0 ? mode.options() : mode.options().window(window);
            AtomicInteger pulled = new AtomicInteger();
            AtomicInteger delivered = new AtomicInteger();
            Stream<Integer> inputs = IntStream.range(0, 500)
                    .boxed()
                    .peek(input -> assertThat(pulled.incrementAndGet() - delivered.get())
                            .as("in flight")
                            .isLessThanOrEqualTo(limit));
            try (var results =
                    Pipeline.of(identity).then(identity).then(identity).map(strategy, inputs, options)) {
                results.forEach(result -> {
                    assertThat(result.isSuccess()).isTrue();
                    delivered.incrementAndGet();
                });
            }
            assertThat(delivered).hasValue(500);
        }
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_notReadAnyFurther_doesWhatWasTakenInAndNoMore(Mode mode) {
        assumeQuickStart();
        ExecutorStrategy strategy = strategy(4);
        Journal journal = journal();
        Workload<Integer, Integer> identity = identity(mode.kind());
        Workload<Integer, Integer> noting = workload(mode.kind(), "noting", n -> {
            journal.enter();
            return n;
        });
        AtomicInteger pulled = new AtomicInteger();
        int window = 20;
        try (var results = Pipeline.of(identity)
                .then(noting)
                .map(strategy, counting(pulled), mode.options().window(window))) {
            Iterator<Result<Integer>> each = results.iterator();
            for (int taken = 1; taken <= 30; taken++) {
                assertThat(each.next().isSuccess()).isTrue();
                assertThat(pulled.get()).isLessThanOrEqualTo(taken + window);
            }
            Patience.await().until(() -> journal.entered() == pulled.get());
            assertIdle(strategy);
            assertThat(pulled.get()).isLessThanOrEqualTo(30 + window);
        }
    }

    @ParameterizedTest
    @EnumSource
    void pipelineUnordered_headNotDone_otherResultsFlow(Kind kind) {
        assumeQuickStart();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> slowHead = workload(kind, "slow head", n -> {
            if (n == 0) {
                gate.await();
            }
            return n;
        });
        int size = 300;
        AtomicInteger delivered = new AtomicInteger();
        try (var results = Pipeline.of(identity(kind))
                .then(slowHead)
                .map(
                        strategy,
                        IntStream.range(0, size).boxed(),
                        MapOptions.unordered().window(10))) {
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

    // ---------------------------------------------------------------------------------------------- ends

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_inputThrows_earlierResultsComeFirst(Mode mode) {
        assumeQuickStart();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> identity = identity(mode.kind());
        for (int before : new int[] {0, 1, 2, 50}) {
            List<Integer> values = new ArrayList<>();
            Stream<Integer> inputs = endless().peek(n -> {
                if (n == before) {
                    throw new IllegalStateException("input");
                }
            });
            try (var results = Pipeline.of(identity).then(identity).map(strategy, inputs, mode.options())) {
                assertThatThrownBy(() -> results.forEach(result -> values.add(result.orElseThrow())))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("input");
            }
            assertThat(values)
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, before).boxed().toList());
        }
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_closedEarly_stopsAllStagesAndClosesTheInput(Mode mode) throws Exception {
        Journal second = journal();
        Journal third = journal();
        Gate gate = gate();
        AtomicInteger closed = new AtomicInteger();
        AtomicInteger pulled = new AtomicInteger();
        ExecutorStrategy strategy = strategy(6);
        Pipeline<Integer, Integer> pipeline = waitingInTheMiddle(mode.kind(), second, third, gate);
        int before;
        try (var results = pipeline.map(
                strategy,
                counting(pulled).onClose(closed::incrementAndGet),
                mode.options().window(6))) {
            assertThat(results.iterator().next().isSuccess()).isFalse();
            before = pulled.get();
            assertThat(before).isBetween(1, 7);
        }
        assertThat(closed).hasValue(1);
        awaitNoneInside(second);
        assertIdle(strategy);
        assertThat(second.count("through")).isZero();
        assertThat(third.entered()).isZero();
        assertThat(pulled).hasValue(before);
        assertRunsAtOnce(strategy, 2, mode.kind());
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_closedByAnotherThread_endsTheReadersWait(Mode mode) {
        assumeQuickStart();
        Journal second = journal();
        Journal third = journal();
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        AtomicInteger delivered = new AtomicInteger();
        var results = waitingInTheMiddle(mode.kind(), second, third, gate())
                .map(strategy, counting(pulled).skip(1), mode.options().window(4));
        RacingThreads.run(
                () -> results.forEach(result -> {
                    assertThat(causeOf(result)).isInstanceOf(CancellationException.class);
                    delivered.incrementAndGet();
                }),
                () -> {
                    Patience.await().until(() -> second.inside() > 0);
                    results.close();
                });
        assertThat(delivered).hasValue(pulled.get() - 1);
        assertThat(third.entered()).isZero();
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_readerInterrupted_keepsFlagAndCancelsTheRest(Mode mode) throws Exception {
        Journal second = journal();
        Journal third = journal();
        ExecutorStrategy strategy = strategy(2);
        Pipeline<Integer, Integer> pipeline = waitingInTheMiddle(mode.kind(), second, third, gate());
        AtomicReference<Thread> reader = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    reader.set(Thread.currentThread());
                    try (var results = pipeline.map(
                            strategy, endless().skip(1), mode.options().window(4))) {
                        assertThatThrownBy(results::count).isInstanceOf(CancellationException.class);
                        assertThat(Thread.currentThread().isInterrupted())
                                .as("flag")
                                .isTrue();
                    }
                },
                () -> {
                    Patience.await().until(() -> second.inside() > 0);
                    reader.get().interrupt();
                });
        awaitNoneInside(second);
        assertIdle(strategy);
        assertThat(second.count("through")).isZero();
        assertThat(third.entered()).isZero();
        assertRunsAtOnce(strategy, 2, mode.kind());
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_strategyClosesMidway_givesWhatWasTakenInThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> identity = identity(mode.kind());
        List<Integer> values = new ArrayList<>();
        try (var results = Pipeline.of(identity)
                .then(identity)
                .then(identity)
                .map(strategy, counting(pulled), mode.options().window(5))) {
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
        assertThatThrownBy(() -> Pipeline.of(identity).map(strategy, List.of(1)))
                .isInstanceOf(RejectedExecutionException.class);
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_strategyClosesNowMidway_failsWhatWasTakenInThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        Journal second = journal();
        Journal third = journal();
        AtomicInteger pulled = new AtomicInteger();
        Pipeline<Integer, Integer> pipeline = waitingInTheMiddle(mode.kind(), second, third, gate());
        List<Result<Integer>> delivered = new ArrayList<>();
        RacingThreads.run(
                () -> {
                    try (var results = pipeline.map(
                            strategy, counting(pulled).skip(1), mode.options().window(5))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(RejectedExecutionException.class);
                    }
                },
                () -> {
                    Patience.await().until(() -> second.inside() > 0);
                    strategy.closeNow();
                });
        assertThat(delivered)
                .hasSize(pulled.get() - 1)
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(CancellationException.class));
        assertThat(third.entered()).isZero();
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_strategyClosesNowWhileAnInputIsPulled_failsThatTooThenRejects(Mode mode) {
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> identity = workload(mode.kind(), "identity", n -> n);
        Stream<Integer> inputs = counting(pulled).peek(n -> {
            if (n == 2) {
                strategy.closeNow();
            }
        });
        List<Result<Integer>> delivered = new ArrayList<>();
        try (var results = Pipeline.of(identity)
                .then(identity)
                .map(strategy, inputs, mode.options().window(5))) {
            assertThatThrownBy(() -> results.forEach(delivered::add)).isInstanceOf(RejectedExecutionException.class);
        }
        assertSomeCancelled(delivered, pulled.get());
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_deadlinePasses_failsWhatIsInFlightThenThrows(Mode mode) throws Exception {
        FakeClock clock = new FakeClock();
        Journal second = journal();
        Journal third = journal();
        AtomicInteger pulled = new AtomicInteger();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Pipeline<Integer, Integer> pipeline = waitingInTheMiddle(mode.kind(), second, third, gate());
        List<Result<Integer>> delivered = new ArrayList<>();
        RacingThreads.run(
                () -> {
                    try (var results = pipeline.map(
                            strategy,
                            counting(pulled).skip(1),
                            mode.options().deadline(DEADLINE).window(4))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(TaskTimeoutException.class)
                                .hasMessageContainingAll("first, second, third", "" + DEADLINE);
                    }
                },
                () -> {
                    Patience.await().until(() -> second.inside() == 2);
                    clock.advance(DEADLINE.minusNanos(1));
                    assertThat(delivered).isEmpty();
                    clock.advance(Duration.ofNanos(1));
                });
        assertThat(delivered)
                .hasSize(pulled.get() - 2) // the last was pulled to see whether there are any
                .allSatisfy(result -> assertThat(causeOf(result)).isInstanceOf(TaskTimeoutException.class));
        awaitNoneInside(second);
        assertThat(third.entered()).isZero();
        assertRunsAtOnce(strategy, 2, mode.kind());
    }

    @ParameterizedTest
    @MethodSource("someModes")
    void pipeline_deadlinePassesWhileNobodyReads_cancelsAllTheSame(Mode mode) {
        assumeQuickStart();
        FakeClock clock = new FakeClock();
        Journal second = journal();
        Journal third = journal();
        AtomicInteger pulled = new AtomicInteger();
        ExecutorStrategy strategy = strategy(4, options -> options.clock(clock));
        try (var results = waitingInTheMiddle(mode.kind(), second, third, gate())
                .map(
                        strategy,
                        counting(pulled),
                        mode.options().deadline(DEADLINE).window(4))) {
            Iterator<Result<Integer>> each = results.iterator();
            assertThat(causeOf(each.next())).isInstanceOf(ArithmeticException.class);
            int before = pulled.get();
            Patience.await().until(() -> second.inside() == before - 1);
            clock.advance(DEADLINE);
            assertIdle(strategy);
            awaitNoneInside(second);
            for (int i = 1; i < before; i++) {
                assertThat(causeOf(each.next())).isInstanceOf(TaskTimeoutException.class);
            }
            assertThatThrownBy(each::hasNext).isInstanceOf(TaskTimeoutException.class);
        }
        assertThat(third.entered()).isZero();
    }
}
