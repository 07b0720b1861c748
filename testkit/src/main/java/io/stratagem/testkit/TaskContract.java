package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.Snapshot;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The part of the contract that is about single tasks: results, cancellation, timeouts, retries, listeners, counts. */
public abstract class TaskContract extends StrategyFixture {
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final Duration MOMENT = Duration.ofMillis(1);

    /** For subclasses. */
    protected TaskContract() {}

    // ---------------------------------------------------------------------------------------------- results

    @ParameterizedTest
    @EnumSource
    void run_anyKind_givesValueAndHowItRan(Kind kind) {
        ExecutorStrategy strategy = strategy(2);
        Result<String> result = strategy.run(workload(kind, "twice", (Integer n) -> "" + 2 * n), 21);
        assertThat(result).isEqualTo(Result.success("42"));
        assertThat(result.execution().strategy()).isEqualTo(strategy.name());
        assertThat(result.execution().worker()).isNotEmpty();
        assertThat(result.execution().attempts()).isEqualTo(1);
        assertThat(result.execution().batchSize()).isEqualTo(1);
        assertThat(result.execution().queued()).isGreaterThanOrEqualTo(Duration.ZERO);
        assertThat(result.execution().ran()).isGreaterThanOrEqualTo(Duration.ZERO);
    }

    @Test
    void execution_measuredByClock_tellsWaitAndRun() throws Exception {
        assume(Ability.IN_THIS_JVM); // a worker elsewhere tells by its own clock how long ago it began
        FakeClock clock = new FakeClock();
        Gate blocker = gate();
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        List<CompletableFuture<Result<Integer>>> busy = occupy(strategy, 1, Kind.COMPUTE, blocker);
        CompletableFuture<Result<Integer>> later =
                strategy.submit(workload(Kind.COMPUTE, "later", telling(journal, gate)), 1);
        clock.advance(Duration.ofSeconds(2));
        blocker.open();
        Patience.await().until(() -> journal.entered() == 1);
        clock.advance(Duration.ofSeconds(5));
        gate.open();
        assertThat(Patience.get(later).execution().queued()).isEqualTo(Duration.ofSeconds(2));
        assertThat(Patience.get(later).execution().ran()).isEqualTo(Duration.ofSeconds(5));
        assertThat(Patience.get(busy.get(0)).execution().ran()).isEqualTo(Duration.ofSeconds(2));
    }

    static Stream<Throwable> throwables() {
        return Stream.of(
                new IllegalStateException("unchecked"),
                new IOException("checked"),
                new AssertionError("error"),
                new StackOverflowError("deep"),
                new OutOfMemoryError("of the test"),
                new InterruptedException("thrown, not sent"),
                new CancellationException("thrown by the task"),
                new Throwable("neither exception nor error"));
    }

