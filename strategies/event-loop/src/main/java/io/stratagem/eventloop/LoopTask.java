package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.TaskLoop;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
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
 * one of the two closes it. With off-loaded calls it is the same (hasFailed, calls). A success that is told on the loop's
 * thread, of a task that has opened nothing, needs no such order: what it opens later it opens on the same thread.
 */
final class LoopTask implements TaskLoop, Executor {
    private static final VarHandle ENDED;

    static {
        try {
            ENDED = MethodHandles.lookup().findVarHandle(LoopTask.class, "isEnded", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Home home;

    /** Null as long as it has neither opened nor off-loaded anything: of those that only wait there may be very many. */
    private volatile @Nullable Held held; // made under this

    private volatile boolean hasOpened;
    private volatile boolean isEnded;

    /** Set before {@link #isEnded}. */
    private volatile boolean hasFailed;

    LoopTask(Home home) {
        this.home = home;
    }

    /**
     * What tasks have in common that are started together.
     *
     * @param context runs their code in its context; null if there is none
     */
    record Home(
            LoopThread thread, String workload, @Nullable Executor context) {}

    /** What has to be closed or cancelled. */
    private static final class Held {
        /** Head of the list of what is open. Only the loop's thread uses it. */
        private @Nullable Opened first;

        /** What is off-loaded and has not ended. */
        private final Set<CompletableFuture<?>> calls = new HashSet<>(4); // guarded by this
    }

    LoopThread thread() {
        return home.thread;
    }

    String workload() {
        return home.workload;
    }

    private Held held() {
        Held present = held;
        if (present == null) {
            synchronized (this) {
                present = held;
                if (present == null) {
                    present = new Held();
                    held = present;
                }
            }
        }
        return present;
    }

    // ---------------------------------------------------------------------------------------------- for the task

    @Override
    public CompletableFuture<Void> delay(Duration delay) {
        return thread().delay(this, NANOSECONDS.convert(delay));
    }

    @Override
    public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
        CompletableFuture<T> begun = thread().engine()
                .offloadTo(
                        () -> {
                            if (hasFailed) { // nobody waits for it, and the loop may be too busy to cancel it
                                throw new CancellationException("the task of workload '" + workload()
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

    private void addCall(CompletableFuture<?> call) {
        Held mine = held();
        synchronized (mine) {
            mine.calls.add(call);
        }
    }

    @SuppressWarnings("CollectionUndefinedEquality") // the same one is meant
    private void removeCall(CompletableFuture<?> call) {
        Held mine = held();
        synchronized (mine) {
            mine.calls.remove(call);
        }
    }

    private List<CompletableFuture<?>> calls() {
        Held mine = held;
        if (mine == null) {
            return List.of();
        }
        synchronized (mine) {
            return List.copyOf(mine.calls);
        }
    }

    /** What is off-loaded, seen from the loop. */
    private static final class Offload<T> extends LoopFuture<T> {
        private final CompletableFuture<T> call;

        Offload(LoopTask task, CompletableFuture<T> call) {
            super(task.thread());
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
        return thread().isCurrent();
    }

    @Override
    public Executor executor() {
        return this;
    }

    @Override
    public void execute(Runnable action) {
        thread().post(new LoopThread.Callback(this, action));
    }

    /** Runs, here, what may call code of the task's. */
    void runInContext(Runnable action) {
        Executor own = home.context;
        if (own == null) {
            action.run();
        } else {
            own.execute(action);
        }
    }

    /** {@link Opened#ready}, in the same way. */
    void runReady(Opened opened, SelectionKey key) {
        Executor own = home.context;
        if (own == null) {
            opened.ready(key);
        } else {
            own.execute(() -> opened.ready(key));
        }
    }

    /** Runs it at once on the loop's own thread, else there. */
    void runOnLoop(Runnable action) {
        if (thread().isCurrent()) {
            action.run();
        } else {
            execute(action);
        }
    }

    // ---------------------------------------------------------------------------------------------- its end

    /** Notes what is open. False if the task or the loop ends already, and it is to be closed. On the loop's thread. */
    boolean tryAdd(Opened opened) {
        if (thread().isEnding()) {
            return false; // this may be another thread, which does what was left
        }
        assert thread().isCurrent();
        hasOpened = true;
        if (isEnded) {
            return false;
        }
        Held mine = held();
        Opened after = mine.first;
        opened.next = after;
        if (after != null) {
            after.previous = opened;
        }
        mine.first = opened;
        opened.isListed = true;
        return true;
    }

    /** Forgets what has been closed. On the loop's thread. */
    void remove(Opened opened) {
        assert thread().isCurrent();
        if (!opened.isListed) {
            return;
        }
        opened.isListed = false;
        Opened before = opened.previous;
        Opened after = opened.next;
        if (before == null) {
            held().first = after;
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
        if (succeeded && !hasOpened && thread().isCurrent()) {
            // No order need be kept: a fence would cost as much as all else here.
            ENDED.setRelease(this, true);
            return;
        }
        if (!succeeded) {
            hasFailed = true;
        }
        isEnded = true;
        if (!hasOpened && (succeeded || calls().isEmpty())) {
            return;
        }
        try {
            execute(() -> {
                closeAll(succeeded);
                cancelCalls(succeeded);
            });
        } catch (RejectedExecutionException e) {
            // What is open the loop has closed itself, or will. This may be the clock's thread, and code of the user's
            // follows a call's end.
            ServiceThread.callbacks().execute(() -> cancelCalls(succeeded));
        }
    }

    private void cancelCalls(boolean succeeded) {
        if (!succeeded) {
            calls().forEach(call -> call.cancel(true));
        }
    }

    private void closeAll(boolean succeeded) {
        Held mine = held();
        for (Opened opened = mine.first; opened != null; opened = mine.first) {
            remove(opened);
            opened.taskEnded(succeeded);
        }
    }
}
