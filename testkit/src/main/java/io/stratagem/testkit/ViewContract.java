package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.ListeningExecutorService;
import com.google.common.util.concurrent.MoreExecutors;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.Workload;
import java.io.IOException;
import java.io.Serializable;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The part of the contract that is about the view of a strategy as an {@code ExecutorService}. What tests hand to it can
 * travel, unless they need the view, or a thread of this JVM, inside of a task.
 */
public abstract class ViewContract extends KeyContract {
    private static final long LIMIT_MILLIS = Patience.LIMIT.toMillis();

    /** For subclasses. */
    protected ViewContract() {}

    /** For lambdas that can travel. */
    private interface Call<T> extends Callable<T>, Serializable {}

    /** For lambdas that can travel. */
    private interface Command extends Runnable, Serializable {}

    private static <T> Callable<T> call(Call<T> call) {
        return call;
    }

    private static Runnable command(Command command) {
        return command;
    }

    private static Callable<Integer> telling(Journal journal, Gate gate, int value) {
        return call(() -> StrategyFixture.<Integer>telling(journal, gate).apply(value));
    }

    /** Fails unless all tasks end, those that were stopped included. */
    private static void assertTerminates(ListeningExecutorService view) throws InterruptedException {
        view.shutdown();
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(view.isTerminated()).isTrue();
    }

    /** Fails unless the future has failed with that exception; from another JVM with its like. */
    private void assertFailedWith(Future<?> future, Throwable expected) {
        ExecutionException failure = catchThrowableOfType(ExecutionException.class, () -> Patience.get(future));
        if (abilities().contains(Ability.IN_THIS_JVM)) {
            assertThat(failure).cause().isSameAs(expected);
        } else {
            assertThat(failure).cause().isInstanceOf(expected.getClass()).hasMessage(expected.getMessage());
        }
    }

    // ---------------------------------------------------------------------------------------------- single calls

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_submit_givesValueNullOrException(Kind kind) throws Exception {
        ListeningExecutorService view = strategy(2).asExecutorService(kind);
        Journal journal = journal();
        Object staysHere = new Object();
        assertThat(Patience.get(view.submit(call(() -> 42)))).isEqualTo(42);
        assertThat(Patience.<Object>get(view.submit(command(() -> journal.add("ran")), staysHere)))
                .isSameAs(staysHere);
        assertThat(journal.entries()).containsExactly("ran");
        assertThat(Patience.<Object>get(view.submit(call(() -> (Object) null)))).isNull();
        assertThat((Object) Patience.get(view.submit(command(() -> {})))).isNull();
        IOException checked = new IOException("checked");
        assertFailedWith(
                view.submit(call(() -> {
                    throw checked;
                })),
                checked);
        AssertionError error = new AssertionError("error");
        assertFailedWith(
                view.submit(command(() -> {
                    throw error;
                })),
                error);
        CancellationException ofItsOwn = new CancellationException("of the call");
        Future<?> failed = view.submit(call(() -> {
            throw ofItsOwn;
        }));
        assertFailedWith(failed, ofItsOwn);
        assertThat(failed.isCancelled()).isFalse();
    }

    @Test
    void view_execute_runsAndSurvivesExceptions() {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        view.execute(command(() -> {
            journal.add("first");
            throw new IllegalStateException("nobody will ask for this, as the test wants it");
        }));
        view.execute(command(() -> journal.add("second")));
        Patience.await().until(() -> journal.entries().equals(List.of("first", "second")));
    }

