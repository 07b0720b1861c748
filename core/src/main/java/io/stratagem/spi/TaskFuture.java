package io.stratagem.spi;

import io.stratagem.Result;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The future of a submitted task. Cancelling it cancels the task. A worker that waits for it runs the task itself if
 * nobody has started it, so that tasks that wait for tasks cannot starve each other; any other thread looks for the
 * result a little while before it parks.
 */
final class TaskFuture<O> extends CompletableFuture<Result<O>> {
    /** The present attempt; null once it is done. */
    volatile @Nullable SingleBatch batch;

    /** Completes it with what its own workload's function made. */
    @SuppressWarnings("unchecked")
    void completeWith(Result<?> result) {
        complete((Result<O>) result);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean isFirst = super.cancel(mayInterruptIfRunning);
        SingleBatch present = batch;
        if (isFirst && present != null) {
            if (mayInterruptIfRunning) {
                present.cancel(present.cancellation());
            } else {
                present.cancelUnstarted(present.cancellation());
            }
        }
        return isCancelled();
    }

    @Override
    public Result<O> get() throws InterruptedException, ExecutionException {
        help(this);
        return super.get();
    }

    /** A worker that helps may take longer than the limit. */
    @Override
    public Result<O> get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        help(this);
        return super.get(timeout, unit);
    }

    @Override
    public Result<O> join() {
        help(this);
        return super.join();
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Dependent<>(this);
    }

    /** Before the calling thread parks for a future that depends on this, or for this itself. */
    private void help(CompletableFuture<?> awaited) {
        SingleBatch present = batch;
        if (present == null || awaited.isDone()) {
            return;
        }
        EngineStrategy strategy = present.terms.strategy;
        Worker worker = strategy.currentWorker();
        if (worker != null && present.isWaiting()) {
            strategy.runOn(worker, present);
        }
        strategy.spin().until(awaited::isDone);
    }

    /** A stage that depends on a task. Cancelling it stops nothing; waiting for it helps as waiting for the task does. */
    private static final class Dependent<U> extends CompletableFuture<U> {
        private final TaskFuture<?> root;

        Dependent(TaskFuture<?> root) {
            this.root = root;
        }

        @Override
        public U get() throws InterruptedException, ExecutionException {
            root.help(this);
            return super.get();
        }

        @Override
        public U get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            root.help(this);
            return super.get(timeout, unit);
        }

        @Override
        public U join() {
            root.help(this);
            return super.join();
        }

        @Override
        public <V> CompletableFuture<V> newIncompleteFuture() {
            return new Dependent<>(root);
        }
    }
}
