package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The part of the contract that is about tasks that hand in tasks and wait for them. */
public abstract class NestingContract extends StreamContract {

    /** For subclasses. */
    protected NestingContract() {}

    // ---------------------------------------------------------------------------------------------- interrupts

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void map_nestedAndCancelled_ends(boolean isPipeline) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Journal journal = journal();
        AtomicInteger read = new AtomicInteger();
        Workload<Integer, Integer> inner = workload(Kind.BLOCKING, "inner", n -> n);
        Stream<Integer> endless = Stream.iterate(0, n -> n + 1);
        Future<?> outer = strategy.asExecutorService().submit(() -> {
            try (var results = isPipeline
                    ? Pipeline.of(inner).then(inner).map(strategy, endless, MapOptions.unordered())
                    : strategy.mapUnordered(inner, endless)) {
                results.forEach(result -> read.incrementAndGet());
            } catch (CancellationException e) {
                journal.add("stopped");
            }
        });
        Patience.await().until(() -> read.get() > 10);
        outer.cancel(true);
        Patience.await().until(() -> journal.count("stopped") == 1);
    }

    /** It ignores interrupts. */
    @Test
    void join_byAnInterruptedWorker_doesNotDeadlock() throws Exception {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> delayed = Workload.async(
                "delayed", (n, loop) -> loop.delay(Duration.ofMillis(5)).thenApply(nothing -> n));
        Workload<Integer, Integer> outer = workload(Kind.COMPUTE, "outer", n -> {
            Thread.currentThread().interrupt();
            return strategy.submit(delayed, n).join().orElseThrow();
        });
        assertThat(Patience.get(strategy.submit(outer, 1))).isEqualTo(Result.success(1));
    }

    // ---------------------------------------------------------------------------------------------- on all workers

    @ParameterizedTest
    @MethodSource("modes")
    void map_nestedOnAllWorkers_neitherDeadlocksNorOversubscribes(Mode mode) {
        assume(Ability.IN_THIS_JVM);
        if (mode.kind() == Kind.ASYNC) {
            return; // what is off-loaded waits for its own kind only
        }
        int workers = 3;
        ExecutorStrategy strategy = strategy(workers);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger peak = new AtomicInteger();
        CyclicBarrier allBusy = new CyclicBarrier(workers);
        Workload<Integer, Integer> inner = workload(mode.kind(), "inner", n -> {
            peak.accumulateAndGet(running.incrementAndGet(), Math::max);
            Thread.yield();
            running.decrementAndGet();
            return n;
        });
        Workload<Integer, Integer> outer = workload(mode.kind(), "outer", n -> {
            if (n < workers) {
                allBusy.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            }
            try (var results = strategy.map(inner, IntStream.range(0, 100).boxed(), mode.options())) {
                return results.mapToInt(Result::orElseThrow).sum();
            }
        });
        List<CompletableFuture<Result<Integer>>> all =
                IntStream.range(0, 20).mapToObj(n -> strategy.submit(outer, n)).toList();
        for (CompletableFuture<Result<Integer>> each : all) {
            assertThat(done(each)).isEqualTo(Result.success(4950));
        }
        // Who waits is replaced, and when its wait is over there is for a moment one too many.
        assertThat(peak.get()).isBetween(1, 2 * workers);
    }

    private static <T> T done(CompletableFuture<T> future) {
        try {
            return Patience.get(future);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_nestedOnAllWorkersAndJoined_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        int workers = 2;
        ExecutorStrategy strategy = strategy(workers);
        CyclicBarrier allBusy = new CyclicBarrier(workers);
        Workload<Integer, Integer> inner = workload(kind, "inner", n -> n + 1);
        Workload<Integer, Integer> outer = workload(kind, "outer", n -> {
            allBusy.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            CompletableFuture<Result<Integer>> first = strategy.submit(inner, n);
            CompletableFuture<Integer> second = strategy.submit(inner, 10 * n).thenApply(Result::orElseThrow);
            CompletableFuture<Integer> timed = strategy.submit(inner, 100 * n).thenApply(Result::orElseThrow);
            return first.join().orElseThrow()
                    + second.join()
                    + timed.get(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                    + strategy.run(inner, 1000 * n).orElseThrow();
        });
        CompletableFuture<Result<Integer>> one = strategy.submit(outer, 1);
        CompletableFuture<Result<Integer>> two = strategy.submit(outer, 2);
        assertThat(Patience.get(one)).isEqualTo(Result.success(1115));
        assertThat(Patience.get(two)).isEqualTo(Result.success(2226));
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_forkJoin_recurses(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(2);
        AtomicReference<Workload<Integer, Integer>> self = new AtomicReference<>();
        self.set(workload(kind, "fib", n -> {
            if (n < 2) {
                return n;
            }
            CompletableFuture<Result<Integer>> left = strategy.submit(self.get(), n - 1);
            int right = strategy.run(self.get(), n - 2).orElseThrow();
            return left.join().orElseThrow() + right;
        }));
        assertThat(strategy.run(self.get(), 15)).isEqualTo(Result.success(610));
    }

    @Test
    void map_ofComputeInsideBlockingAndTheOtherWayRound_doesNotDeadlock() {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> computing = Workload.compute("computing", n -> n + 1);
        Workload<Integer, Integer> blocking = Workload.blocking("blocking", n -> n + 1);
        Workload<Integer, Integer> computeOverBlocking =
                Workload.compute("outer", n -> strategy.run(blocking, n).orElseThrow());
        Workload<Integer, Integer> blockingOverCompute = Workload.blocking("outer", n -> {
            try (var results = strategy.map(computing, List.of(n, n, n))) {
                return results.mapToInt(Result::orElseThrow).sum();
            }
        });
        Workload<Integer, Integer> three = Workload.blocking(
                "three", n -> strategy.run(computeOverBlocking, n).orElseThrow());
        List<CompletableFuture<Result<Integer>>> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            all.add(strategy.submit(computeOverBlocking, i));
            all.add(strategy.submit(blockingOverCompute, i));
            all.add(strategy.submit(three, i));
        }
        for (int i = 0; i < 10; i++) {
            assertThat(done(all.get(3 * i))).isEqualTo(Result.success(i + 1));
            assertThat(done(all.get(3 * i + 1))).isEqualTo(Result.success(3 * i + 3));
            assertThat(done(all.get(3 * i + 2))).isEqualTo(Result.success(i + 1));
        }
    }

    // ---------------------------------------------------------------------------------------------- what cannot be
    // helped with

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void run_nestedOnAllWorkersAndTriedAgain_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        int workers = 2;
        for (Duration wait : List.of(Duration.ZERO, Duration.ofMillis(20))) {
            ExecutorStrategy strategy = strategy(workers);
            CyclicBarrier allBusy = new CyclicBarrier(workers);
            AtomicInteger runs = new AtomicInteger();
            RetryPolicy policy = RetryPolicy.attempts(5).backoff(wait).jitter(0);
            Workload<Integer, Integer> flaky =
                    workload(kind, Workload.named("flaky").retry(policy), n -> {
                        if (runs.incrementAndGet() <= workers) {
                            throw new IllegalStateException("the first attempt");
                        }
                        return n;
                    });
            Workload<Integer, Integer> outer = workload(kind, "outer", n -> {
                allBusy.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
                return strategy.run(flaky, n).orElseThrow();
            });
            CompletableFuture<Result<Integer>> one = strategy.submit(outer, 1);
            CompletableFuture<Result<Integer>> two = strategy.submit(outer, 2);
            assertThat(Patience.get(one)).isEqualTo(Result.success(1));
            assertThat(Patience.get(two)).isEqualTo(Result.success(2));
        }
    }

    /** What completes the stage needs a worker of the same kind as those that wait. */
    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void run_asynchronousOnAllWorkers_doesNotDeadlock(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        int workers = 2;
        ExecutorStrategy strategy = strategy(workers);
        Workload<Integer, Integer> delayed = Workload.async(
                "delayed", (n, loop) -> loop.delay(Duration.ofMillis(5)).thenApply(nothing -> n));
        Workload<Integer, Integer> offloaded = Workload.async("offloaded", (n, loop) -> loop.offload(() -> n));
        for (Workload<Integer, Integer> inner : List.of(delayed, offloaded)) {
            CyclicBarrier allBusy = new CyclicBarrier(workers);
            Workload<Integer, Integer> outer = workload(kind, "outer", n -> {
                allBusy.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
                try (var results = strategy.map(inner, List.of(n, n))) {
                    return strategy.run(inner, n).orElseThrow()
                            + results.mapToInt(Result::orElseThrow).sum();
                }
            });
            CompletableFuture<Result<Integer>> one = strategy.submit(outer, 1);
            CompletableFuture<Result<Integer>> two = strategy.submit(outer, 2);
            assertThat(Patience.get(one)).isEqualTo(Result.success(3));
            assertThat(Patience.get(two)).isEqualTo(Result.success(6));
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void map_nestedAndTriedAgain_waitsAsLongAsThePolicySays(Mode mode) {
        assume(Ability.IN_THIS_JVM);
        Duration wait = Duration.ofMillis(60);
        ExecutorStrategy strategy = strategy(1);
        Queue<Long> times = new ConcurrentLinkedQueue<>();
        RetryPolicy policy = RetryPolicy.attempts(2).backoff(wait).jitter(0);
        Workload<Integer, Integer> flaky =
                workload(mode.kind(), Workload.named("flaky").retry(policy), n -> {
                    times.add(System.nanoTime());
                    throw new IllegalStateException("always");
                });
        Workload<Integer, Long> outer = Workload.compute("outer", n -> {
            try (var results = strategy.map(flaky, Stream.of(n), mode.options())) {
                return results.filter(result -> !result.isSuccess()).count();
            }
        });
        assertThat(strategy.run(outer, 1)).isEqualTo(Result.success(1L));
        assertThat(times).hasSize(2);
        List<Long> ordered = List.copyOf(times);
        assertThat(ordered.get(1) - ordered.get(0)).isGreaterThanOrEqualTo(wait.toNanos());
    }

    /** One task after the other fills the stack with tasks that wait; each still has a result. */
    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void submit_recursesBeyondTheStack_losesNoTask(Kind kind) {
        assume(Ability.IN_THIS_JVM);
        ExecutorStrategy strategy = strategy(1);
        Queue<CompletableFuture<?>> all = new ConcurrentLinkedQueue<>();
        AtomicReference<Workload<Integer, Integer>> self = new AtomicReference<>();
        self.set(workload(kind, "deeper", n -> {
            CompletableFuture<Result<Integer>> next = strategy.submit(self.get(), n + 1);
            all.add(next);
            return all.size() > 100_000 ? n : next.join().orElseThrow();
        }));
        Result<Integer> result = strategy.run(self.get(), 0);
        assertThat(result.isSuccess()).isFalse();
        assertThat(((Result.Failure<Integer>) result).cause()).isInstanceOf(StackOverflowError.class);
        strategy.closeNow();
        Patience.await().untilAsserted(() -> assertThat(all).allMatch(CompletableFuture::isDone));
    }
}