    @ParameterizedTest
    @MethodSource("throwables")
    void run_functionThrows_isFailureWithThatException(Throwable thrown) {
        ExecutorStrategy strategy = strategy(2);
        for (Kind kind : Kind.values()) {
            Result<Object> result = strategy.run(workload(kind, "throwing", TaskContract::rethrow), thrown);
            assertThat(result).isInstanceOf(Result.Failure.class);
            Throwable cause = ((Result.Failure<Object>) result).cause();
            assertThat(cause).hasSameClassAs(thrown).hasMessage(thrown.getMessage());
            if (abilities().contains(Ability.IN_THIS_JVM)) {
                assertThat(cause).isSameAs(thrown);
            }
        }
        assertThat(strategy.run(workload(Kind.COMPUTE, "next", (Integer n) -> n), 7))
                .as("others go on")
                .isEqualTo(Result.success(7));
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> Object rethrow(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @ParameterizedTest
    @EnumSource
    void run_nullInputAndOutput_areKept(Kind kind) {
        ExecutorStrategy strategy = strategy(1);
        Result<String> result = strategy.run(workload(kind, "identity", (String s) -> s), null);
        assertThat(result.isSuccess()).isTrue();
        assertThat(result.orElseThrow()).isNull();
    }

    @Test
    void run_action_givesNull() {
        ExecutorStrategy strategy = strategy(1);
        Journal journal = journal();
        assertThat(strategy.run(Workload.computeAction("act", (String s) -> journal.add(s)), "computed")
                        .orElseThrow())
                .isNull();
        assertThat(strategy.run(Workload.blockingAction("act", (String s) -> journal.add(s)), "blocked")
                        .orElseThrow())
                .isNull();
        assertThat(journal.entries()).containsExactly("computed", "blocked");
    }

    @Test
    void run_stageFails_isFailureWithItsCause() {
        ExecutorStrategy strategy = strategy(1);
        Workload<String, String> failing =
                Workload.async("failing", (message, loop) -> CompletableFuture.failedFuture(new IOException(message)));
        Workload<String, String> dependent = Workload.async(
                "dependent",
                (message, loop) -> loop.delay(Duration.ZERO).<String>thenApply(nothing -> {
                    throw new IllegalStateException(message);
                }));
        assertThat(causeOf(strategy.run(failing, "a")))
                .isInstanceOf(IOException.class)
                .hasMessage("a");
        assertThat(causeOf(strategy.run(dependent, "b")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("b");
    }

    @Test
    void run_noStage_isFailureThatNamesWorkload() {
        ExecutorStrategy strategy = strategy(1);
        Workload<String, String> careless = Workload.async("careless", (input, loop) -> null);
        assertThat(causeOf(strategy.run(careless, "a")))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("careless");
    }

    @Test
    void run_stageCompletedElsewhere_isDelivered() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<String> elsewhere = new CompletableFuture<>();
        CompletableFuture<Result<String>> future =
                strategy.submit(Workload.async("elsewhere", (String input, Loop loop) -> elsewhere), "");
        assertThat(future).isNotDone();
        assertThat(elsewhere.complete("here")).isTrue();
        assertThat(Patience.get(future)).isEqualTo(Result.success("here"));
    }

    @Test
    void delay_passes_completes() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        assume(Ability.IN_THIS_JVM);
        Workload<Duration, String> later = Workload.async("later", (delay, loop) -> {
            journal.enter();
            return loop.delay(delay).thenApply(nothing -> "done");
        });
        CompletableFuture<Result<String>> future = strategy.submit(later, Duration.ofSeconds(1));
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() == 1);
        clock.advance(Duration.ofMillis(999));
        assertThat(future).isNotDone();
        clock.advance(MOMENT);
        assertThat(Patience.get(future)).isEqualTo(Result.success("done"));
    }

    @Test
    void offload_throws_failsTheStage() {
        ExecutorStrategy strategy = strategy(1);
        Workload<String, String> offloading = Workload.async(
                "offloading",
                (message, loop) -> loop.offload(() -> {
                    throw new IOException(message);
                }));
        assertThat(causeOf(strategy.run(offloading, "x")))
                .isInstanceOf(IOException.class)
                .hasMessage("x");
    }

    @Test
    void loop_callbacks_runInLoop() {
        ExecutorStrategy strategy = strategy(2);
        Workload<String, String> asking = Workload.async(
                "asking",
                (input, loop) -> loop.delay(Duration.ZERO)
                        .thenCompose(nothing -> CompletableFuture.supplyAsync(loop::inLoop, loop.executor()))
                        .thenCombine(loop.offload(loop::inLoop), (callback, offloaded) -> callback + " " + offloaded));
        assertThat(strategy.run(asking, "")).isEqualTo(Result.success("true false"));
    }

    @ParameterizedTest
    @EnumSource
    void submit_fails_completesNormally(Kind kind) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> dividing = workload(kind, "dividing", n -> 1 / n);
        CompletableFuture<Result<Integer>> future = strategy.submit(dividing, 0);
        assertThat(causeOf(Patience.get(future))).isInstanceOf(ArithmeticException.class);
        assertThat(future).isDone().isNotCompletedExceptionally();
    }

