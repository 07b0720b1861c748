package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StratagemTest {
    private static final String PROPERTY = "stratagem.cpus";

    @AfterEach
    void forget() {
        System.clearProperty(PROPERTY);
    }

    @Test
    void cpus_noProperty_isWhatTheJvmSays() {
        assertThat(Stratagem.cpus()).isEqualTo(Runtime.getRuntime().availableProcessors());
    }

    @Test
    void cpus_property_overrides() {
        System.setProperty(PROPERTY, " 7 ");
        assertThat(Stratagem.cpus()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "many", "", "99999999999"})
    void cpus_badProperty_isRefusedByNameAndValue(String value) {
        System.setProperty(PROPERTY, value);
        assertThatThrownBy(Stratagem::cpus)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(PROPERTY, "'" + value + "'");
    }

    @Test
    void profile_propertyIsBeyondTheLimitOfTheOption_isRefusedByNameAndValue() {
        int available = Runtime.getRuntime().availableProcessors();
        for (int count : new int[] {8 * available + 1, Integer.MAX_VALUE}) {
            System.setProperty(PROPERTY, " " + count);
            assertThatThrownBy(() -> Stratagem.profile(Workload.compute("w", n -> n), List.of(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("system property " + PROPERTY + " must be from 1 to " + 8 * available
                            + ", which is 8 for each of the " + available + " that this machine has: " + count);
        }
    }

    @Test
    void profile_propertyIsTheLimit_isTaken() {
        System.setProperty(PROPERTY, "" + 8 * Runtime.getRuntime().availableProcessors());
        assertThatThrownBy(() -> Stratagem.profile(Workload.compute("w", n -> n), List.of(1)))
                .hasMessageContaining("io.stratagem:stratagem-thread-pool");
    }

    @Test
    void profile_cpusAreGiven_doesNotAskTheProperty() {
        System.setProperty(PROPERTY, "" + Integer.MAX_VALUE);
        ProfileOptions options = ProfileOptions.defaults().cpus(1);
        assertThatThrownBy(() -> Stratagem.profile(Workload.compute("w", n -> n), List.of(1), options))
                .hasMessageContaining("io.stratagem:stratagem-thread-pool");
    }

    @Test
    void choose_noStrategyThere_namesTheCoordinates() {
        assertThatThrownBy(() -> Stratagem.choose(Workload.compute("w", n -> n)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("w", "io.stratagem:stratagem-thread-pool");
        assertThatThrownBy(() -> Stratagem.choose(Workload.named("w").isolated().compute(n -> n)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("io.stratagem:stratagem-process-pool");
    }

    @Test
    void explain_all_isInWords() {
        Choice choice = new Choice(
                "render", "threads", List.of("it computes"), List.of("loop: it is slower"), List.of("mind the heap"));
        assertThat(choice.explain())
                .isEqualTo(
                        "render -> threads\n  because it computes\n  or loop: it is slower\n  warning: mind the heap");
        assertThat(choice).hasToString("render -> threads");
    }
}
