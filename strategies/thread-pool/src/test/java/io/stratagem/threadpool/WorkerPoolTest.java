package io.stratagem.threadpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.spi.Engine;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.spi.StrategyOptions;
import io.stratagem.spi.Worker;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import io.stratagem.testkit.StrategyFixture;
import io.stratagem.threadpool.ThreadLoop.Offloaded;
import io.stratagem.threadpool.WorkerPool.PoolWorker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The pools by themselves: threads that cannot be started, and moments that no strategy can bring about. */
final class WorkerPoolTest extends StrategyFixture {
    private static final Duration GRACE = Duration.ofMillis(1);

    private final FakeClock clock = new FakeClock();
    private final LimitedStarts starts = new LimitedStarts();
    private final List<WorkerPool> pools = new ArrayList<>();

    /** Which pool; their threads are platform threads here. */
    enum Pool {
        PLATFORM,
        VIRTUAL
    }

    /**
     * Makes threads of which only so many can be started, as if the system had no more. The JVM would throw an {@link
     * OutOfMemoryError}, but that ends all of JUnit if it gets there.
     */
    private static final class LimitedStarts implements ThreadFactory {
        private final List<Thread> started = new CopyOnWriteArrayList<>();
        private volatile int limit;

        /** Before it a thread that was started does nothing. */
        private volatile @Nullable Gate begin;

