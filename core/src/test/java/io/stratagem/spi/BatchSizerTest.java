package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class BatchSizerTest {
    private static final long TARGET = 100_000;
    private final BatchSizer sizer = new BatchSizer(TARGET, 8192);

    /** Runs batches of the proposed size until it has settled. */
    private void run(int batches, long nanosPerTask) {
        for (int i = 0; i < batches; i++) {
            int size = sizer.size();
            sizer.record(size, size * nanosPerTask);
        }
    }

    @Test
    void size_nothingMeasured_isOne() {
        assertThat(sizer.size()).isEqualTo(1);
    }

    @Test
    void size_quickTasks_doublesTowardsTheTarget() {
        int last = 1;
        for (int i = 0; i < 20; i++) {
            int size = sizer.size();
            assertThat(size).isLessThanOrEqualTo(2 * last);
            sizer.record(size, size * 100L);
            last = size;
        }
        assertThat(sizer.size()).isEqualTo((int) (TARGET / 100));
    }

    @Test
    void size_slowTasks_staysOne() {
        run(20, 10 * TARGET);
        assertThat(sizer.size()).isEqualTo(1);
    }

    @Test
    void size_freeTasks_staysWithinItsMaximum() {
        run(100, 0);
        assertThat(sizer.size()).isEqualTo(8192);
    }

    @Test
    void record_oneOutlier_isIgnored() {
        run(30, 100);
        int before = sizer.size();
        sizer.record(before, before * 100_000L);
        assertThat(sizer.size()).isEqualTo(before);
    }

    @Test
    void record_twoOutliersInARow_areBelieved() {
        run(30, 100);
        int before = sizer.size();
        sizer.record(before, before * 100_000L);
        sizer.record(before, before * 100_000L);
        assertThat(sizer.size()).isLessThan(before / 10);
    }

    @Test
    void record_nothingRun_changesNothing() {
        run(30, 100);
        int before = sizer.size();
        sizer.record(0, 1_000_000_000);
        sizer.record(5, -1);
        assertThat(sizer.size()).isEqualTo(before);
    }

    @Test
    void record_coldStart_isForgottenQuickly() {
        sizer.record(1, 10 * TARGET);
        run(20, 100);
        assertThat(sizer.size()).isGreaterThan(500);
    }
}
