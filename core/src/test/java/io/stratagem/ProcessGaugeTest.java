package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class ProcessGaugeTest {
    private static final long SELF = ProcessHandle.current().pid();
    private static final ProcessGauge.Reading BEFORE = reading(0, Map.of(SELF, 500L, -1L, 100L, -2L, 100L));

    @Test
    void since_sameWorkers_isWhatTheyUsed() {
        ProcessGauge.Reading after = reading(1_000, Map.of(SELF, 600L, -1L, 400L, -2L, 200L));

        assertThat(after.hasWorkersOf(BEFORE)).isTrue();
        assertThat(after.workerNanosSince(BEFORE)).isEqualTo(400);
        assertThat(after.cpusSince(BEFORE)).isEqualTo(0.5);
    }

    @Test
    void hasWorkersOf_oneDied_isFalse() {
        assertThat(reading(1_000, Map.of(SELF, 600L, -1L, 400L)).hasWorkersOf(BEFORE))
                .isFalse();
    }

    @Test
    void hasWorkersOf_oneWasReplaced_isFalse() {
        assertThat(reading(1_000, Map.of(SELF, 600L, -1L, 400L, -3L, 900L)).hasWorkersOf(BEFORE))
                .isFalse();
    }

    private static ProcessGauge.Reading reading(long wallNanos, Map<Long, Long> cpuNanos) {
        return new ProcessGauge.Reading(wallNanos, cpuNanos, Map.of());
    }
}
