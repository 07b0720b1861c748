package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ContextPropagator;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The part of the contract that is about what tasks, callbacks and strange stages leave behind: memory, interrupts,
 * threads that block, inputs that are no more.
 */
public abstract class RemainsContract extends LifeContract {

    /** For subclasses. */
    protected RemainsContract() {}

    private static void assertCollected(WeakReference<?> reference) {
        Patience.await().until(() -> {
            System.gc();
            return reference.get() == null;
        });
    }

    // ---------------------------------------------------------------------------------------------- memory

    @Test
    void dependentStage_kept_doesNotKeepTheResult() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, byte[]> making = workload(Kind.COMPUTE, "making", byte[]::new);
        CompletableFuture<Result<byte[]>> future = strategy.submit(making, 1000);
        WeakReference<byte[]> value = new WeakReference<>(Patience.get(future).orElseThrow());
        CompletableFuture<Integer> kept = future.thenApply(result -> result.orElseThrow().length);
        future = null;
        assertCollected(value);
        assertThat(kept).isCompletedWithValue(1000);
    }

    @ParameterizedTest
    @EnumSource
    void cancel_queued_forgetsTheInput(Kind kind) {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        if (kind == Kind.ASYNC) {
            holdUpStarts(strategy, gate);
        } else {
            occupy(strategy, 1, kind, gate);
        }
        byte[] input = new byte[1000];
        Workload<byte[], Integer> length =
                workload(kind, Workload.named("length").timeout(Duration.ofHours(1)), bytes -> bytes.length);
        CompletableFuture<Result<Integer>> future = strategy.submit(length, input);
        WeakReference<byte[]> reference = new WeakReference<>(input);
        input = null;
        assertThat(future.cancel(true)).isTrue();
        assertCollected(reference);
    }

    // ---------------------------------------------------------------------------------------------- interrupts

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void interrupt_leftBehindByCallbacks_doesNotMeetTheNextTask(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        TaskListener listener = new TaskListener() {
            @Override
            public void finished(TaskInfo task, Result<?> result) {
                Thread.currentThread().interrupt();
            }
        };
        ContextPropagator propagator = () -> () -> () -> Thread.currentThread().interrupt();
        assertFlagsAreCleared(kind, strategy(1, options -> options.listener(listener)));
        assertFlagsAreCleared(kind, strategy(1, options -> options.propagator(propagator)));
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Result<Integer>> first = strategy.submit(waiting(kind, gate), 1);
        CompletableFuture<Void> stage =
                first.thenAccept(result -> Thread.currentThread().interrupt());
        gate.open();
        Patience.get(stage);
        assertFlagsAreCleared(kind, strategy);
    }

    private static void assertFlagsAreCleared(Kind kind, ExecutorStrategy strategy) throws Exception {
        Workload<Integer, Boolean> asking =
                workload(kind, "asking", n -> Thread.currentThread().isInterrupted());
        for (int i = 0; i < 5; i++) {
            // A future of its own each: who waits for it does not run the task.
            assertThat(Patience.get(strategy.submit(asking, i))).isEqualTo(Result.success(false));
        }
    }

    // ---------------------------------------------------------------------------------------------- callbacks

    /** What they wait for comes from callbacks that are queued behind them. */
    @Test
    void timeouts_ofWhichManyHaveStagesThatWaitForTimeouts_allArrive() throws Exception {
        assume(Ability.INTERRUPTS); // to kill two hundred workers takes long
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> hanging =
                Workload.named("hanging").timeout(Duration.ofMillis(20)).async((n, loop) -> new CompletableFuture<>());
        int stages = 100;
        CyclicBarrier all = new CyclicBarrier(stages);
        List<CompletableFuture<Throwable>> causes = new ArrayList<>();
        for (int i = 0; i < stages; i++) {
            int input = i;
            causes.add(strategy.submit(hanging, input).thenApply(result -> {
                try {
                    all.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
                } catch (Exception e) {
                    return e;
                }
                return causeOf(strategy.run(hanging, input));
            }));
        }
        for (CompletableFuture<Throwable> cause : causes) {
            assertThat(Patience.get(cause)).isInstanceOf(TaskTimeoutException.class);
        }
    }

    // ---------------------------------------------------------------------------------------------- asynchronous work

    @Test
    void cancelTrue_asynchronousAtAnyMoment_functionSeesItsInputOnly() {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(2);
        AtomicReference<Object> stranger = new AtomicReference<>();
        Workload<Object, Integer> looking = Workload.async("looking", (input, loop) -> {
            if (!(input instanceof Integer)) {
                stranger.set(input);
            }
            return CompletableFuture.completedFuture(1);
        });
        RacingThreads.run(2, () -> {
            for (int i = 0; i < 20_000; i++) {
                CompletableFuture<Result<Integer>> future = strategy.submit(looking, i);
                if (i % 3 == 0) {
                    Thread.yield();
                }
                future.cancel(true);
            }
        });
        assertThat(stranger).hasValue(null);
    }

    /** A stage that takes no callbacks. */
    private static final class Deaf extends CompletableFuture<Integer> {
        @Override
        public CompletableFuture<Integer> whenComplete(BiConsumer<? super Integer, ? super Throwable> action) {
            throw new UnsupportedOperationException("deaf");
        }
    }

    @Test
    void run_stageTakesNoCallbacks_isFailure() {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> deaf = Workload.async("deaf", (n, loop) -> new Deaf());
        assertThat(causeOf(strategy.run(deaf, 1)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("deaf");
    }

    @Test
    void closeNow_offloadedCallsRunAndWait_areInterruptedAndCancelled() throws Exception {
        assume(Ability.IN_THIS_JVM);
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(1);
        Fn<Integer, Integer> call = telling(journal, gate);
        AtomicReference<CompletableFuture<Integer>> running = new AtomicReference<>();
        AtomicReference<CompletableFuture<Integer>> queued = new AtomicReference<>();
        Workload<Integer, Integer> detached = Workload.async("detached", (n, loop) -> {
            running.set(loop.offload(() -> call.apply(n)));
            queued.set(loop.offload(() -> n));
            return CompletableFuture.completedFuture(n);
        });
        assertThat(strategy.run(detached, 1)).isEqualTo(Result.success(1));
        Patience.await().until(() -> journal.entered() == 1);
        strategy.closeNow();
        Patience.await().until(() -> journal.entries().contains("interrupted"));
        Patience.await().until(() -> running.get().isDone() && queued.get().isDone());
    }
}