    @Test
    void view_null_isRefused() {
        ListeningExecutorService view = strategy(1).asExecutorService();
        assertThatThrownBy(() -> view.execute(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> view.submit((Runnable) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> view.submit((Callable<?>) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> view.invokeAll(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> view.invokeAny(null)).isInstanceOf(NullPointerException.class);
        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
    }

    @Test
    void view_ofAsyncKind_isRefused() {
        ExecutorStrategy strategy = strategy(1);
        assertThatThrownBy(() -> strategy.asExecutorService(Kind.ASYNC))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ASYNC");
    }

    @Test
    void view_addListener_isCalledWhenDone() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Gate gate = gate();
        Journal journal = journal();
        ListenableFuture<Integer> future = view.submit(telling(journal, gate, 1));
        future.addListener(() -> journal.add(future.isDone() ? "heard" : "heard too early"), Runnable::run);
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(journal.count("heard")).isZero();
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(1);
        Patience.await().until(() -> journal.count("heard") == 1);
        future.addListener(() -> journal.add("heard at once"), MoreExecutors.directExecutor());
        assertThat(journal.count("heard at once")).isEqualTo(1);
    }

    @Test
    void view_getTimesOut_leavesTheCallAlone() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Gate gate = gate();
        Future<Integer> future = view.submit(telling(journal(), gate, 1));
        assertThatThrownBy(() -> future.get(1, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        assertThat(future).isNotDone();
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(1);
    }

    // ---------------------------------------------------------------------------------------------- cancelling

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_cancelTrueRunning_stopsIt(Kind kind) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService(kind);
        Journal journal = journal();
        Future<Integer> future = view.submit(telling(journal, gate(), 1));
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(future.cancel(true)).isTrue();
        assertThat(future.isCancelled()).isTrue();
        assertThat(future.isDone()).isTrue();
        assertThatThrownBy(future::get).isInstanceOf(CancellationException.class);
        assertThat(future.cancel(true)).isFalse();
        awaitInterrupted(journal, 1);
        assertThat(Patience.get(view.submit(call(() -> Thread.currentThread().isInterrupted()))))
                .isFalse();
        assertRunsAtOnce(strategy, 1, kind);
        assertTerminates(view);
        assertThat(journal.count("through")).isZero();
    }

    @Test
    void view_cancelFalseRunning_letsItFinish() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> future = view.submit(telling(journal, gate, 1));
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(future.cancel(false)).isTrue();
        assertThat(future.isCancelled()).isTrue();
        view.shutdown();
        assertThat(view.isTerminated()).isFalse();
        gate.open();
        assertTerminates(view);
        assertThat(journal.count("through")).isEqualTo(1);
    }

    @Test
    void view_cancelQueued_neverRuns() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> first = view.submit(telling(journal, gate, 1));
        Patience.await().until(() -> journal.inside() == 1);
        Future<?> queued = view.submit(command(() -> journal.add("ran")));
        assertThat(queued.cancel(false)).isTrue();
        gate.open();
        assertThat(Patience.get(first)).isEqualTo(1);
        assertThat(Patience.get(view.submit(call(() -> 3)))).isEqualTo(3);
        assertThat(journal.count("ran")).isZero();
        assertTerminates(view);
    }

    @Test
    void view_callInterruptsItself_nextCallDoesNotSeeIt() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        for (int i = 0; i < 10; i++) {
            assertThat(Patience.get(view.submit(call(() -> {
                        boolean met = Thread.currentThread().isInterrupted();
                        Thread.currentThread().interrupt();
                        return met;
                    }))))
                    .isFalse();
        }
    }

