package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ContextPropagator;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.MDC;

/** The part of the contract that is about options, admission, context, giving up, and closing. */
public abstract class LifeContract extends NestingContract {
    private static final String KEY = "testkit";

    /** For subclasses. */
    protected LifeContract() {}

    // ---------------------------------------------------------------------------------------------- options

    static Stream<Arguments> badOptions() {
        return Stream.of(
                bad("name", " ", options -> options.name(" ")),
                bad("maxPending", "0", options -> options.maxPending(0)),
                bad("maxPending", "-1", options -> options.maxPending(-1)),
                bad("window", "0", options -> options.window(0)),
                bad("windowBytes", "-5", options -> options.windowBytes(-5)),
                bad("closeTimeout", "PT-1S", options -> options.closeTimeout(Duration.ofSeconds(-1))));
    }

    private static Arguments bad(String name, String value, Consumer<StrategyBuilder<?>> option) {
        return Arguments.of(name, value, option);
    }

    @ParameterizedTest(name = "{0}({1})")
    @MethodSource("badOptions")
    void build_badOption_isRefusedByNameAndValue(String name, String value, Consumer<StrategyBuilder<?>> option) {
        assertThatThrownBy(() -> newStrategy(1, option))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(name, value.trim());
    }

    @Test
    void build_optionTwice_isRefused() {
        List<Consumer<StrategyBuilder<?>>> all = List.of(
                options -> options.name("a"),
                options -> options.maxPending(1),
                options -> options.rejection(Rejection.REJECT),
                options -> options.window(1),
                options -> options.windowBytes(1),
                options -> options.closeTimeout(Duration.ZERO),
                options -> options.clock(new FakeClock()),
                options -> options.allowInProcess(true));
        for (Consumer<StrategyBuilder<?>> option : all) {
            assertThatThrownBy(() -> newStrategy(1, options -> {
                        option.accept(options);
                        option.accept(options);
                    }))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void name_asBuilt_standsInSnapshotAndText() {
        ExecutorStrategy strategy = closedAfterTest(newStrategy(1, options -> options.name("named-by-test")));
        assertThat(strategy.name()).isEqualTo("named-by-test");
        assertThat(strategy.snapshot().strategy()).isEqualTo("named-by-test");
        assertThat(strategy.toString()).contains("named-by-test");
    }

    // ---------------------------------------------------------------------------------------------- rejection

    @ParameterizedTest
    @EnumSource
    void submit_fullAndRejecting_isRejectedUntilThereIsRoom(Kind kind) throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(2).rejection(Rejection.REJECT));
        CompletableFuture<Result<Integer>> one = strategy.submit(waiting(kind, gate), 1);
        CompletableFuture<Result<Integer>> two = strategy.submit(waiting(kind, gate), 2);
        assertThatThrownBy(() -> strategy.submit(waiting(kind, gate), 3))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContainingAll(strategy.name(), "2", "maxPending");
        assertThatThrownBy(() -> strategy.run(waiting(kind, gate), 3)).isInstanceOf(RejectedExecutionException.class);
        gate.open();
        assertThat(Patience.get(one)).isEqualTo(Result.success(1));
        assertThat(Patience.get(two)).isEqualTo(Result.success(2));
        Patience.await()
                .ignoreException(RejectedExecutionException.class)
                .until(() -> strategy.run(waiting(kind, gate), 4).isSuccess());
        assertThat(strategy.snapshot().submitted())
                .as("rejected ones do not count")
                .isEqualTo(3);
    }

