package io.stratagem.threadpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Choice;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class ThreadPoolProviderTest {
    @Test
    void load_onTheClassPath_findsTheProvider() {
        assertThat(ServiceLoader.load(StrategyProvider.class))
                .hasAtLeastOneElementOfType(ThreadPoolProvider.class)
                .filteredOn(ThreadPoolProvider.class::isInstance)
                .singleElement()
                .satisfies(provider -> assertThat(provider.name()).isEqualTo("thread pool"));
    }

    @Test
    void create_defaults_givesAWorkingStrategy() {
        try (ExecutorStrategy strategy = new ThreadPoolProvider().create(1, List.of())) {
            assertThat(strategy.run(Workload.compute("identity", (Integer n) -> n), 1))
                    .isEqualTo(Result.success(1));
        }
    }

    @Test
    void choose_eachKind_isThreadsWithAReason() {
        Choice compute = Stratagem.choose(Workload.compute("hash", n -> n));
        assertThat(compute.strategy()).isEqualTo("thread pool");
        assertThat(compute.workload()).isEqualTo("hash");
        assertThat(compute.reasons()).singleElement().asString().contains("computes");
        assertThat(compute.explain()).startsWith("hash -> thread pool").contains("because");
        assertThat(compute.warnings()).isEmpty();
        Choice blocking = Stratagem.choose(Workload.blocking("read", n -> n));
        assertThat(blocking.reasons()).singleElement().asString().contains("blocking");
        Choice async = Stratagem.choose(Workload.async("fetch", (n, loop) -> CompletableFuture.completedFuture(n)));
        assertThat(async.reasons()).singleElement().asString().contains("without a thread");
    }

    @Test
    void choose_timeoutOfComputation_warns() {
        Choice choice = Stratagem.choose(
                Workload.named("parse").timeout(Duration.ofSeconds(1)).compute(n -> n));
        assertThat(choice.warnings()).singleElement().asString().contains("interrupt", "isolated");
    }

    @Test
    void choose_isolated_failsAndNamesTheCoordinates() {
        assertThatThrownBy(() ->
                        Stratagem.choose(Workload.named("render").isolated().compute(n -> n)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("render", "io.stratagem:stratagem-process-pool");
    }
}
