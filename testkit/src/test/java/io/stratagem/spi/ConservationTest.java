package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every task gives exactly one result, whoever is faster: workers elsewhere that report, die, or give back what they
 * have not started, and timeouts.
 */
@Tag("stress")
@Timeout(value = Patience.TEST_SECONDS * 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ConservationTest {
    private static final int WORKERS = 3;
    private static final IOException DIED = new IOException("worker died");
    private final long seed = Long.getLong("stress.seed", System.nanoTime());

    @Test
    void map_randomReportsAndTimeouts_eachTaskHasOneResult() {
        int tasks = Math.min(2_000_000, 200_000 * Integer.getInteger("stress.rounds", 1));
        ScriptedEngine engine = new ScriptedEngine(64);
        EngineStrategy strategy = new ScriptedEngine.Builder(engine).build();
        Workload<Integer, Integer> remote =
                Workload.named("remote").timeout(Duration.ofNanos(30_000)).compute(n -> n);
        AtomicIntegerArray ran = new AtomicIntegerArray(tasks);
        AtomicLong accepted = new AtomicLong();
        AtomicLong successes = new AtomicLong();
        AtomicLong results = new AtomicLong();
        RacingThreads.run(WORKERS + 1, Duration.ofMinutes(5), thread -> {
            if (thread == WORKERS) {
                try (var stream = strategy.map(remote, IntStream.range(0, tasks).boxed(), MapOptions.ordered())) {
                    int[] next = {0};
                    stream.forEach(result -> {
                        int expected = next[0]++;
                        results.incrementAndGet();
                        if (result.isSuccess()) {
                            successes.incrementAndGet();
                            assertThat(result).as("seed %s", seed).isEqualTo(Result.success(expected));
                        }
                    });
                } finally {
                    engine.close();
                }
                return;
            }
            Random random = new Random(seed + thread);
            Worker worker = engine.worker("worker " + thread);
            while (!engine.awaitTermination(Duration.ZERO)) {
                Batch batch = engine.poll();
                if (batch != null && batch.claim(worker) != null) {
                    work(batch, random, ran, accepted);
                }
            }
        });
        assertThat(results).as("seed %s", seed).hasValue(tasks);
        assertThat(successes).as("seed %s", seed).hasValue(accepted.get());
        for (int n = 0; n < tasks; n++) {
            assertThat(ran.get(n)).as("starts of %s, seed %s", n, seed).isLessThanOrEqualTo(1);
        }
        Patience.await().untilAsserted(() -> {
            assertThat(strategy.snapshot().succeeded()).isEqualTo(successes.get());
            assertThat(strategy.snapshot().failed()).isEqualTo(tasks - successes.get());
            assertThat(strategy.snapshot().queued()).isZero();
        });
        strategy.close();
    }

    /** One worker's life with a batch; it does not look whether somebody has stopped it. */
    private static void work(Batch batch, Random random, AtomicIntegerArray ran, AtomicLong accepted) {
        int size = batch.size();
        for (int i = 0; i < size; i++) {
            int fate = random.nextInt(200);
            if (fate == 0) {
                batch.notRun(i);
                return;
            }
            int input = (Integer) batch.inputOf(i);
            batch.started(i, 0);
            ran.incrementAndGet(input);
            for (int spins = fate == 1 ? 20_000 : random.nextInt(20); spins > 0; spins--) {
                Thread.onSpinWait();
            }
            if (fate == 2) {
                batch.lost(i, DIED);
                batch.notRun(i + 1);
                return;
            }
            if (batch.succeeded(i, input)) {
                accepted.incrementAndGet();
            } else if (fate % 2 == 0) {
                // It was given up meanwhile: the engine may kill the worker, or let it go on with the others.
                batch.notRun(i + 1);
                return;
            }
        }
    }
}
