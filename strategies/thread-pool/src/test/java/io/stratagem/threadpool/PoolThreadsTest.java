package io.stratagem.threadpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Execution;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import io.stratagem.spi.Clock;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import io.stratagem.testkit.StrategyFixture;
import io.stratagem.testkit.ThreadLeaks;
import io.stratagem.threadpool.ThreadLoop.Offloaded;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is the thread pool's own: its threads, and those that it has to give up. */
final class PoolThreadsTest extends StrategyFixture {
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final Duration GRACE = Duration.ofMillis(100);
    private static final InheritableThreadLocal<String> INHERITABLE = new InheritableThreadLocal<>();

    /** On virtual threads or not: the bounds are the same. */
    enum Waits {
        ON_PLATFORM,
        ON_VIRTUAL;

        boolean areThere() {
            return this == ON_PLATFORM || VirtualThreads.areThere();
        }
    }

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        return pool(workers, Waits.ON_PLATFORM, builder -> options.accept(builder));
    }

    private static ThreadPoolStrategy pool(int workers, Waits waits, Consumer<ThreadPoolStrategy.Builder> options) {
        ThreadPoolStrategy.Builder builder = ThreadPoolStrategy.builder()
                .computeThreads(workers)
                .blockingThreads(workers)
                .virtualThreads(waits == Waits.ON_VIRTUAL);
        options.accept(builder);
        return builder.build();
    }

    // ---------------------------------------------------------------------------------------------- abandoned threads

    /** Ignores interrupts until the gate opens. */
    private static Workload<Integer, Integer> stubborn(Kind kind, Journal journal, Gate gate, boolean isTimed) {
        Workload.Builder<Object> options =
                isTimed ? Workload.named("stubborn").timeout(TIMEOUT) : Workload.named("stubborn");
        return workload(kind, options, input -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
            journal.leave();
            return input;
        });
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void timeout_taskIgnoresInterrupt_threadIsCountedReplacedAndTakenBack(Kind kind) throws Exception {
        for (Waits waits : Waits.values()) {
            if (!waits.areThere()) {
                continue;
            }
            FakeClock clock = new FakeClock();
            Journal journal = journal();
            Gate gate = gate();
            int workers = 2;
            ExecutorStrategy strategy = closedAfterTest(pool(workers, waits, options -> options.clock(clock)));
            List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
            for (int i = 0; i < workers; i++) {
                futures.add(strategy.submit(stubborn(kind, journal, gate, true), i));
            }
            Patience.await().until(() -> journal.inside() == workers);
            clock.advance(TIMEOUT);
            for (CompletableFuture<Result<Integer>> future : futures) {
                Result<Integer> result = Patience.get(future);
                assertThat(result).isInstanceOf(Result.Failure.class);
                assertThat(((Result.Failure<Integer>) result).cause()).isInstanceOf(TaskTimeoutException.class);
            }
            assertThat(strategy.snapshot().abandoned()).as("within the grace").isZero();
            clock.advance(GRACE);
            assertThat(strategy.snapshot().abandoned()).isEqualTo(workers);
            assertThat(strategy.snapshot().running()).isZero();
            assertRunsAtOnce(strategy, workers, kind);
            gate.open();
            Patience.await().until(() -> strategy.snapshot().abandoned() == 0);
            assertRunsAtOnce(strategy, workers, kind);
            assertThat(strategy.snapshot().succeeded()).isEqualTo(2 * workers);
            strategy.close();
        }
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void cancelTrue_taskIgnoresInterrupt_queuedWorkGoesOn(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ExecutorStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        CompletableFuture<Result<Integer>> stuck = strategy.submit(stubborn(kind, journal, gate, false), 1);
        Patience.await().until(() -> journal.inside() == 1);
        CompletableFuture<Result<Integer>> queued = strategy.submit(workload(kind, "queued", (Integer n) -> n), 7);
        stuck.cancel(true);
        assertThat(queued).isNotDone();
        clock.advance(GRACE);
        assertThat(Patience.get(queued)).isEqualTo(Result.success(7));
        assertThat(strategy.snapshot().abandoned()).isEqualTo(1);
    }

    @Test
    void timeout_taskReturnsWithinGrace_threadIsKept() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        CompletableFuture<Result<Integer>> future = strategy.submit(stubborn(Kind.COMPUTE, journal, gate, true), 1);
        Patience.await().until(() -> journal.inside() == 1);
        clock.advance(TIMEOUT);
        Patience.get(future);
        gate.open();
        Patience.await().until(() -> journal.inside() == 0);
        assertRunsAtOnce(strategy, 1, Kind.COMPUTE);
        clock.advance(GRACE);
        assertThat(strategy.snapshot().abandoned()).isZero();
        assertRunsAtOnce(strategy, 1, Kind.COMPUTE);
        assertThat(strategy.snapshot().workers()).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_tooManyAbandoned_isRejectedWithTheReasonUntilOneReturns(Kind kind) throws Exception {
        for (Waits waits : Waits.values()) {
            if (!waits.areThere()) {
                continue;
            }
            FakeClock clock = new FakeClock();
            Journal journal = journal();
            Gate first = gate();
            Gate second = gate();
            ExecutorStrategy strategy = closedAfterTest(
                    pool(1, waits, options -> options.clock(clock).maxAbandoned(2)));
            for (Gate gate : List.of(first, second)) {
                long entered = journal.entered();
                CompletableFuture<Result<Integer>> future = strategy.submit(stubborn(kind, journal, gate, true), 1);
                Patience.await().until(() -> journal.entered() == entered + 1);
                clock.advance(TIMEOUT);
                Patience.get(future);
                clock.advance(GRACE);
            }
            assertThat(strategy.snapshot().abandoned()).isEqualTo(2);
            Workload<Integer, Integer> next = workload(kind, "next", n -> n);
            assertThatThrownBy(() -> strategy.submit(next, 1))
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessageContainingAll("2", "maxAbandoned", "stubborn", "stratagem-" + strategy.name());
            assertThatThrownBy(() -> {
                        try (var results = strategy.map(next, List.of(1, 2))) {
                            assertThat(results.toList()).isEmpty();
                        }
                    })
                    .isInstanceOfAny(RejectedExecutionException.class, AssertionError.class);
            first.open();
            Patience.await().until(() -> strategy.snapshot().abandoned() == 1);
            assertThat(strategy.run(next, 1)).isEqualTo(Result.success(1));
            second.open();
            Patience.await().until(() -> strategy.snapshot().abandoned() == 0);
            assertRunsAtOnce(strategy, 1, kind);
            strategy.close();
        }
    }

    @Test
    void close_abandonedThread_isNotWaitedFor() {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        var unused = strategy.submit(stubborn(Kind.COMPUTE, journal, gate, true), 1);
        Patience.await().until(() -> journal.inside() == 1);
        clock.advance(TIMEOUT);
        clock.advance(GRACE);
        strategy.close();
        assertThat(journal.inside()).isEqualTo(1);
    }

    @Test
    void map_batchMatesOfAStuckTask_goOnElsewhere() {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        int stuck = 3000;
        Workload<Integer, Integer> mixed = Workload.named("mixed")
                .timeout(TIMEOUT)
                .compute(n -> {
                    if (n == stuck) {
                        journal.enter();
                        gate.awaitIgnoringInterrupts();
                    }
                    return n;
                });
        List<Result<Integer>> results = new ArrayList<>();
        RacingThreads.run(
                () -> {
                    try (var stream =
                            strategy.map(mixed, IntStream.range(0, 20_000).boxed())) {
                        stream.forEach(results::add);
                    }
                },
                () -> {
                    Patience.await().until(() -> journal.entered() == 1);
                    clock.advance(TIMEOUT);
                    clock.advance(GRACE);
                });
        assertThat(results).hasSize(20_000);
        assertThat(results.stream().filter(Result::isSuccess).count()).isEqualTo(19_999);
        assertThat(strategy.snapshot().abandoned()).isEqualTo(1);
    }

    @Test
    void interruptGrace_zeroAndTooManyAbandoned_looksAgainWithoutSpinning() throws Exception {
        FakeClock clock = new FakeClock();
        Journal journal = journal();
        Gate gate = gate();
        ThreadPoolStrategy strategy = closedAfterTest(pool(
                2,
                Waits.ON_PLATFORM,
                options -> options.clock(clock).interruptGrace(Duration.ZERO).maxAbandoned(1)));
        List<CompletableFuture<Result<Integer>>> futures = List.of(
                strategy.submit(stubborn(Kind.COMPUTE, journal, gate, false), 1),
                strategy.submit(stubborn(Kind.COMPUTE, journal, gate, false), 2));
        Patience.await().until(() -> journal.inside() == 2);
        futures.forEach(future -> future.cancel(true));
        clock.advance(Duration.ZERO); // would not return if the second were looked at again at once
        assertThat(strategy.snapshot().abandoned()).isEqualTo(1);
        assertThat(clock.waiting()).isEqualTo(1);
        gate.open();
        Patience.await().until(() -> strategy.snapshot().abandoned() == 0);
        clock.advance(GRACE);
        assertThat(clock.waiting()).isZero();
    }

    // ---------------------------------------------------------------------------------------------- threads

    @Test
    void threads_ofEachKind_haveNamesAreDaemonsAndInheritNothing() {
        INHERITABLE.set("of the test");
        try {
            ThreadPoolStrategy strategy =
                    closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.name("threads-test")));
            for (Kind kind : List.of(Kind.COMPUTE, Kind.BLOCKING)) {
                Thread thread = strategy.run(workload(kind, "who", (Integer n) -> Thread.currentThread()), 1)
                        .orElseThrow();
                assertThat(thread.getName())
                        .matches("stratagem-threads-test-" + (kind == Kind.COMPUTE ? "compute" : "blocking") + "-\\d+");
                assertThat(thread.isDaemon()).isTrue();
                assertThat(strategy.run(workload(kind, "inherited", (Integer n) -> "" + INHERITABLE.get()), 1))
                        .isEqualTo(Result.success("null"));
                assertThat(strategy.run(workload(kind, "who", (Integer n) -> n), 1)
                                .execution()
                                .worker())
                        .isEqualTo(thread.getName());
            }
        } finally {
            INHERITABLE.remove();
        }
    }

    @Test
    void threads_virtual_haveNamesAndInheritNothing() {
        if (!VirtualThreads.areThere()) {
            return;
        }
        INHERITABLE.set("of the test");
        try {
            ThreadPoolStrategy strategy =
                    closedAfterTest(pool(2, Waits.ON_VIRTUAL, options -> options.name("virtual-test")));
            String seen = strategy.run(
                            Workload.blocking(
                                    "who",
                                    (Integer n) -> Thread.currentThread().getName() + " "
                                            + Thread.currentThread().getClass().getSimpleName() + " "
                                            + INHERITABLE.get()),
                            1)
                    .orElseThrow();
            assertThat(seen).matches("stratagem-virtual-test-blocking-\\d+ VirtualThread null");
        } finally {
            INHERITABLE.remove();
        }
    }

    @Test
    void daemon_false_makesThreadsThatKeepTheJvmAlive() {
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.daemon(false)));
        for (Kind kind : List.of(Kind.COMPUTE, Kind.BLOCKING)) {
            assertThat(strategy.run(
                            workload(
                                    kind,
                                    "who",
                                    (Integer n) -> Thread.currentThread().isDaemon()),
                            1))
                    .isEqualTo(Result.success(false));
        }
    }

    @Test
    void threads_idle_keepNoForeignClassLoaderAlive() throws Exception {
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> {}));
        try (URLClassLoader loader = new URLClassLoader(new URL[0])) {
            Thread[] worker = new Thread[1];
            RacingThreads.run(1, () -> {
                Thread.currentThread().setContextClassLoader(loader);
                worker[0] = strategy.run(Workload.compute("who", (Integer n) -> Thread.currentThread()), 1)
                        .orElseThrow();
            });
            Patience.await().until(() -> worker[0].getContextClassLoader() != loader);
        }
    }

    @Test
    void keepAlive_passes_idleThreadsEnd() {
        ThreadPoolStrategy strategy =
                closedAfterTest(pool(3, Waits.ON_PLATFORM, options -> options.keepAlive(Duration.ofMillis(20))));
        for (Kind kind : List.of(Kind.COMPUTE, Kind.BLOCKING)) {
            Gate gate = gate();
            occupy(strategy, 3, kind, gate);
            assertThat(ThreadLeaks.named("stratagem-" + strategy.name() + "-")).isNotEmpty();
            gate.open();
            ThreadLeaks.awaitNone("stratagem-" + strategy.name() + "-");
            assertThat(strategy.snapshot().workers()).isEmpty();
            assertThat(strategy.run(workload(kind, "again", (Integer n) -> n), 1))
                    .isEqualTo(Result.success(1));
        }
    }

    @Test
    void keepAlive_racingWithSubmits_losesNoTask() throws Exception {
        ThreadPoolStrategy strategy =
                closedAfterTest(pool(2, Waits.ON_PLATFORM, options -> options.keepAlive(Duration.ofNanos(1))));
        Workload<Integer, Integer> identity = Workload.compute("identity", n -> n);
        int rounds = 3000 * Integer.getInteger("stress.rounds", 1);
        for (int i = 0; i < rounds; i++) {
            assertThat(Patience.get(strategy.submit(identity, i))).isEqualTo(Result.success(i));
        }
    }

    @ParameterizedTest
    @EnumSource
    void blockingThreads_limit_isNeverExceeded(Waits waits) {
        if (!waits.areThere()) {
            return;
        }
        int limit = 5;
        ThreadPoolStrategy strategy = closedAfterTest(pool(limit, waits, options -> options.window(100)));
        Journal journal = journal();
        Workload<Integer, Integer> blocking = Workload.blocking("blocking", n -> {
            journal.enter();
            Thread.yield();
            journal.leave();
            return n;
        });
        RacingThreads.run(
                () -> {
                    try (var results = strategy.mapUnordered(
                            blocking, IntStream.range(0, 1000).boxed())) {
                        assertThat(results.filter(Result::isSuccess).count()).isEqualTo(1000);
                    }
                },
                () -> {
                    for (int i = 0; i < 200; i++) {
                        strategy.run(blocking, i).orElseThrow();
                    }
                });
        assertThat(journal.entered()).isEqualTo(1200);
        assertThat(journal.peak()).isBetween(1, limit);
        if (waits == Waits.ON_PLATFORM) {
            assertThat(strategy.snapshot().workers()).hasSizeLessThanOrEqualTo(limit);
        }
    }

    @Test
    void computeThreads_limit_isReachedAndNeverExceeded() throws Exception {
        ThreadPoolStrategy strategy = closedAfterTest(pool(3, Waits.ON_PLATFORM, options -> {}));
        assertRunsAtOnce(strategy, 3, Kind.COMPUTE);
        Journal journal = journal();
        Workload<Integer, Integer> computing = Workload.compute("computing", n -> {
            journal.enter();
            Thread.yield();
            journal.leave();
            return n;
        });
        try (var results = strategy.map(computing, IntStream.range(0, 2000).boxed())) {
            assertThat(results.filter(Result::isSuccess).count()).isEqualTo(2000);
        }
        assertThat(journal.peak()).isBetween(1, 3);
        assertThat(ThreadLeaks.named("stratagem-" + strategy.name() + "-compute-"))
                .hasSizeLessThanOrEqualTo(3);
    }

    // ---------------------------------------------------------------------------------------------- async

    @Test
    void map_tenThousandDelays_holdNoThread() {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(2, Waits.ON_PLATFORM, options -> options.clock(clock)));
        Journal journal = journal();
        int waits = 10_000;
        Workload<Integer, Integer> sleeping = Workload.async("sleeping", (n, loop) -> {
            CompletableFuture<Void> delay = loop.delay(Duration.ofMinutes(1));
            journal.enter();
            return delay.thenApply(nothing -> n);
        });
        Set<String> threads = ConcurrentHashMap.newKeySet();
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            sleeping,
                            IntStream.range(0, waits).boxed(),
                            MapOptions.unordered().window(waits))) {
                        assertThat(results.mapToLong(Result::orElseThrow).sum())
                                .isEqualTo((long) waits * (waits - 1) / 2);
                    }
                },
                () -> {
                    Patience.await().until(() -> clock.waiting() == waits);
                    threads.addAll(ThreadLeaks.named("stratagem-" + strategy.name() + "-"));
                    clock.advance(Duration.ofMinutes(1));
                });
        assertThat(threads).hasSizeLessThanOrEqualTo(2);
        assertThat(clock.waiting()).isZero();
    }

    @Test
    void delay_cancelled_freesItsTimer() {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        Workload<Integer, Integer> cancelling = Workload.async("cancelling", (n, loop) -> {
            CompletableFuture<Void> delay = loop.delay(Duration.ofDays(1));
            delay.cancel(true);
            return CompletableFuture.completedFuture(n);
        });
        assertThat(strategy.run(cancelling, 1)).isEqualTo(Result.success(1));
        assertThat(clock.waiting()).isZero();
    }

    @Test
    void submit_asyncCancelled_freesItsTimer() {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        Workload<Integer, Void> sleeping = Workload.async("sleeping", (n, loop) -> loop.delay(Duration.ofDays(1)));
        CompletableFuture<Result<Void>> future = strategy.submit(sleeping, 1);
        Patience.await().until(() -> clock.waiting() == 1);
        future.cancel(true);
        clock.advance(GRACE);
        Patience.await().until(() -> clock.waiting() == 0); // the thread may still be on its way out of the function
    }

    /** A loop as asynchronous tasks get it, kept. */
    private static Loop loop(ExecutorStrategy strategy) {
        return strategy.run(
                        Workload.async("loop", (Integer n, Loop loop) -> CompletableFuture.completedFuture(loop)), 1)
                .orElseThrow();
    }

    @Test
    void delay_longAgo_isDueAtOnce() throws Exception {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        CompletableFuture<Void> delay = loop(strategy).delay(Duration.ofSeconds(Long.MIN_VALUE));
        clock.advance(Duration.ZERO);
        assertThat(Patience.get(delay)).isNull();
    }

    private static final class Service extends Thread implements ServiceThread {
        Service(Runnable action) {
            super(action);
        }
    }

    @Test
    void delay_endsAfterClose_failsAwayFromTheClocksThread() throws Exception {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        CompletableFuture<Void> delay = loop(strategy).delay(Duration.ofMinutes(1));
        CompletableFuture<Boolean> dependent = delay.handle((nothing, failure) -> ServiceThread.mayRunUserCode());
        strategy.close();
        FutureTask<Void> moving = new FutureTask<>(() -> clock.advance(Duration.ofMinutes(1)), null);
        new Service(moving).start();
        Patience.get(moving);
        assertThat(Patience.get(dependent)).as("may run user code").isTrue();
        assertThatThrownBy(() -> Patience.get(delay)).hasCauseInstanceOf(RejectedExecutionException.class);
    }

    @ParameterizedTest
    @EnumSource
    void closeNow_queuedOffload_isCancelledOnAnotherThread(Waits waits) throws Exception {
        if (!waits.areThere()) {
            return;
        }
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, waits, options -> {}));
        Journal journal = journal();
        occupy(strategy, 1, Kind.BLOCKING, gate());
        CompletableFuture<Integer> offloaded = loop(strategy).offload(() -> {
            journal.enter();
            return 1;
        });
        Gate gate = gate();
        CompletableFuture<Thread> dependent = offloaded.handle((value, failure) -> {
            gate.awaitIgnoringInterrupts();
            return Thread.currentThread();
        });
        strategy.closeNow(); // must not wait at the gate
        gate.open();
        assertThat(Patience.get(dependent)).isNotEqualTo(Thread.currentThread());
        assertThat(offloaded).isCancelled();
        assertThatThrownBy(offloaded::join).hasStackTraceContaining("stratagem-" + strategy.name());
        assertThat(journal.entered()).isZero();
    }

    /** Either it does not begin or it is interrupted. */
    @Test
    void offload_cancelledAsItBegins_doesNotGoOn() {
        Gate gate = gate();
        for (int i = 0; i < 2_000; i++) {
            AtomicBoolean isInterrupted = new AtomicBoolean(true);
            Offloaded<Integer> call = new Offloaded<>(
                    () -> {
                        isInterrupted.set(false);
                        try {
                            gate.await();
                        } catch (InterruptedException e) {
                            isInterrupted.set(true);
                        }
                        return 1;
                    },
                    Runnable::run);
            RacingThreads.run(call::run, () -> call.cancel(true));
            assertThat(isInterrupted).isTrue();
            assertThat(call).isCancelled();
        }
    }

    /** What depends on the call may wait until it has ended. */
    @Test
    void offload_cancelled_isInterruptedBeforeDependentsRun() throws Exception {
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> {}));
        Gate gate = gate();
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<Boolean> isInterrupted = new CompletableFuture<>();
        CompletableFuture<Integer> call = loop(strategy).offload(() -> {
            begun.countDown();
            try {
                gate.await();
            } catch (InterruptedException e) {
                isInterrupted.complete(true);
            } finally {
                isInterrupted.complete(false);
            }
            return 1;
        });
        CompletableFuture<Boolean> dependent = call.handle((value, failure) -> isInterrupted.join());
        assertThat(begun.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        CompletableFuture<Boolean> cancelled = CompletableFuture.supplyAsync(() -> call.cancel(true));
        assertThat(Patience.get(cancelled)).isTrue();
        assertThat(call).isCancelled();
        assertThat(Patience.get(dependent)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = "COMPUTE", mode = EnumSource.Mode.EXCLUDE)
    void offload_cancelledWhileItHelps_keepsItsInterrupt(Kind helped) throws Exception {
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> {}));
        Loop loop = loop(strategy);
        Journal journal = journal();
        Gate gate = gate();
        // Only the thread that is off-loaded to could run it; if it is asynchronous, only its start is run there.
        Fn<Integer, Integer> function = telling(journal, gate);
        Workload<Integer, Integer> inner = helped == Kind.BLOCKING
                ? Workload.blocking("inner", function)
                : Workload.async("inner", (n, own) -> CompletableFuture.completedFuture(function.apply(n)));
        Gate computing = gate();
        if (helped == Kind.ASYNC) {
            occupy(strategy, 1, Kind.COMPUTE, computing);
        }
        CompletableFuture<Boolean> kept = new CompletableFuture<>();
        CompletableFuture<Integer> call = loop.offload(() -> {
            strategy.submit(inner, 1).join();
            kept.complete(Thread.currentThread().isInterrupted());
            return 1;
        });
        Patience.await().until(() -> journal.inside() == 1);
        call.cancel(true);
        assertThat(Patience.get(kept)).isTrue();
        computing.open();
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void get_polledOnAWorker_leavesNothingBehind(Kind kind) throws Exception {
        ThreadPoolStrategy strategy = closedAfterTest(pool(2, Waits.ON_PLATFORM, options -> {}));
        Gate gate = gate();
        CompletableFuture<Result<Integer>> awaited =
                occupy(strategy, 1, kind, gate).get(0);
        CompletableFuture<Integer> dependent = awaited.thenApply(Result::orElseThrow);
        int before = awaited.getNumberOfDependents();
        Workload<Integer, List<Integer>> polling = workload(kind, "polling", times -> {
            for (int i = 0; i < times; i++) {
                for (CompletableFuture<?> each : List.of(awaited, dependent)) {
                    assertThatThrownBy(() -> each.get(1, TimeUnit.NANOSECONDS)).isInstanceOf(TimeoutException.class);
                }
            }
            return List.of(awaited.getNumberOfDependents(), dependent.getNumberOfDependents());
        });
        assertThat(Patience.get(strategy.submit(polling, 5)).orElseThrow()).containsExactly(before, 0);
        gate.open();
    }

    /** A clock may be slow to arm a timer: its task may end meanwhile. */
    @Test
    void timeout_armedAgainAsItsTaskEnds_isForgotten() throws Exception {
        FakeClock clock = new FakeClock();
        AtomicReference<Runnable> timer = new AtomicReference<>();
        AtomicReference<Runnable> meanwhile = new AtomicReference<>();
        Clock slow = new Clock() {
            @Override
            public long nanoTime() {
                return clock.nanoTime();
            }

            @Override
            public Timer schedule(Runnable action, long delayNanos) {
                Runnable first = meanwhile.get();
                if (first != null) {
                    first.run();
                }
                timer.compareAndSet(null, action);
                return clock.schedule(action, delayNanos);
            }
        };
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(slow)));
        Gate gate = gate();
        Workload<Integer, Integer> timed =
                workload(Kind.BLOCKING, Workload.named("timed").timeout(TIMEOUT), n -> {
                    gate.await();
                    return n;
                });
        CompletableFuture<Result<Integer>> future = strategy.submit(timed, 1);
        Patience.await().until(() -> timer.get() != null && strategy.snapshot().running() == 1);
        meanwhile.set(() -> {
            gate.open();
            Patience.await().until(future::isDone);
        });
        timer.get().run(); // before its time, as a clock may that is not exact
        assertThat(future).isCompletedWithValue(Result.success(1));
        assertThat(clock.waiting()).isZero();
    }

    @Test
    void closeNow_queuedCallbacks_areRunOnAnotherThread() throws Exception {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        Loop loop = loop(strategy);
        occupy(strategy, 1, Kind.COMPUTE, gate());
        CompletableFuture<Void> delay = loop.delay(Duration.ofMinutes(1));
        clock.advance(Duration.ofMinutes(1));
        CompletableFuture<Thread> callback = CompletableFuture.supplyAsync(Thread::currentThread, loop.executor());
        strategy.closeNow();
        assertThat(Patience.get(delay)).isNull();
        assertThat(Patience.get(callback)).isNotEqualTo(Thread.currentThread());
    }

    @Test
    void callback_betweenTwoTasks_isNotPartOfTheSecondsTime() throws Exception {
        FakeClock clock = new FakeClock();
        ThreadPoolStrategy strategy = closedAfterTest(pool(1, Waits.ON_PLATFORM, options -> options.clock(clock)));
        Loop loop = loop(strategy);
        Gate gate = gate();
        occupy(strategy, 1, Kind.COMPUTE, gate);
        loop.executor().execute(() -> clock.advance(Duration.ofSeconds(1)));
        CompletableFuture<Result<Integer>> second = strategy.submit(Workload.compute("second", (Integer n) -> n), 2);
        gate.open();
        Execution execution = Patience.get(second).execution();
        assertThat(execution.ran()).isZero();
        assertThat(execution.queued()).isEqualTo(Duration.ofSeconds(1));
    }

    // ---------------------------------------------------------------------------------------------- options

    @Test
    void build_badOption_isRefusedByNameAndValue() {
        assertRefused("computeThreads", "0", options -> options.computeThreads(0));
        assertRefused("blockingThreads", "-3", options -> options.blockingThreads(-3));
        assertRefused("keepAlive", "PT0S", options -> options.keepAlive(Duration.ZERO));
        assertRefused("interruptGrace", "PT-1S", options -> options.interruptGrace(Duration.ofSeconds(-1)));
        assertRefused("maxAbandoned", "0", options -> options.maxAbandoned(0));
        if (!VirtualThreads.areThere()) {
            assertRefused("virtualThreads", "" + Runtime.version(), options -> options.virtualThreads(true));
        }
        assertThatThrownBy(() -> ThreadPoolStrategy.builder().computeThreads(1).computeThreads(1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("computeThreads");
    }

    private static void assertRefused(String name, String value, Consumer<ThreadPoolStrategy.Builder> option) {
        assertThatThrownBy(() -> option.accept(ThreadPoolStrategy.builder()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(name, value);
    }

    @Test
    void create_defaults_runEachKind() {
        ThreadPoolStrategy strategy = closedAfterTest(ThreadPoolStrategy.create());
        assertThat(strategy.name()).isEqualTo("threads");
        for (Kind kind : Kind.values()) {
            assertThat(strategy.run(workload(kind, "identity", (Integer n) -> n), 1))
                    .isEqualTo(Result.success(1));
        }
    }
}
