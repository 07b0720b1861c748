package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ProfileOptionsTest {
    private static final int CPUS = Runtime.getRuntime().availableProcessors();

    @Test
    void timePerStrategy_outOfRange_isRefused() {
        for (Duration limit : new Duration[] {
            Duration.ZERO,
            Duration.ofMillis(-1),
            Duration.ofNanos(9_999_999),
            Duration.ofHours(1).plusNanos(1),
            Duration.ofSeconds(Long.MAX_VALUE),
            Duration.ofSeconds(Long.MIN_VALUE)
        }) {
            assertThatThrownBy(() -> ProfileOptions.defaults().timePerStrategy(limit))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("timePerStrategy must be from 10 ms to 1 hour: " + limit);
        }
    }

    @Test
    void timePerStrategy_bounds_areTaken() {
        for (Duration limit : new Duration[] {Duration.ofMillis(10), Duration.ofHours(1)}) {
            assertThat(ProfileOptions.defaults().timePerStrategy(limit).timePerStrategy())
                    .isEqualTo(limit);
        }
    }

    @Test
    void cpus_outOfRange_isRefused() {
        for (int count : new int[] {Integer.MIN_VALUE, -1, 0, 8 * CPUS + 1, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> ProfileOptions.defaults().cpus(count))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("cpus must be from 1 to " + 8 * CPUS + ", which is 8 for each of the " + CPUS
                            + " that this machine has: " + count);
        }
    }

    @Test
    void cpus_bounds_areTaken() {
        for (int count : new int[] {1, 8 * CPUS}) {
            assertThat(ProfileOptions.defaults().cpus(count).cpus()).hasValue(count);
        }
    }
}
