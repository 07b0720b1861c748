package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class HoldsTest {
    @Test
    void watched_isTriedAgainAsTheWorkloadIs() {
        RetryPolicy policy = RetryPolicy.attempts(3);
        Workload<Integer, Integer> flaky = Workload.named("flaky")
                .retry(policy)
                .timeout(Duration.ofSeconds(1))
                .async((Integer n, Loop loop) -> CompletableFuture.completedFuture(n));

        Workload<Integer, Integer> watched = new Holds().watched(flaky);

        assertThat(watched.retry()).contains(policy);
        assertThat(watched.timeout()).contains(Duration.ofSeconds(1));
    }

    @Test
    void held_noCallHasReturned_doesNotSayWhatItDoes() throws InterruptedException {
        AtomicBoolean gate = new AtomicBoolean();
        Workload<Integer, Integer> computes = Workload.async("computes", (n, loop) -> {
            while (!gate.get()) {
                Thread.onSpinWait();
            }
            return CompletableFuture.completedFuture(n);
        });
        Holds holds = new Holds();
        Thread caller = new Thread(() -> call(holds.watched(computes)));
        caller.start();
        try {
            await().until(() -> holds.medianNanos() >= 20e6);
            WorkCharacter character = new WorkCharacter(computes);

            character.held(holds);

            assertThat(character.findings())
                    .singleElement()
                    .asString()
                    .contains("holds the loop", "loop.offload")
                    .doesNotContain(" blocks ", "the blocking call");
        } finally {
            gate.set(true);
            caller.join();
        }
    }

    @SuppressWarnings("unchecked") // what an asynchronous workload is
    private static CompletionStage<? extends Integer> call(Workload<Integer, Integer> workload) {
        try {
            return ((AsyncFn<Integer, Integer>) workload.function()).apply(1, new NoLoop());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static final class NoLoop implements Loop {
        @Override
        public CompletableFuture<Void> delay(Duration delay) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean inLoop() {
            return false;
        }

        @Override
        public Executor executor() {
            throw new UnsupportedOperationException();
        }
    }
}
