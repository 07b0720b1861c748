package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.Uninterruptibles;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.Workload;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an engine whose workers are elsewhere may do to the stages of a pipeline: here it is played by the test. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PipelineRunTest {
    private final FakeClock clock = new FakeClock();
    private final ScriptedEngine engine = new ScriptedEngine(1);
    private final ScriptedEngine other = new ScriptedEngine(1);
    private final EngineStrategy strategy = newStrategy(engine);
    private final EngineStrategy otherStrategy = newStrategy(other);
    private final Worker one = engine.worker("one");
    private final Worker two = other.worker("two");
    private final List<Result<Integer>> delivered = new ArrayList<>();

    private EngineStrategy newStrategy(ScriptedEngine scripted) {
        return new ScriptedEngine.Builder(scripted).clock(clock).build();
    }

    @AfterEach
    void close() {
        strategy.closeNow();
        strategy.close();
        otherStrategy.closeNow();
        otherStrategy.close();
    }

    private static Workload<Integer, Integer> never(Workload.Builder<? super Integer> options) {
        return options.blocking(n -> {
            throw new AssertionError("runs here: " + n);
        });
    }

    private Pipeline<Integer, Integer> pipeline() {
        return Pipeline.of(never(Workload.named("first")))
                .then(never(Workload.named("second")))
                .on(otherStrategy);
    }

    private static void succeed(Batch batch, Worker worker, int expected, int value) {
        assertThat(batch.claim(worker)).containsExactly(expected);
        assertThat(batch.succeeded(0, value)).isTrue();
    }

    private static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    private void assertDrained() {
        for (EngineStrategy each : List.of(strategy, otherStrategy)) {
            each.close(); // would take its time, and say so
            assertThat(each.snapshot().queued() + each.snapshot().running()).isZero();
        }
    }

    @Test
    void stage_handedBackAndTriedAgain_goesOnWithItsInput() {
        RetryPolicy policy =
                RetryPolicy.attempts(2).backoff(Duration.ofSeconds(1)).jitter(0);
        Pipeline<Integer, Integer> flaky =
                pipeline().then(never(Workload.named("flaky").retry(policy)));
        RacingThreads.run(
                () -> {
                    try (var results = flaky.map(strategy, List.of(1))) {
                        results.forEach(delivered::add);
                    }
                },
                () -> {
                    Batch first = engine.next();
                    assertThat(first.claim(one)).containsExactly(1);
                    first.notRun(0);
                    succeed(engine.next(), one, 1, 10);
                    succeed(other.next(), two, 10, 100);
                    Batch attempt = engine.next();
                    assertThat(attempt.claim(one)).containsExactly(100);
                    attempt.started(0, 0);
                    attempt.failed(0, new IOException("once"));
                    clock.advance(Duration.ofSeconds(1));
                    succeed(engine.next(), one, 100, 1000);
                });
        assertThat(delivered).containsExactly(Result.success(1000));
        assertThat(delivered.get(0).execution().attempts()).isEqualTo(2);
        assertThat(strategy.snapshot().retried()).isEqualTo(1);
        assertDrained();
    }

    @Test
    void laterStage_itsEngineTakesNothing_inputFailsAndTheReaderGetsTheSame() {
        other.refuse();
        RacingThreads.run(
                () -> {
                    try (var results = pipeline()
                            .map(
                                    strategy,
                                    Stream.iterate(1, n -> n + 1),
                                    MapOptions.ordered().window(2))) {
                        assertThatThrownBy(() -> results.forEach(delivered::add))
                                .isInstanceOf(RejectedExecutionException.class)
                                .hasMessage("as the test wants it");
                    }
                },
                () -> {
                    // Both are taken in before the first is done, and nothing after it.
                    Batch first = engine.next();
                    Batch second = engine.next();
                    succeed(second, one, 2, 20);
                    succeed(first, one, 1, 10);
                });
        assertThat(delivered)
                .hasSize(2)
                .allSatisfy(result -> assertThat(causeOf(result)).hasMessage("as the test wants it"));
        assertThat(engine.isIdle()).isTrue();
        assertDrained();
    }

    @Test
    void stage_reportedAfterTheStreamWasClosed_isNotFollowedByAnother() {
        var results = pipeline().map(strategy, List.of(1));
        RacingThreads.run(() -> results.forEach(delivered::add), () -> {
            Batch first = engine.next();
            assertThat(first.claim(one)).containsExactly(1);
            results.close();
            assertThat(first.succeeded(0, 10)).as("in time").isFalse();
        });
        assertThat(delivered).hasSize(1);
        assertThat(causeOf(delivered.get(0)))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("first, second");
        assertThat(other.isIdle()).isTrue();
        assertThat(engine.stopped).hasSize(1);
        assertDrained();
    }

    /** A stream may be closed by what a stage itself sets off: just when it has ended, and the next one has not begun. */
    @Test
    void stage_endsAsTheStreamIsClosed_isNotFollowedByAnother() {
        List<AutoCloseable> streams = new ArrayList<>();
        // The key is asked for between the two.
        Workload<Integer, Integer> keyed = never(Workload.named("keyed")
                .limitPerKey(
                        (Integer input) -> {
                            try {
                                streams.get(0).close();
                            } catch (Exception e) {
                                throw new AssertionError(e);
                            }
                            return "key";
                        },
                        1));
        Pipeline<Integer, Integer> closing =
                Pipeline.of(never(Workload.named("first"))).then(keyed).on(otherStrategy);
        var results = closing.map(strategy, List.of(1));
        streams.add(results);
        RacingThreads.run(() -> results.forEach(delivered::add), () -> succeed(engine.next(), one, 1, 10));
        assertThat(delivered).hasSize(1);
        assertThat(causeOf(delivered.get(0))).isInstanceOf(CancellationException.class);
        assertThat(other.isIdle()).isTrue();
        assertDrained();
    }

    /** A listener hears of a task before it can be cancelled. */
    @Test
    void stage_streamIsClosedWhileAListenerHearsOfIt_hearsOfTheEndThen() {
        CountDownLatch goOn = new CountDownLatch(1);
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        EngineStrategy observed = new ScriptedEngine.Builder(other)
                .clock(clock)
                .listener(new TaskListener() {
                    @Override
                    public void submitted(TaskInfo task) {
                        heard.add("begins");
                        Uninterruptibles.awaitUninterruptibly(goOn);
                        heard.add("submitted " + task.input());
                    }

                    @Override
                    public void finished(TaskInfo task, Result<?> result) {
                        heard.add("finished " + task.input());
                    }
                })
                .build();
        var results = Pipeline.of(never(Workload.named("first")))
                .then(never(Workload.named("second")))
                .on(observed)
                .map(strategy, List.of(1));
        RacingThreads.run(() -> results.forEach(delivered::add), () -> succeed(engine.next(), one, 1, 10), () -> {
            Patience.await().until(() -> heard.contains("begins"));
            results.close();
            goOn.countDown();
        });
        assertThat(causeOf(delivered.get(0))).isInstanceOf(CancellationException.class);
        assertThat(heard).containsExactly("begins", "submitted 10", "finished 10");
        observed.close();
    }

    /** The reader has to ask for one more to see the end, and that may be after the close. */
    @Test
    void close_allInputsAreTakenIn_streamEnds() {
        RacingThreads.run(
                () -> {
                    try (var results = pipeline()
                            .map(strategy, Stream.of(1), MapOptions.ordered().window(1))) {
                        Iterator<Result<Integer>> each = results.iterator();
                        delivered.add(each.next());
                        strategy.close();
                        assertThat(each.hasNext()).isFalse();
                    }
                },
                () -> {
                    succeed(engine.next(), one, 1, 10);
                    succeed(other.next(), two, 10, 100);
                });
        assertThat(delivered).containsExactly(Result.success(100));
    }

    @Test
    void close_afterCloseNow_doesNotWaitForWhatIsStillInAnEarlierStage() {
        EngineStrategy patient = new ScriptedEngine.Builder(other)
                .closeTimeout(Duration.ofDays(1))
                .build();
        CountDownLatch isExhausted = new CountDownLatch(1); // else the reader would hear that it cannot go on
        Stream<Integer> inputs = Stream.iterate(
                1,
                n -> {
                    if (n > 1) {
                        isExhausted.countDown();
                    }
                    return n == 1;
                },
                n -> n + 1);
        RacingThreads.run(
                () -> {
                    try (var results = Pipeline.of(never(Workload.named("first")))
                            .then(never(Workload.named("second")))
                            .on(patient)
                            .map(strategy, inputs)) {
                        results.forEach(delivered::add);
                    }
                },
                () -> {
                    Batch first = engine.next();
                    Uninterruptibles.awaitUninterruptibly(isExhausted);
                    patient.closeNow();
                    patient.close();
                    succeed(first, one, 1, 10);
                });
        assertThat(causeOf(delivered.get(0))).isInstanceOf(CancellationException.class);
    }
}