    private ExecutorStrategy fullAndCallerRuns(Kind kind, Gate gate) {
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1).rejection(Rejection.CALLER_RUNS));
        occupy(strategy, 1, kind, gate);
        return strategy;
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_fullAndCallerRuns_runsInTheCaller(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = fullAndCallerRuns(kind, gate());
        CompletableFuture<Result<Thread>> future =
                strategy.submit(workload(kind, "who", (Integer n) -> Thread.currentThread()), 1);
        assertThat(future).isCompletedWithValue(Result.success(Thread.currentThread()));
        assertThat(future.join().execution().worker())
                .isEqualTo(Thread.currentThread().getName());
        Workload<Integer, Integer> failing = workload(kind, "failing", n -> Math.floorDiv(n, 0));
        assertThat(causeOf(strategy.run(failing, 1))).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void submit_fullAndCallerRuns_keepsTheCallersInterrupt() {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = fullAndCallerRuns(Kind.BLOCKING, gate());
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            assertThat(strategy.submit(workload(Kind.COMPUTE, "quick", (Integer n) -> n), 1))
                    .isCompletedWithValue(Result.success(1));
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    }

    @Test
    void submit_fullAndCallerRuns_taskDoesNotMeetTheCallersInterrupt() {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = fullAndCallerRuns(Kind.BLOCKING, gate());
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            assertThat(strategy.submit(workload(Kind.COMPUTE, "asking", (Integer n) -> Thread.interrupted()), 1))
                    .isCompletedWithValue(Result.success(false));
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    }

    @Test
    void submit_fullAndCallerRuns_interruptThatEndsTheTaskStaysWithTheCaller() {
        assume(Ability.IN_THIS_JVM);
        Gate gate = gate();
        ExecutorStrategy strategy = fullAndCallerRuns(Kind.BLOCKING, gate);
        RacingThreads.run(1, () -> {
            Workload<Integer, Integer> interrupted = workload(Kind.BLOCKING, "interrupted", n -> {
                Thread.currentThread().interrupt(); // as another thread might
                gate.await();
                return n;
            });
            assertThat(causeOf(strategy.submit(interrupted, 1).join())).isInstanceOf(InterruptedException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
    }

    /** To start it here would slow nobody down. */
    @Test
    void submit_fullAndCallerRuns_asynchronousWorkWaitsForRoom() {
        Gate gate = gate();
        ExecutorStrategy strategy = fullAndCallerRuns(Kind.BLOCKING, gate);
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    assertThat(Patience.get(strategy.submit(waiting(Kind.ASYNC, gate), 1)))
                            .isEqualTo(Result.success(1));
                },
                () -> {
                    awaitParked(caller);
                    gate.open();
                });
    }

    @Test
    void close_byATaskThatItsCallerRuns_doesNotWaitForIt() throws Exception {
        assume(Ability.IN_THIS_JVM);
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1).rejection(Rejection.CALLER_RUNS));
        List<CompletableFuture<Result<Integer>>> busy = occupy(strategy, 1, Kind.BLOCKING, gate);
        Workload<Integer, Integer> closing = workload(Kind.BLOCKING, "closing", n -> {
            strategy.close();
            gate.open(); // a close that waits here would wait for what this gate holds up
            return n;
        });
        assertThat(strategy.submit(closing, 7)).isCompletedWithValue(Result.success(7));
        assertThat(Patience.get(busy.get(0)).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void submit_fullAndBlocking_waitsForRoom(Kind kind) {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1));
        occupy(strategy, 1, kind, gate);
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    assertThat(Patience.get(strategy.submit(waiting(kind, gate), 1)))
                            .isEqualTo(Result.success(1));
                },
                () -> {
                    awaitParked(caller);
                    assertThat(strategy.snapshot().submitted()).isEqualTo(1);
                    gate.open();
                });
    }

    static void awaitParked(AtomicReference<Thread> thread) {
        Patience.await()
                .until(() -> thread.get() != null
                        && (thread.get().getState() == Thread.State.WAITING
                                || thread.get().getState() == Thread.State.TIMED_WAITING));
    }

    @Test
    void submit_interruptedWhileItWaitsForRoom_givesCancelledFutureAndKeepsFlag() throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1));
        List<CompletableFuture<Result<Integer>>> busy = occupy(strategy, 1, Kind.BLOCKING, gate);
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    CompletableFuture<Result<Integer>> future = strategy.submit(waiting(Kind.BLOCKING, gate), 1);
                    assertThat(future).isCancelled();
                    assertThat(Thread.currentThread().isInterrupted()).isTrue();
                },
                () -> {
                    awaitParked(caller);
                    caller.get().interrupt();
                });
        gate.open();
        Patience.get(busy.get(0));
        assertThat(strategy.run(waiting(Kind.BLOCKING, gate), 2)).isEqualTo(Result.success(2));
    }

    @Test
    void submit_strategyClosesWhileItWaitsForRoom_isRejected() {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1));
        occupy(strategy, 1, Kind.BLOCKING, gate);
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    assertThatThrownBy(() -> strategy.submit(waiting(Kind.BLOCKING, gate), 1))
                            .isInstanceOf(RejectedExecutionException.class)
                            .hasMessageContaining(strategy.name());
                },
                () -> {
                    awaitParked(caller);
                    strategy.closeNow();
                });
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_fromOwnThread_neverBlocks(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        for (Rejection rejection : Rejection.values()) {
            ExecutorStrategy strategy =
                    strategy(1, options -> options.maxPending(1).rejection(rejection));
            Workload<Integer, Integer> inner = workload(kind, "inner", n -> n);
            Workload<Integer, List<CompletableFuture<Result<Integer>>>> outer = workload(
                    kind,
                    "outer",
                    n -> IntStream.range(0, n)
                            .mapToObj(i -> strategy.submit(inner, i))
                            .toList());
            List<CompletableFuture<Result<Integer>>> futures =
                    Patience.get(strategy.submit(outer, 10)).orElseThrow();
            for (int i = 0; i < futures.size(); i++) {
                assertThat(Patience.get(futures.get(i))).isEqualTo(Result.success(i));
            }
        }
    }

    @Test
    void map_fullStrategy_hasAWindowOfItsOwn() {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2, options -> options.maxPending(1).rejection(Rejection.REJECT));
        var unused = strategy.submit(waiting(Kind.BLOCKING, gate), 1);
        try (var results = strategy.map(
                workload(Kind.BLOCKING, "identity", (Integer n) -> n),
                IntStream.range(0, 100).boxed())) {
            assertThat(results.filter(Result::isSuccess).count()).isEqualTo(100);
        }
    }

    @Test
    void submit_racingInterruptsCancelsAndTimeouts_losesNoRoom() {
        int limit = 3;
        ExecutorStrategy strategy = strategy(2, options -> options.maxPending(limit));
        long seed = Long.getLong("stress.seed", System.nanoTime());
        int rounds = 1000 * Integer.getInteger("stress.rounds", 1);
        Workload<Integer, Integer> spinning = workload(Kind.COMPUTE, "spinning", spins -> {
            for (int i = 0; i < spins; i++) {
                Thread.onSpinWait();
            }
            return spins;
        });
        Thread[] submitters = new Thread[4];
        AtomicInteger left = new AtomicInteger(submitters.length);
        RacingThreads.run(submitters.length + 1, thread -> {
            Random random = new Random(seed + thread);
            if (thread == submitters.length) {
                while (left.get() > 0) {
                    Thread victim = submitters[random.nextInt(submitters.length)];
                    if (victim != null) {
                        victim.interrupt();
                    }
                    Thread.yield();
                }
                return;
            }
            submitters[thread] = Thread.currentThread();
            for (int i = 0; i < rounds; i++) {
                CompletableFuture<Result<Integer>> future = strategy.submit(spinning, random.nextInt(2000));
                if (random.nextBoolean()) {
                    future.cancel(random.nextBoolean());
                }
                Thread.interrupted();
            }
            left.decrementAndGet();
        });
        Patience.await()
                .alias("seed " + seed)
                .until(() ->
                        strategy.snapshot().queued() == 0 && strategy.snapshot().running() == 0);
        Gate gate = gate();
        RacingThreads.run(1, () -> {
            List<CompletableFuture<Result<Integer>>> all = new ArrayList<>();
            for (int i = 0; i < limit; i++) {
                all.add(strategy.submit(waiting(Kind.BLOCKING, gate), i));
            }
            gate.open();
            for (CompletableFuture<Result<Integer>> each : all) {
                assertThat(Patience.get(each).isSuccess()).isTrue();
            }
        });
    }

    // ---------------------------------------------------------------------------------------------- context

    @ParameterizedTest
    @EnumSource
    void mdc_ofTheSubmitter_goesWithTheTaskAndNoFurther(Kind kind) {
        ExecutorStrategy strategy = strategy(1);
        Workload<String, String> asking = workload(kind, "asking", wanted -> {
            String found = MDC.get(KEY);
            MDC.put(KEY, "left behind by a task");
            return found;
        });
        if (kind == Kind.ASYNC) {
            asking = Workload.async("asking", (wanted, loop) -> {
                String found = MDC.get(KEY);
                MDC.put(KEY, "left behind by a task");
                return CompletableFuture.completedFuture(found);
            });
        }
        Workload<String, String> task = asking;
        RacingThreads.run(1, () -> {
            MDC.put(KEY, "first");
            assertThat(strategy.run(task, "")).isEqualTo(Result.success("first"));
            MDC.put(KEY, "second");
            try (var results = strategy.map(task, List.of("", "", ""))) {
                MDC.put(KEY, "after the call");
                List<Result<String>> all = results.toList();
                assertThat(all.get(0)).isEqualTo(Result.success("second"));
            }
            assertThat(MDC.get(KEY)).isEqualTo("after the call");
            MDC.remove(KEY);
            assertThat(strategy.run(task, "").orElseThrow()).isNull();
        });
    }

    @ParameterizedTest
    @EnumSource
    void contextClassLoader_ofTheSubmitter_isSetForTheTask(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, ClassLoader> asking = kind == Kind.ASYNC
                ? Workload.async(
                        "asking",
                        (n, loop) -> CompletableFuture.completedFuture(
                                Thread.currentThread().getContextClassLoader()))
                : workload(kind, "asking", n -> {
                    ClassLoader found = Thread.currentThread().getContextClassLoader();
                    Thread.currentThread().setContextClassLoader(null);
                    return found;
                });
        try (URLClassLoader loader = new URLClassLoader(new URL[0])) {
            RacingThreads.run(1, () -> {
                Thread.currentThread().setContextClassLoader(loader);
                assertThat(strategy.run(asking, 1).orElseThrow()).isSameAs(loader);
                Thread.currentThread().setContextClassLoader(null);
                assertThat(strategy.run(asking, 1).orElseThrow()).isNull();
            });
        }
        assertThat(strategy.run(asking, 1).orElseThrow())
                .isSameAs(Thread.currentThread().getContextClassLoader());
    }

    private static final ThreadLocal<String> TRACE = new ThreadLocal<>();

    /** Carries {@link #TRACE}, and tells what it does. */
    private static ContextPropagator carrying(Journal journal) {
        return () -> {
            String captured = TRACE.get();
            if (captured == null) {
                return null;
            }
            journal.add("captured");
            return () -> {
                String former = TRACE.get();
                TRACE.set(captured);
                journal.add("applied");
                Thread thread = Thread.currentThread();
                return () -> {
                    TRACE.set(former);
                    journal.add(Thread.currentThread() == thread ? "restored" : "restored elsewhere");
                };
            };
        };
    }

    @ParameterizedTest
    @EnumSource
    void propagator_capturesAppliesAndRestores(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.propagator(carrying(journal)));
        Workload<Integer, String> asking = kind == Kind.ASYNC
                ? Workload.async("asking", (n, loop) -> CompletableFuture.completedFuture(String.valueOf(TRACE.get())))
                : workload(kind, "asking", n -> String.valueOf(TRACE.get()));
        RacingThreads.run(1, () -> {
            TRACE.set("trace 1");
            assertThat(strategy.run(asking, 1)).isEqualTo(Result.success("trace 1"));
            Patience.await()
                    .untilAsserted(
                            () -> assertThat(journal.entries()).containsExactly("captured", "applied", "restored"));
            TRACE.set("trace 2");
            try (var results = strategy.map(asking, List.of(1, 2, 3))) {
                TRACE.remove();
                assertThat(results.map(Result::orElseThrow)).containsExactly("trace 2", "trace 2", "trace 2");
            }
            assertThat(journal.count("captured")).as("once for a map").isEqualTo(2);
            assertThat(strategy.run(asking, 1)).as("nothing to carry").isEqualTo(Result.success("null"));
        });
        Patience.await().until(() -> journal.count("applied") == journal.count("restored"));
        assertThat(journal.count("captured")).isEqualTo(2);
    }

    /** A context that can travel. */
    private record Trace(String value) implements ContextPropagator.Captured {
        static @Nullable Trace capture() {
            String present = TRACE.get();
            return present == null ? null : new Trace(present);
        }

        @Override
        public ContextPropagator.Scope apply() {
            TRACE.set(value);
            return TRACE::remove;
        }
    }

    @Test
    void offload_hasTheContextOfTheTask() {
        ExecutorStrategy strategy = strategy(1, options -> options.propagator(Trace::capture));
        Workload<String, String> asking =
                Workload.async("asking", (input, loop) -> loop.offload(() -> MDC.get(KEY) + ", " + TRACE.get()));
        RacingThreads.run(1, () -> {
            for (String each : List.of("first", "second")) {
                MDC.put(KEY, each);
                TRACE.set("trace " + each);
                assertThat(strategy.run(asking, "")).isEqualTo(Result.success(each + ", trace " + each));
            }
            MDC.remove(KEY);
            TRACE.remove();
            assertThat(strategy.run(asking, "")).isEqualTo(Result.success("null, null"));
        });
    }

    @Test
    void propagator_captureThrows_reachesTheSubmitter() {
        RuntimeException broken = new IllegalStateException("capture");
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.maxPending(1).propagator(() -> {
                    throw broken;
                }));
        Workload<Integer, Integer> identity = workload(Kind.COMPUTE, "identity", n -> n);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> strategy.run(identity, 1)).isSameAs(broken);
            assertThatThrownBy(() -> strategy.submit(identity, 1)).isSameAs(broken);
            assertThatThrownBy(() -> strategy.map(identity, List.of(1))).isSameAs(broken);
        }
        assertThat(strategy.snapshot().submitted()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void propagator_applyThrows_failsTheTasksUnrun(Kind kind) {
        assume(Ability.IN_THIS_JVM); // what is captured here cannot travel
        RuntimeException broken = new IllegalStateException("apply");
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.propagator(carrying(journal)).propagator(() -> () -> {
                    throw broken;
                }));
        Workload<Integer, Integer> noting = workload(kind, "noting", n -> {
            journal.enter();
            return n;
        });
        RacingThreads.run(1, () -> {
            TRACE.set("trace");
            assertThat(causeOf(strategy.run(noting, 1))).hasMessage("apply");
            try (var results = strategy.map(noting, IntStream.range(0, 100).boxed())) {
                assertThat(results)
                        .hasSize(100)
                        .allSatisfy(result -> assertThat(causeOf(result)).hasMessage("apply"));
            }
        });
        assertThat(journal.entered()).isZero();
        Patience.await().until(() -> journal.count("applied") == journal.count("restored"));
    }

    @Test
    void propagator_restoreThrows_harmsNothing() {
        assume(Ability.IN_THIS_JVM); // what is captured here cannot travel
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(
                1,
                options -> options.propagator(carrying(journal))
                        .propagator(() -> () -> () -> {
                            throw new IllegalStateException("restore");
                        }));
        Workload<Integer, Integer> identity = workload(Kind.COMPUTE, "identity", n -> n);
        RacingThreads.run(1, () -> {
            TRACE.set("trace");
            for (int i = 0; i < 10; i++) {
                assertThat(strategy.run(identity, i)).isEqualTo(Result.success(i));
            }
        });
        Patience.await().until(() -> journal.count("restored") == 10);
    }

    // ---------------------------------------------------------------------------------------------- giving up

    /** Ways in which nobody wants a running task any more. */
    enum GivingUp {
        TIMEOUT,
        CANCEL,
        CALLER_INTERRUPTED,
        READER_INTERRUPTED,
        STREAM_CLOSED,
        DEADLINE
    }

    static Stream<Arguments> waysToGiveUp() {
        return Stream.of(Kind.values())
                .flatMap(kind -> Stream.of(GivingUp.values()).map(way -> Arguments.of(kind, way)));
    }

    @ParameterizedTest
    @MethodSource("waysToGiveUp")
    void givingUp_always_leavesAllWorkersUsable(Kind kind, GivingUp way) throws Exception {
        FakeClock clock = new FakeClock();
        int workers = 3;
        ExecutorStrategy strategy = strategy(
                workers, options -> options.clock(clock).maxPending(100).rejection(Rejection.REJECT));
        for (int round = 0; round < 3; round++) {
            giveUp(strategy, workers, clock, kind, way);
            assertRunsAtOnce(strategy, workers, kind);
        }
        assertThat(strategy.snapshot().abandoned()).isZero();
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().running()).isZero();
            assertThat(strategy.snapshot().queued()).isZero();
        });
        clock.advance(Duration.ofHours(1));
        assertThat(clock.waiting()).as("timers").isZero();
        assertThat(strategy.snapshot().abandoned()).isZero();
        assertRunsAtOnce(strategy, workers, kind);
    }

    private void giveUp(ExecutorStrategy strategy, int workers, FakeClock clock, Kind kind, GivingUp way) {
        Journal journal = journal();
        Gate gate = gate();
        Duration limit = Duration.ofSeconds(1);
        Workload<Integer, Integer> hanging = workload(
                kind,
                way == GivingUp.TIMEOUT ? Workload.named("hanging").timeout(limit) : Workload.named("hanging"),
                telling(journal, gate));
        AtomicReference<Thread> waiter = new AtomicReference<>();
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
        switch (way) {
            case TIMEOUT, CANCEL -> {
                for (int i = 0; i < workers; i++) {
                    futures.add(strategy.submit(hanging, i));
                }
                Patience.await().until(() -> journal.inside() == workers);
                if (way == GivingUp.TIMEOUT) {
                    Patience.await().until(() -> clock.waiting() >= workers); // elsewhere a start is heard of later
                    clock.advance(limit);
                    futures.forEach(
                            future -> assertThat(causeOf(future.join())).isInstanceOf(TaskTimeoutException.class));
                } else {
                    futures.forEach(future -> assertThat(future.cancel(true)).isTrue());
                }
            }
            case CALLER_INTERRUPTED ->
                RacingThreads.run(
                        () -> {
                            waiter.set(Thread.currentThread());
                            assertThat(causeOf(strategy.run(hanging, 1))).isInstanceOf(CancellationException.class);
                        },
                        () -> {
                            Patience.await().until(() -> journal.inside() == 1);
                            waiter.get().interrupt();
                        });
            case READER_INTERRUPTED ->
                RacingThreads.run(
                        () -> {
                            waiter.set(Thread.currentThread());
                            try (var results = strategy.map(hanging, Stream.iterate(0, n -> n + 1), small())) {
                                assertThatThrownBy(results::count).isInstanceOf(CancellationException.class);
                            }
                        },
                        () -> {
                            Patience.await().until(() -> journal.inside() == workers);
                            waiter.get().interrupt();
                        });
            case STREAM_CLOSED -> {
                var results = strategy.map(hanging, Stream.iterate(0, n -> n + 1), small());
                RacingThreads.run(() -> assertThat(results.limit(6)).noneMatch(Result::isSuccess), () -> {
                    Patience.await().until(() -> journal.inside() == workers);
                    results.close();
                });
            }
            case DEADLINE ->
                RacingThreads.run(
                        () -> {
                            try (var results =
                                    strategy.map(hanging, Stream.iterate(0, n -> n + 1), small().deadline(limit))) {
                                assertThatThrownBy(results::count).isInstanceOf(TaskTimeoutException.class);
                            }
                        },
                        () -> {
                            Patience.await().until(() -> journal.inside() == workers);
                            clock.advance(limit);
                        });
        }
        awaitNoneInside(journal);
        assertThat(journal.count("through")).isZero();
    }

    private static MapOptions small() {
        return MapOptions.unordered().window(6);
    }

    // ---------------------------------------------------------------------------------------------- closing

    @ParameterizedTest
    @EnumSource
    void close_busy_letsTheWorkFinish(Kind kind) throws Exception {
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            futures.add(strategy.submit(workload(kind, "waiting", telling(journal, gate)), i));
        }
        Patience.await().until(() -> journal.inside() == 2);
        RacingThreads.run(strategy::close, strategy::close, () -> {
            Patience.await().until(() -> strategy.snapshot().closed());
            gate.open();
        });
        for (int i = 0; i < 10; i++) {
            assertThat(futures.get(i)).isCompletedWithValue(Result.success(i));
        }
        assertThat(journal.count("interrupted")).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void close_workTakesTooLong_isCancelled(Kind kind) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1, options -> options.closeTimeout(Duration.ofMillis(10)));
        CompletableFuture<Result<Integer>> running =
                strategy.submit(workload(kind, "waiting", telling(journal, gate)), 1);
        Patience.await().until(() -> journal.inside() == 1);
        CompletableFuture<Result<Integer>> queued =
                strategy.submit(workload(kind, "waiting", telling(journal, gate)), 2);
        strategy.close();
        assertThat(causeOf(Patience.get(running))).isInstanceOf(CancellationException.class);
        assertThat(causeOf(Patience.get(queued))).isInstanceOf(CancellationException.class);
        awaitNoneInside(journal);
        assertThat(journal.entered()).isBetween(1L, kind == Kind.ASYNC ? 2L : 1L);
        assertThat(journal.count("through")).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void closeNow_busy_cancelsQueuedAndRunning(Kind kind) throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            futures.add(strategy.submit(workload(kind, "waiting", telling(journal, gate)), i));
        }
        Patience.await().until(() -> journal.inside() == 2);
        strategy.closeNow();
        for (CompletableFuture<Result<Integer>> future : futures) {
            assertThat(causeOf(Patience.get(future)))
                    .isInstanceOf(CancellationException.class)
                    .hasMessageContaining(strategy.name());
        }
        awaitNoneInside(journal);
        assertThat(journal.entered()).isEqualTo(2);
        awaitInterrupted(journal, 2);
        strategy.close();
        assertThat(strategy.snapshot().closed()).isTrue();
        assertThat(strategy.snapshot().failed()).isEqualTo(10);
        assertThat(strategy.snapshot().queued()).isZero();
    }

    @Test
    void closeNow_asyncTaskWaits_cancelsItsStage() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Integer> stage = new CompletableFuture<>();
        Journal journal = journal();
        CompletableFuture<Result<Integer>> future = strategy.submit(
                Workload.async("waiting", (Integer n, Loop loop) -> {
                    journal.enter();
                    return stage;
                }),
                1);
        Patience.await()
                .until(() -> journal.entered() == 1 && strategy.snapshot().running() == 1);
        strategy.closeNow();
        assertThat(causeOf(Patience.get(future))).isInstanceOf(CancellationException.class);
        Patience.await().until(stage::isCancelled);
    }

    @Test
    void closeNow_taskWaitsForItsRetry_isCancelled() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Workload<Integer, Integer> flaky = Workload.named("flaky")
                .retry(RetryPolicy.attempts(3).backoff(Duration.ofHours(1)))
                .compute(n -> {
                    journal.enter();
                    throw new IOException("again");
                });
        CompletableFuture<Result<Integer>> future = strategy.submit(flaky, 1);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() == 1);
        strategy.closeNow();
        assertThat(causeOf(Patience.get(future))).isInstanceOf(CancellationException.class);
        clock.advance(Duration.ofHours(2));
        assertThat(journal.entered()).isEqualTo(1);
    }

    @Test
    void close_taskWaitsForItsRetry_waitsForIt() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Workload<Integer, Integer> flaky = Workload.named("flaky")
                .retry(RetryPolicy.attempts(2).backoff(Duration.ofHours(1)).jitter(0))
                .compute(n -> {
                    journal.enter();
                    throw new IOException("again");
                });
        CompletableFuture<Result<Integer>> future = strategy.submit(flaky, 1);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() == 1);
        RacingThreads.run(strategy::close, () -> {
            Patience.await().until(() -> strategy.snapshot().closed());
            clock.advance(Duration.ofHours(1));
        });
        assertThat(causeOf(Patience.get(future))).isInstanceOf(IOException.class);
        assertThat(journal.entered()).isEqualTo(2);
    }

    @Test
    void anyEntry_afterClose_isRejected() {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> identity = workload(Kind.COMPUTE, "identity", n -> n);
        var view = strategy.asExecutorService();
        strategy.close();
        assertThatThrownBy(() -> strategy.run(identity, 1))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining(strategy.name());
        assertThatThrownBy(() -> strategy.submit(identity, 1)).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> strategy.map(identity, List.of(1)).toList())
                .isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> view.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        strategy.close();
        strategy.closeNow();
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void close_fromOwnTask_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> closing = workload(kind, "closing", n -> {
            strategy.close();
            return n;
        });
        assertThat(Patience.get(strategy.submit(closing, 1))).isEqualTo(Result.success(1));
        strategy.close();
    }

    @Test
    void close_interrupted_keepsFlagAndCancels() throws Exception {
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> future =
                strategy.submit(workload(Kind.BLOCKING, "waiting", telling(journal, gate)), 1);
        Patience.await().until(() -> journal.inside() == 1);
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            strategy.close();
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        });
        assertThat(causeOf(Patience.get(future))).isInstanceOf(CancellationException.class);
    }

    @Test
    void close_streamAbandoned_doesNotWaitForIt() {
        ExecutorStrategy strategy = strategy(2);
        var abandoned = strategy.map(Workload.compute("identity", (Integer n) -> n), Stream.iterate(0, n -> n + 1));
        assertThat(abandoned.iterator().next()).isEqualTo(Result.success(0));
        strategy.close();
        assertThat(strategy.snapshot().failed()).isZero();
    }

    @Test
    void close_unused_returnsAtOnce() {
        ExecutorStrategy strategy = strategy(2);
        strategy.close();
        assertThat(strategy.snapshot().closed()).isTrue();
        assertThat(strategy.snapshot().workers()).isEmpty();
    }

    @Test
    void close_racingSubmits_eachIsDoneOrRejected() {
        int rounds = 20 * Integer.getInteger("stress.rounds", 1);
        for (int round = 0; round < rounds; round++) {
            ExecutorStrategy strategy = strategy(2);
            Workload<Integer, Integer> identity = workload(Kind.COMPUTE, "identity", n -> n);
            boolean isForced = round % 2 == 0;
            RacingThreads.run(4, thread -> {
                if (thread == 0) {
                    if (isForced) {
                        strategy.closeNow();
                    } else {
                        strategy.close();
                    }
                    return;
                }
                for (int i = 0; i < 200; i++) {
                    CompletableFuture<Result<Integer>> future;
                    try {
                        future = strategy.submit(identity, i);
                    } catch (RejectedExecutionException e) {
                        continue;
                    }
                    Result<Integer> result = Patience.get(future);
                    if (!isForced || result.isSuccess()) {
                        assertThat(result).isEqualTo(Result.success(i));
                    } else {
                        assertThat(causeOf(result))
                                .isInstanceOfAny(CancellationException.class, RejectedExecutionException.class);
                    }
                }
            });
            assertThat(strategy.snapshot().queued()).isZero();
        }
    }
}
