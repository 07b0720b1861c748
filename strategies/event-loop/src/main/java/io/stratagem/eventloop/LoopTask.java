package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.TaskLoop;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A loop as one task sees it. It knows what the task has opened and off-loaded, closes the former when the task has ended,
 * and cancels the latter when it has failed.
 */
/* What is opened is added and taken off on the loop's thread. Whoever settles the task says so first (isEnded), and then
 * looks whether anything was opened; who opens first says so (hasOpened), and then looks whether the task has ended. So
 * one of the two closes it. With off-loaded calls it is the same (hasFailed, calls).
 */
final class LoopTask implements TaskLoop, Executor {
    private final LoopThread thread;
    private final String workload;

    /** Runs its code in its context; null if it has none. */
    private final @Nullable Executor context;

    /** Head of the list of what is open. Only the loop's thread uses it. */
    private @Nullable Opened first;

    private volatile boolean hasOpened;
    private volatile boolean isEnded;

    /** Set before {@link #isEnded}. */
    private volatile boolean hasFailed;

    /** What is off-loaded and has not ended; null as long as nothing was. */
    private @Nullable Set<CompletableFuture<?>> calls; // guarded by this

    LoopTask(LoopThread thread, String workload, @Nullable Executor context) {
        this.thread = thread;
        this.workload = workload;
        this.context = context;
    }

    LoopThread thread() {
        return thread;
    }

    String workload() {
        return workload;
    }

    // ---------------------------------------------------------------------------------------------- for the task

    @Override
    public CompletableFuture<Void> delay(Duration delay) {
        Delay future = new Delay(thread);
        future.timer = thread.schedule(this, future, NANOSECONDS.convert(delay));
        return future;
    }

    /** Its completion is the action of its timer. */
    private static final class Delay extends LoopFuture<Void> implements Runnable, LoopThread.Abortable {
        private volatile LoopThread.@Nullable Scheduled timer;

        Delay(LoopThread loop) {
            super(loop);
        }

        @Override
        public void run() {
            complete(null);
        }

        @Override
        public void abort(Throwable why) {
            ServiceThread.callbacks().execute(() -> completeExceptionally(why));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            LoopThread.Scheduled armed = timer;
            if (armed != null && !isDone()) {
                armed.cancel();
            }
            return super.cancel(mayInterruptIfRunning);
        }
    }

    @Override
    public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
        CompletableFuture<T> begun = thread.engine()
                .offloadTo(
                        () -> {
                            if (hasFailed) { // nobody waits for it, and the loop may be too busy to cancel it
                                throw new CancellationException("the task of workload '" + workload
                                        + "' has failed, and this call is not begun");
                            }
                            return call.call();
                        },
                        this);
        addCall(begun);
        Offload<T> offload = new Offload<>(this, begun);
        if (hasFailed) {
            begun.cancel(true);
        }
        return offload;
    }

    private synchronized void addCall(CompletableFuture<?> call) {
        if (calls == null) {
            calls = new HashSet<>();
        }
        calls.add(call);
    }

    @SuppressWarnings("CollectionUndefinedEquality") // the same one is meant
    private synchronized void removeCall(CompletableFuture<?> call) {
        if (calls != null) {
            calls.remove(call);
        }
    }

    private synchronized List<CompletableFuture<?>> calls() {
        return calls == null ? List.of() : List.copyOf(calls);
    }

    /** What is off-loaded, seen from the loop. */
    private static final class Offload<T> extends LoopFuture<T> {
        private final CompletableFuture<T> call;

        Offload(LoopTask task, CompletableFuture<T> call) {
            super(task.thread);
            this.call = call;
            var unused = call.whenComplete((value, failure) -> {
                task.removeCall(call);
                if (failure == null) {
                    complete(value);
                } else {
                    completeExceptionally(failure);
                }
            });
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean isCancelled = super.cancel(mayInterruptIfRunning);
            if (isCancelled) {
                call.cancel(mayInterruptIfRunning);
            }
            return isCancelled;
        }
    }

    @Override
    public boolean inLoop() {
        return thread.isCurrent();
    }

    @Override
    public Executor executor() {
        return this;
    }

    @Override
    public void execute(Runnable action) {
        thread.post(new LoopThread.Callback(this, action));
    }

    /** Runs, here, what may call code of the task's. */
    void runInContext(Runnable action) {
        Executor own = context;
        if (own == null) {
            action.run();
        } else {
            own.execute(action);
        }
    }

    /** {@link Opened#ready}, in the same way. */
    void runReady(Opened opened, SelectionKey key) {
        if (context == null) {
            opened.ready(key);
        } else {
            context.execute(() -> opened.ready(key));
        }
    }

    /** Runs it at once on the loop's own thread, else there. */
    void runOnLoop(Runnable action) {
        if (thread.isCurrent()) {
            action.run();
        } else {
            execute(action);
        }
    }

    // ---------------------------------------------------------------------------------------------- its end

    /** Notes what is open. False if the task or the loop ends already, and it is to be closed. On the loop's thread. */
    boolean tryAdd(Opened opened) {
        if (thread.isEnding()) {
            return false; // this may be another thread, which does what was left
        }
        assert thread.isCurrent();
        hasOpened = true;
        if (isEnded) {
            return false;
        }
        opened.next = first;
        if (first != null) {
            first.previous = opened;
        }
        first = opened;
        opened.isListed = true;
        return true;
    }

    /** Forgets what has been closed. On the loop's thread. */
    void remove(Opened opened) {
        assert thread.isCurrent();
        if (!opened.isListed) {
            return;
        }
        opened.isListed = false;
        Opened before = opened.previous;
        Opened after = opened.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after != null) {
            after.previous = before;
        }
        opened.previous = null;
        opened.next = null;
    }

    boolean isEnded() {
        return isEnded;
    }

    @Override
    public void ended(boolean succeeded) {
        hasFailed = !succeeded;
        isEnded = true;
        if (!hasOpened && (succeeded || calls().isEmpty())) {
            return;
        }
        try {
            execute(() -> {
                closeAll(succeeded);
                if (!succeeded) {
                    calls().forEach(call -> call.cancel(true));
                }
            });
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has closed everything itself.
        }
    }

    private void closeAll(boolean succeeded) {
        for (Opened opened = first; opened != null; opened = first) {
            remove(opened);
            opened.taskEnded(succeeded);
        }
    }
}
