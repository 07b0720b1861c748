package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.spi.StrategyProvider;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class ChooserTest {
    private static final Workload<Integer, Integer> COMPUTES = Workload.compute("computes", n -> n);

    @Test
    void choose_several_takesTheBestAndNamesTheOthersInOrder() {
        Chooser chooser =
                new Chooser(List.of(provider("slow", 10), provider("never", 0), provider(Stratagem.THREAD_POOL, 90)));
        Choice choice = chooser.choose(COMPUTES, 1);
        assertThat(choice.strategy()).isEqualTo(Stratagem.THREAD_POOL);
        assertThat(choice.reasons()).containsExactly("it scores 90");
        assertThat(choice.alternatives()).containsExactly("slow: it scores 10");
        assertThat(choice.warnings()).containsExactly("mind computes");
    }

    @Test
    void choose_equals_takesTheFirstByName() {
        assertThat(new Chooser(List.of(provider("b", 50), provider("a", 50)))
                        .choose(COMPUTES, 1)
                        .strategy())
                .isEqualTo("a");
    }

    @Test
    void choose_betterStrategyIsMissing_saysWhatToAdd() {
        Workload<Integer, Integer> waits = Workload.async("waits", (n, loop) -> CompletableFuture.completedFuture(n));
        assertThat(new Chooser(List.of(provider(Stratagem.THREAD_POOL, 50)))
                        .choose(waits, 1)
                        .warnings())
                .anyMatch(warning -> warning.contains("io.stratagem:stratagem-event-loop"));
        Workload<Integer, Integer> tiny =
                Workload.named("tiny").isolated().fineGrained().compute((Integer n) -> n);
        assertThat(new Chooser(List.of(provider(Stratagem.PROCESS_POOL, 50)))
                        .choose(tiny, 1)
                        .warnings())
                .anyMatch(warning -> warning.contains("io.stratagem:stratagem-batched-ipc"));
    }

    @Test
    void named_missing_saysWhatToAdd() {
        Chooser chooser = new Chooser(List.of(provider("slow", 10)));
        for (StrategyModule module : StrategyModule.values()) {
            assertThatThrownBy(() -> chooser.named(module.strategy()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll(module.strategy(), "io.stratagem:stratagem-");
        }
        assertThatThrownBy(() -> chooser.named("fast"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("fast", "slow");
    }

    @Test
    void auto_noStrategyTakesTheWork_namesTheCoordinates() {
        try (AutoStrategy auto =
                AutoStrategy.builder(List.of(provider("never", 0))).build()) {
            assertThatThrownBy(() -> auto.submit(COMPUTES, 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("computes", "io.stratagem:stratagem-thread-pool");
        }
    }

    @Test
    void auto_supplierThatFails_isTriedAgain() {
        StrategyProvider failing = new Scored(Stratagem.THREAD_POOL, 90);
        try (AutoStrategy auto = AutoStrategy.builder(List.of(failing)).build()) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> auto.submit(COMPUTES, 1)).isInstanceOf(UnsupportedOperationException.class);
            }
            assertThat(auto.strategies()).isEmpty();
        }
    }

    private static StrategyProvider provider(String name, int score) {
        return new Scored(name, score);
    }

    private record Scored(String name, int score) implements StrategyProvider {
        @Override
        public Suitability assess(Workload<?, ?> workload) {
            return new Suitability(score, "it scores " + score);
        }

        @Override
        public List<String> warnings(Workload<?, ?> workload) {
            return List.of("mind " + workload.name());
        }

        @Override
        public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
            throw new UnsupportedOperationException(name);
        }
    }
}
