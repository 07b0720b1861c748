package io.stratagem.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The part of the contract that is about limits per key. */
public abstract class KeyContract extends RemainsContract {
    private static final int KEYS = 3;

    /** For subclasses. */
    protected KeyContract() {}

    /** Of each key no more than so many at once; a key is the input modulo {@link #KEYS}. */
    private static Workload.Builder<Integer> keyed(int limit) {
        return Workload.named("keyed").limitPerKey((Integer n) -> n % KEYS, limit);
    }

    private List<Journal> journals() {
        return Stream.generate(this::journal).limit(KEYS).toList();
    }

    /** Says in the journal of its key that it is there. */
    private static Fn<Integer, Integer> noting(List<Journal> journals) {
        return n -> {
            Journal mine = journals.get(n % KEYS);
            mine.enter();
            try {
                Thread.sleep(1); // so that others come while it is there
                mine.add("input " + n);
            } finally {
                mine.leave();
            }
            return n;
        };
    }

    // ---------------------------------------------------------------------------------------------- the limit

    @ParameterizedTest
    @EnumSource
    void limitPerKey_manyTasks_isNeverExceededAndKeepsOrder(Kind kind) throws Exception {
        int limit = 2;
        int size = 60;
        ExecutorStrategy strategy = strategy(4);
        List<Integer> inputs = IntStream.range(0, size).boxed().toList();
        List<Journal> journals = journals();
        Workload<Integer, Integer> noting = workload(kind, keyed(limit), noting(journals));
        try (var results = strategy.map(noting, inputs)) {
            assertThat(results.map(Result::orElseThrow)).isEqualTo(inputs);
        }
        try (var results = strategy.mapUnordered(noting, inputs)) {
            assertThat(results.map(Result::orElseThrow)).containsExactlyInAnyOrderElementsOf(inputs);
        }
        List<CompletableFuture<Result<Integer>>> futures =
                inputs.stream().map(n -> strategy.submit(noting, n)).toList();
        for (int n = 0; n < size; n++) {
            assertThat(Patience.get(futures.get(n))).isEqualTo(Result.success(n));
        }
        for (Journal each : journals) {
            assertThat(each.entered()).isEqualTo(3L * size / KEYS);
            assertThat(each.peak()).isBetween(1, limit);
        }
    }

