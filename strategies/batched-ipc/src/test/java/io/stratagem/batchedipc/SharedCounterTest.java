package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(Patience.TEST_SECONDS)
final class SharedCounterTest {
    private static final int EACH = 100_000;

    @Test
    void steps_giveTheValuesBeforeAndAfter() {
        try (SharedCounter counter = new SharedCounter(5)) {
            assertThat(counter.get()).isEqualTo(5);
            assertThat(counter.incrementAndGet()).isEqualTo(6);
            assertThat(counter.addAndGet(10)).isEqualTo(16);
            assertThat(counter.getAndAdd(-6)).isEqualTo(16);
            assertThat(counter.decrementAndGet()).isEqualTo(9);
            assertThat(counter.compareAndSet(8, 1)).isFalse();
            assertThat(counter.compareAndSet(9, 1)).isTrue();
            assertThat(counter).hasToString("SharedCounter[1]");
            counter.set(-3);
            assertThat(counter.get()).isEqualTo(-3);
        }
    }

    @Test
    void processes_loseNothing() throws Exception {
        try (SharedCounter counter = new SharedCounter();
                ArrayProcess other = ArrayProcess.start()) {
            assertThat(other.open(counter)).isEqualTo("ok");
            RacingThreads.run(
                    () -> assertThat(other.ask("count " + EACH)).isEqualTo("ok"),
                    () -> count(counter),
                    () -> count(counter));
            assertThat(counter.get()).isEqualTo(4L * EACH);
        }
    }

    private static void count(SharedCounter counter) {
        for (int i = 0; i < EACH; i++) {
            counter.incrementAndGet();
        }
    }

    @Test
    void closed_refusesAllUse() throws Exception {
        SharedCounter counter = new SharedCounter();
        SharedCounter arrived = SharedMemoryFixture.passed(counter);
        counter.close();
        assertThatIllegalStateException().isThrownBy(counter::incrementAndGet);
        assertThatIllegalStateException().isThrownBy(counter::get);
        assertThat(counter).hasToString("SharedCounter[closed]");
        assertThat(arrived.incrementAndGet()).isEqualTo(1);
        arrived.close();
    }
}
