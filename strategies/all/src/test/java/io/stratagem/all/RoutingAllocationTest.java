package io.stratagem.all;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.stratagem.AutoStrategy;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** That to find a task's strategy leaves nothing on the heap. */
final class RoutingAllocationTest {
    private static final int ROUNDS = 100_000;

    private final List<Workload<Integer, Integer>> workloads = List.of(
            Workload.compute("computes", n -> n),
            Workload.blocking("blocks", n -> n),
            Workload.async("waits", (n, loop) -> CompletableFuture.completedFuture(n)),
            Workload.named("isolated").isolated().compute((Integer n) -> n),
            Workload.named("tiny").isolated().fineGrained().compute((Integer n) -> n));

    @Test
    void strategyFor_foundBefore_allocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (AutoStrategy auto = Stratagem.auto()) {
            findAll(auto);
            long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            findAll(auto);
            long bytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
            assertThat(bytes).as("of %d searches", ROUNDS).isLessThan(ROUNDS / 10);
        }
    }

    private void findAll(AutoStrategy auto) {
        ExecutorStrategy found = auto;
        for (int i = 0; i < ROUNDS; i++) {
            found = auto.strategyFor(workloads.get(i % workloads.size()));
        }
        assertThat(found).isNotSameAs(auto);
    }
}
