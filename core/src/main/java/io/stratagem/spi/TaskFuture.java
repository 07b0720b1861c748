package io.stratagem.spi;

import io.stratagem.Result;
import java.lang.ref.WeakReference;
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
class TaskFuture<O> extends CompletableFuture<Result<O>> {
    /** The present attempt; null once it is done. */
    volatile @Nullable SingleBatch batch;

    /** Whether somebody cancels it, and stops the task first. */
    private volatile boolean isStopping;

    /** Completes it with what its own workload's function made. */
    @SuppressWarnings("unchecked")
    void completeWith(Result<?> result) {
        if (isStopping) {
            super.cancel(true);
        } else {
            complete((Result<O>) result);
        }
    }

    /** Whether it is cancelled, or about to be. */
    final boolean isUnwanted() {
        return isStopping || isCancelled();
    }

    /** See {@link Batch#left}. This may have been cancelled long before, and may not have been completed yet. */
    void left() {}

    @Override
    public final boolean cancel(boolean mayInterruptIfRunning) {
        if (isDone()) {
            if (mayInterruptIfRunning && isCancelled()) {
                stop(); // it may have been cancelled in a way that lets it go on
            }
            return isCancelled();
        }
        if (mayInterruptIfRunning) {
            // Before this is cancelled: what depends on it then runs here, and may take long.
            isStopping = true;
            try {
                stop();
            } finally {
                super.cancel(true);
            }
            return isCancelled();
        }
        boolean isFirst = super.cancel(false);
        SingleBatch present = batch;
        if (isFirst && present != null) {
            present.cancelUnstarted(present.cancellation());
        }
        return isCancelled();
    }

    /** Stops the task, even if this was cancelled before in a way that let it go on. */
    final void stop() {
        SingleBatch present = batch;
        if (present != null) {
            present.cancel(present.cancellation());
        }
    }

    @Override
    public Result<O> get() throws InterruptedException, ExecutionException {
        Wait wait = helpUnlessInterrupted(this, super::get, Long.MAX_VALUE);
        try {
            return super.get();
        } finally {
            Wait.end(wait);
        }
    }

    /** A worker that helps may take longer than the limit. */
    @Override
    public Result<O> get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        Wait wait = helpUnlessInterrupted(this, super::get, unit.toNanos(timeout));
        try {
            return super.get(timeout, unit);
        } finally {
            Wait.end(wait);
        }
    }

    @Override
    public Result<O> join() {
        Wait wait = help(this, super::get, Long.MAX_VALUE, false);
        try {
            return super.join();
        } finally {
            Wait.end(wait);
        }
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new Dependent<>(new WeakReference<>(this));
    }

    /** As {@link #help}, where an interrupt ends the wait: what is helped is not to meet it. */
    private @Nullable Wait helpUnlessInterrupted(CompletableFuture<?> awaited, Wait.TimedGet ownGet, long limitNanos) {
        return Thread.currentThread().isInterrupted() ? null : help(awaited, ownGet, limitNanos, true);
    }

    /**
     * Before the calling thread parks for a future that depends on this, or for this itself.
     *
     * @param ownGet waits for that future, and does not help
     * @param limitNanos how long it will wait
     * @param isInterruptible whether an interrupt will end that
     * @return if it is a worker, what its engine has been told
     */
    private @Nullable Wait help(
            CompletableFuture<?> awaited, Wait.TimedGet ownGet, long limitNanos, boolean isInterruptible) {
        SingleBatch present = batch;
        if (present == null || awaited.isDone()) {
            return null;
        }
        EngineStrategy strategy = present.terms.strategy;
        strategy.checkMayWait(present.workload());
        Worker worker = strategy.currentWorker();
        if (worker == null) {
            present.attend(limitNanos);
            strategy.spin().until(awaited::isDone);
            return null;
        }
        if (present.isWaiting() && strategy.mayHelp(present)) {
            strategy.help(worker, present);
        }
        if (strategy.spin().until(awaited::isDone)) {
            return null;
        }
        return Wait.begin(strategy, isInterruptible, ownGet);
    }

    /** A stage that depends on a task. Cancelling it stops nothing; waiting for it helps as waiting for the task does. */
    private static final class Dependent<U> extends CompletableFuture<U> {
        /** Weak: as long as the task is not done its batch keeps it, and afterwards this must not keep its result. */
        private final WeakReference<TaskFuture<?>> root;

        Dependent(WeakReference<TaskFuture<?>> root) {
            this.root = root;
        }

        private @Nullable Wait helpUnlessInterrupted(long limitNanos) {
            TaskFuture<?> task = root.get();
            return task == null ? null : task.helpUnlessInterrupted(this, super::get, limitNanos);
        }

        private @Nullable Wait helpToJoin() {
            TaskFuture<?> task = root.get();
            return task == null ? null : task.help(this, super::get, Long.MAX_VALUE, false);
        }

        @Override
        public U get() throws InterruptedException, ExecutionException {
            Wait wait = helpUnlessInterrupted(Long.MAX_VALUE);
            try {
                return super.get();
            } finally {
                Wait.end(wait);
            }
        }

        @Override
        public U get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            Wait wait = helpUnlessInterrupted(unit.toNanos(timeout));
            try {
                return super.get(timeout, unit);
            } finally {
                Wait.end(wait);
            }
        }

        @Override
        public U join() {
            Wait wait = helpToJoin();
            try {
                return super.join();
            } finally {
                Wait.end(wait);
            }
        }

        @Override
        public <V> CompletableFuture<V> newIncompleteFuture() {
            return new Dependent<>(root);
        }
    }
}
