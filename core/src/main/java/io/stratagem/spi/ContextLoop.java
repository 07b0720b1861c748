package io.stratagem.spi;

import io.stratagem.Loop;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** A loop for one task: what it off-loads, and what its executor runs, has the context of the task. */
record ContextLoop(Loop loop, Context context) implements Loop {
    @Override
    public CompletableFuture<Void> delay(Duration delay) {
        return loop.delay(delay);
    }

    @Override
    public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
        return loop.offload(() -> {
            Context.Applied applied = context.apply();
            try {
                return call.call();
            } finally {
                context.undo(applied);
            }
        });
    }

    @Override
    public boolean inLoop() {
        return loop.inLoop();
    }

    @Override
    public Executor executor() {
        return action -> loop.executor().execute(() -> context.run(action));
    }
}
