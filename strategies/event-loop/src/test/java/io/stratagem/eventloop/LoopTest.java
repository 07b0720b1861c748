package io.stratagem.eventloop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import com.sun.net.httpserver.HttpServer;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Snapshot;
import io.stratagem.Workload;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What loops do that the contract does not ask for. */
final class LoopTest extends LoopFixture {
    // ---------------------------------------------------------------------------------------------- options

    @Test
    void builder_badOption_isRefused() {
        assertThatThrownBy(() -> EventLoopStrategy.builder().loops(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("loops must be positive: 0");
        assertThatThrownBy(() -> EventLoopStrategy.builder().holdLimit(Duration.ofNanos(5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("holdLimit");
    }

    // ---------------------------------------------------------------------------------------------- on the loop

    @Test
    void callbacks_ofATask_stayOnItsLoop() {
        ExecutorStrategy strategy = strategy(3);
        Workload<Integer, List<String>> tracing = Workload.async("tracing", (n, loop) -> {
            List<String> threads = new ArrayList<>();
            Runnable note = () -> threads.add(Thread.currentThread().getName());
            note.run();
            return loop.delay(Duration.ofMillis(1))
                    .thenRun(note)
                    .thenCompose(nothing -> loop.offload(() -> 1))
                    .thenRun(note)
                    .thenRunAsync(note, loop.executor())
                    .thenApply(nothing -> threads);
        });
        try (var results = strategy.map(tracing, IntStream.range(0, 100).boxed())) {
            assertThat(results)
                    .allSatisfy(result -> assertThat(result.orElseThrow())
                            .hasSize(4)
                            .containsOnly(result.execution().worker()));
        }
    }

    @Test
    void submit_onALoop_staysThere() {
        ExecutorStrategy strategy = strategy(3);
        Workload<Integer, String> inner = Workload.async(
                "inner",
                (n, loop) ->
                        CompletableFuture.completedFuture(Thread.currentThread().getName()));
        Workload<Integer, Boolean> outer = Workload.async("outer", (n, loop) -> {
            String own = Thread.currentThread().getName();
            return strategy.submit(inner, n)
                    .thenApply(result -> result.orElseThrow().equals(own));
        });
        try (var results = strategy.map(outer, IntStream.range(0, 20).boxed())) {
            assertThat(results).allMatch(result -> result.orElseThrow());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "submit", "dependent", "timed", "map", "delay", "stage", "offload"})
    void waiting_onTheLoop_failsAndNamesTheRemedy(String way) {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> inner = Workload.compute("inner", n -> n);
        Workload<Integer, Integer> outer = Workload.async("outer", (n, loop) -> {
            waitFor(way, strategy, inner, loop);
            return CompletableFuture.completedFuture(n);
        });
        Result<Integer> result = strategy.run(outer, 1);
        assertThat(result).isInstanceOf(Result.Failure.class);
        assertThat(((Result.Failure<Integer>) result).cause())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("loop-1", "loop.offload");
        assertThat(strategy.run(inner, 2)).isEqualTo(Result.success(2));
        Patience.await()
                .until(() -> strategy.snapshot().running() + strategy.snapshot().queued() == 0);
    }

    private static void waitFor(String way, ExecutorStrategy strategy, Workload<Integer, Integer> inner, Loop loop)
            throws Exception {
        switch (way) {
            case "run" -> strategy.run(inner, 1);
            case "submit" -> neverDone(strategy).join();
            case "dependent" ->
                neverDone(strategy).thenApply(Result::orElseThrow).get();
            case "timed" -> neverDone(strategy).get(1, TimeUnit.HOURS);
            case "map" -> {
                try (var results =
                        strategy.map(Workload.async("never", (n, ownLoop) -> new CompletableFuture<>()), List.of(1))) {
                    assertThat(results.count()).isZero();
                }
            }
            case "delay" -> loop.delay(Duration.ofHours(1)).join();
            case "stage" -> loop.delay(Duration.ofHours(1)).thenRun(() -> {}).get(1, TimeUnit.HOURS);
            case "offload" -> loop.offload(() -> 1).get();
            default -> throw new AssertionError(way);
        }
    }

    /** Started later than what waits for it, by the same loop. */
    private static CompletableFuture<Result<Integer>> neverDone(ExecutorStrategy strategy) {
        return strategy.submit(Workload.async("later", (n, loop) -> CompletableFuture.completedFuture(n)), 1);
    }

    @Test
    void cancelTrue_taskWaits_stageIsCancelledOnItsLoop() throws Exception {
        ExecutorStrategy strategy = strategy(2);
        Journal journal = journal();
        AtomicReference<String> own = new AtomicReference<>();
        CompletableFuture<String> cancelledOn = new CompletableFuture<>();
        Workload<Integer, Integer> waiting = Workload.async("waiting", (n, loop) -> {
            own.set(Thread.currentThread().getName());
            CompletableFuture<Integer> stage = new CompletableFuture<>();
            var unused = stage.whenComplete((value, failure) ->
                    cancelledOn.complete(Thread.currentThread().getName()));
            journal.enter();
            return stage;
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(waiting, 1);
        Patience.await()
                .until(() -> journal.entered() == 1 && strategy.snapshot().running() == 1);
        assertThat(future.cancel(true)).isTrue();
        assertThat(Patience.get(cancelledOn)).isEqualTo(own.get());
    }

    @Test
    void callback_throws_harmsNoOther() {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> throwing = Workload.async("throwing", (n, loop) -> {
            loop.executor().execute(() -> {
                throw new AssertionError("in a callback");
            });
            return loop.delay(Duration.ofMillis(1)).thenApply(nothing -> n);
        });
        assertThat(strategy.run(throwing, 1)).isEqualTo(Result.success(1));
        assertThat(strategy.run(throwing, 2)).isEqualTo(Result.success(2));
    }

    /** The next one is in the same chunk of work. */
    @Test
    void callback_throwsWhatCannotBeLogged_harmsNoOther() throws Exception {
        LogRecorder recorder = new LogRecorder();
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = strategy(1);
            Workload<Integer, Integer> throwing = Workload.async("throwing", (n, loop) -> {
                CompletableFuture<Integer> next = new CompletableFuture<>();
                loop.executor().execute(() -> {
                    throw new UnspeakableException();
                });
                loop.executor().execute(() -> next.complete(n));
                return next;
            });
            assertThat(Patience.get(strategy.submit(throwing, 1))).isEqualTo(Result.success(1));
            assertThat(Patience.get(strategy.submit(throwing, 2))).isEqualTo(Result.success(2));
        } finally {
            recorder.detach();
        }
    }

    /** Its own future is completed elsewhere; what depends on it names the loop. */
    @Test
    void executor_ofTheTask_runsTheCallbacksOfHttpClientOnItsLoop() throws Exception {
        byte[] body = new byte[100_000]; // in several pieces
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        http.start();
        try {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/"))
                    .build();
            Workload<Integer, Queue<String>> getting = Workload.async("getting", (n, loop) -> {
                Queue<String> threads = new ConcurrentLinkedQueue<>();
                Runnable note =
                        () -> threads.add(Thread.currentThread().getName() + (loop.inLoop() ? "" : ", not the loop's"));
                HttpClient client =
                        HttpClient.newBuilder().executor(loop.executor()).build();
                return client.sendAsync(request, response -> {
                            note.run();
                            return BodySubscribers.ofByteArrayConsumer(piece -> note.run());
                        })
                        .thenApplyAsync(
                                response -> {
                                    assertThat(response.statusCode()).isEqualTo(200);
                                    note.run();
                                    return threads;
                                },
                                loop.executor());
            });
            ExecutorStrategy strategy = strategy(2);
            for (int i = 0; i < 4; i++) {
                Result<Queue<String>> result = Patience.get(strategy.submit(getting, i));
                assertThat(result.orElseThrow())
                        .hasSizeGreaterThan(3)
                        .containsOnly(result.execution().worker());
            }
        } finally {
            http.stop(0);
        }
    }

    @Test
    void interrupt_ofAnIdleLoop_isForgotten() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Thread> naming =
                Workload.async("naming", (n, loop) -> CompletableFuture.completedFuture(Thread.currentThread()));
        Thread loop = Patience.get(strategy.submit(naming, 1)).orElseThrow();
        for (int i = 0; i < 100; i++) { // mostly it is idle
            loop.interrupt();
            Patience.await().until(() -> !loop.isInterrupted());
        }
        assertThat(loop.isAlive()).isTrue();
    }

    // ---------------------------------------------------------------------------------------------- off-loaded calls

    private ExecutorStrategy withOneBlockingThread(FakeClock clock) {
        return closedAfterTest(EventLoopStrategy.builder()
                .loops(1)
                .blockingThreads(1)
                .clock(clock)
                .build());
    }

    @Test
    void offload_taskTimesOutBeforeItBegins_isNotRun() throws Exception {
        Gate returning = gate();
        returning.open();
        assertNotRunAfterTimeout(returning, call -> call.thenApply(value -> value));
    }

    @Test
    void offload_taskTimesOutInItsFunctionBeforeItBegins_isNotRun() throws Exception {
        assertNotRunAfterTimeout(gate(), call -> call);
    }

    /**
     * What holds the only blocking thread ends when the task has timed out.
     *
     * @param returning what the function of the task waits for before it returns; opened at last
     */
    private void assertNotRunAfterTimeout(Gate returning, UnaryOperator<CompletableFuture<Integer>> stageOf)
            throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = withOneBlockingThread(clock);
        Gate gate = gate();
        Workload<Integer, Integer> holding = Workload.blocking("holding", n -> {
            gate.awaitIgnoringInterrupts();
            return n;
        });
        var held = strategy.submit(holding, 1);
        AtomicBoolean ran = new AtomicBoolean();
        CountDownLatch isWaiting = new CountDownLatch(1);
        Workload<Integer, Integer> late = Workload.named("late")
                .timeout(Duration.ofSeconds(1))
                .async((n, loop) -> {
                    CompletableFuture<Integer> stage = stageOf.apply(loop.offload(() -> {
                        ran.set(true);
                        return n;
                    }));
                    isWaiting.countDown();
                    returning.awaitIgnoringInterrupts();
                    return stage;
                });

        CompletableFuture<Result<Integer>> future = strategy.submit(late, 2);
        assertThat(isWaiting.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        clock.advance(Duration.ofSeconds(1));
        assertThat(Patience.get(future).isSuccess()).isFalse();
        gate.open();
        assertThat(Patience.get(held)).isEqualTo(Result.success(1));
        assertThat(Patience.get(strategy.submit(holding, 3))).isEqualTo(Result.success(3)); // after it
        returning.open();

        assertThat(ran).isFalse();
    }

    @Test
    void offload_taskIsCancelledMeanwhile_isInterrupted() throws Exception {
        ExecutorStrategy strategy = withOneBlockingThread(new FakeClock());
        Journal journal = journal();
        Gate gate = gate();
        Fn<Integer, Integer> slow = telling(journal, gate);
        Workload<Integer, Integer> waiting = Workload.async(
                "waiting", (n, loop) -> loop.offload(() -> slow.apply(n)).thenApply(value -> value));
        CompletableFuture<Result<Integer>> future = strategy.submit(waiting, 1);
        Patience.await().until(() -> journal.entered() == 1);
        assertThat(future.cancel(true)).isTrue();
        awaitInterrupted(journal, 1);
    }

    @Test
    void offload_taskSucceedsMeanwhile_goesOn() throws Exception {
        ExecutorStrategy strategy = withOneBlockingThread(new FakeClock());
        Gate gate = gate();
        CompletableFuture<Integer> left = new CompletableFuture<>();
        Workload<Integer, Integer> leaving = Workload.async("leaving", (n, loop) -> {
            var unused = loop.offload(() -> {
                        gate.await();
                        return n;
                    })
                    .whenComplete((value, failure) -> left.complete(value));
            return CompletableFuture.completedFuture(n);
        });
        assertThat(Patience.get(strategy.submit(leaving, 7))).isEqualTo(Result.success(7));
        gate.open();
        assertThat(Patience.get(left)).isEqualTo(7);
    }

    // ---------------------------------------------------------------------------------------------- timers

    @Test
    void delay_manyAtOnce_eachTakesItsTime() {
        ExecutorStrategy strategy = strategy(2, options -> options.window(1000));
        Workload<Integer, Long> sleeping = Workload.async("sleeping", (millis, loop) -> {
            long begin = System.nanoTime();
            return loop.delay(Duration.ofMillis(millis)).thenApply(nothing -> System.nanoTime() - begin);
        });
        try (var results = strategy.map(sleeping, IntStream.range(0, 1000).mapToObj(n -> n % 50))) {
            int[] index = {0};
            assertThat(results.map(Result::orElseThrow))
                    .allSatisfy(nanos -> assertThat(nanos)
                            .isGreaterThanOrEqualTo(
                                    Duration.ofMillis(index[0]++ % 50).toNanos()));
        }
    }

    @Test
    void closeNow_detachedDelay_fails() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<CompletableFuture<Void>> detached = new CompletableFuture<>();
        Workload<Integer, Integer> leaving = Workload.async("leaving", (n, loop) -> {
            detached.complete(loop.delay(Duration.ofHours(1)));
            return CompletableFuture.completedFuture(n);
        });
        assertThat(strategy.run(leaving, 1)).isEqualTo(Result.success(1));
        strategy.closeNow();
        CompletableFuture<Void> delay = Patience.get(detached);
        Patience.await().until(delay::isCompletedExceptionally);
    }

    // ---------------------------------------------------------------------------------------------- what is seen

    @Test
    void snapshot_tasksWait_namesTheLongestWaits() {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Journal journal = journal();
        Workload<Integer, Integer> hanging = Workload.async("hanging", (n, loop) -> {
            journal.enter();
            return new CompletableFuture<>();
        });
        for (int i = 1; i <= 20; i++) {
            int expected = i;
            var unused = strategy.submit(hanging, i);
            Patience.await().until(() -> journal.entered() == expected);
            clock.advance(Duration.ofSeconds(1));
        }
        Snapshot snapshot = strategy.snapshot();
        assertThat(snapshot.running()).isEqualTo(20);
        assertThat(snapshot.waits())
                .hasSize(Snapshot.MOST_WAITS)
                .allMatch(wait -> wait.workload().equals("hanging"));
        assertThat(snapshot.waits().get(0).age()).isEqualTo(Duration.ofSeconds(20));
        assertThat(snapshot.waits().get(15).age()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void heldLoop_isReportedWithStackAndWorkloadOnce() throws Exception {
        LogRecorder recorder = new LogRecorder();
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = closedAfterTest(EventLoopStrategy.builder()
                    .name("held")
                    .loops(1)
                    .holdLimit(Duration.ofMillis(20))
                    .build());
            CountDownLatch release = new CountDownLatch(1);
            Workload<Duration, Boolean> greedy = Workload.async(
                    "greedy",
                    (longest, loop) -> CompletableFuture.completedFuture(
                            release.await(longest.toMillis(), TimeUnit.MILLISECONDS)));
            Workload<Integer, Integer> quick =
                    Workload.async("quick", (n, loop) -> CompletableFuture.completedFuture(n));
            // The same place again, held for several times the limit, and then another one.
            CompletableFuture<Result<Boolean>> first = strategy.submit(greedy, Duration.ofMillis(200));
            var event = recorder.await("'greedy' has held stratagem-held-loop-1");
            assertThat(event.getFormattedMessage()).contains("loop.offload");
            assertThat(event.getThrowableProxy().getStackTraceElementProxyArray())
                    .anyMatch(frame -> frame.getSTEAsString().contains("LoopTest"));
            Patience.get(first);
            Patience.get(strategy.submit(quick, 1));
            Patience.get(strategy.submit(greedy, Duration.ofMillis(200)));
            Patience.get(strategy.submit(quick, 2));
            Workload<Integer, Boolean> other = Workload.async(
                    "other",
                    (n, loop) -> CompletableFuture.completedFuture(
                            release.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)));
            CompletableFuture<Result<Boolean>> last = strategy.submit(other, 3);
            recorder.await("'other' has held");
            release.countDown();
            assertThat(Patience.get(last)).isEqualTo(Result.success(true));
            assertThat(recorder.messages(Level.WARN)).hasSize(2);
        } finally {
            recorder.detach();
        }
    }
}
