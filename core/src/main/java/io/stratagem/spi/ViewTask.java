package io.stratagem.spi;

import com.google.common.util.concurrent.AbstractFuture;
import io.stratagem.Result;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task of an {@link ExecutorServiceView}: the caller's future, and in this JVM also what the strategy runs. States:
 * NEW → RUNNING → ENDED, or NEW → WITHDRAWN by {@code shutdownNow}; who then gets it may still run it.
 */
class ViewTask<T> extends AbstractFuture<T> implements RunnableFuture<T> {
    enum State {
        NEW,
        RUNNING,
        WITHDRAWN,
        ENDED
    }

    private static final Logger log = LoggerFactory.getLogger(ExecutorServiceView.class);

    private final ExecutorServiceView view;

    /** What was handed to {@code execute} itself, whose exceptions nobody will ask for; or null. */
    private final @Nullable Runnable plain;

    // Guarded by this.
    private State state = State.NEW;
    private @Nullable Thread runner;
    private boolean isInterrupted;

    /** Null once it is done: who keeps the future does not keep what it was made from. */
    private @Nullable Callable<T> callable;

    /** Through which a worker that waits may run it; null before it is submitted and once it is done. */
    private @Nullable TaskFuture<?> submitted;

    /** In which a worker runs it, or null. */
    private @Nullable Batch batch;

    ViewTask(ExecutorServiceView view, Callable<T> callable) {
        this.view = view;
        this.callable = callable;
        this.plain = null;
    }

    @SuppressWarnings("NullAway") // nobody sees the value
    ViewTask(ExecutorServiceView view, Runnable plain) {
        this.view = view;
        this.callable = Executors.callable(plain, null);
        this.plain = plain;
    }

    ExecutorServiceView view() {
        return view;
    }

    Runnable command() {
        return plain == null ? this : plain;
    }

    /**
     * Hands it to the strategy.
     *
     * @return false if the strategy was full and the calling thread was interrupted; nothing was handed over then
     */
    boolean submit() {
        CompletableFuture<Result<Void>> future = view.strategy().submit(view.workload(), this);
        if (future.isCancelled()) {
            return false; // nobody else can have cancelled it
        }
        if (future instanceof TaskFuture<Void> ours) {
            submittedAs(ours);
        }
        // The task itself never fails for the strategy: it was closed by force, or a context could not be applied.
        var unused = future.whenComplete((result, cancellation) -> {
            if (result instanceof Result.Failure<Void> failure && !(failure.cause() instanceof CancellationException)) {
                fail(failure.cause());
            } else if (result == null || !result.isSuccess()) {
                cancel(false);
            }
        });
        return true;
    }

    private synchronized void submittedAs(TaskFuture<?> future) {
        if (!isDone()) {
            submitted = future;
        }
    }

    /** The workload's function. */
    void runOnWorker() {
        Worker worker = view.strategy().currentWorker();
        run(State.NEW, worker == null ? null : worker.batch());
    }

    /** For who got it from {@code shutdownNow}. */
    @Override
    public void run() {
        if (!run(State.NEW, null)) {
            run(State.WITHDRAWN, null);
        }
    }

    /** False if it is not in that state. */
    final boolean run(State from, @Nullable Batch own) {
        Callable<T> wanted;
        synchronized (this) {
            if (state != from) {
                return false;
            }
            state = State.RUNNING;
            runner = Thread.currentThread();
            batch = own;
            wanted = isDone() ? null : callable;
        }
        try {
            if (wanted != null) {
                set(wanted.call());
            }
        } catch (Throwable e) {
            setException(e);
            if (plain != null) {
                log.error("A command handed to execute failed: {}", plain, e);
            }
        } finally {
            synchronized (this) {
                state = State.ENDED;
                runner = null;
                batch = null;
                if (isInterrupted) {
                    // The interrupt was for this task only.
                    Thread.interrupted();
                }
            }
            view.ended(this);
        }
        return true;
    }

    /** It could not be run, or failed elsewhere. */
    final void fail(Throwable cause) {
        if (setException(cause) && plain != null) {
            log.error("A command handed to execute failed: {}", plain, cause);
        }
    }

    final synchronized boolean isNew() {
        return state == State.NEW && !isDone();
    }

    /** Sees to it that the strategy never starts it; false if it may have, or if it is done. */
    boolean withdraw() {
        synchronized (this) {
            if (!isNew()) {
                return false;
            }
            state = State.WITHDRAWN;
            return true;
        }
    }

    /** Stops what runs, for {@code shutdownNow}. */
    void stop() {
        interrupt();
    }

    private synchronized void interrupt() {
        Thread running = runner;
        if (running != null) {
            isInterrupted = true;
            if (batch != null) {
                batch.noteInterrupt();
            }
            running.interrupt();
        }
    }

    @Override
    protected void interruptTask() {
        interrupt();
    }

    @Override
    protected void afterDone() {
        boolean neverRuns;
        synchronized (this) {
            callable = null;
            submitted = null;
            neverRuns = state == State.NEW;
            if (neverRuns) {
                state = State.ENDED;
            }
        }
        if (neverRuns) {
            ended();
        }
    }

    /** It is done, and has not run in this JVM. */
    void ended() {
        view.ended(this);
    }

    @Override
    @SuppressWarnings("NullAway") // as null as what the callable returns
    public T get() throws InterruptedException, ExecutionException {
        help();
        Wait wait = beginWait();
        try {
            return super.get();
        } finally {
            Wait.end(wait);
        }
    }

    /** A worker that helps may take longer than the limit. */
    @Override
    @SuppressWarnings("NullAway") // as null as what the callable returns
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        help();
        Wait wait = beginWait();
        try {
            return super.get(timeout, unit);
        } finally {
            Wait.end(wait);
        }
    }

    private @Nullable Wait beginWait() {
        return isDone() ? null : Wait.begin(view.strategy(), true, (limit, unit) -> super.get(limit, unit));
    }

    /** A worker that would wait for a task that has not started runs it; not if it would be interrupted in it. */
    void help() {
        Worker worker = view.strategy().currentWorker();
        if (worker == null || Thread.currentThread().isInterrupted()) {
            return;
        }
        TaskFuture<?> future;
        synchronized (this) {
            future = submitted;
        }
        SingleBatch waiting = future == null ? null : future.batch;
        if (waiting != null && waiting.isWaiting()) {
            view.strategy().help(worker, waiting);
        }
    }

    @Override
    protected @Nullable String pendingToString() {
        Callable<T> pending;
        synchronized (this) {
            pending = callable;
        }
        return pending == null ? null : pending.toString();
    }
}
