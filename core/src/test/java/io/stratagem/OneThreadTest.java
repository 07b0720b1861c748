package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class OneThreadTest {
    @Test
    void run_slowTaskUnderWayAtTheEnd_waitsAsLongAsOthersTook() throws InterruptedException {
        Workload<Integer, Integer> computes = Workload.compute("computes", n -> {
            if (n == 0) {
                spin(700);
            } else {
                spinUntilInterrupted();
                spin(450);
            }
            return n;
        });

        OneThread.Outcome outcome = run(computes, 1_500, 0, 1);

        assertThat(outcome.isStuck()).isFalse();
        assertThat(outcome.figures().orElseThrow().tasks()).isEqualTo(2);
        assertThat(outcome.failures().count()).isZero();
    }

    private static OneThread.Outcome run(Workload<Integer, Integer> workload, long millis, Integer... sample)
            throws InterruptedException {
        return new OneThread<>(workload, List.of(sample), TimeUnit.MILLISECONDS.toNanos(millis)).run();
    }

    private static void spinUntilInterrupted() {
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
    }

    /** Takes no notice of an interrupt. */
    private static void spin(long millis) {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(millis)) {
            Thread.onSpinWait();
        }
    }
}