        @Override
        public Thread newThread(Runnable action) {
            Thread thread = new Thread(action) {
                @Override
                public synchronized void start() {
                    if (started.size() >= limit) {
                        throw new InternalError("unable to create native thread, says the test");
                    }
                    started.add(this);
                    super.start();
                }

                @Override
                public void run() {
                    Gate awaited = begin;
                    if (awaited != null) {
                        awaited.awaitIgnoringInterrupts();
                    }
                    super.run();
                }
            };
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((ended, failure) -> {}); // the test has seen to it
            return thread;
        }
    }

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        throw new UnsupportedOperationException("the pools are tested without one");
    }

    private PoolSettings settings(int maxThreads) {
        return new PoolSettings(
                "stratagem-pool-test", maxThreads, Duration.ofMinutes(1).toNanos(), starts, GRACE.toNanos(), 16);
    }

    private WorkerPool pool(Pool kind, int maxThreads) {
        PoolSettings settings = settings(maxThreads);
        ThreadEngine owner = new ThreadEngine(settings, settings, false, clock);
        WorkerPool pool = kind == Pool.PLATFORM
                ? new PlatformPool(settings, owner, clock)
                : new VirtualPool(settings, owner, clock);
        pools.add(pool);
        return pool;
    }

    @AfterEach
    void closePools() throws InterruptedException {
        for (WorkerPool pool : pools) {
            pool.closeNow(new ArrayList<>());
            assertThat(pool.awaitTermination(Patience.LIMIT.toNanos())).isTrue();
        }
    }

    /** Keeps the first thread busy, which is the only one that can be started. */
    private void occupyOnlyThread(WorkerPool pool, Gate gate) {
        Journal journal = journal();
        starts.limit = 1;
        pool.execute(() -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
        });
        Patience.await().until(() -> journal.inside() == 1);
    }

    // ---------------------------------------------------------------------------------------------- starting

    @ParameterizedTest
    @EnumSource
    void execute_furtherThreadCannotStart_workWaitsForTheOthers(Pool kind) {
        WorkerPool pool = pool(kind, 2);
        Journal journal = journal();
        Gate gate = gate();
        occupyOnlyThread(pool, gate);
        pool.execute(() -> journal.add("second"));
        pool.execute(() -> journal.add("third"));
        gate.open();
        Patience.await().until(() -> journal.entries().size() == 2);
        assertThat(journal.entries()).containsExactlyInAnyOrder("second", "third");
    }

    @Test
    void search_furtherThreadCannotStart_workerKeepsItsWork() {
        WorkerPool pool = pool(Pool.PLATFORM, 2);
        Journal journal = journal();
        starts.limit = 1;
        pool.execute(() -> journal.add("first"));
        Patience.await()
                .until(() ->
                        journal.count("first") == 1 && starts.started.get(0).getState() == Thread.State.TIMED_WAITING);
        // Who wakes for the second finds that there is a third, for which there is room for a thread.
        pool.queue.add((Runnable) () -> journal.add("second"));
        pool.queue.add((Runnable) () -> journal.add("third"));
        pool.replace();
        Patience.await().until(() -> journal.entries().size() == 3);
        assertThat(journal.entries()).containsExactly("first", "second", "third");
        assertThat(clock.waiting()).as("the start was tried").isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void replace_threadCannotStart_workStaysQueued(Pool kind) {
        WorkerPool pool = pool(kind, 2);
        Journal journal = journal();
        Gate gate = gate();
        occupyOnlyThread(pool, gate);
        pool.queue.add((Runnable) () -> journal.add("of another caller"));
        pool.replace();
        gate.open();
        Patience.await().until(() -> journal.count("of another caller") == 1);
    }

    @ParameterizedTest
    @EnumSource
    void execute_noThreadAndNoneCanStart_isRejectedWithTheReasonAndForgotten(Pool kind) {
        WorkerPool pool = pool(kind, 1);
        Journal journal = journal();
        assertThatThrownBy(() -> pool.execute(() -> journal.add("rejected")))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("stratagem-pool-test")
                .hasCauseInstanceOf(InternalError.class);
        starts.limit = 2;
        pool.execute(() -> journal.add("taken"));
        pool.execute(() -> journal.add("last"));
        Patience.await().until(() -> journal.count("last") == 1);
        assertThat(journal.entries()).containsExactly("taken", "last");
    }

    @ParameterizedTest
    @EnumSource
    void replace_noThreadAndNoneCanStart_isTriedAgainLater(Pool kind) {
        WorkerPool pool = pool(kind, 2);
        Journal journal = journal();
        for (int i = 0; i < 3; i++) {
            pool.queue.add((Runnable) () -> journal.add("queued"));
            pool.replace();
        }
        assertThat(clock.waiting()).as("tries to come").isEqualTo(1);
        clock.advance(Duration.ofSeconds(1));
        assertThat(clock.waiting()).as("tries to come").isEqualTo(1);
        starts.limit = 2;
        clock.advance(Duration.ofSeconds(1));
        Patience.await().until(() -> journal.count("queued") == 3);
        assertThat(clock.waiting()).isZero();
    }

    /** Its first thread ends by a failure of the pool itself. */
    private final class FailingPool extends WorkerPool {
        private final AtomicBoolean mayFail = new AtomicBoolean(true);

        FailingPool(PoolSettings settings) {
            super(settings, new ThreadEngine(settings, settings, false, clock), clock);
        }

        @Override
        void add(Object work) {
            queue.add(work);
            replace();
        }

        @Override
        void work(PoolWorker worker, @Nullable Object first) {
            if (mayFail.getAndSet(false)) {
                throw new InternalError("the test says so");
            }
            for (Object work = queue.poll(); work != null; work = queue.poll()) {
                perform(worker, work);
            }
        }

        @Override
        void replace() {
            if (!queue.isEmpty() && tryCount()) {
                tryStart(null);
            }
        }
    }

    @Test
    void exit_byAFailure_anotherThreadTakesWhatIsQueued() {
        starts.limit = 2;
        WorkerPool pool = new FailingPool(settings(1));
        pools.add(pool);
        Journal journal = journal();
        pool.execute(() -> journal.add("queued"));
        Patience.await().until(() -> journal.count("queued") == 1);
    }

    @ParameterizedTest
    @EnumSource
    void closeNow_offloadedCallJustHandedToAThread_isCancelledAndNeverRun(Pool kind) {
        WorkerPool pool = pool(kind, 1);
        Journal journal = journal();
        Gate gate = gate();
        starts.limit = 1;
        starts.begin = gate;
        Offloaded<Integer> call = new Offloaded<>(
                () -> {
                    journal.enter();
                    return 1;
                },
                Runnable::run);
        pool.execute(call);
        pool.closeNow(new ArrayList<>());
        gate.open();
        assertThatThrownBy(() -> Patience.get(call)).isInstanceOf(CancellationException.class);
        assertThat(journal.entered()).isZero();
    }

    // ---------------------------------------------------------------------------------------------- abandoning

    private static final class StrategyOf extends EngineStrategy {
        StrategyOf(Engine engine, StrategyOptions options) {
            super(engine, options);
        }
    }

    private ExecutorStrategy strategyOf(Engine engine) {
        StrategyOptions options = new StrategyOptions(
                "pool-test", 16, Rejection.REJECT, 16, 1 << 20, Patience.LIMIT, List.of(), List.of(), clock, false);
        return closedAfterTest(new StrategyOf(engine, options));
    }

    /** Does not heed its cancellation, and tells in which pool it is. */
    private static Workload<Integer, Integer> unheeding(Engine engine, CompletableFuture<WorkerPool> here, Gate gate) {
        return workload(Kind.COMPUTE, "unheeding", n -> {
            if (Worker.current(engine) instanceof PoolWorker worker) {
                here.complete(worker.pool());
            }
            gate.awaitIgnoringInterrupts();
            return n;
        });
    }

    @Test
    void awaitTermination_whileAnAbandonedThreadEnds_waitsForTheOther() throws Exception {
        starts.limit = 2;
        ThreadEngine engine = new ThreadEngine(settings(1), settings(1), false, clock);
        ExecutorStrategy strategy = strategyOf(engine);
        Gate stuck = gate();
        CompletableFuture<WorkerPool> here = new CompletableFuture<>();
        CompletableFuture<Result<Integer>> abandoned = strategy.submit(unheeding(engine, here, stuck), 1);
        WorkerPool pool = Patience.get(here);
        abandoned.cancel(true);
        clock.advance(GRACE);
        assertThat(pool.abandoned()).isEqualTo(1);
        Gate gate = gate();
        occupy(strategy, 1, Kind.COMPUTE, gate);
        pool.lock.lock();
        try {
            stuck.open();
            Patience.await().until(pool.lock::hasQueuedThreads);
            assertThat(pool.awaitTermination(0)).as("another thread is busy").isFalse();
        } finally {
            pool.lock.unlock();
        }
        Patience.await().until(() -> pool.abandoned() == 0);
        assertThat(pool.awaitTermination(0)).as("another thread is busy").isFalse();
        gate.open();
    }

    @Test
    void abandon_threadHasLeftTheTaskMeanwhile_isNotAbandoned() throws Exception {
        starts.limit = 2;
        ThreadEngine engine = new ThreadEngine(settings(1), settings(1), false, clock);
        ExecutorStrategy strategy = strategyOf(engine);
        Gate stuck = gate();
        CompletableFuture<WorkerPool> here = new CompletableFuture<>();
        CompletableFuture<Result<Integer>> slow = strategy.submit(unheeding(engine, here, stuck), 1);
        WorkerPool pool = Patience.get(here);
        Journal journal = journal();
        Gate gate = gate();
        CompletableFuture<Result<Integer>> next =
                strategy.submit(workload(Kind.COMPUTE, "next", telling(journal, gate)), 2);
        slow.cancel(true);
        Thread mover = new Thread(() -> clock.advance(GRACE), "pool-test-clock");
        pool.lock.lock();
        try {
            mover.start();
            Patience.await().until(pool.lock::hasQueuedThreads);
            stuck.open();
            Patience.await().until(() -> journal.inside() == 1);
        } finally {
            pool.lock.unlock();
        }
        mover.join();
        assertThat(pool.abandoned()).isZero();
        gate.open();
        assertThat(Patience.get(next)).isEqualTo(Result.success(2));
    }

    /** Without locks on its way out, a thread of the pool for virtual ones may meet who abandons it anywhere. */
    @Test
    void abandon_racingWithTheEndOfTheThread_isTakenBack() {
        starts.limit = Integer.MAX_VALUE;
        ThreadEngine engine = new ThreadEngine(settings(1), settings(1), true, clock);
        ExecutorStrategy strategy = strategyOf(engine);
        int rounds = 300 * Integer.getInteger("stress.rounds", 1);
        for (int i = 0; i < rounds; i++) {
            AtomicBoolean hasBegun = new AtomicBoolean();
            AtomicBoolean mayEnd = new AtomicBoolean();
            CompletableFuture<Result<Integer>> future = strategy.submit(
                    Workload.blocking("spinning", (Integer n) -> {
                        hasBegun.set(true);
                        while (!mayEnd.get()) {
                            Thread.onSpinWait();
                        }
                        return n;
                    }),
                    i);
            Patience.await().until(hasBegun::get);
            future.cancel(true);
            RacingThreads.run(() -> mayEnd.set(true), () -> clock.advance(GRACE));
            Patience.await().until(() -> engine.workers(0).isEmpty());
            assertThat(engine.abandoned()).as("after round %s", i).isZero();
        }
    }
}
