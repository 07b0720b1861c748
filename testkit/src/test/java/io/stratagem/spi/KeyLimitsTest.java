package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Places of keys, where workers are elsewhere: the engine is played by the test. All tasks have the same key. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class KeyLimitsTest {
    private static final IOException DIED = new IOException("worker died");

    private final ScriptedEngine engine = new ScriptedEngine(1024);
    private final EngineStrategy strategy =
            new ScriptedEngine.Builder(engine).maxPending(10_000).build();
    private final Worker worker = engine.worker("one");

    @AfterEach
    void close() {
        strategy.closeNow();
        strategy.close();
    }

    private static Workload<Integer, Integer> alone(Workload.Builder<Object> options) {
        return options.limitPerKey(n -> "all", 1).compute(n -> {
            throw new AssertionError("runs here: " + n);
        });
    }

    private List<CompletableFuture<Result<Integer>>> submit(Workload<Integer, Integer> workload, int tasks) {
        return IntStream.range(0, tasks)
                .mapToObj(n -> strategy.submit(workload, n))
                .toList();
    }

    /** The one batch that the engine has. */
    private Batch only(int input) {
        Batch batch = engine.next();
        assertThat(batch.inputOf(0)).isEqualTo(input);
        assertThat(engine.isIdle()).isTrue();
        return batch;
    }

    private void run(Batch batch, int value) {
        assertThat(batch.claim(worker)).isNotNull();
        batch.started(0, 0);
        assertThat(batch.succeeded(0, value)).isTrue();
    }

    @Test
    void succeeded_reported_handsOutTheNext() {
        List<CompletableFuture<Result<Integer>>> futures = submit(alone(Workload.named("alone")), 3);
        for (int n = 0; n < 3; n++) {
            run(only(n), n);
            assertThat(futures.get(n)).isCompletedWithValue(Result.success(n));
        }
        assertThat(engine.isIdle()).isTrue();
    }

    /** Its worker is about to be killed, and may still be at it. */
    @Test
    void cancel_claimedTask_keepsItsPlaceUntilItIsReported() {
        List<CompletableFuture<Result<Integer>>> futures = submit(alone(Workload.named("alone")), 2);
        Batch batch = only(0);
        assertThat(batch.claim(worker)).isNotNull();
        batch.started(0, 0);
        futures.get(0).cancel(true);
        assertThat(engine.isIdle()).isTrue();
        assertThat(batch.lost(0, DIED)).as("too late").isFalse();
        run(only(1), 1);
    }

    @Test
    void notRun_claimedTask_keepsItsPlace() {
        submit(alone(Workload.named("alone")), 2);
        Batch batch = only(0);
        assertThat(batch.claim(worker)).isNotNull();
        batch.notRun(0);
        Batch again = only(0);
        assertThat(again.isWaiting()).as("an engine forgets it otherwise").isTrue();
        assertThat(again.claim(worker)).isNotNull();
        batch.notRun(0); // says nothing of what is another batch now
        assertThat(engine.isIdle()).isTrue();
        assertThat(again.succeeded(0, 0)).isTrue();
        run(only(1), 1);
    }

    private static final class Incomparable {
        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            throw new IllegalStateException("not to be compared");
        }
    }

    @Test
    void submit_keysThatCannotBeCompared_failsAndLosesNothing() {
        Workload<Integer, Integer> bad = Workload.named("bad")
                .limitPerKey((Integer n) -> new Incomparable(), 1)
                .compute(n -> n);
        CompletableFuture<Result<Integer>> first = strategy.submit(bad, 0);
        assertThatThrownBy(() -> strategy.submit(bad, 1)).hasMessage("not to be compared");
        run(only(0), 0);
        assertThat(first).isCompletedWithValue(Result.success(0));
        assertThat(strategy.snapshot().queued()).isZero();
        assertThat(strategy.snapshot().running()).isZero();
    }

    @Test
    void lost_andTriedAgain_getsInLineAnew() {
        submit(alone(Workload.named("alone").retry(RetryPolicy.attempts(2))), 2);
        Batch batch = only(0);
        assertThat(batch.claim(worker)).isNotNull();
        batch.started(0, 0);
        assertThat(batch.lost(0, DIED)).isTrue();
        run(only(1), 1);
        run(only(0), 0);
    }

    /** There are so many that no chain of calls may lead from one to the next. */
    @Test
    void execute_engineRefuses_failsAllThatWait() throws Exception {
        int tasks = 5000;
        List<CompletableFuture<Result<Integer>>> futures = submit(alone(Workload.named("alone")), tasks);
        Batch batch = only(0);
        assertThat(batch.claim(worker)).isNotNull();
        engine.refuse();
        assertThat(batch.succeeded(0, 0)).isTrue();
        assertThat(Patience.get(futures.get(0))).isEqualTo(Result.success(0));
        for (CompletableFuture<Result<Integer>> each : futures.subList(1, tasks)) {
            assertThat(Patience.get(each))
                    .isInstanceOfSatisfying(
                            Result.Failure.class,
                            failure -> assertThat(failure.cause()).isInstanceOf(RejectedExecutionException.class));
        }
    }
}
