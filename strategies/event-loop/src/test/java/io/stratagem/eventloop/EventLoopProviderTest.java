package io.stratagem.eventloop;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Choice;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyProvider;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class EventLoopProviderTest {
    private static final Workload<Integer, Integer> ASYNC =
            Workload.async("fetch", (n, loop) -> CompletableFuture.completedFuture(n));

    @Test
    void load_onTheClassPath_findsTheProvider() {
        assertThat(ServiceLoader.load(StrategyProvider.class))
                .filteredOn(EventLoopProvider.class::isInstance)
                .singleElement()
                .satisfies(provider -> assertThat(provider.name()).isEqualTo("event loop"));
    }

    @Test
    void create_defaults_givesAWorkingStrategy() {
        try (ExecutorStrategy strategy = new EventLoopProvider().create(1, List.of())) {
            assertThat(strategy.run(ASYNC, 1)).isEqualTo(Result.success(1));
        }
    }

    @Test
    void choose_eachKind_isALoopForAsynchronousWorkOnly() {
        Choice async = Stratagem.choose(ASYNC);
        assertThat(async.strategy()).isEqualTo("event loop");
        assertThat(async.reasons()).singleElement().asString().contains("without a thread");
        assertThat(Stratagem.choose(Workload.compute("hash", n -> n)).strategy())
                .isEqualTo("thread pool");
        assertThat(Stratagem.choose(Workload.blocking("read", n -> n)).strategy())
                .isEqualTo("thread pool");
    }
}