    @Test
    void submit_racingThreads_eachTaskOnceAndSeesWhatWentBefore() {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(3);
        Workload<int[], Integer> reading = Workload.compute("reading", box -> box[0]++);
        RacingThreads.run(4, thread -> {
            List<int[]> boxes = new ArrayList<>();
            List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                int[] box = {i};
                boxes.add(box);
                futures.add(strategy.submit(reading, box));
            }
            for (int i = 0; i < futures.size(); i++) {
                assertThat(Patience.get(futures.get(i)).orElseThrow()).isEqualTo(i);
                assertThat(boxes.get(i)[0]).as("run once").isEqualTo(i + 1);
            }
        });
    }

    @Test
    void submit_dependentStages_runAndMayBlock() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Gate gate = gate();
        Workload<Integer, Integer> waiting = waiting(Kind.BLOCKING, gate);
        Workload<Integer, Integer> next = workload(Kind.BLOCKING, "next", n -> n + 1);
        CompletableFuture<Integer> both = strategy.submit(waiting, 1)
                .thenCompose(first -> strategy.submit(next, first.orElseThrow()))
                .thenApply(Result::orElseThrow);
        CompletableFuture<Integer> nested = strategy.submit(waiting, 5)
                .thenApply(first -> strategy.run(next, first.orElseThrow()).orElseThrow());
        gate.open();
        assertThat(Patience.get(both)).isEqualTo(2);
        assertThat(Patience.get(nested)).isEqualTo(6);
    }

    // ---------------------------------------------------------------------------------------------- isolation

    @Test
    void anyEntry_isolatedWorkload_isRefused() {
        assume(Ability.REFUSES_ISOLATED);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> isolated =
                Workload.named("dangerous").isolated().compute(n -> n);
        assertThatThrownBy(() -> strategy.run(isolated, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("dangerous", strategy.name(), "allowInProcess");
        assertThatThrownBy(() -> strategy.submit(isolated, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> strategy.map(isolated, List.of(1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> strategy.mapUnordered(isolated, List.of(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void run_isolatedWorkloadAllowed_runs() {
        ExecutorStrategy strategy = strategy(1, options -> options.allowInProcess(true));
        Workload<Integer, Integer> isolated =
                Workload.named("dangerous").isolated().compute(n -> n);
        assertThat(strategy.run(isolated, 1)).isEqualTo(Result.success(1));
    }

    // ---------------------------------------------------------------------------------------------- cancelling

    @ParameterizedTest
    @EnumSource
    void cancelTrue_running_interruptsIt(Kind kind) throws Exception {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(kind, "long", telling(journal, gate())), 1);
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(future.cancel(true)).isTrue();
        assertThat(future).isCancelled();
        assertThatThrownBy(future::get).isInstanceOf(CancellationException.class);
        awaitInterrupted(journal, 1);
        assertRunsAtOnce(strategy, 1, kind);
        assertThat(future.cancel(true)).as("again").isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void cancelFalse_running_letsItFinish(Kind kind) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future = strategy.submit(workload(kind, "long", telling(journal, gate)), 1);
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(future.cancel(false)).isTrue();
        assertThat(future).isCancelled();
        gate.open();
        Patience.await().until(() -> journal.inside() == 0);
        assertThat(journal.count("through")).isEqualTo(1);
        assertThat(journal.count("interrupted")).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void cancel_queued_neverRuns(Kind kind) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        occupy(strategy, 1, kind, gate);
        Workload<String, Integer> noting = workload(kind, "noting", entry -> {
            journal.add(entry);
            return 1;
        });
        CompletableFuture<Result<Integer>> gently = strategy.submit(noting, "gently");
        CompletableFuture<Result<Integer>> hard = strategy.submit(noting, "hard");
        CompletableFuture<Result<Integer>> last = strategy.submit(noting, "last");
        assertThat(gently.cancel(false)).isTrue();
        assertThat(hard.cancel(true)).isTrue();
        gate.open();
        assertThat(Patience.get(last)).isEqualTo(Result.success(1));
        assertThat(journal.entries()).containsExactly("last");
        assertThat(gently).isCancelled();
        assertThat(hard).isCancelled();
    }

    @Test
    void cancel_done_changesNothing() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future = strategy.submit(workload(Kind.COMPUTE, "quick", n -> n), 1);
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        assertThat(future.cancel(true)).isFalse();
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
    }

    @Test
    void cancel_dependentStage_stopsNothing() throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(Kind.BLOCKING, "long", telling(journal, gate)), 1);
        CompletableFuture<Integer> dependent = future.thenApply(Result::orElseThrow);
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(dependent.cancel(true)).isTrue();
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        assertThat(journal.count("interrupted")).isZero();
    }

    @Test
    void run_callerInterrupted_keepsFlagAndCancelsTask() {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> waiting = workload(Kind.BLOCKING, "long", telling(journal, gate()));
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    Result<Integer> result = strategy.run(waiting, 1);
                    assertThat(Thread.currentThread().isInterrupted())
                            .as("flag")
                            .isTrue();
                    assertThat(causeOf(result)).isInstanceOf(CancellationException.class);
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 1);
                    caller.get().interrupt();
                });
        awaitInterrupted(journal, 1);
    }

    @Test
    void run_callerInterruptedBefore_keepsFlag() {
        ExecutorStrategy strategy = strategy(1);
        Gate gate = gate();
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            Result<Integer> result = strategy.run(waiting(Kind.BLOCKING, gate), 1);
            assertThat(Thread.currentThread().isInterrupted()).as("flag").isTrue();
            assertThat(causeOf(result)).isInstanceOf(CancellationException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void interrupt_leftBehindByTask_doesNotMeetTheNext(Kind kind) {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Boolean> leaving = workload(kind, "leaving", n -> {
            boolean met = Thread.currentThread().isInterrupted();
            Thread.currentThread().interrupt();
            return met;
        });
        try (Stream<Result<Boolean>> results =
                strategy.map(leaving, IntStream.range(0, 2000).boxed())) {
            assertThat(results.filter(Result::orElseThrow).count()).isZero();
        }
        assertThat(strategy.run(leaving, 1)).isEqualTo(Result.success(false));
    }

    @Test
    void interrupt_leftBehindByAsyncStart_doesNotMeetTheNext() {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Boolean> leaving = Workload.async("leaving", (n, loop) -> {
            boolean met = Thread.currentThread().isInterrupted();
            Thread.currentThread().interrupt();
            return CompletableFuture.completedFuture(met);
        });
        for (int i = 0; i < 20; i++) {
            assertThat(strategy.run(leaving, i)).isEqualTo(Result.success(false));
        }
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void interrupt_leftBehindByNestedTask_meetsNeitherTheNextNorTheOuter(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Boolean> inner = workload(kind, "inner", n -> {
            boolean met = Thread.currentThread().isInterrupted();
            Thread.currentThread().interrupt();
            return met;
        });
        Workload<Integer, String> outer = workload(kind, "outer", n -> {
            long met;
            try (var results = strategy.map(inner, IntStream.range(0, 500).boxed())) {
                met = results.filter(Result::orElseThrow).count();
            }
            return met + ", then " + Thread.currentThread().isInterrupted();
        });
        assertThat(strategy.run(outer, 1)).isEqualTo(Result.success("0, then false"));
    }

    @ParameterizedTest
    @EnumSource
    void cancelTrue_atAnyMoment_interruptsNoOtherTask(Kind kind) throws Exception {
        assume(Ability.INTERRUPTS);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> victim = workload(kind, "victim", spins -> {
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            return spins;
        });
        Workload<Integer, Boolean> innocent = workload(kind, "innocent", spins -> {
            boolean met = Thread.currentThread().isInterrupted();
            for (int i = 0; i < spins && !met; i++) {
                met = Thread.currentThread().isInterrupted();
            }
            return met;
        });
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        int rounds = 2000 * Integer.getInteger("stress.rounds", 1);
        for (int i = 0; i < rounds; i++) {
            CompletableFuture<Result<Integer>> cancelled = strategy.submit(victim, random.nextInt(300));
            CompletableFuture<Result<Boolean>> next = strategy.submit(innocent, random.nextInt(300));
            for (int spins = random.nextInt(1000); spins > 0; spins--) {
                Thread.onSpinWait();
            }
            cancelled.cancel(true);
            assertThat(Patience.get(next)).as("round %s, seed %s", i, seed).isEqualTo(Result.success(false));
        }
    }

    @Test
    void cancelTrue_taskThatHelpsAnother_interruptReachesIt() throws Exception {
        assume(Ability.IN_THIS_JVM);
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> inner = workload(Kind.BLOCKING, "inner", telling(journal, gate));
        Workload<Integer, Integer> outer = workload(Kind.BLOCKING, "outer", n -> {
            strategy.run(inner, n);
            journal.add(Thread.currentThread().isInterrupted() ? "outer interrupted" : "outer not interrupted");
            return n;
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(outer, 1);
        Patience.await().until(() -> journal.inside() == 1);
        future.cancel(true);
        Patience.await().until(() -> journal.entries().stream().anyMatch(entry -> entry.startsWith("outer")));
        assertThat(journal.entries()).contains("outer interrupted");
        assertRunsAtOnce(strategy, 1, Kind.BLOCKING);
    }

    // ---------------------------------------------------------------------------------------------- timeouts

    @Test
    void ran_afterATaskThatTimedOut_isItsOwnTime() throws Exception {
        assume(Ability.IN_THIS_JVM);
        assume(Ability.INTERRUPTS);
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        CompletableFuture<?> first = strategy.submit(waiting(Kind.COMPUTE, gate), 1);
        CompletableFuture<?> timed = strategy.submit(
                workload(
                        Kind.COMPUTE, Workload.named("timed").timeout(Duration.ofSeconds(1)), telling(journal, gate())),
                2);
        CompletableFuture<Result<Integer>> last = strategy.submit(workload(Kind.COMPUTE, "last", n -> n), 3);
        gate.open();
        awaitTimed(clock, journal, 1);
        clock.advance(Duration.ofSeconds(1));

        assertThat(Patience.get(last).execution().ran()).isZero();
        Patience.get(first);
        Patience.get(timed);
    }

    /** Waits until so many tasks have begun, and the timeout of one counts: elsewhere a start is heard of later. */
    private static void awaitTimed(FakeClock clock, Journal journal, long entered) {
        Patience.await().until(() -> journal.entered() == entered && clock.waiting() > 0);
    }

    @ParameterizedTest
    @EnumSource
    void timeout_passes_failsAtOnceAndInterrupts(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        CompletableFuture<Result<Integer>> future = strategy.submit(
                workload(kind, Workload.named("endless").timeout(TIMEOUT), telling(journal, gate())), 1);
        awaitTimed(clock, journal, 1);
        clock.advance(TIMEOUT.minus(MOMENT));
        assertThat(future).isNotDone();
        clock.advance(MOMENT);
        Throwable cause = causeOf(Patience.get(future));
        assertThat(cause).isInstanceOf(TaskTimeoutException.class).hasMessageContainingAll("endless", "" + TIMEOUT);
        if (abilities().contains(Ability.REFUSES_ISOLATED)) {
            assertThat(cause).hasMessageContaining("only an isolated workload can be killed");
        }
        assertThat(future).isNotCompletedExceptionally();
        awaitInterrupted(journal, 1);
        assertRunsAtOnce(strategy, 1, kind);
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void timeout_whileQueued_doesNotCount(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Gate blocker = gate();
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        occupy(strategy, 1, kind, blocker);
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(kind, Workload.named("patient").timeout(TIMEOUT), telling(journal, gate)), 1);
        clock.advance(TIMEOUT.multipliedBy(10));
        assertThat(future).isNotDone();
        blocker.open();
        awaitTimed(clock, journal, 1);
        clock.advance(TIMEOUT.minus(MOMENT));
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
    }

    @ParameterizedTest
    @EnumSource
    void timeout_taskDoneInTime_leavesNoTimer(Kind kind) {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Workload<Integer, Integer> quick =
                workload(kind, Workload.named("quick").timeout(TIMEOUT), n -> n);
        for (int i = 0; i < 10; i++) {
            assertThat(strategy.run(quick, i)).isEqualTo(Result.success(i));
        }
        Patience.await().until(() -> clock.waiting() == 0);
    }

    @ParameterizedTest
    @EnumSource
    void timeout_taskReturnsAllTheSame_isDropped(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Workload<Integer, Integer> stubborn =
                workload(kind, Workload.named("stubborn").timeout(TIMEOUT), input -> {
                    journal.enter();
                    gate.awaitIgnoringInterrupts();
                    journal.leave();
                    return input;
                });
        CompletableFuture<Result<Integer>> future = strategy.submit(stubborn, 1);
        awaitTimed(clock, journal, 1);
        clock.advance(TIMEOUT);
        assertThat(causeOf(Patience.get(future))).isInstanceOf(TaskTimeoutException.class);
        gate.open();
        awaitNoneInside(journal);
        assertRunsAtOnce(strategy, 1, kind);
        assertThat(causeOf(Patience.get(future))).isInstanceOf(TaskTimeoutException.class);
    }

    @Test
    void timeout_ofOneInABatch_leavesItsMatesAlone() {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        int hanging = 5000;
        CountDownLatch hasBegun = new CountDownLatch(1); // as the strategy knows: from then on its timeout counts
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.clock(clock).listener(new TaskListener() {
                    @Override
                    public void started(TaskInfo task, String worker) {
                        if (Objects.equals(task.input(), hanging)) {
                            hasBegun.countDown();
                        }
                    }
                }));
        Workload<Integer, Integer> mixed = Workload.named("mixed")
                .timeout(TIMEOUT)
                .compute(n -> {
                    if (n == hanging) {
                        telling(journal, gate).apply(n);
                    }
                    return n;
                });
        List<Result<Integer>> results = Collections.synchronizedList(new ArrayList<>());
        RacingThreads.run(
                () -> {
                    try (var stream =
                            strategy.map(mixed, Stream.iterate(0, n -> n + 1).limit(10_000))) {
                        stream.forEach(results::add);
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 1 && hasBegun.getCount() == 0);
                    clock.advance(TIMEOUT);
                });
        assertThat(results).hasSize(10_000);
        for (int n = 0; n < results.size(); n++) {
            if (n == hanging) {
                assertThat(causeOf(results.get(n))).isInstanceOf(TaskTimeoutException.class);
                assertThat(results.get(n).execution().batchSize()).isGreaterThan(1);
            } else {
                assertThat(results.get(n)).isEqualTo(Result.success(n));
            }
        }
    }

    @Test
    void timeout_inABatch_countsFromEachTasksStart() {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        int first = 4000;
        List<Gate> steps = List.of(gate(), gate(), gate());
        AtomicInteger begun = new AtomicInteger(first); // the steps that have, as the strategy knows, up to this one
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.clock(clock).listener(new TaskListener() {
                    @Override
                    public void started(TaskInfo task, String worker) {
                        begun.compareAndSet((int) task.input(), (int) task.input() + 1);
                    }
                }));
        Workload<Integer, Integer> stepping = Workload.named("stepping")
                .timeout(TIMEOUT)
                .compute(n -> {
                    if (n >= first && n < first + steps.size()) {
                        telling(journal, steps.get(n - first)).apply(n);
                    }
                    return n;
                });
        List<Result<Integer>> results = Collections.synchronizedList(new ArrayList<>());
        RacingThreads.run(
                () -> {
                    try (var stream =
                            strategy.map(stepping, Stream.iterate(0, n -> n + 1).limit(9000))) {
                        stream.forEach(results::add);
                    }
                },
                () -> {
                    for (int step = 1; step <= steps.size(); step++) {
                        int expected = step;
                        Patience.await()
                                .until(() -> journal.entered() == expected
                                        && journal.inside() == 1
                                        && begun.get() == first + expected);
                        clock.advance(TIMEOUT.multipliedBy(6).dividedBy(10));
                        steps.get(step - 1).open();
                    }
                });
        assertThat(results).hasSize(9000).allMatch(Result::isSuccess);
        assertThat(results.get(first).execution().batchSize()).isGreaterThan(steps.size());
    }

    // ---------------------------------------------------------------------------------------------- retries

    @ParameterizedTest
    @EnumSource
    void retry_failsTwice_givesThirdAttempt(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        AtomicInteger runs = new AtomicInteger();
        Workload<String, String> flaky =
                workload(kind, Workload.named("flaky").retry(RetryPolicy.attempts(5)), input -> {
                    if (runs.incrementAndGet() < 3) {
                        throw new IOException("not yet");
                    }
                    return input;
                });
        Result<String> result = strategy.run(flaky, "there");
        assertThat(result).isEqualTo(Result.success("there"));
        assertThat(result.execution().attempts()).isEqualTo(3);
        assertThat(runs).hasValue(3);
        assertThat(strategy.snapshot().retried()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void retry_failsAlways_givesLastFailure(Kind kind) {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Result<Integer> result = strategy.run(
                workload(kind, Workload.named("hopeless").retry(RetryPolicy.attempts(4)), failing(journal)), 1);
        assertThat(causeOf(result)).isInstanceOf(IOException.class);
        assertThat(result.execution().attempts()).isEqualTo(4);
        assertThat(journal.entered()).isEqualTo(4);
    }

    private static <T> Fn<T, T> failing(Journal journal) {
        return input -> {
            journal.enter();
            throw new IOException("as ever");
        };
    }

    @Test
    void retry_otherExceptionOrError_isNotTriedAgain() {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> picky = workload(
                Kind.COMPUTE,
                Workload.named("picky").retry(RetryPolicy.attempts(4).on(IllegalStateException.class)),
                failing(journal));
        assertThat(causeOf(strategy.run(picky, 1))).isInstanceOf(IOException.class);
        assertThat(journal.entered()).isEqualTo(1);
        Workload<Integer, Integer> error =
                workload(Kind.COMPUTE, Workload.named("error").retry(RetryPolicy.attempts(4)), input -> {
                    journal.add("error");
                    throw new AssertionError("errors are not tried again");
                });
        assertThat(causeOf(strategy.run(error, 1))).isInstanceOf(AssertionError.class);
        assertThat(journal.count("error")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void retry_backoff_waitsGrowingTimesWithoutWorker(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        RetryPolicy policy = RetryPolicy.attempts(4)
                .backoff(Duration.ofSeconds(1), 2, Duration.ofSeconds(3))
                .jitter(0);
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(kind, Workload.named("flaky").retry(policy), failing(journal)), 1);
        long attempt = 1;
        for (int seconds : new int[] {1, 2, 3}) {
            long attempts = attempt++;
            Patience.await().until(() -> journal.entered() == attempts && clock.waiting() == 1);
            assertRunsAtOnce(strategy, 1, kind);
            clock.advance(Duration.ofSeconds(seconds).minus(MOMENT));
            assertRunsAtOnce(strategy, 1, kind);
            assertThat(journal.entered()).isEqualTo(attempts);
            clock.advance(MOMENT);
        }
        assertThat(Patience.get(future).execution().attempts()).isEqualTo(4);
        assertThat(journal.entered()).isEqualTo(4);
    }

    @Test
    void retry_within_stopsInTime() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        RetryPolicy policy = RetryPolicy.attempts(100)
                .backoff(Duration.ofSeconds(1))
                .jitter(0)
                .within(Duration.ofMillis(2500));
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(Kind.COMPUTE, Workload.named("flaky").retry(policy), failing(journal)), 1);
        for (long i = 1; i <= 2; i++) {
            long attempts = i;
            Patience.await().until(() -> journal.entered() == attempts && clock.waiting() == 1);
            clock.advance(Duration.ofSeconds(1));
        }
        assertThat(Patience.get(future).execution().attempts()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource
    void retry_cancelledWhileItWaits_neverRunsAgain(Kind kind) {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        RetryPolicy policy = RetryPolicy.attempts(4).backoff(Duration.ofSeconds(1));
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(kind, Workload.named("flaky").retry(policy), failing(journal)), 1);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() == 1);
        assertThat(future.cancel(false)).isTrue();
        Patience.await().until(() -> clock.waiting() == 0);
        clock.advance(Duration.ofMinutes(1));
        assertThat(strategy.run(workload(kind, "after", (Integer n) -> n), 1)).isEqualTo(Result.success(1));
        assertThat(journal.entered()).isEqualTo(1);
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().running()).isZero();
        });
    }

    @ParameterizedTest
    @EnumSource
    void retry_runningTaskCancelled_isNotTriedAgain(Kind kind) {
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future = strategy.submit(
                workload(
                        kind,
                        Workload.named("long").retry(RetryPolicy.attempts(4).on(Throwable.class)),
                        telling(journal, gate())),
                1);
        Patience.await().until(() -> journal.inside() == 1);
        future.cancel(true);
        awaitNoneInside(journal);
        assertThat(strategy.run(workload(kind, "after", (Integer n) -> n), 1)).isEqualTo(Result.success(1));
        assertThat(journal.entered()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void retry_timeouts_eachAttemptHasItsOwn(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Workload.Builder<Object> options = Workload.named("hanging")
                .timeout(TIMEOUT)
                .retry(RetryPolicy.attempts(3).on(TaskTimeoutException.class));
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(kind, options, telling(journal, gate())), 1);
        for (long i = 1; i <= 3; i++) {
            awaitTimed(clock, journal, i);
            clock.advance(TIMEOUT.minus(MOMENT));
            assertThat(future).isNotDone();
            clock.advance(MOMENT);
        }
        Result<Integer> result = Patience.get(future);
        assertThat(causeOf(result)).isInstanceOf(TaskTimeoutException.class);
        assertThat(result.execution().attempts()).isEqualTo(3);
        assertThat(journal.entered()).isEqualTo(3);
    }

    // ---------------------------------------------------------------------------------------------- listeners

    /** Keeps what it hears, by task. */
    static final class Hearing implements TaskListener {
        final Map<Long, List<String>> events = new ConcurrentHashMap<>();
        final Map<Long, Object> inputs = new ConcurrentHashMap<>();

        private void note(TaskInfo task, String event) {
            inputs.put(task.id(), String.valueOf(task.input()));
            events.computeIfAbsent(task.id(), id -> Collections.synchronizedList(new ArrayList<>()))
                    .add(event);
        }

        @Override
        public void submitted(TaskInfo task) {
            note(task, "submitted");
        }

        @Override
        public void started(TaskInfo task, String worker) {
            note(task, worker.isEmpty() ? "started by nobody" : "started");
        }

        @Override
        public void finished(TaskInfo task, Result<?> result) {
            note(task, result.fold(value -> "success", cause -> cause.getClass().getSimpleName()));
        }

        List<String> of(Object input) {
            return inputs.entrySet().stream()
                    .filter(entry -> entry.getValue().equals(String.valueOf(input)))
                    .flatMap(entry -> events.get(entry.getKey()).stream())
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void listener_singleTasks_hearsEachEventOnceInOrder(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Hearing hearing = new Hearing();
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock).listener(hearing));
        strategy.run(workload(kind, "fine", (String s) -> s), "fine");
        strategy.run(workload(kind, "failing", failing(journal)), "failing");
        strategy.run(
                workload(kind, Workload.named("retried").retry(RetryPolicy.attempts(3)), failing(journal)), "retried");
        Journal started = journal();
        CompletableFuture<Result<String>> cancelled =
                strategy.submit(workload(kind, "cancelled", telling(started, gate)), "cancelled");
        Patience.await()
                .until(() -> started.inside() == 1 && hearing.of("cancelled").contains("started"));
        cancelled.cancel(true);
        CompletableFuture<Result<String>> late = strategy.submit(
                workload(kind, Workload.named("late").timeout(TIMEOUT), telling(started, gate)), "late");
        awaitTimed(clock, started, 2);
        clock.advance(TIMEOUT);
        Patience.get(late);
        Patience.await().untilAsserted(() -> {
            assertThat(hearing.of("fine")).containsExactly("submitted", "started", "success");
            assertThat(hearing.of("failing")).containsExactly("submitted", "started", "IOException");
            assertThat(hearing.of("retried"))
                    .containsExactly("submitted", "started", "started", "started", "IOException");
            assertThat(hearing.of("cancelled")).containsExactly("submitted", "started", "CancellationException");
            assertThat(hearing.of("late")).containsExactly("submitted", "started", "TaskTimeoutException");
        });
        assertThat(hearing.events).hasSize(5);
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void listener_queuedTaskCancelled_hearsNoStart(Kind kind) {
        Hearing hearing = new Hearing();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.listener(hearing));
        occupy(strategy, 1, kind, gate);
        CompletableFuture<Result<String>> queued = strategy.submit(workload(kind, "queued", (String s) -> s), "queued");
        queued.cancel(false);
        gate.open();
        strategy.run(workload(kind, "last", (String s) -> s), "last");
        Patience.await()
                .untilAsserted(
                        () -> assertThat(hearing.of("queued")).containsExactly("submitted", "CancellationException"));
    }

    @ParameterizedTest
    @EnumSource
    void listener_map_hearsEachTask(Kind kind) {
        Hearing hearing = new Hearing();
        ExecutorStrategy strategy = strategy(3, options -> options.listener(hearing));
        Workload<Integer, Integer> some = workload(kind, "some", n -> 100 / (n % 10));
        try (var results = strategy.map(some, IntStream.range(0, 1000).boxed())) {
            assertThat(results.filter(Result::isSuccess).count()).isEqualTo(900);
        }
        Patience.await()
                .untilAsserted(() -> assertThat(hearing.events).hasSize(1000).allSatisfy((id, events) -> {
                    boolean fails = Integer.parseInt((String) hearing.inputs.get(id)) % 10 == 0;
                    assertThat(events)
                            .containsExactly("submitted", "started", fails ? "ArithmeticException" : "success");
                }));
    }

    @Test
    void listener_finished_comesBeforeTheFutureIsDone() throws Exception {
        AtomicBoolean finished = new AtomicBoolean();
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.listener(new TaskListener() {
                    @Override
                    public void finished(TaskInfo task, Result<?> result) {
                        finished.set(true);
                    }
                }));
        for (int i = 0; i < 100; i++) {
            finished.set(false);
            Patience.get(strategy.submit(workload(Kind.COMPUTE, "quick", (Integer n) -> n), i));
            assertThat(finished).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void listener_throws_harmsNothing(Kind kind) {
        TaskListener broken = new TaskListener() {
            @Override
            public void submitted(TaskInfo task) {
                throw new IllegalStateException("broken listener, as the test wants it");
            }

            @Override
            public void started(TaskInfo task, String worker) {
                throw new IllegalStateException("broken listener, as the test wants it");
            }

            @Override
            public void finished(TaskInfo task, Result<?> result) {
                throw new AssertionError("broken listener, as the test wants it");
            }
        };
        Hearing hearing = new Hearing();
        ExecutorStrategy strategy =
                strategy(1, options -> options.listener(broken).listener(hearing));
        assertThat(strategy.run(workload(kind, "fine", (Integer n) -> n), 1)).isEqualTo(Result.success(1));
        try (var results = strategy.map(workload(kind, "fine", (Integer n) -> n), List.of(2, 3))) {
            assertThat(results.toList()).isEqualTo(List.of(Result.success(2), Result.success(3)));
        }
        Patience.await()
                .untilAsserted(() -> assertThat(hearing.of(3)).containsExactly("submitted", "started", "success"));
    }

    // ---------------------------------------------------------------------------------------------- counts

    @Test
    void snapshot_idle_countsAddUp() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        assertThat(strategy.snapshot().submitted()).isZero();
        for (Kind kind : Kind.values()) {
            strategy.run(workload(kind, "fine", (Integer n) -> n), 1);
            strategy.run(workload(kind, "failing", (Integer n) -> Math.floorDiv(n, 0)), 1);
            try (var results = strategy.map(
                    workload(kind, "some", (Integer n) -> 1 / (n % 2)),
                    IntStream.range(0, 10).boxed())) {
                assertThat(results.count()).isEqualTo(10);
            }
        }
        CompletableFuture<Result<Integer>> cancelled =
                strategy.submit(workload(Kind.BLOCKING, "cancelled", telling(journal, gate)), 1);
        CompletableFuture<Result<Integer>> late = strategy.submit(
                workload(Kind.COMPUTE, Workload.named("late").timeout(TIMEOUT), telling(journal, gate)), 1);
        awaitTimed(clock, journal, 2);
        cancelled.cancel(true);
        clock.advance(TIMEOUT);
        Patience.get(late);
        Patience.await().untilAsserted(() -> {
            Snapshot snapshot = strategy.snapshot();
            assertThat(snapshot.strategy()).isEqualTo(strategy.name());
            assertThat(snapshot.closed()).isFalse();
            assertThat(snapshot.submitted()).isEqualTo(38);
            assertThat(snapshot.succeeded()).isEqualTo(18);
            assertThat(snapshot.failed()).isEqualTo(20);
            assertThat(snapshot.cancelled()).isEqualTo(1);
            assertThat(snapshot.timedOut()).isEqualTo(1);
            assertThat(snapshot.retried()).isZero();
            assertThat(snapshot.queued()).isZero();
            assertThat(snapshot.running()).isZero();
        });
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void snapshot_busy_countsRunningAndQueued(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>(occupy(strategy, 2, kind, gate));
        for (int i = 0; i < 3; i++) {
            futures.add(strategy.submit(waiting(kind, gate), i));
        }
        clock.advance(Duration.ofSeconds(7));
        Snapshot snapshot = strategy.snapshot();
        assertThat(snapshot.submitted()).isEqualTo(5);
        assertThat(snapshot.running()).isEqualTo(2);
        assertThat(snapshot.queued()).isEqualTo(3);
        assertThat(snapshot.workers())
                .filteredOn(worker -> worker.workload().isPresent())
                .hasSize(2)
                .allSatisfy(worker -> {
                    assertThat(worker.workload()).contains("busy");
                    assertThat(worker.busy()).isEqualTo(Duration.ofSeconds(7));
                    assertThat(worker.name()).isNotEmpty();
                });
        gate.open();
        for (CompletableFuture<Result<Integer>> future : futures) {
            Patience.get(future);
        }
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().running()).isZero();
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().workers())
                    .allSatisfy(worker -> assertThat(worker.workload()).isEmpty());
        });
    }

    @Test
    void snapshot_async_countsWhatWaits() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        assume(Ability.IN_THIS_JVM);
        Workload<Integer, Void> sleeping = Workload.async("sleeping", (n, loop) -> {
            journal.enter();
            return loop.delay(Duration.ofSeconds(n));
        });
        CompletableFuture<Result<Void>> future = strategy.submit(sleeping, 1);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() == 1);
        assertThat(strategy.snapshot().running()).isEqualTo(1);
        assertThat(strategy.snapshot().queued()).isZero();
        clock.advance(Duration.ofSeconds(1));
        Patience.get(future);
        Patience.await().until(() -> strategy.snapshot().running() == 0);
    }

    // ---------------------------------------------------------------------------------------------- help

    static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }
}
