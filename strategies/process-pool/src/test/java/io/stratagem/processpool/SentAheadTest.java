package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.MDC;

/** Tasks that were sent ahead to a worker whose task then takes long. */
final class SentAheadTest extends WorkerFixture {
    private static final int SLOW = 1;
    private static final int BEHIND = 2;

    private static Workload<Integer, Integer> mostlyShort(Kind kind, boolean wantsStarts, Journal journal, Gate gate) {
        Workload.Builder<Object> named = Workload.named("mostlyShort");
        Workload.Builder<Object> options = wantsStarts ? named.timeout(Duration.ofHours(1)) : named;
        return workload(kind, options, (Integer n) -> {
            if (n == SLOW) {
                journal.enter();
                gate.awaitIgnoringInterrupts();
            }
            return n;
        });
    }

    @ParameterizedTest
    @CsvSource({"COMPUTE, false", "COMPUTE, true", "BLOCKING, false", "ASYNC, true"})
    void tasksBehindASlowOne_areRunByAWorkerThatIsFree(Kind kind, boolean wantsStarts) throws Exception {
        WorkerProcessStrategy pool = pool(2);
        Gate busyGate = gate();
        Gate slowGate = gate();
        Journal journal = journal();
        Workload<Integer, Integer> mostlyShort = mostlyShort(kind, wantsStarts, journal, slowGate);
        CompletableFuture<Result<Integer>> busy = pool.submit(waiting(Kind.BLOCKING, busyGate), 0);
        Patience.await().until(() -> pool.snapshot().running() == 1);
        runUntilShort(pool, mostlyShort, 0);

        CompletableFuture<Result<Integer>> slow;
        List<CompletableFuture<Result<Integer>>> behind = new ArrayList<>();
        MDC.put("much", "x".repeat(2000)); // so that it is not this thread that sends the first
        try {
            slow = pool.submit(mostlyShort, SLOW);
            for (int i = 0; i < 4; i++) {
                behind.add(pool.submit(mostlyShort, BEHIND));
            }
        } finally {
            MDC.clear();
        }
        Patience.await().until(() -> journal.entered() == 1);
        busyGate.open();

        for (CompletableFuture<Result<Integer>> each : behind) {
            assertThat(Patience.get(each)).isEqualTo(Result.success(BEHIND));
        }
        assertThat(slow).isNotDone();
        slowGate.open();
        assertThat(Patience.get(slow)).isEqualTo(Result.success(SLOW));
        assertThat(Patience.get(busy).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void mapWithASlowTask_runsAllOthersMeanwhile(boolean wantsStarts) throws Exception {
        int size = 20_000;
        WorkerProcessStrategy pool = pool(2);
        Gate gate = gate();
        Workload<Integer, Integer> mostlyShort = mostlyShort(Kind.COMPUTE, wantsStarts, journal(), gate);
        Stream<Integer> inputs = IntStream.range(0, size).mapToObj(n -> n == size / 2 ? SLOW : BEHIND);
        try (Stream<Result<Integer>> results = pool.mapUnordered(mostlyShort, inputs)) {
            Iterator<Result<Integer>> all = results.iterator();
            FutureTask<Long> others = new FutureTask<>(() -> Stream.generate(all::next)
                    .limit(size - 1)
                    .filter(result -> result.orElseThrow() == BEHIND)
                    .count());
            new Thread(others, "reader").start();
            assertThat(Patience.get(others)).isEqualTo(size - 1);
            gate.open();
            assertThat(all.next()).isEqualTo(Result.success(SLOW));
            assertThat(all.hasNext()).isFalse();
        }
    }
}
