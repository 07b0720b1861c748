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