    @ParameterizedTest
    @EnumSource
    void limitPerKey_reached_othersOvertakeAndThoseThatWaitHoldNoWorker(Kind kind) throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Journal journal = journal();
        Workload<Integer, Integer> first = workload(kind, keyed(1), n -> {
            if (n % KEYS == 0) {
                journal.add("" + n);
                gate.await();
            }
            return n;
        });
        List<CompletableFuture<Result<Integer>>> held =
                Stream.of(0, 3, 6, 9, 12).map(n -> strategy.submit(first, n)).toList();
        Patience.await().until(() -> journal.count("0") == 1);
        for (int n : new int[] {1, 2, 4}) {
            assertThat(Patience.get(strategy.submit(first, n))).isEqualTo(Result.success(n));
        }
        assertThat(journal.entries()).containsExactly("0");
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().running()).isEqualTo(1);
            assertThat(strategy.snapshot().queued()).isEqualTo(4);
        });
        gate.open();
        for (CompletableFuture<Result<Integer>> each : held) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
        assertThat(journal.entries()).containsExactly("0", "3", "6", "9", "12");
    }

    /** As it would run one that waits for a worker. */
    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void limitPerKey_workerWaitsForATaskThatWaitsForItsKey_doesNotRunIt(Kind kind) throws Exception {
        assume(Ability.IN_THIS_JVM);
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> inner = workload(kind, keyed(1), telling(journal, gate));
        AtomicReference<Thread> waiter = new AtomicReference<>();
        Workload<Integer, Integer> outer = workload(kind, "outer", n -> {
            waiter.set(Thread.currentThread());
            return strategy.run(inner, n).orElseThrow();
        });
        CompletableFuture<Result<Integer>> first = strategy.submit(inner, 0);
        Patience.await().until(() -> journal.entered() == 1);
        CompletableFuture<Result<Integer>> second = strategy.submit(outer, 3);
        awaitParked(waiter);
        assertThat(journal.entered()).isEqualTo(1);
        gate.open();
        assertThat(Patience.get(first)).isEqualTo(Result.success(0));
        assertThat(Patience.get(second)).isEqualTo(Result.success(3));
        assertThat(journal.peak()).isEqualTo(1);
    }

    /** All tasks of a batch would have one place. */
    @Test
    void limitPerKey_tinyTasks_areNotPutIntoBatches() {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> tiny = workload(Kind.COMPUTE, keyed(1), n -> n + 1);
        try (var results = strategy.map(tiny, IntStream.range(0, 2000).boxed())) {
            assertThat(results).hasSize(2000).allSatisfy(result -> {
                assertThat(result.isSuccess()).isTrue();
                assertThat(result.execution().batchSize()).isEqualTo(1);
            });
        }
    }

    @Test
    void limitPerKey_twoWorkloads_haveALimitEach() throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> held = workload(Kind.BLOCKING, keyed(1), n -> {
            gate.await();
            return n;
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(held, 0);
        assertThat(strategy.run(workload(Kind.BLOCKING, keyed(1), (Integer n) -> n), 0))
                .isEqualTo(Result.success(0));
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(Result.success(0));
    }

    @ParameterizedTest
    @EnumSource
    void limitPerKey_reached_windowBoundsWhatWaits(Kind kind) {
        int window = 5;
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        AtomicInteger pulled = new AtomicInteger();
        Workload<Integer, Integer> waiting = workload(kind, keyed(1), n -> {
            if (n % KEYS == 0) {
                gate.await();
            }
            return n;
        });
        Stream<Integer> inputs = Stream.iterate(1, n -> n == 1 ? 0 : n + KEYS).peek(n -> pulled.incrementAndGet());
        try (var results = strategy.map(waiting, inputs, MapOptions.unordered().window(window))) {
            Iterator<Result<Integer>> each = results.iterator();
            assertThat(each.next()).isEqualTo(Result.success(1));
            assertThat(pulled.get()).isLessThanOrEqualTo(window + 1);
            gate.open();
            for (int n = 0; n < 10; n++) {
                assertThat(each.next().orElseThrow() % KEYS).isZero();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- the key

    @Test
    void limitPerKey_anyTask_asksForItsKeyOnceAndHere() {
        ExecutorStrategy strategy = strategy(2);
        Queue<Thread> askers = new ConcurrentLinkedQueue<>(); // it cannot be serialised with this in the lambda
        Object notSerializable = new Object();
        Journal journal = journal();
        Workload<Integer, Integer> twice = workload(
                Kind.BLOCKING,
                Workload.named("twice")
                        .retry(RetryPolicy.attempts(2))
                        .<Integer>limitPerKey(
                                n -> {
                                    askers.add(Thread.currentThread());
                                    return notSerializable;
                                },
                                1),
                n -> {
                    journal.add("attempt " + n);
                    if (journal.count("attempt " + n) == 1) {
                        throw new IOException("once more");
                    }
                    return n;
                });
        try (var results = strategy.map(twice, List.of(1, 2, 3))) {
            assertThat(results.map(Result::orElseThrow)).containsExactly(1, 2, 3);
        }
        assertThat(askers).hasSize(3).containsOnly(Thread.currentThread());
        assertThat(journal.entries()).hasSize(6);
    }

    @ParameterizedTest
    @EnumSource
    void limitPerKey_withoutAKey_failsThatTaskOnly(Kind kind) throws Exception {
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> partial =
                workload(kind, Workload.named("partial").limitPerKey((Integer n) -> n == 1 ? null : 12 / n, 1), n -> n);
        try (var results = strategy.map(partial, List.of(0, 1, 2, 3))) {
            List<Result<Integer>> all = results.toList();
            assertThat(causeOf(all.get(0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("partial", "key")
                    .hasCauseInstanceOf(ArithmeticException.class);
            assertThat(causeOf(all.get(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("partial", "key", "null");
            assertThat(all.subList(2, 4)).containsExactly(Result.success(2), Result.success(3));
        }
        assertThat(causeOf(Patience.get(strategy.submit(partial, 0)))).isInstanceOf(IllegalArgumentException.class);
        assertThat(strategy.run(partial, 4)).isEqualTo(Result.success(4));
        assertThat(strategy.snapshot().failed()).isEqualTo(3);
    }

    @Test
    void limitPerKey_keysWithoutATask_areForgotten() throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        List<WeakReference<?>> keys = new ArrayList<>();
        Function<Integer, Same> fresh = n -> {
            Same key = new Same(n % KEYS);
            keys.add(new WeakReference<>(key));
            return key;
        };
        Workload<Integer, Integer> waiting =
                workload(Kind.BLOCKING, Workload.named("waiting").limitPerKey(fresh, 1), n -> {
                    gate.await();
                    return n;
                });
        CompletableFuture<Result<Integer>> first = strategy.submit(waiting, 0);
        CompletableFuture<Result<Integer>> second = strategy.submit(waiting, 3);
        assertThat(strategy.submit(waiting, 6).cancel(true)).isTrue();
        awaitCollected(keys.subList(2, 3)); // though it has never come to its turn
        gate.open();
        Patience.get(first).orElseThrow();
        Patience.get(second).orElseThrow();
        try (var results = strategy.map(waiting, Stream.iterate(0, n -> n + 1))) {
            assertThat(results.limit(20)).hasSize(20);
        }
        awaitCollected(keys);
        assertThat(strategy.run(waiting, 7)).isEqualTo(Result.success(7));
    }

    private static void awaitCollected(List<WeakReference<?>> all) {
        Patience.await().until(() -> {
            System.gc();
            return all.stream().allMatch(each -> each.get() == null);
        });
    }

    /** An object of its own for each task, equal to others of its number. */
    private static final class Same {
        private final int number;

        Same(int number) {
            this.number = number;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Same that && number == that.number;
        }

        @Override
        public int hashCode() {
            return number;
        }
    }

    // ---------------------------------------------------------------------------------------------- giving up

    @ParameterizedTest
    @EnumSource
    void cancel_waitingForItsKey_endsItAtOnce(Kind kind) throws Exception {
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> telling = workload(kind, keyed(1), telling(journal, gate));
        CompletableFuture<Result<Integer>> running = strategy.submit(telling, 0);
        CompletableFuture<Result<Integer>> soft = strategy.submit(telling, 3);
        CompletableFuture<Result<Integer>> hard = strategy.submit(telling, 6);
        CompletableFuture<Result<Integer>> last = strategy.submit(telling, 9);
        Patience.await().until(() -> journal.entered() == 1);
        assertThat(soft.cancel(false)).isTrue();
        assertThat(hard.cancel(true)).isTrue();
        assertThat(strategy.snapshot().cancelled()).isEqualTo(2);
        gate.open();
        assertThat(Patience.get(running)).isEqualTo(Result.success(0));
        assertThat(Patience.get(last)).isEqualTo(Result.success(9));
        assertThat(journal.entered()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void cancel_running_givesItsPlaceToTheNext(Kind kind) throws Exception {
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> telling = workload(kind, keyed(1), telling(journal, gate));
        CompletableFuture<Result<Integer>> running = strategy.submit(telling, 0);
        CompletableFuture<Result<Integer>> next = strategy.submit(telling, 3);
        Patience.await().until(() -> journal.entered() == 1);
        assertThat(running.cancel(true)).isTrue();
        Patience.await().until(() -> journal.entered() == 2);
        gate.open();
        assertThat(Patience.get(next)).isEqualTo(Result.success(3));
    }

    @ParameterizedTest
    @EnumSource
    void timeout_ofAKeyedTask_countsFromItsStart(Kind kind) throws Exception {
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        Journal journal = journal();
        Duration limit = Duration.ofSeconds(5);
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Workload<Integer, Integer> telling = workload(kind, keyed(1).timeout(limit), telling(journal, gate));
        CompletableFuture<Result<Integer>> first = strategy.submit(telling, 0);
        CompletableFuture<Result<Integer>> second = strategy.submit(telling, 3);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() > 0);
        clock.advance(limit);
        assertThat(causeOf(Patience.get(first))).isInstanceOf(TaskTimeoutException.class);
        Patience.await().until(() -> journal.entered() == 2);
        gate.open();
        assertThat(Patience.get(second)).isEqualTo(Result.success(3));
    }

    @ParameterizedTest
    @EnumSource(names = "ASYNC", mode = EnumSource.Mode.EXCLUDE)
    void timeout_ofATaskThatIgnoresItsInterrupt_leavesItItsPlaceUntilItReturns(Kind kind) throws Exception {
        assume(Ability.INTERRUPTS);
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        Journal journal = journal();
        Duration limit = Duration.ofSeconds(5);
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Workload<Integer, Integer> stubborn = workload(kind, keyed(1).timeout(limit), n -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
            journal.leave();
            return n;
        });
        CompletableFuture<Result<Integer>> first = strategy.submit(stubborn, 0);
        CompletableFuture<Result<Integer>> second = strategy.submit(stubborn, 3);
        Patience.await().until(() -> journal.entered() == 1 && clock.waiting() > 0);
        clock.advance(limit);
        assertThat(causeOf(Patience.get(first))).isInstanceOf(TaskTimeoutException.class);
        // It comes to the one free worker after the second, had that been handed out.
        assertThat(Patience.get(strategy.submit(workload(kind, "other", (Integer n) -> n), 0)))
                .isEqualTo(Result.success(0));
        assertThat(journal.entered()).isEqualTo(1);
        gate.open();
        assertThat(Patience.get(second)).isEqualTo(Result.success(3));
        assertThat(journal.peak()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void retry_ofAKeyedTask_getsInLineAnew(Kind kind) {
        ExecutorStrategy strategy = strategy(4);
        List<Journal> journals = journals();
        Fn<Integer, Integer> noting = noting(journals);
        Workload<Integer, Integer> flaky =
                workload(kind, keyed(1).retry(RetryPolicy.attempts(3).backoff(Duration.ofMillis(1))), n -> {
                    noting.apply(n);
                    if (journals.get(n % KEYS).count("input " + n) <= n % 4) {
                        throw new IOException("once more");
                    }
                    return n;
                });
        List<Integer> inputs = IntStream.range(0, 24).boxed().toList();
        try (var results = strategy.map(flaky, inputs)) {
            assertThat(results.map(result -> result.isSuccess() ? result.orElseThrow() : -1))
                    .isEqualTo(inputs.stream().map(n -> n % 4 == 3 ? -1 : n).toList());
        }
        assertThat(journals).allSatisfy(journal -> {
            assertThat(journal.entered()).isEqualTo((1 + 2 + 3 + 3) * 2);
            assertThat(journal.peak()).isEqualTo(1);
        });
    }

    /** There are so many that no chain of calls may lead from one to the next. */
    @ParameterizedTest
    @EnumSource
    void map_closedWhileManyWaitForTheirKey_cancelsThem(Kind kind) throws Exception {
        int size = 5000;
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> telling = workload(kind, keyed(1), telling(journal, gate));
        AtomicInteger pulled = new AtomicInteger();
        Stream<Integer> inputs = Stream.iterate(0, n -> n + KEYS).peek(n -> pulled.incrementAndGet());
        Stream<Result<Integer>> results =
                strategy.map(telling, inputs, MapOptions.unordered().window(size));
        RacingThreads.run(
                () -> assertThat(causeOf(results.iterator().next())).isInstanceOf(CancellationException.class), () -> {
                    Patience.await().untilAsserted(() -> {
                        assertThat(pulled.get()).isEqualTo(size);
                        assertThat(journal.entered()).isEqualTo(1);
                    });
                    results.close();
                });
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().queued()).isZero();
            assertThat(strategy.snapshot().running()).isZero();
        });
        gate.open();
        assertThat(strategy.run(telling, 0)).isEqualTo(Result.success(0));
        assertThat(journal.entered()).isEqualTo(2);
    }

    @Test
    void deadline_passesWhileTasksWaitForTheirKey_failsThem() {
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2, options -> options.clock(clock));
        Workload<Integer, Integer> telling = workload(Kind.BLOCKING, keyed(1), telling(journal, gate));
        Duration limit = Duration.ofSeconds(5);
        RacingThreads.run(
                () -> {
                    try (var results = strategy.map(
                            telling, Stream.of(0, 3, 6), MapOptions.ordered().deadline(limit))) {
                        assertThat(results)
                                .hasSize(3)
                                .allSatisfy(
                                        result -> assertThat(causeOf(result)).isInstanceOf(TaskTimeoutException.class));
                    }
                },
                () -> {
                    Patience.await()
                            .until(() -> journal.entered() == 1
                                    && strategy.snapshot().submitted() == 3);
                    clock.advance(limit);
                });
        assertThat(journal.entered()).isEqualTo(1);
    }

    // ---------------------------------------------------------------------------------------------- closing

    @ParameterizedTest
    @EnumSource
    void close_whileTasksWaitForTheirKey_runsThem(Kind kind) throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2);
        Workload<Integer, Integer> waiting = workload(kind, keyed(1), n -> {
            gate.await();
            return n;
        });
        List<CompletableFuture<Result<Integer>>> futures =
                Stream.of(0, 3, 6).map(n -> strategy.submit(waiting, n)).toList();
        RacingThreads.run(strategy::close, () -> {
            Patience.await().until(() -> strategy.snapshot().closed());
            gate.open();
        });
        assertThat(futures).allSatisfy(future -> assertThat(future).isCompletedWithValueMatching(Result::isSuccess));
    }

    @ParameterizedTest
    @EnumSource
    void closeNow_whileManyTasksWaitForTheirKey_cancelsThem(Kind kind) throws Exception {
        Gate gate = gate();
        Journal journal = journal();
        ExecutorStrategy strategy = strategy(2, options -> options.maxPending(10_000));
        Workload<Integer, Integer> telling = workload(kind, keyed(1), telling(journal, gate));
        List<CompletableFuture<Result<Integer>>> futures = IntStream.range(0, 5000)
                .mapToObj(n -> strategy.submit(telling, n))
                .toList();
        Patience.await().until(() -> journal.entered() > 0);
        strategy.closeNow();
        for (CompletableFuture<Result<Integer>> each : futures) {
            assertThat(causeOf(Patience.get(each))).isInstanceOf(CancellationException.class);
        }
    }

    @Test
    void submit_keyedFullAndCallerRuns_waitsForRoom() throws Exception {
        Gate gate = gate();
        ExecutorStrategy strategy = strategy(2, options -> options.maxPending(1).rejection(Rejection.CALLER_RUNS));
        Workload<Integer, Integer> waiting = workload(Kind.BLOCKING, keyed(1), n -> {
            gate.await();
            return n;
        });
        CompletableFuture<Result<Integer>> first = strategy.submit(waiting, 0);
        AtomicReference<Thread> caller = new AtomicReference<>();
        RacingThreads.run(
                () -> {
                    caller.set(Thread.currentThread());
                    assertThat(Patience.get(strategy.submit(waiting, 3))).isEqualTo(Result.success(3));
                },
                () -> {
                    awaitParked(caller);
                    gate.open();
                });
        assertThat(Patience.get(first)).isEqualTo(Result.success(0));
    }

    // ---------------------------------------------------------------------------------------------- all at once

    @ParameterizedTest
    @EnumSource
    void limitPerKey_randomFailuresCancellationsAndRetries_losesNoPlace(Kind kind) throws Exception {
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random dice = new Random(seed);
        int limit = 2;
        int size = 300 * Integer.getInteger("stress.rounds", 1);
        ExecutorStrategy strategy = strategy(limit * KEYS, options -> options.maxPending(size));
        // To kill many workers takes long, and what was off-loaded by a cancelled task may run on for a moment.
        boolean mayTakeRunning = abilities().contains(Ability.INTERRUPTS) && kind != Kind.ASYNC;
        Gate gate = gate();
        List<Journal> journals = journals();
        Journal last = journal();
        Workload<Integer, Integer> random =
                workload(kind, keyed(limit).retry(RetryPolicy.attempts(2).on(IOException.class)), n -> {
                    if (n >= size) {
                        last.enter();
                        gate.await();
                        return n;
                    }
                    Journal mine = journals.get(n % KEYS);
                    mine.enter();
                    try {
                        switch (new Random(seed + n).nextInt(6)) {
                            case 0 -> throw new IOException("once more");
                            case 1 -> throw new IllegalStateException("not once more");
                            default -> Thread.yield();
                        }
                        return n;
                    } finally {
                        mine.leave();
                    }
                });
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>();
        for (int n = 0; n < size; n++) {
            futures.add(strategy.submit(random, n));
            if (dice.nextInt(4) == 0) {
                futures.get(dice.nextInt(futures.size())).cancel(mayTakeRunning && dice.nextBoolean());
            }
        }
        Patience.await().until(() -> futures.stream().allMatch(CompletableFuture::isDone));
        assertThat(journals)
                .as("seed %s", seed)
                .allSatisfy(journal -> assertThat(journal.peak()).isBetween(1, limit));
        List<CompletableFuture<Result<Integer>>> full = IntStream.range(0, limit * KEYS)
                .mapToObj(n -> strategy.submit(random, size + n))
                .toList();
        Patience.await()
                .untilAsserted(
                        () -> assertThat(last.entered()).as("seed %s", seed).isEqualTo(limit * KEYS));
        gate.open();
        for (CompletableFuture<Result<Integer>> each : full) {
            assertThat(Patience.get(each).isSuccess()).isTrue();
        }
    }

    @Test
    void limitPerKey_badLimit_isRefused() {
        assertThatThrownBy(() -> keyed(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("limitPerKey", "0");
        assertThatThrownBy(() -> keyed(1).limitPerKey((Integer n) -> n, 2)).isInstanceOf(IllegalStateException.class);
    }
}
