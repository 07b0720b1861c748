package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class MapOptionsTest {
    @Test
    void options_each_giveAChangedCopy() {
        MapOptions plain = MapOptions.ordered();
        MapOptions changed = plain.window(5).deadline(Duration.ofSeconds(1));
        assertThat(plain.window()).isEmpty();
        assertThat(plain.deadline()).isEmpty();
        assertThat(plain.isOrdered()).isTrue();
        assertThat(changed.window()).hasValue(5);
        assertThat(changed.deadline()).contains(Duration.ofSeconds(1));
        assertThat(changed.isOrdered()).isTrue();
        assertThat(MapOptions.unordered()
                        .deadline(Duration.ofSeconds(2))
                        .window(1)
                        .isOrdered())
                .isFalse();
        assertThat(changed).hasToString("ordered, deadline PT1S, window 5");
    }

    @Test
    void options_badValue_isRefusedByNameAndValue() {
        assertThatThrownBy(() -> MapOptions.ordered().window(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("window", "0");
        assertThatThrownBy(() -> MapOptions.ordered().deadline(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("deadline", "PT0S");
    }
}
