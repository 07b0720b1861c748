package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.Fn;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The {@code ExecutorService} view over an engine whose workers are elsewhere: here they are played by the test. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RemoteViewTest {
    private static final IOException DIED = new IOException("worker died");
    private static final Callable<Integer> NEVER = () -> {
        throw new AssertionError("runs here");
    };

    private final ScriptedEngine engine = new ScriptedEngine(1);
    private final EngineStrategy strategy =
            new ScriptedEngine.Builder(engine).maxPending(2).build();
    private final ListeningExecutorService view = strategy.asExecutorService();
    private final Worker one = engine.worker("one");

    @AfterEach
    void close() {
        strategy.closeNow();
        strategy.close();
    }

    /** The next batch, claimed and begun. */
    private Batch begun() {
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        return batch;
    }

    private void assertTerminates() throws InterruptedException {
        assertThat(view.awaitTermination(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
    }

    // ---------------------------------------------------------------------------------------------- outcomes

    @Test
    void submit_commandIsTheInput_valueIsTheFutures() throws Exception {
        ListenableFuture<Integer> call = view.submit(NEVER);
        Batch batch = engine.next();
        assertThat(batch.workload().isolated()).isTrue();
        assertThat(batch.claim(one)).containsExactly(NEVER);
        assertThat(batch.succeeded(0, 7)).isTrue();
        assertThat(Patience.get(call)).isEqualTo(7);

        Object value = new Object();
        Runnable action = () -> {};
        ListenableFuture<Object> done = view.submit(action, value);
        batch = engine.next();
        assertThat(batch.claim(one)).containsExactly(action);
        assertThat(batch.succeeded(0, null)).isTrue();
        assertThat(Patience.get(done)).isSameAs(value);

        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
    }

    @Test
    void lost_begun_failsTheFuture() {
        Future<Integer> future = view.submit(NEVER);
        begun().lost(0, DIED);
        assertThatThrownBy(() -> Patience.get(future))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isSameAs(DIED);
        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
    }

    @Test
    void notRun_notBegun_goesToAnotherWorker() throws Exception {
        Future<Integer> future = view.submit(NEVER);
        view.shutdown();
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.notRun(0);
        assertThat(view.isTerminated()).isFalse();
        begun().succeeded(0, 7);
        assertThat(Patience.get(future)).isEqualTo(7);
        assertThat(view.isTerminated()).isTrue();
    }

    // ---------------------------------------------------------------------------------------------- cancelling

    @Test
    void cancelTrue_begun_countsUntilItsWorkerHasLeft() throws Exception {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = begun();
        view.shutdown();
        assertThat(future.cancel(true)).isTrue();
        assertThat(future.isCancelled()).isTrue();
        assertThat(engine.stopped).containsExactly(batch);
        assertThat(view.isTerminated()).isFalse();
        assertThat(batch.lost(0, DIED)).as("too late").isFalse();
        assertThat(view.isTerminated()).isTrue();
    }

    @Test
    void cancelTrue_claimedAndNotBegun_countsUntilItsWorkerHasLeft() {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        view.shutdown();
        assertThat(future.cancel(true)).isTrue();
        assertThat(view.isTerminated()).isFalse();
        batch.notRun(0);
        assertThat(view.isTerminated()).isTrue();
        assertThat(engine.isIdle()).isTrue();
    }

    @Test
    void cancelFalse_begun_isLeftAloneAndCountsUntilItsEnd() {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = begun();
        view.shutdown();
        assertThat(future.cancel(false)).isTrue();
        assertThat(future.isCancelled()).isTrue();
        assertThat(engine.stopped).isEmpty();
        assertThat(view.isTerminated()).isFalse();
        assertThat(batch.succeeded(0, 7)).isTrue();
        assertThat(view.isTerminated()).isTrue();
        assertThat(future.isCancelled()).isTrue();
    }

    @Test
    void cancelFalse_queued_isNeverClaimed() {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = engine.next();
        assertThat(future.cancel(false)).isTrue();
        assertThat(batch.claim(one)).isNull();
        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
        assertThat(strategy.snapshot().queued()).isZero();
    }

    /** Its worker died before it began, and nobody wants it any more. */
    @Test
    void notRun_cancelledMeanwhile_isNotRunElsewhere() {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        assertThat(future.cancel(false)).isTrue();
        batch.notRun(0);
        Batch again = engine.poll();
        assertThat(again == null || again.claim(one) == null).isTrue();
        view.shutdown();
        assertThat(view.isTerminated()).isTrue();
    }

    // ---------------------------------------------------------------------------------------------- its end

    @Test
    void shutdownNow_queuedAndBegun_returnsTheFormerAndStopsTheLatter() throws Exception {
        Future<Integer> running = view.submit(NEVER);
        Batch begun = begun();
        Future<Integer> queued = view.submit(() -> 7);
        Batch waiting = engine.next();

        List<Runnable> neverStarted = view.shutdownNow();

        assertThat(neverStarted).hasSize(1);
        assertThat(waiting.claim(one)).isNull();
        assertThat(queued).isNotDone();
        neverStarted.forEach(Runnable::run);
        assertThat(Patience.get(queued)).as("who gets it may run it").isEqualTo(7);
        assertThat(running.isCancelled()).isTrue();
        assertThat(engine.stopped).containsExactly(begun);
        assertThat(view.isTerminated()).isFalse();
        begun.lost(0, DIED);
        assertTerminates();
    }

    @Test
    void shutdownNow_cancelledBeforeAndStillRunning_isStopped() throws Exception {
        Future<Integer> future = view.submit(NEVER);
        Batch batch = begun();
        assertThat(future.cancel(false)).isTrue();
        assertThat(view.shutdownNow()).isEmpty();
        assertThat(engine.stopped).containsExactly(batch);
        assertThat(view.isTerminated()).isFalse();
        batch.lost(0, DIED);
        assertTerminates();
    }

    /** What waits for room was not submitted: it is returned, and nothing comes of it later. */
    @Test
    void shutdownNow_submitterWaitsForRoom_returnsItsCommand() throws Exception {
        List<Future<Integer>> running = List.of(view.submit(NEVER), view.submit(NEVER));
        Batch first = begun();
        Batch second = begun();
        AtomicBoolean isRun = new AtomicBoolean();
        Runnable command = () -> isRun.set(true);
        RacingThreads.run(() -> view.execute(command), () -> {
            Patience.await().until(() -> view.toString().contains(" 3 tasks"));
            // Both that it waits for room already and that it does not do so yet must be right.
            assertThat(view.shutdownNow()).containsExactly(command);
            first.lost(0, DIED);
            second.lost(0, DIED);
        });
        assertTerminates();
        assertThat(running).allMatch(Future::isCancelled);
        assertThat(engine.isIdle()).isTrue();
        assertThat(isRun).isFalse();
        assertThat(strategy.snapshot().queued() + strategy.snapshot().running()).isZero();
    }

    @Test
    void closeNow_queuedAndBegun_cancelsBoth() throws Exception {
        Future<Integer> running = view.submit(NEVER);
        Batch batch = begun();
        Future<Integer> queued = view.submit(NEVER);
        view.shutdown();

        strategy.closeNow();

        assertThat(queued.isCancelled()).isTrue();
        assertThat(view.isTerminated()).isFalse();
        batch.failed(0, strategy.closedNow()); // as an engine that has lost its worker then
        Patience.await().until(running::isCancelled);
        assertTerminates();
    }

    /** Each future is one of: done with its value, cancelled, or returned and never run; and the view's end is the end. */
    @Test
    void shutdownNow_racingSubmitsAndWorkers_losesNothing() throws Exception {
        int rounds = 200 * Integer.getInteger("stress.rounds", 1);
        EngineStrategy roomy = new ScriptedEngine.Builder(engine).build();
        for (int round = 0; round < rounds; round++) {
            ListeningExecutorService racing = roomy.asExecutorService();
            List<Future<Integer>> futures = new ArrayList<>();
            List<AtomicInteger> runs = new ArrayList<>();
            List<Runnable> returned = new ArrayList<>();
            AtomicBoolean isOver = new AtomicBoolean();
            AtomicInteger submitted = new AtomicInteger();
            int enough = ThreadLocalRandom.current().nextInt(20);
            RacingThreads.run(
                    () -> {
                        try {
                            for (int i = 0; i < 20; i++) {
                                AtomicInteger ran = new AtomicInteger();
                                Future<Integer> future = racing.submit(ran::incrementAndGet);
                                futures.add(future);
                                submitted.incrementAndGet();
                                runs.add(ran);
                                if (ThreadLocalRandom.current().nextInt(4) == 0) {
                                    future.cancel(ThreadLocalRandom.current().nextBoolean());
                                }
                            }
                        } catch (RejectedExecutionException e) {
                            assertThat(racing.isShutdown()).isTrue();
                        }
                    },
                    () -> {
                        while (submitted.get() < enough) {
                            Thread.onSpinWait();
                        }
                        returned.addAll(racing.shutdownNow());
                        assertThat(racing.awaitTermination(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                                .isTrue();
                        isOver.set(true);
                    },
                    () -> {
                        while (!isOver.get()) {
                            Batch batch = engine.poll();
                            if (batch != null) {
                                work(batch);
                            }
                        }
                    });
            for (int i = 0; i < futures.size(); i++) {
                Future<Integer> future = futures.get(i);
                boolean isReturned = returned.contains((Object) future);
                // What was returned may have been cancelled just then.
                assertThat(isReturned ? future.isCancelled() || !future.isDone() : future.isDone())
                        .isTrue();
                int ran = runs.get(i).get();
                assertThat(ran).isBetween(0, isReturned ? 0 : 1);
                if (future.isDone() && !future.isCancelled()) {
                    assertThat(future.get()).isEqualTo(1);
                }
            }
        }
    }

    /** As a worker that sometimes dies before it begins. */
    @SuppressWarnings("unchecked")
    private void work(Batch batch) throws Exception {
        Object[] inputs = batch.claim(one);
        if (inputs == null) {
            return;
        }
        if (ThreadLocalRandom.current().nextInt(4) == 0) {
            batch.notRun(0);
            return;
        }
        batch.started(0, 0);
        batch.succeeded(0, ((Fn<Object, Object>) batch.workload().function()).apply(inputs[0]));
    }
}