    /** A future that is kept does not keep what was called, nor the context of the call. */
    @Test
    void view_futureIsDone_keepsNeitherCallNorContext() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> first = view.submit(telling(journal, gate, 1));
        Patience.await().until(() -> journal.inside() == 1);
        List<WeakReference<Object>> garbage = new ArrayList<>();
        Future<Integer> cancelled = submitWithGarbage(view, garbage);
        Future<Integer> finished = submitWithGarbage(view, garbage);
        assertThat(cancelled.cancel(false)).isTrue();
        gate.open();
        assertThat(Patience.get(first)).isEqualTo(1);
        assertThat(Patience.get(finished)).isEqualTo(1);
        // The strategy and the thread may keep something of the last call.
        assertThat(Patience.get(view.submit(call(() -> 2)))).isEqualTo(2);
        Patience.await().until(() -> {
            System.gc();
            return garbage.stream().allMatch(each -> each.refersTo(null));
        });
        assertThat(List.of(cancelled, finished)).as("kept").allMatch(Future::isDone);
    }

    /** Submits a call from a thread with a context class loader that nothing else refers to. */
    private static Future<Integer> submitWithGarbage(
            ListeningExecutorService view, List<WeakReference<Object>> garbage) {
        AtomicReference<Future<Integer>> future = new AtomicReference<>();
        RacingThreads.run(1, () -> {
            ClassLoader context = new ClassLoader() {};
            byte[] held = new byte[1];
            Thread.currentThread().setContextClassLoader(context);
            future.set(view.submit(call(() -> held.length)));
            garbage.add(new WeakReference<>(context));
            garbage.add(new WeakReference<>(held));
        });
        return future.get();
    }

    // ---------------------------------------------------------------------------------------------- many calls

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_invokeAll_waitsForAllInOrder(Kind kind) throws Exception {
        ListeningExecutorService view = strategy(3).asExecutorService(kind);
        List<Callable<Integer>> calls = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int n = i;
            calls.add(call(() -> {
                if (n % 10 == 3) {
                    throw new IOException("three");
                }
                return n;
            }));
        }
        List<Future<Integer>> futures = view.invokeAll(calls);
        assertThat(futures).hasSize(50).allMatch(Future::isDone);
        for (int n = 0; n < 50; n++) {
            Future<Integer> future = futures.get(n);
            if (n % 10 == 3) {
                assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class);
            } else {
                assertThat(future.get()).isEqualTo(n);
            }
        }
        assertThat(view.invokeAll(Collections.<Callable<Integer>>emptyList())).isEmpty();
    }

    @Test
    void view_invokeAllTimesOut_cancelsWhatIsNotDone() throws Exception {
        ExecutorStrategy strategy = strategy(2);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        List<Future<Integer>> futures = view.invokeAll(
                List.of(
                        call(() -> 1),
                        telling(journal, gate(), 2),
                        telling(journal, gate(), 3),
                        telling(journal, gate(), 4)),
                200,
                TimeUnit.MILLISECONDS);
        assertThat(futures).hasSize(4).allMatch(Future::isDone);
        assertThat(futures.subList(1, 4)).allMatch(Future::isCancelled);
        awaitNoneInside(journal);
        assertThat(journal.count("through")).isZero();
        assertRunsAtOnce(strategy, 2, Kind.BLOCKING);
    }

    @Test
    void view_invokeAllInterrupted_cancelsAll() throws Exception {
        ListeningExecutorService view = strategy(2).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    assertThatThrownBy(() -> view.invokeAll(Collections.nCopies(5, telling(journal, gate, 1))))
                            .isInstanceOf(InterruptedException.class);
                },
                () -> {
                    Patience.await().until(() -> journal.inside() == 2);
                    caller.get().interrupt();
                });
        awaitNoneInside(journal);
        assertTerminates(view);
        assertThat(journal.count("through")).isZero();
    }

    @Test
    void view_invokeAny_givesOneSuccessAndCancelsTheOthers() throws Exception {
        ExecutorStrategy strategy = strategy(3);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Integer value = view.invokeAny(List.of(
                call(() -> {
                    throw new IOException("no");
                }),
                telling(journal, gate(), 1),
                call(() -> 7)));
        assertThat(value).isEqualTo(7);
        awaitNoneInside(journal);
        assertTerminates(view);
        assertThat(journal.count("through")).isZero();
        assertRunsAtOnce(strategy, 3, Kind.BLOCKING);
    }

    @Test
    void view_invokeAnyNoneSucceeds_throwsOrTimesOut() throws Exception {
        ListeningExecutorService view = strategy(2).asExecutorService();
        Callable<Integer> failing = call(() -> {
            throw new IOException("no");
        });
        assertThatThrownBy(() -> view.invokeAny(List.of(failing, failing)))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IOException.class);
        Journal journal = journal();
        assertThatThrownBy(
                        () -> view.invokeAny(List.of(failing, telling(journal, gate(), 1)), 100, TimeUnit.MILLISECONDS))
                .isInstanceOf(TimeoutException.class);
        awaitNoneInside(journal);
        assertThatThrownBy(() -> view.invokeAny(List.<Callable<Integer>>of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertTerminates(view);
    }

    // ---------------------------------------------------------------------------------------------- its end

    @Test
    void view_shutdown_finishesItsCallsAndLeavesTheStrategyOpen() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        ListeningExecutorService other = strategy.asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> running = view.submit(telling(journal, gate, 1));
        Future<Integer> queued = view.submit(call(() -> 2));
        Patience.await().until(() -> journal.inside() == 1);
        view.shutdown();
        assertThat(view.isShutdown()).isTrue();
        assertThat(view.isTerminated()).isFalse();
        assertThat(view.awaitTermination(1, TimeUnit.MILLISECONDS)).isFalse();
        assertThatThrownBy(() -> view.execute(command(() -> {}))).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> view.submit(call(() -> 1))).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> view.invokeAll(List.of(call(() -> 1)))).isInstanceOf(RejectedExecutionException.class);
        gate.open();
        assertThat(Patience.get(running)).isEqualTo(1);
        assertThat(Patience.get(queued)).isEqualTo(2);
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(view.isTerminated()).isTrue();
        view.shutdown();
        assertThat(strategy.snapshot().closed()).isFalse();
        assertThat(Patience.get(other.submit(call(() -> 3)))).isEqualTo(3);
        assertThat(strategy.run(Workload.compute("identity", (Integer n) -> n), 4))
                .isEqualTo(Result.success(4));
        assertThat(other.isShutdown()).isFalse();
    }

    @Test
    void view_shutdownNow_returnsWhatNeverStartedAndStopsWhatRuns() throws Exception {
        ExecutorStrategy strategy = strategy(2);
        ListeningExecutorService view = strategy.asExecutorService();
        ListeningExecutorService other = strategy.asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        List<Future<Integer>> running =
                List.of(view.submit(telling(journal, gate, 1)), view.submit(telling(journal, gate, 2)));
        Patience.await().until(() -> journal.inside() == 2);
        Future<Integer> queued = view.submit(call(() -> {
            journal.add("submitted");
            return 3;
        }));
        Runnable executed = command(() -> journal.add("executed"));
        view.execute(executed);
        Future<Integer> ofOther = other.submit(call(() -> 4));
        List<Runnable> neverStarted = view.shutdownNow();
        assertThat(neverStarted).hasSize(2).contains(executed);
        for (Future<Integer> each : running) {
            if (abilities().contains(Ability.INTERRUPTS)) {
                assertThatThrownBy(() -> Patience.get(each))
                        .isInstanceOf(ExecutionException.class)
                        .hasCauseInstanceOf(InterruptedException.class);
            } else {
                assertThat(each.isCancelled()).isTrue();
            }
        }
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(Patience.get(ofOther)).isEqualTo(4);
        assertThat(queued).isNotDone();
        assertThat(journal.entries()).doesNotContain("submitted", "executed");
        neverStarted.forEach(Runnable::run);
        assertThat(Patience.get(queued)).as("who gets it may run it").isEqualTo(3);
        assertThat(journal.entries()).contains("submitted", "executed");
        assertThat(view.shutdownNow()).isEmpty();
        assertRunsAtOnce(strategy, 2, Kind.BLOCKING);
    }

    @Test
    void view_shutdownNowStubbornCall_terminatesWhenItReturns() throws Exception {
        assume(Ability.INTERRUPTS);
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> stubborn = view.submit(call(() -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
            return 1;
        }));
        Patience.await().until(() -> journal.entered() == 1);
        assertThat(view.shutdownNow()).isEmpty();
        assertThat(view.awaitTermination(20, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(view.isTerminated()).isFalse();
        gate.open();
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(Patience.get(stubborn)).isEqualTo(1);
    }

    @Test
    void view_cancelledStubbornCall_countsUntilItReturns() throws Exception {
        assume(Ability.INTERRUPTS);
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> stubborn = view.submit(call(() -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
            return 1;
        }));
        Patience.await().until(() -> journal.entered() == 1);
        assertThat(stubborn.cancel(true)).isTrue();
        view.shutdown();
        assertThat(view.isTerminated()).isFalse();
        gate.open();
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    }

    @Test
    void view_awaitTerminationInterrupted_throws() {
        ListeningExecutorService view = strategy(1).asExecutorService();
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                    .isInstanceOf(InterruptedException.class);
        });
        view.shutdown();
    }

    /** From JDK 19 on an {@code ExecutorService} can be closed. */
    @Test
    void view_close_waitsForItsCalls() throws Exception {
        ListeningExecutorService view = strategy(1).asExecutorService();
        Assumptions.assumeTrue((Object) view instanceof AutoCloseable, "needs JDK 19");
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> running = view.submit(telling(journal, gate, 1));
        Future<Integer> queued = view.submit(call(() -> 2));
        Patience.await().until(() -> journal.inside() == 1);
        RacingThreads.run(((AutoCloseable) (Object) view)::close, () -> {
            Patience.await().until(view::isShutdown);
            gate.open();
        });
        assertThat(view.isTerminated()).isTrue();
        assertThat(running).isDone();
        assertThat(Patience.get(queued)).isEqualTo(2);
    }

    @Test
    void view_strategyClosed_drainsItsCallsAndRejectsMore() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> running = view.submit(telling(journal, gate, 1));
        Future<Integer> queued = view.submit(call(() -> 2));
        Patience.await().until(() -> journal.inside() == 1);
        RacingThreads.run(strategy::close, () -> {
            Patience.await().until(() -> strategy.snapshot().closed());
            gate.open();
        });
        assertThat(running.get()).isEqualTo(1);
        assertThat(queued.get()).isEqualTo(2);
        assertThatThrownBy(() -> view.submit(call(() -> 3))).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void view_strategyClosedNow_cancelsItsCalls() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Future<Integer> running = view.submit(telling(journal, gate(), 1));
        Future<Integer> queued = view.submit(call(() -> 2));
        Patience.await().until(() -> journal.inside() == 1);
        strategy.closeNow();
        Patience.await().until(() -> running.isDone() && queued.isDone());
        assertThat(queued.isCancelled()).isTrue();
        awaitInterrupted(journal, 1);
        assertTerminates(view);
    }

    @Test
    void view_strategyRejects_rejects() throws Exception {
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1).rejection(Rejection.REJECT));
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> running = view.submit(telling(journal, gate, 1));
        Patience.await().until(() -> journal.inside() == 1);
        assertThatThrownBy(() -> view.submit(call(() -> 2))).isInstanceOf(RejectedExecutionException.class);
        gate.open();
        assertThat(Patience.get(running)).isEqualTo(1);
        view.shutdown();
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                .as("the rejected call does not count")
                .isTrue();
    }

    /** Whatever keeps a call from being submitted, the view does not wait for it. */
    @Test
    void view_submittingFails_throwsAndDoesNotCount() throws Exception {
        RuntimeException exception = new IllegalStateException("capture");
        Error error = new OutOfMemoryError("as if no thread could be started");
        Iterator<Throwable> failures = List.of(exception, error).iterator();
        ListeningExecutorService view = strategy(
                        1,
                        options -> options.propagator(() -> {
                            Throwable failure = failures.next();
                            if (failure instanceof Error e) {
                                throw e;
                            }
                            throw (RuntimeException) failure;
                        }))
                .asExecutorService();
        assertThatThrownBy(() -> view.execute(command(() -> {}))).isSameAs(exception);
        assertThatThrownBy(() -> view.submit(call(() -> 1))).isSameAs(error);
        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
        assertThat(view.awaitTermination(0, TimeUnit.MILLISECONDS)).isTrue();
    }

    /** What {@code execute} was given either runs or is refused aloud: nobody could ask for its outcome. */
    @Test
    void view_callerInterruptedWhileFull_isToldAndKeepsFlag() throws Exception {
        ExecutorStrategy strategy = strategy(1, options -> options.maxPending(1).rejection(Rejection.BLOCK));
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Gate gate = gate();
        Future<Integer> running = view.submit(telling(journal, gate, 1));
        Patience.await().until(() -> journal.inside() == 1);
        RacingThreads.run(1, () -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> view.execute(command(() -> journal.add("ran"))))
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessageContaining("interrupted");
            assertThat(Thread.currentThread().isInterrupted())
                    .as("after execute")
                    .isTrue();
            Future<?> future = view.submit(command(() -> journal.add("ran")));
            assertThat(future.isCancelled()).isTrue();
            assertThat(Thread.currentThread().isInterrupted())
                    .as("after submit")
                    .isTrue();
            assertThatThrownBy(() -> view.invokeAny(List.of(call(() -> 1)))).isInstanceOf(InterruptedException.class);
        });
        view.shutdown();
        gate.open();
        assertThat(Patience.get(running)).isEqualTo(1);
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(journal.count("ran")).isZero();
    }

    // ---------------------------------------------------------------------------------------------- nested and racing

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_nestedSubmitAndGet_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        ListeningExecutorService view = strategy(1).asExecutorService(kind);
        Future<Integer> outer = view.submit(() -> view.submit(() -> 1).get()
                + view.submit(() -> 2).get(LIMIT_MILLIS, TimeUnit.MILLISECONDS)
                + view.invokeAll(List.<Callable<Integer>>of(() -> 3, () -> 4)).stream()
                        .mapToInt(future -> {
                            try {
                                return future.get();
                            } catch (InterruptedException | ExecutionException e) {
                                throw new AssertionError(e);
                            }
                        })
                        .sum());
        assertThat(Patience.get(outer)).isEqualTo(10);
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_nestedAwaitTermination_doesNotDeadlock(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Boolean> outer = workload(kind, "outer", n -> {
            ListeningExecutorService view = strategy.asExecutorService(kind);
            Future<?> inner = view.submit(() -> n);
            view.shutdown();
            return view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS) && inner.isDone();
        });
        assertThat(strategy.run(outer, 1)).isEqualTo(Result.success(true));
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void view_nestedInvokeAny_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        ListeningExecutorService view = strategy(1).asExecutorService(kind);
        Callable<Integer> failing = () -> {
            throw new IOException("no");
        };
        Future<Integer> outer = view.submit(() -> view.invokeAny(List.of(failing, () -> 2)));
        assertThat(Patience.get(outer)).isEqualTo(2);
    }

    /** A worker that waits and helps does not lend its context. */
    @Test
    void view_helpedCall_hasTheContextOfItsSubmitter() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ListeningExecutorService view = strategy(1).asExecutorService();
        Gate submitted = gate();
        AtomicReference<Future<ClassLoader>> inner = new AtomicReference<>();
        ClassLoader ofOuter = new ClassLoader() {};
        ClassLoader ofInner = new ClassLoader() {};
        AtomicReference<Future<List<ClassLoader>>> outer = new AtomicReference<>();
        RacingThreads.run(1, () -> {
            Thread.currentThread().setContextClassLoader(ofOuter);
            outer.set(view.submit(() -> {
                submitted.await();
                ClassLoader found = inner.get().get();
                return List.of(found, Thread.currentThread().getContextClassLoader());
            }));
            Thread.currentThread().setContextClassLoader(ofInner);
            inner.set(view.submit(() -> Thread.currentThread().getContextClassLoader()));
        });
        submitted.open();
        assertThat(Patience.get(outer.get())).containsExactly(ofInner, ofOuter);
    }

    /** The interrupt of a call that a worker helps with is for that call only, then and later. */
    @Test
    void view_cancelHelpedCall_neverInterruptsTheHelper() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        AtomicReference<Future<Integer>> helped = new AtomicReference<>();
        Workload<Integer, Integer> identity = Workload.blocking("identity", n -> n);
        Future<List<Boolean>> outer = view.submit(() -> {
            helped.set(view.submit(telling(journal, gate(), 1)));
            assertThatThrownBy(() -> helped.get().get()).isInstanceOf(CancellationException.class);
            List<Boolean> flags = new ArrayList<>();
            flags.add(Thread.currentThread().isInterrupted());
            for (int i = 0; i < 2; i++) {
                strategy.run(identity, i);
                flags.add(Thread.currentThread().isInterrupted());
            }
            return flags;
        });
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(helped.get().cancel(true)).isTrue();
        assertThat(Patience.get(outer)).containsOnly(false);
        assertThat(journal.count("interrupted")).isEqualTo(1);
    }

    /** The interrupt of a call that helps with another one meets that, and then the call itself. */
    @Test
    void view_cancelCallThatHelps_interruptReachesIt() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Future<?> outer = view.submit(() -> {
            Future<Integer> helped = view.submit(telling(journal, gate(), 1));
            try {
                helped.get();
                journal.add("outer has a value");
            } catch (ExecutionException e) {
                journal.add("outer has " + e.getCause());
            } catch (InterruptedException e) {
                journal.add("outer interrupted");
            }
            return 0;
        });
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(outer.cancel(true)).isTrue();
        Patience.await().until(() -> journal.entries().stream().anyMatch(entry -> entry.startsWith("outer")));
        assertThat(journal.entries()).containsSubsequence("interrupted", "outer interrupted");
        assertRunsAtOnce(strategy, 1, Kind.BLOCKING);
    }

    /** A worker that is interrupted already would only spoil what it helps with. */
    @Test
    void view_interruptedWorkerGets_throwsAndLeavesTheCallAlone() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ListeningExecutorService view = strategy(1).asExecutorService();
        AtomicReference<Future<Boolean>> inner = new AtomicReference<>();
        Future<?> outer = view.submit(() -> {
            inner.set(view.submit(() -> Thread.currentThread().isInterrupted()));
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> inner.get().get()).isInstanceOf(InterruptedException.class);
        });
        Patience.get(outer);
        assertThat(Patience.get(inner.get())).isFalse();
    }

    @Test
    void view_nestedInvokeAnyAfterShutdown_isRejected() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        ListeningExecutorService other = strategy.asExecutorService();
        view.shutdown();
        Future<Integer> outer = other.submit(() -> view.invokeAny(List.of(() -> 1)));
        assertThatThrownBy(() -> Patience.get(outer))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void view_nestedInvokeAnyInterrupted_throws() {
        assume(Ability.IN_THIS_JVM);
        ListeningExecutorService view = strategy(1).asExecutorService();
        Journal journal = journal();
        Callable<Integer> call = telling(journal, gate(), 1);
        Future<?> outer = view.submit(() -> {
            try {
                return view.invokeAny(List.of(call, call));
            } catch (InterruptedException | ExecutionException e) {
                journal.add("outer: " + e.getClass().getSimpleName());
                throw e;
            }
        });
        Patience.await().until(() -> journal.inside() == 1);
        assertThat(outer.cancel(true)).isTrue();
        Patience.await().until(() -> journal.count("outer: InterruptedException") == 1);
        assertThat(journal.entered()).as("the second is cancelled").isEqualTo(1);
    }

    /** The calls of an {@code invokeAny} belong to the view, wherever they run. */
    @Test
    void view_shutdownNowDuringNestedInvokeAny_seesItsCalls() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        ListeningExecutorService view = strategy.asExecutorService();
        ListeningExecutorService other = strategy.asExecutorService();
        Journal journal = journal();
        Future<Integer> outer = other.submit(() -> view.invokeAny(List.of(telling(journal, gate(), 1), () -> 2)));
        Patience.await().until(() -> journal.inside() == 1);
        List<Runnable> neverStarted = view.shutdownNow();
        assertThat(neverStarted).hasSize(1);
        assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(journal.count("interrupted")).isEqualTo(1);
        neverStarted.forEach(Runnable::run);
        assertThat(Patience.get(outer)).isEqualTo(2);
    }

    /** A success elsewhere cancels the call with which the waiting worker helps. */
    @Test
    void view_nestedInvokeAnySucceedsElsewhere_endsTheHelp() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(2);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Gate isHelping = gate();
        Callable<Integer> onHelper = telling(journal, gate(), 1);
        Future<Integer> outer = view.submit(() -> {
            Callable<Integer> call = onlyOnThisThread(onHelper, () -> {
                isHelping.await();
                return 2;
            });
            int value = view.invokeAny(List.of(call, call));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            return value;
        });
        Patience.await().until(() -> journal.inside() == 1);
        isHelping.open();
        assertThat(Patience.get(outer)).isEqualTo(2);
        assertThat(journal.count("interrupted")).isEqualTo(1);
        assertRunsAtOnce(strategy, 2, Kind.BLOCKING);
    }

    /** A worker that has helped with what it could waits for the rest, as long as it was told. */
    @Test
    void view_nestedInvokeAnyTimesOut_throwsAndCancels() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(2);
        ListeningExecutorService view = strategy.asExecutorService();
        Journal journal = journal();
        Gate isRunningElsewhere = gate();
        Callable<Integer> elsewhere = telling(journal, gate(), 1);
        Future<Integer> outer = view.submit(() -> {
            Callable<Integer> call = onlyOnThisThread(
                    () -> {
                        isRunningElsewhere.await();
                        throw new IOException("no");
                    },
                    elsewhere);
            return view.invokeAny(List.of(call, call), 200, TimeUnit.MILLISECONDS);
        });
        Patience.await().until(() -> journal.inside() == 1);
        isRunningElsewhere.open();
        assertThatThrownBy(() -> Patience.get(outer))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(TimeoutException.class);
        Patience.await().until(() -> journal.count("interrupted") == 1);
        assertRunsAtOnce(strategy, 2, Kind.BLOCKING);
    }

    /** One call for the thread that makes it, another for all others. */
    private static Callable<Integer> onlyOnThisThread(Callable<Integer> here, Callable<Integer> elsewhere) {
        Thread thread = Thread.currentThread();
        return () -> (Thread.currentThread() == thread ? here : elsewhere).call();
    }

    @Test
    void view_racingSubmitsAndShutdownNow_losesNoCall() {
        assume(Ability.IN_THIS_JVM);
        int rounds = 50 * Integer.getInteger("stress.rounds", 1);
        ExecutorStrategy strategy = strategy(2);
        for (int round = 0; round < rounds; round++) {
            ListeningExecutorService view = strategy.asExecutorService();
            AtomicInteger accepted = new AtomicInteger();
            AtomicInteger ran = new AtomicInteger();
            AtomicInteger returned = new AtomicInteger();
            RacingThreads.run(3, thread -> {
                if (thread == 0) {
                    returned.addAndGet(view.shutdownNow().size());
                    return;
                }
                for (int i = 0; i < 50; i++) {
                    try {
                        view.execute(ran::incrementAndGet);
                        accepted.incrementAndGet();
                    } catch (RejectedExecutionException e) {
                        return;
                    }
                }
            });
            RacingThreads.run(1, () -> {
                returned.addAndGet(view.shutdownNow().size());
                assertThat(view.awaitTermination(LIMIT_MILLIS, TimeUnit.MILLISECONDS))
                        .isTrue();
            });
            assertThat(ran.get() + returned.get()).isEqualTo(accepted.get());
        }
    }
}
