package io.stratagem.all;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.AutoStrategy;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Result;
import io.stratagem.Snapshot;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import io.stratagem.testkit.StrategyFixture;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That each strategy is made once, holding up nobody but those who need it, and that none stays open. */
final class AutoMakingTest extends StrategyFixture {
    private static final Workload<Integer, Integer> COMPUTES = Workload.compute("computes", n -> n + 1);
    private static final Workload<Integer, Integer> WAITS =
            Workload.async("waits", (n, loop) -> CompletableFuture.completedFuture(n + 1));
    private static final Workload<Integer, Integer> COLOURED =
            Workload.named("coloured").jvmOptions("-Dcolour=blue").compute((Integer n) -> n + 1);

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        return AutoStrategy.builder().cpus(workers).build();
    }

    // ---------------------------------------------------------------------------------------------- making

    @Test
    void build_twice_givesEachStrategiesOfItsOwn() {
        AutoStrategy.Builder builder = AutoStrategy.builder().make(Stratagem.THREAD_POOL, ThreadPoolStrategy::create);
        try (AutoStrategy first = builder.build()) {
            ExecutorStrategy threads = first.strategyFor(COMPUTES);
            try (AutoStrategy second = builder.build()) {
                assertThat(second.strategyFor(COMPUTES)).isNotSameAs(threads);
            }
            assertThat(first.run(COMPUTES, 1)).isEqualTo(Result.success(2));
        }
    }

    @Test
    void strategyFor_manyThreads_makesItOnce() {
        AtomicInteger made = new AtomicInteger();
        AutoStrategy.Builder builder = AutoStrategy.builder().make(Stratagem.THREAD_POOL, () -> {
            made.incrementAndGet();
            return ThreadPoolStrategy.create();
        });
        try (AutoStrategy auto = builder.build()) {
            RacingThreads.run(4, () -> assertThat(auto.run(COMPUTES, 1)).isEqualTo(Result.success(2)));
            RacingThreads.run(4, () -> auto.strategyFor(COLOURED));
            assertThat(made).hasValue(1);
            assertThat(auto.strategies()).hasSize(2);
        }
    }

    @Test
    void run_whileAnotherStrategyIsMade_doesNotWait() throws Exception {
        Gate gate = gate();
        CountDownLatch begun = new CountDownLatch(1);
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.EVENT_LOOP, () -> {
                    begun.countDown();
                    gate.awaitIgnoringInterrupts();
                    return EventLoopStrategy.create();
                })
                .build()) {
            Started<Result<Integer>> first = start(() -> auto.run(WAITS, 1));
            await(begun);
            Started<Result<Integer>> other = start(() -> auto.run(COMPUTES, 1));
            assertThat(other.get()).isEqualTo(Result.success(2));
            gate.open();
            assertThat(first.get()).isEqualTo(Result.success(2));
        } finally {
            gate.open();
        }
    }

    @Test
    void strategyFor_attemptFails_failsForAllWhoWaitAndIsTriedAgain() throws Exception {
        Gate gate = gate();
        AtomicInteger attempts = new AtomicInteger();
        RuntimeException failure = new IllegalArgumentException("not now");
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    if (attempts.incrementAndGet() == 1) {
                        gate.awaitIgnoringInterrupts();
                        throw failure;
                    }
                    return ThreadPoolStrategy.create();
                })
                .build()) {
            Started<Throwable> maker = start(() -> catchThrowable(() -> auto.submit(COMPUTES, 1)));
            Patience.await().until(() -> attempts.get() == 1);
            Started<Throwable> waiter = start(() -> catchThrowable(() -> auto.submit(COMPUTES, 1)));
            waiter.awaitWaiting();
            gate.open();
            assertThat(maker.get()).isSameAs(failure);
            assertThat(waiter.get()).isSameAs(failure);
            assertThat(attempts).hasValue(1);
            assertThat(auto.run(COMPUTES, 1)).isEqualTo(Result.success(2));
            assertThat(attempts).hasValue(2);
        }
    }

    @Test
    void strategyFor_interruptedWhileAnotherMakesIt_waitsOnAndKeepsTheInterrupt() throws Exception {
        Gate gate = gate();
        CountDownLatch begun = new CountDownLatch(1);
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    begun.countDown();
                    gate.awaitIgnoringInterrupts();
                    return ThreadPoolStrategy.create();
                })
                .build()) {
            Started<ExecutorStrategy> maker = start(() -> auto.strategyFor(COMPUTES));
            await(begun);
            AtomicReference<ExecutorStrategy> found = new AtomicReference<>();
            Started<Boolean> waiter = start(() -> {
                found.set(auto.strategyFor(COMPUTES));
                return Thread.currentThread().isInterrupted();
            });
            waiter.awaitWaiting();
            waiter.thread.interrupt();
            gate.open();
            assertThat(waiter.get()).isTrue();
            assertThat(found.get()).isSameAs(maker.get());
        }
    }

    @Test
    void supplier_needsWhatItMakes_isToldSo() {
        AtomicReference<AutoStrategy> auto = new AtomicReference<>();
        auto.set(AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    auto.get().run(COMPUTES, 1);
                    return ThreadPoolStrategy.create();
                })
                .build());
        try (AutoStrategy strategy = auto.get()) {
            assertThatThrownBy(() -> strategy.run(COMPUTES, 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the supplier of the thread pool needs the strategy that it makes");
        }
    }

    @Test
    void suppliers_needEachOtherOnTwoThreads_areToldSo() throws Exception {
        AtomicReference<AutoStrategy> auto = new AtomicReference<>();
        CountDownLatch both = new CountDownLatch(2);
        auto.set(AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    meet(both);
                    auto.get().strategyFor(WAITS);
                    return ThreadPoolStrategy.create();
                })
                .make(Stratagem.EVENT_LOOP, () -> {
                    meet(both);
                    auto.get().strategyFor(COMPUTES);
                    return EventLoopStrategy.create();
                })
                .build());
        try (AutoStrategy strategy = auto.get()) {
            List<Started<Throwable>> all = List.of(
                    start(() -> catchThrowable(() -> strategy.strategyFor(COMPUTES))),
                    start(() -> catchThrowable(() -> strategy.strategyFor(WAITS))));
            for (Started<Throwable> each : all) {
                assertThat(each.get())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageMatching(
                                "the supplier of the (thread pool|event loop) needs the strategy that it makes");
            }
        }
    }

    @Test
    void supplier_givesNone_isNamed() {
        try (AutoStrategy auto =
                AutoStrategy.builder().make(Stratagem.THREAD_POOL, () -> null).build()) {
            assertThatThrownBy(() -> auto.run(COMPUTES, 1))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("the supplier of the thread pool gave no strategy");
        }
    }

    @Test
    void supplier_givesTheStrategyItIsFor_isRefused() {
        AtomicReference<AutoStrategy> auto = new AtomicReference<>();
        auto.set(AutoStrategy.builder().make(Stratagem.THREAD_POOL, auto::get).build());
        try (AutoStrategy strategy = auto.get()) {
            assertThatThrownBy(() -> strategy.run(COMPUTES, 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the supplier of the thread pool gave the strategy that it is to be a part of");
        }
    }

    @Test
    void suppliers_ofTwoStrategies_needEachOther_areToldSo() throws Exception {
        List<AutoStrategy> circle = circle(other -> {
            other.strategyFor(COMPUTES);
            return ThreadPoolStrategy.create();
        });
        try (AutoStrategy one = circle.get(0);
                AutoStrategy other = circle.get(1)) {
            List<Started<Throwable>> all = List.of(
                    start(() -> catchThrowable(() -> one.strategyFor(COMPUTES))),
                    start(() -> catchThrowable(() -> other.strategyFor(COMPUTES))));
            for (Started<Throwable> each : all) {
                assertThat(each.get())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("the supplier of the thread pool needs the strategy that it makes");
            }
        }
    }

    @Test
    void suppliers_giveEachOtherOnTwoThreads_oneIsRefused() throws Exception {
        List<AutoStrategy> circle = circle(other -> other);
        try (AutoStrategy one = circle.get(0);
                AutoStrategy other = circle.get(1)) {
            Started<Throwable> maker = start(() -> catchThrowable(() -> one.strategyFor(COMPUTES)));
            Throwable thrown = catchThrowable(() -> other.strategyFor(COMPUTES));
            assertThat(Stream.of(thrown, maker.get()).filter(Objects::nonNull))
                    .singleElement()
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /** Two strategies whose suppliers each take the other one, at the same time. */
    private static List<AutoStrategy> circle(Function<AutoStrategy, ExecutorStrategy> supplied) {
        AtomicReference<AutoStrategy> first = new AtomicReference<>();
        AtomicReference<AutoStrategy> second = new AtomicReference<>();
        CountDownLatch both = new CountDownLatch(2);
        first.set(taking(second, both, supplied));
        second.set(taking(first, both, supplied));
        return List.of(first.get(), second.get());
    }

    private static AutoStrategy taking(
            AtomicReference<AutoStrategy> other,
            CountDownLatch both,
            Function<AutoStrategy, ExecutorStrategy> supplied) {
        return AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    meet(both);
                    return supplied.apply(other.get());
                })
                .build();
    }

    @Test
    void supplier_givesAStrategyThatHasThisAsAPart_isRefused() {
        AtomicReference<AutoStrategy> outer = new AtomicReference<>();
        try (AutoStrategy inner = AutoStrategy.builder()
                        .name("inner")
                        .make(Stratagem.THREAD_POOL, outer::get)
                        .build();
                AutoStrategy middle = AutoStrategy.builder()
                        .name("middle")
                        .use(Stratagem.THREAD_POOL, inner)
                        .build()) {
            outer.set(AutoStrategy.builder()
                    .name("outer")
                    .use(Stratagem.THREAD_POOL, middle)
                    .build());
            for (AutoStrategy each : List.of(inner, middle, outer.get())) {
                assertThatThrownBy(() -> each.run(COMPUTES, 1)).satisfies(AutoMakingTest::saysThatItIsACircle);
                assertThatThrownBy(() -> Pipeline.of(COMPUTES).run(each, 1))
                        .satisfies(AutoMakingTest::saysThatItIsACircle);
                assertThat(each.run(WAITS, 1)).isEqualTo(Result.success(2));
            }
            outer.get().close();
        }
    }

    private static void saysThatItIsACircle(Throwable thrown) {
        assertThat(thrown)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the supplier of the thread pool gave strategy 'outer', which has 'inner' as a part and so"
                        + " cannot be a part of it");
    }

    // ---------------------------------------------------------------------------------------------- what there is

    @Test
    void strategies_oneInTwoPlaces_isListedAndCountedOnce() {
        try (EventLoopStrategy loops = EventLoopStrategy.create();
                AutoStrategy auto = AutoStrategy.builder()
                        .use(Stratagem.THREAD_POOL, loops)
                        .use(Stratagem.EVENT_LOOP, loops)
                        .build()) {
            auto.run(COMPUTES, 1);
            auto.run(WAITS, 1);
            assertThat(auto.strategies()).containsExactly(loops);
            assertThat(auto.snapshot().submitted()).isEqualTo(2);
        }
    }

    @Test
    void jvmOptions_noStrategyGiven_makesOnlyTheOneThatHasThem() {
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build()) {
            ExecutorStrategy coloured = auto.strategyFor(COLOURED);
            assertThat(auto.strategies()).containsExactly(coloured);
        }
    }

    @Test
    void jvmOptions_strategyGivenWithoutThem_getAnother() {
        try (ProcessPoolStrategy plain =
                        ProcessPoolStrategy.builder().workerProcesses(1).build();
                AutoStrategy auto = AutoStrategy.builder()
                        .use(Stratagem.PROCESS_POOL, plain)
                        .build()) {
            ExecutorStrategy coloured = auto.strategyFor(COLOURED);
            assertThat(auto.strategies()).containsExactlyInAnyOrder(plain, coloured);
        }
    }

    // ---------------------------------------------------------------------------------------------- closing

    @Test
    void closeNow_whileOneIsMade_doesNotWaitAndLeavesNoneOpen() throws Exception {
        Gate gate = gate();
        CountDownLatch begun = new CountDownLatch(1);
        ThreadPoolStrategy threads = ThreadPoolStrategy.create();
        AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    begun.countDown();
                    gate.awaitIgnoringInterrupts();
                    return threads;
                })
                .build();
        try {
            Started<Throwable> maker = start(() -> catchThrowable(() -> auto.submit(COMPUTES, 1)));
            await(begun);
            Started<Throwable> waiter = start(() -> catchThrowable(() -> auto.submit(COMPUTES, 1)));
            waiter.awaitWaiting();
            start(() -> {
                        auto.closeNow();
                        auto.close();
                        return true;
                    })
                    .get();
            assertThat(waiter.get())
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessage("strategy 'auto' is closed");
            assertThat(threads.snapshot().closed()).isFalse();
            gate.open();
            assertThat(maker.get())
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessage("strategy 'auto' is closed");
            assertThat(threads.snapshot().closed()).isTrue();
            assertThat(auto.strategies()).isEmpty();
        } finally {
            gate.open();
        }
    }

    @Test
    void close_byTheSupplier_closesWhatItMakes() {
        AtomicReference<AutoStrategy> auto = new AtomicReference<>();
        ThreadPoolStrategy threads = ThreadPoolStrategy.create();
        auto.set(AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    auto.get().close();
                    return threads;
                })
                .build());
        assertThatThrownBy(() -> auto.get().run(COMPUTES, 1)).isInstanceOf(RejectedExecutionException.class);
        assertThat(threads.snapshot().closed()).isTrue();
    }

    @Test
    void closeNow_oneThrows_closesAllAndThrowsTheFirst() {
        Stubborn threads = new Stubborn(ThreadPoolStrategy.create());
        Stubborn loops = new Stubborn(EventLoopStrategy.create());
        AutoStrategy auto = autoOf(threads, loops);
        Throwable thrown = catchThrowable(auto::closeNow);
        assertThat(thrown).isInstanceOf(IllegalStateException.class).hasMessageStartingWith("stubborn");
        List<String> messages = new ArrayList<>(List.of(thrown.getMessage()));
        for (Throwable each : thrown.getSuppressed()) {
            messages.add(each.getMessage());
        }
        assertThat(messages).containsExactlyInAnyOrder("stubborn threads", "stubborn loops");
        assertThat(threads.snapshot().closed()).isTrue();
        assertThat(loops.snapshot().closed()).isTrue();
    }

    @Test
    void close_interruptedAndOneThrows_closesAllAndKeepsTheInterrupt() throws Exception {
        Gate gate = gate();
        Stubborn threads = new Stubborn(ThreadPoolStrategy.create());
        Stubborn loops = new Stubborn(EventLoopStrategy.create());
        AutoStrategy auto = autoOf(threads, loops);
        CompletableFuture<Result<Integer>> stuck = auto.submit(waiting(Kind.BLOCKING, gate), 1);
        Started<Boolean> closer = start(() -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(auto::close).isInstanceOf(IllegalStateException.class);
            return Thread.currentThread().isInterrupted();
        });
        assertThat(closer.get()).isTrue();
        assertThat(Patience.get(stuck).isSuccess()).isFalse();
        assertThat(threads.snapshot().closed()).isTrue();
        assertThat(loops.snapshot().closed()).isTrue();
        gate.open();
    }

    private static AutoStrategy autoOf(ExecutorStrategy threads, ExecutorStrategy loops) {
        AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> threads)
                .make(Stratagem.EVENT_LOOP, () -> loops)
                .build();
        auto.strategyFor(COMPUTES);
        auto.strategyFor(WAITS);
        return auto;
    }

    @Test
    void close_onAThreadOfAnAutoStrategyInIt_doesNotWaitForItself() throws Exception {
        AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, Stratagem::auto)
                .build();
        Workload<Integer, Integer> closing = Workload.blocking("closing", n -> {
            auto.close();
            return n;
        });
        assertThat(Patience.get(auto.submit(closing, 1))).isEqualTo(Result.success(1));
    }

    // ---------------------------------------------------------------------------------------------- helpers

    private static void meet(CountDownLatch both) {
        both.countDown();
        try {
            await(both);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
    }

    private static <T> Started<T> start(Callable<T> call) {
        FutureTask<T> outcome = new FutureTask<>(call);
        Thread thread = new Thread(outcome, "auto-making-test");
        thread.setDaemon(true);
        thread.start();
        return new Started<>(thread, outcome);
    }

    /** A call on a thread of its own. */
    private record Started<T>(Thread thread, FutureTask<T> outcome) {
        T get() throws Exception {
            return Patience.get(outcome);
        }

        /** Until it waits for something, as it then does for what holds up the test. */
        void awaitWaiting() {
            Patience.await()
                    .until(() ->
                            thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.BLOCKED);
        }
    }

    /** Closes by force, and then throws. */
    private record Stubborn(ExecutorStrategy strategy) implements ExecutorStrategy {
        @Override
        public String name() {
            return strategy.name();
        }

        @Override
        public <I, O> Result<O> run(Workload<I, O> workload, I input) {
            return strategy.run(workload, input);
        }

        @Override
        public <I, O> CompletableFuture<Result<O>> submit(Workload<I, O> workload, I input) {
            return strategy.submit(workload, input);
        }

        @Override
        public <I, O> Stream<Result<O>> map(Workload<I, O> workload, Stream<? extends I> inputs, MapOptions options) {
            return strategy.map(workload, inputs, options);
        }

        @Override
        public ListeningExecutorService asExecutorService(Kind kind) {
            return strategy.asExecutorService(kind);
        }

        @Override
        public Snapshot snapshot() {
            return strategy.snapshot();
        }

        @Override
        public void close() {
            strategy.close();
        }

        @Override
        public void closeNow() {
            strategy.closeNow();
            throw new IllegalStateException("stubborn " + name());
        }
    }
}
