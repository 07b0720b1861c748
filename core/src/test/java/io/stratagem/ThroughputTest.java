package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

final class ThroughputTest {
    private static final long SECOND = 1_000_000_000;
    private static final long BEGIN = -SECOND / 2; // the clock may say anything
    private static final Offset<Double> NEARLY = within(0.001);

    @Test
    void perSecond_manyShortTasks_countsUntilTheLastInput() {
        Throughput throughput = new Throughput(BEGIN, BEGIN + 2 * SECOND);

        for (int i = 1; i <= 25; i++) {
            throughput.ended(BEGIN + i * SECOND / 10);
        }

        assertThat(throughput.tasks()).isEqualTo(25);
        assertThat(throughput.perSecond()).isEqualTo(10, NEARLY);
        assertThat(throughput.isOneRound()).isFalse();
    }

    @Test
    void perSecond_tasksLongerThanTheTime_countsAllThatRanAtOnce() {
        Throughput throughput = new Throughput(BEGIN, BEGIN + SECOND / 5);

        for (int i = 0; i < 4; i++) {
            throughput.ended(BEGIN + SECOND + i);
        }

        assertThat(throughput.perSecond()).isEqualTo(4, NEARLY);
        assertThat(throughput.isOneRound()).isTrue();
    }

    @Test
    void perSecond_tasksLongerThanTheTimeOneAfterAnother_isThatOfOne() {
        Throughput throughput = new Throughput(BEGIN, BEGIN + SECOND / 5);

        throughput.ended(BEGIN + SECOND);
        throughput.ended(BEGIN + 2 * SECOND);

        assertThat(throughput.perSecond()).isEqualTo(1, NEARLY);
    }

    @Test
    void perSecond_restIsCutOff_countsTheTimeSinceTheLast() {
        Throughput throughput = new Throughput(BEGIN, BEGIN + 2 * SECOND);

        throughput.ended(BEGIN + SECOND / 2);

        assertThat(throughput.perSecond()).isEqualTo(0.5, NEARLY);
    }

    @Test
    void perSecond_noneEnded_isZero() {
        Throughput throughput = new Throughput(BEGIN, BEGIN + SECOND);

        assertThat(throughput.perSecond()).isZero();
        assertThat(throughput.isOneRound()).isTrue();
    }
}
