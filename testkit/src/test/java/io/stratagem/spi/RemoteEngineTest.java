package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.Uninterruptibles;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That an engine whose workers are elsewhere gets along with {@link Batch}: here it is played by the test. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RemoteEngineTest {
    /** A thread for each: on two CPUs the common pool has one, which a test that waits on it would need twice. */
    private static final Executor THREADS = action -> {
        Thread thread = new Thread(action, "remote-engine-test");
        thread.setDaemon(true);
        thread.start();
    };

    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final IOException DIED = new IOException("worker died");

    private final FakeClock clock = new FakeClock();
    private final ScriptedEngine engine = new ScriptedEngine(1024);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final EngineStrategy strategy = new ScriptedEngine.Builder(engine)
            .clock(clock)
            .listener(new TaskListener() {
                @Override
                public void started(TaskInfo task, String worker) {
                    heard.add("started " + task.input() + " on " + worker);
                }

                @Override
                public void finished(TaskInfo task, Result<?> result) {
                    heard.add("finished " + task.input());
                }
            })
            .build();
    private final Worker one = engine.worker("one");
    private final Worker two = engine.worker("two");

    @AfterEach
    void close() {
        strategy.closeNow();
        strategy.close();
    }

    private static Workload<Integer, String> never(Workload.Builder<Object> options) {
        return options.compute(n -> {
            throw new AssertionError("runs here: " + n);
        });
    }

    private static Workload<Integer, String> never() {
        return never(Workload.named("remote"));
    }

    private static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    /** Claims a batch and reports a success for each of its tasks. */
    private static void runAll(Batch batch, Worker worker) {
        assertThat(batch.claim(worker)).isNotNull();
        int size = batch.size();
        for (int i = 0; i < size; i++) {
            Object input = batch.inputOf(i);
            batch.started(i, 0);
            assertThat(batch.succeeded(i, worker.name() + " " + input)).isTrue();
        }
    }

    /** A map that is read on another thread, and the batch of several tasks that comes of it. */
    private final class Reading {
        private final List<Result<String>> delivered = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<Void> end;
        private final Batch batch;
        private final int before;

        /** Lets batches grow until one is large enough. */
        Reading(Workload<Integer, String> workload, int inputs, int large, MapOptions options) {
            end = CompletableFuture.runAsync(
                    () -> {
                        // Its size is not known beforehand: the tail is not split for its sake.
                        try (var results = strategy.map(
                                workload, Stream.iterate(0, n -> n + 1).limit(inputs), options)) {
                            results.forEach(delivered::add);
                        }
                    },
                    THREADS);
            Batch next = engine.next();
            int done = 0;
            while (next.size() < large) {
                int size = next.size();
                runAll(next, one);
                done += size;
                next = engine.next();
            }
            batch = next;
            before = done;
        }

        /** Runs all that is left and waits for the end. */
        List<Result<String>> finish(Worker worker) throws Exception {
            while (!end.isDone()) {
                if (engine.isIdle()) {
                    Thread.onSpinWait();
                } else {
                    runAll(engine.next(), worker);
                }
            }
            Patience.get(end);
            return delivered;
        }
    }

    private static void assertInOrder(List<Result<String>> results, int size) {
        assertThat(results).hasSize(size);
        for (int n = 0; n < size; n++) {
            assertThat(results.get(n).orElse("failed " + n)).endsWith(" " + n);
        }
    }

    // ---------------------------------------------------------------------------------------------- single tasks

    @Test
    void succeeded_reported_completesTheFuture() throws Exception {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.size()).isEqualTo(1);
        assertThat(batch.isWaiting()).isTrue();
        assertThat(batch.claim(one)).isNotNull();
        assertThat(batch.claim(two)).as("claimed already").isNull();
        assertThat(batch.isWaiting()).isFalse();
        assertThat(batch.inputOf(0)).isEqualTo(7);
        clock.advance(Duration.ofSeconds(5));
        batch.started(0, Duration.ofSeconds(2).toNanos());
        clock.advance(Duration.ofSeconds(1));
        assertThat(batch.succeeded(0, "seven")).isTrue();
        Result<String> result = Patience.get(future);
        assertThat(result).isEqualTo(Result.success("seven"));
        assertThat(result.execution().worker()).isEqualTo("one");
        assertThat(result.execution().queued()).isEqualTo(Duration.ofSeconds(3));
        assertThat(result.execution().ran()).isEqualTo(Duration.ofSeconds(3));
        assertThat(batch.succeeded(0, "again")).as("too late").isFalse();
        assertThat(batch.failed(0, DIED)).as("too late").isFalse();
        assertThat(batch.lost(0, DIED)).as("too late").isFalse();
        batch.notRun(0);
        batch.started(0, 0);
        assertThat(Patience.get(future)).isEqualTo(Result.success("seven"));
        assertThat(heard).containsExactly("started 7 on one", "finished 7");
        assertThat(engine.isIdle()).isTrue();
    }

    @Test
    void lost_noRetryPolicy_failsAndIsNeverRunAgain() throws Exception {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        assertThat(batch.lost(0, DIED)).isTrue();
        assertThat(causeOf(Patience.get(future))).isSameAs(DIED);
        assertThat(engine.isIdle()).isTrue();
    }

    @Test
    void lost_retryPolicy_isRunAgain() throws Exception {
        CompletableFuture<Result<String>> future =
                strategy.submit(never(Workload.named("remote").retry(RetryPolicy.attempts(2))), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        assertThat(batch.lost(0, DIED)).isTrue();
        assertThat(future).isNotDone();
        runAll(engine.next(), two);
        Result<String> result = Patience.get(future);
        assertThat(result).isEqualTo(Result.success("two 7"));
        assertThat(result.execution().attempts()).isEqualTo(2);
        assertThat(batch.succeeded(0, "late")).isFalse();
        assertThat(heard).containsExactly("started 7 on one", "started 7 on two", "finished 7");
    }

    /** That engines report from. */
    private static final class Reporter extends Thread implements ServiceThread {
        Reporter(Runnable reports) {
            super(reports, "remote-engine-test-reporter");
        }
    }

    /** What it would wait for comes behind it. */
    @Test
    void listener_thatClosesTheStrategy_onlyBeginsTo() throws Exception {
        ScriptedEngine scripted = new ScriptedEngine(1);
        List<EngineStrategy> closing = new ArrayList<>();
        try (EngineStrategy patient = new ScriptedEngine.Builder(scripted)
                .closeTimeout(Duration.ofDays(1))
                .listener(new TaskListener() {
                    @Override
                    public void finished(TaskInfo task, Result<?> result) {
                        closing.get(0).close();
                    }
                })
                .build()) {
            closing.add(patient);
            var future = patient.submit(never(Workload.named("remote")), 1);
            Reporter reporter = new Reporter(() -> runAll(scripted.next(), one));
            reporter.start();
            assertThat(Patience.get(future).isSuccess()).isTrue();
            reporter.join();
            assertThatThrownBy(() -> patient.submit(never(Workload.named("remote")), 2))
                    .isInstanceOf(RejectedExecutionException.class);
        }
    }

    @Test
    void listener_whileItIsSlow_hearsOfFurtherAttemptsInOrder() throws Exception {
        List<String> events = new CopyOnWriteArrayList<>();
        CountDownLatch goOn = new CountDownLatch(1);
        ScriptedEngine scripted = new ScriptedEngine(1);
        try (EngineStrategy slow = new ScriptedEngine.Builder(scripted)
                .listener(new TaskListener() {
                    @Override
                    public void started(TaskInfo task, String worker) {
                        events.add("started on " + worker);
                        Uninterruptibles.awaitUninterruptibly(goOn);
                    }

                    @Override
                    public void finished(TaskInfo task, Result<?> result) {
                        events.add("finished");
                    }
                })
                .build()) {
            var future = slow.submit(never(Workload.named("remote").retry(RetryPolicy.attempts(2))), 1);
            Reporter reporter = new Reporter(() -> {
                Batch first = scripted.next();
                first.claim(one);
                first.started(0, 0);
                first.lost(0, DIED);
                runAll(scripted.next(), two);
            });
            reporter.start();
            reporter.join();
            goOn.countDown();

            assertThat(Patience.get(future).isSuccess()).isTrue();
            Patience.await()
                    .untilAsserted(
                            () -> assertThat(events).containsExactly("started on one", "started on two", "finished"));
        }
    }

    @Test
    void close_returnsWhenFuturesThatCallbackThreadsCompleteAreDone() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        ScriptedEngine scripted = new ScriptedEngine(1);
        EngineStrategy slow = new ScriptedEngine.Builder(scripted)
                .listener(new TaskListener() {
                    @Override
                    public void finished(TaskInfo task, Result<?> result) {
                        Uninterruptibles.awaitUninterruptibly(goOn);
                    }
                })
                .build();
        var future = slow.submit(never(), 1);
        Reporter reporter = new Reporter(() -> runAll(scripted.next(), one));
        reporter.start();
        reporter.join();

        Thread closer = new Thread(slow::close, "remote-engine-test-closer");
        closer.start();
        Patience.await()
                .until(() -> closer.getState() == Thread.State.TIMED_WAITING
                        || closer.getState() == Thread.State.TERMINATED);
        assertThat(future).isNotDone();
        assertThat(closer.isAlive()).isTrue();

        goOn.countDown();
        closer.join();
        assertThat(future).isDone();
    }

    @Test
    void notRun_singleTask_isRunElsewhereAlsoWithoutRetryPolicy() throws Exception {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.notRun(0);
        assertThat(future).isNotDone();
        assertThat(batch.size()).isZero();
        assertThat(batch.succeeded(0, "late")).isFalse();
        Batch again = engine.next();
        assertThat(again).isNotSameAs(batch);
        runAll(again, two);
        assertThat(Patience.get(future)).isEqualTo(Result.success("two 7"));
        assertThat(Patience.get(future).execution().attempts())
                .as("it never started")
                .isEqualTo(1);
        assertThat(strategy.snapshot().submitted()).isEqualTo(1);
        assertThat(strategy.snapshot().succeeded()).isEqualTo(1);
        assertThat(strategy.snapshot().queued()).isZero();
    }

    @Test
    void cancel_claimedTask_stopsTheEngineAndDropsItsReport() {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        future.cancel(true);
        assertThat(engine.stopped).containsExactly(batch);
        assertThat(batch.succeeded(0, "late")).isFalse();
        assertThat(strategy.snapshot().cancelled()).isEqualTo(1);
        assertThat(strategy.snapshot().failed()).isEqualTo(1);
    }

    /** What depends on the future may take long. */
    @Test
    void cancel_claimedTask_stopsTheEngineBeforeDependentsRun() {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        List<Batch> stopped = new ArrayList<>();
        var dependent = future.whenComplete((result, failure) -> stopped.addAll(engine.stopped));
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        assertThat(future.cancel(true)).isTrue();
        assertThat(future).isCancelled();
        assertThat(dependent).isDone();
        assertThat(stopped).containsExactly(batch);
    }

    @Test
    void cancel_againAndForReal_stopsWhatTheFirstHasLetGoOn() {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        assertThat(future.cancel(false)).isTrue();
        assertThat(engine.stopped).isEmpty();
        assertThat(future.cancel(true)).isTrue();
        assertThat(engine.stopped).containsExactly(batch);
    }

    @Test
    void cancel_queuedTask_cannotBeClaimed() {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        future.cancel(false);
        Batch batch = engine.next();
        assertThat(batch.isWaiting()).isFalse();
        assertThat(batch.claim(one)).isNull();
        assertThat(engine.stopped).isEmpty();
    }

    @Test
    void timeout_ofClaimedTask_countsFromItsReportedStart() throws Exception {
        CompletableFuture<Result<String>> future =
                strategy.submit(never(Workload.named("remote").timeout(TIMEOUT)), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        clock.advance(TIMEOUT.multipliedBy(5));
        assertThat(future).as("claimed, not started").isNotDone();
        batch.started(0, TIMEOUT.dividedBy(3).toNanos());
        clock.advance(TIMEOUT.dividedBy(3));
        assertThat(future).isNotDone();
        clock.advance(TIMEOUT.dividedBy(3));
        assertThat(causeOf(Patience.get(future)))
                .isInstanceOf(TaskTimeoutException.class)
                .hasMessageContaining("worker is killed");
        assertThat(engine.stopped).containsExactly(batch);
        assertThat(batch.failed(0, DIED)).as("too late").isFalse();
        assertThat(clock.waiting()).isZero();
    }

    /** A timer that is already under way cannot be cancelled any more. */
    @Test
    void timeout_underWayWhenItsTaskEnds_leavesTheNextAlone() throws Exception {
        List<Runnable> timers = new CopyOnWriteArrayList<>();
        Clock hasty = new Clock() {
            @Override
            public long nanoTime() {
                return clock.nanoTime();
            }

            @Override
            public Timer schedule(Runnable action, long delayNanos) {
                timers.add(action);
                return () -> {};
            }
        };
        ScriptedEngine mine = new ScriptedEngine(2);
        try (EngineStrategy other =
                new ScriptedEngine.Builder(mine).clock(hasty).build()) {
            var workload = never(Workload.named("remote").timeout(TIMEOUT));
            CompletableFuture<List<Result<String>>> delivered = CompletableFuture.supplyAsync(
                    () -> other.map(workload, Stream.iterate(0, n -> n + 1).limit(100))
                            .toList(),
                    THREADS);
            Worker worker = mine.worker("worker");
            Batch batch = mine.next();
            while (batch.size() < 2) {
                runAll(batch, worker);
                batch = mine.next();
            }
            assertThat(batch.claim(worker)).isNotNull();
            batch.started(0, 0);
            Runnable underWay = timers.get(timers.size() - 1);
            clock.advance(TIMEOUT);
            assertThat(batch.succeeded(0, "in time")).isTrue();
            underWay.run();
            assertThat(mine.stopped).isEmpty();
            batch.started(1, 0);
            assertThat(batch.succeeded(1, "in time")).isTrue();
            while (!delivered.isDone()) {
                if (mine.isIdle()) {
                    Thread.onSpinWait();
                } else {
                    runAll(mine.next(), worker);
                }
            }
            assertThat(Patience.get(delivered)).hasSize(100).allMatch(Result::isSuccess);
        }
    }

    // ---------------------------------------------------------------------------------------------- batches

    @Test
    void timeout_ofOneInABatch_mateReportedNotRunGoElsewhereInOrder() throws Exception {
        Reading reading = new Reading(never(Workload.named("remote").timeout(TIMEOUT)), 500, 20, MapOptions.ordered());
        Batch batch = reading.batch;
        // As a process engine does: the worker is killed, what it never started is given back, on another thread's
        // call.
        engine.onStop((stopped, worker) -> stopped.notRun(4));
        assertThat(batch.claim(one)).isNotNull();
        for (int i = 0; i < 3; i++) {
            batch.started(i, 0);
            assertThat(batch.succeeded(i, "one " + batch.inputOf(i))).isTrue();
        }
        batch.started(3, 0);
        assertThat(batch.isDone(2)).isTrue();
        assertThat(batch.isDone(3)).isFalse();
        clock.advance(TIMEOUT);
        assertThat(batch.isDone(3)).isTrue();
        assertThat(engine.stopped).containsExactly(batch);
        assertThat(batch.size()).isEqualTo(4);
        assertThat(batch.succeeded(3, "late")).isFalse();
        List<Result<String>> results = reading.finish(two);
        assertThat(results).hasSize(500);
        for (int n = 0; n < 500; n++) {
            if (n == reading.before + 3) {
                assertThat(causeOf(results.get(n))).isInstanceOf(TaskTimeoutException.class);
            } else {
                assertThat(results.get(n).orElseThrow()).endsWith(" " + n);
            }
        }
        assertThat(clock.waiting()).isZero();
        assertThat(strategy.snapshot().queued()).isZero();
        assertThat(strategy.snapshot().submitted()).isEqualTo(500);
        assertThat(strategy.snapshot().failed()).isEqualTo(1);
        assertThat(strategy.snapshot().succeeded()).isEqualTo(499);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void workerDies_inABatch_startedOneIsLostTheRestGoesElsewhere(boolean isOrdered) throws Exception {
        MapOptions options = isOrdered ? MapOptions.ordered() : MapOptions.unordered();
        Reading reading = new Reading(never(), 300, 16, options);
        Batch batch = reading.batch;
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        assertThat(batch.succeeded(0, "one " + batch.inputOf(0))).isTrue();
        batch.started(1, 0);
        assertThat(batch.lost(1, DIED)).isTrue();
        batch.notRun(2);
        assertThat(batch.lost(2, DIED)).as("no longer of this batch").isFalse();
        List<Result<String>> results = reading.finish(two);
        assertThat(results).hasSize(300);
        assertThat(results.stream().filter(result -> !result.isSuccess()).count())
                .isEqualTo(1);
        if (isOrdered) {
            assertThat(causeOf(results.get(reading.before + 1))).isSameAs(DIED);
        }
    }

    @Test
    void notRun_cutSeveralTimes_keepsTheOrderOfResults() throws Exception {
        Reading reading = new Reading(never(), 400, 32, MapOptions.ordered());
        Batch batch = reading.batch;
        int size = batch.size();
        assertThat(batch.claim(one)).isNotNull();
        batch.started(0, 0);
        batch.succeeded(0, "one " + batch.inputOf(0));
        // The later part first, then an earlier one: each tail must be read before those cut off before it.
        batch.notRun(24);
        batch.notRun(16);
        batch.notRun(8);
        assertThat(batch.size()).isEqualTo(8);
        List<Batch> tails = new ArrayList<>();
        List<Batch> others = new ArrayList<>();
        int found = 0;
        while (found < size - 8) {
            Batch next = engine.next();
            boolean isTail = (Integer) next.inputOf(0) < reading.before + size;
            (isTail ? tails : others).add(next);
            found += isTail ? next.size() : 0;
        }
        // One of the tails is itself cut, twice; all are done in the opposite order.
        Batch cut = tails.get(1);
        assertThat(cut.claim(two)).isNotNull();
        cut.notRun(6);
        cut.notRun(3);
        for (int i = 0; i < 3; i++) {
            assertThat(cut.succeeded(i, "two " + cut.inputOf(i))).isTrue();
        }
        tails.remove(cut);
        Collections.reverse(tails);
        tails.forEach(tail -> runAll(tail, two));
        others.forEach(other -> runAll(other, two));
        for (int i = 1; i < 8; i++) {
            assertThat(batch.succeeded(i, "one " + batch.inputOf(i))).isTrue();
        }
        assertInOrder(reading.finish(two), 400);
    }

    @Test
    void notRun_wholeBatchAgainAndAgain_losesNothing() throws Exception {
        Reading reading = new Reading(never(), 200, 16, MapOptions.ordered());
        Batch batch = reading.batch;
        for (int i = 0; i < 5; i++) {
            assertThat(batch.claim(one)).isNotNull();
            batch.notRun(0);
            assertThat(batch.size()).isZero();
            batch = engine.next();
        }
        runAll(batch, one);
        assertInOrder(reading.finish(two), 200);
    }

    @Test
    void reports_outOfOrderOrDouble_areDropped() throws Exception {
        Reading reading = new Reading(never(), 200, 16, MapOptions.ordered());
        Batch batch = reading.batch;
        assertThat(batch.succeeded(0, "unclaimed")).isFalse();
        assertThat(batch.claim(one)).isNotNull();
        assertThat(batch.succeeded(1, "too early")).isFalse();
        Object first = batch.inputOf(0);
        assertThat(batch.succeeded(0, "one " + first)).isTrue();
        assertThat(batch.succeeded(0, "twice")).isFalse();
        assertThat(batch.failed(0, DIED)).isFalse();
        for (int i = 1; i < batch.size(); i++) {
            assertThat(batch.succeeded(i, "one " + batch.inputOf(i))).isTrue();
        }
        assertThat(batch.succeeded(batch.size(), "beyond")).isFalse();
        assertInOrder(reading.finish(two), 200);
    }

    /** Whether there are details of each task, as listeners want them, or not. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void succeeded_severalAtOnce_areDeliveredInOrderAndLateOnesAreDropped(boolean isHeard) throws Exception {
        ScriptedEngine mine = new ScriptedEngine(64);
        ScriptedEngine.Builder builder = new ScriptedEngine.Builder(mine);
        if (isHeard) {
            builder.listener(new TaskListener() {
                @Override
                public void finished(TaskInfo task, Result<?> result) {
                    heard.add("finished " + task.input());
                }
            });
        }
        try (EngineStrategy other = builder.build();
                Stream<Result<String>> results =
                        other.map(never(), IntStream.range(0, 500).boxed())) {
            CompletableFuture<List<Result<String>>> delivered = CompletableFuture.supplyAsync(results::toList, THREADS);
            Worker worker = mine.worker("worker");
            while (!delivered.isDone()) {
                Batch batch = mine.poll();
                if (batch == null || batch.claim(worker) == null) {
                    Thread.onSpinWait();
                    continue;
                }
                String[] values = IntStream.range(0, batch.size())
                        .mapToObj(i -> "worker " + batch.inputOf(i))
                        .toArray(String[]::new);
                int first = batch.size() / 3;
                batch.started(0, 0);
                batch.succeeded(0, values, first);
                batch.succeeded(0, new String[] {"twice", "twice"}, Math.min(2, first));
                String[] others = Arrays.copyOfRange(values, first, values.length + 1); // one more than is told
                batch.succeeded(first, others, values.length - first);
            }
            assertThat(Patience.get(delivered))
                    .isEqualTo(IntStream.range(0, 500)
                            .mapToObj(i -> Result.success("worker " + i))
                            .toList());
            assertThat(other.snapshot().succeeded()).isEqualTo(500);
            Patience.await().until(() -> heard.size() == (isHeard ? 500 : 0));
        }
    }

    @Test
    void succeeded_severalAtOnceOfAClosedStream_areDroppedAndNothingIsLeft() throws Exception {
        ScriptedEngine mine = new ScriptedEngine(64);
        try (EngineStrategy other = new ScriptedEngine.Builder(mine).build()) {
            Stream<Result<String>> results =
                    other.map(never(), IntStream.range(0, 500).boxed());
            CompletableFuture<Long> count = CompletableFuture.supplyAsync(results::count, THREADS);
            Batch batch = mine.next();
            assertThat(batch.claim(mine.worker("worker"))).isNotNull();
            results.close();
            Patience.get(count);
            batch.succeeded(0, new String[batch.size()], batch.size());
            Patience.await().until(() -> other.snapshot().queued() == 0);
            assertThat(other.snapshot().succeeded()).isZero();
        }
    }

    /** What waits for another attempt keeps no worker busy, so it must not keep back what does. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void failed_manyWaitForAnotherAttempt_furtherInputsAreTakenIn(boolean isOrdered) throws Exception {
        int inputs = 100;
        Duration wait = Duration.ofHours(1);
        RetryPolicy policy = RetryPolicy.attempts(2).backoff(wait).jitter(0);
        ScriptedEngine mine = new ScriptedEngine(2);
        try (EngineStrategy other =
                new ScriptedEngine.Builder(mine).clock(clock).build()) {
            var workload = never(Workload.named("remote").retry(policy));
            // In order, all that comes after the first is finished and not delivered, for which there is the window.
            MapOptions options = isOrdered ? MapOptions.ordered().window(inputs) : MapOptions.unordered();
            CompletableFuture<List<Result<String>>> delivered = CompletableFuture.supplyAsync(
                    () -> {
                        try (var results = other.map(
                                workload, Stream.iterate(0, n -> n + 1).limit(inputs), options)) {
                            return results.toList();
                        }
                    },
                    THREADS);
            Worker worker = mine.worker("worker");
            for (int seen = 0; seen < inputs; ) {
                Batch batch = mine.next();
                assertThat(batch.claim(worker)).isNotNull();
                batch.started(0, 0);
                assertThat(batch.failed(0, DIED)).isTrue();
                for (int i = 1; i < batch.size(); i++) {
                    assertThat(batch.succeeded(i, "first " + batch.inputOf(i))).isTrue();
                }
                seen += batch.size();
            }
            assertThat(mine.isIdle()).isTrue();
            clock.advance(wait);
            while (!delivered.isDone()) {
                if (mine.isIdle()) {
                    Thread.onSpinWait();
                } else {
                    runAll(mine.next(), worker);
                }
            }
            assertThat(Patience.get(delivered)).hasSize(inputs).allMatch(Result::isSuccess);
        }
    }

    @Test
    void streamClosed_claimedBatch_isStoppedAndWhatIsGivenBackIsNotSent() throws Exception {
        List<Batch> claimed = new CopyOnWriteArrayList<>();
        engine.onStop((batch, worker) -> batch.notRun(1));
        var results = strategy.map(never(), IntStream.range(0, 1000).boxed());
        CompletableFuture<Long> count = CompletableFuture.supplyAsync(results::count, THREADS);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        claimed.add(batch);
        results.close();
        Patience.get(count);
        while (!engine.isIdle()) {
            assertThat(engine.next().claim(two)).as("nobody wants it").isNull();
        }
        Patience.await().until(() -> strategy.snapshot().queued() == 0);
        assertThat(engine.stopped).containsAll(claimed);
    }

    /** The reader has to ask for one more to see the end, and that may be after the close. */
    @Test
    void close_allInputsOfAMapAreTakenIn_streamEnds() {
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            never(), Stream.of(1), MapOptions.ordered().window(1))) {
                        Iterator<Result<String>> each = results.iterator();
                        assertThat(each.next()).isEqualTo(Result.success("one 1"));
                        strategy.close();
                        assertThat(each.hasNext()).isFalse();
                    }
                },
                () -> runAll(engine.next(), one));
    }

    @Test
    void closeNow_claimedBatches_areSettledByTheirReports() throws Exception {
        CompletableFuture<Result<String>> future = strategy.submit(never(), 7);
        Batch batch = engine.next();
        assertThat(batch.claim(one)).isNotNull();
        strategy.closeNow();
        batch.notRun(0);
        assertThat(causeOf(Patience.get(future))).isInstanceOf(Exception.class);
    }

    @Test
    void stop_reportsOnAnotherThread_completesTheBatchOnce() throws Exception {
        for (int round = 0; round < 100 * Integer.getInteger("stress.rounds", 1); round++) {
            CompletableFuture<?>[] reports = new CompletableFuture<?>[1];
            engine.onStop(
                    (stopped, worker) -> reports[0] = CompletableFuture.runAsync(() -> stopped.notRun(2), THREADS));
            Reading reading =
                    new Reading(never(Workload.named("remote").timeout(TIMEOUT)), 60, 4, MapOptions.unordered());
            Batch batch = reading.batch;
            assertThat(batch.claim(one)).isNotNull();
            batch.started(0, 0);
            assertThat(batch.succeeded(0, "one " + batch.inputOf(0))).isTrue();
            batch.started(1, 0);
            clock.advance(TIMEOUT);
            assertThat(reading.finish(two)).hasSize(60);
            Patience.get(reports[0]);
            assertThat(strategy.snapshot().queued()).isZero();
        }
    }
}
