package io.stratagem.eventloop;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A future that a loop completes. To wait for it on that loop, or for a stage that depends on it, fails. */
class LoopFuture<T> extends CompletableFuture<T> {
    final LoopThread loop;

    LoopFuture(LoopThread loop) {
        this.loop = loop;
    }

    private void checkMayWait() {
        if (!isDone() && loop.isCurrent()) {
            throw new IllegalStateException(
                    "a future of " + loop.getName() + " was to be waited for on this loop, which "
                            + "completes it, and so would never come: go on in a dependent stage, or wait inside loop.offload");
        }
    }

    @Override
    public final T get() throws InterruptedException, ExecutionException {
        checkMayWait();
        return super.get();
    }

    @Override
    public final T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        checkMayWait();
        return super.get(timeout, unit);
    }

    @Override
    public final T join() {
        checkMayWait();
        return super.join();
    }

    @Override
    public final <U> CompletableFuture<U> newIncompleteFuture() {
        return new LoopFuture<>(loop);
    }
}
