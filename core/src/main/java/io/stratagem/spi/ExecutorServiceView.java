package io.stratagem.spi;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.util.concurrent.AbstractFuture;
import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.ListeningExecutorService;
import com.google.common.util.concurrent.MoreExecutors;
import io.stratagem.Kind;
import io.stratagem.Workload;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A strategy as an {@code ExecutorService}. It keeps its own tasks in a set until they have ended, and terminates when
 * it is shut down and the set is empty; the strategy behind it goes on.
 */
/* As in the JDK's pools, a task that was cancelled or interrupted counts until its code has returned. So in this JVM it
 * is the view's task that is cancelled and interrupted, and not the strategy's, which would have its result at once. Of
 * tasks elsewhere both are cancelled, and the engine's late report of the task says when it has ended.
 */
final class ExecutorServiceView extends AbstractExecutorService implements ListeningExecutorService {
    private final EngineStrategy strategy;
    private final Kind kind;

    /** Whether tasks run outside this JVM. */
    private final boolean isRemote;

    /** What runs tasks in this JVM. */
    private final Workload<ViewTask<?>, Void> workload;

    private final Set<ViewTask<?>> tasks = ConcurrentHashMap.newKeySet();
    private final Object termination = new Object();
    private volatile boolean isShutdown;

    ExecutorServiceView(EngineStrategy strategy, Kind kind) {
        this.strategy = strategy;
        this.kind = kind;
        this.isRemote = strategy.isolates(kind);
        this.workload = kind == Kind.COMPUTE
                ? Workload.computeAction("executor-service", ViewTask::runOnWorker)
                : Workload.blockingAction("executor-service", ViewTask::runOnWorker);
    }

    @Override
    public void execute(Runnable command) {
        ViewTask<?> task = command instanceof ViewTask<?> own && own.view() == this ? own : newTask(command);
        if (task.isDone()) {
            return; // a future that was executed before
        }
        tasks.add(task);
        if (isShutdown) {
            reject(task, "this executor service over strategy '" + strategy.name() + "' was shut down");
            return;
        }
        boolean isSubmitted;
        try {
            isSubmitted = task.submit();
        } catch (Throwable e) {
            ended(task);
            throw e;
        }
        if (!isSubmitted && task == command) {
            task.cancel(false);
        } else if (!isSubmitted) {
            reject(task, "interrupted while strategy '" + strategy.name() + "' was full");
        }
    }

    /** Throws, unless {@code shutdownNow} has just returned the task as one that never started. */
    private void reject(ViewTask<?> task, String why) {
        if (task.withdraw()) {
            ended(task);
            throw new RejectedExecutionException(why);
        }
    }

    /** Nothing of the task is left, here or elsewhere. May be said more than once. */
    void ended(ViewTask<?> task) {
        if (tasks.remove(task) && isShutdown) {
            synchronized (termination) {
                termination.notifyAll();
            }
        }
    }

    private ViewTask<?> newTask(Runnable command) {
        return isRemote ? RemoteViewTask.ofPlain(this, kind, command) : new ViewTask<>(this, command);
    }

    @Override
    protected <T> RunnableFuture<T> newTaskFor(Runnable runnable, T value) {
        return isRemote
                ? RemoteViewTask.of(this, kind, runnable, value)
                : new ViewTask<>(this, Executors.callable(runnable, value));
    }

    @Override
    protected <T> RunnableFuture<T> newTaskFor(Callable<T> callable) {
        return isRemote ? RemoteViewTask.of(this, kind, callable) : new ViewTask<>(this, callable);
    }

    EngineStrategy strategy() {
        return strategy;
    }

    Workload<ViewTask<?>, Void> workload() {
        return workload;
    }

    @Override
    public ListenableFuture<?> submit(Runnable task) {
        return (ListenableFuture<?>) super.submit(task);
    }

    @Override
    @SuppressWarnings("NullAway") // as null as the result is
    public <T extends @Nullable Object> ListenableFuture<T> submit(Runnable task, T result) {
        return (ListenableFuture<T>) super.submit(task, result);
    }

    @Override
    public <T> ListenableFuture<T> submit(Callable<T> task) {
        return (ListenableFuture<T>) super.submit(task);
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> callables)
            throws InterruptedException, ExecutionException {
        try {
            return anyOf(callables, Long.MAX_VALUE);
        } catch (TimeoutException e) {
            throw new AssertionError("there is no limit", e);
        }
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> callables, long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        return anyOf(callables, unit.toNanos(timeout));
    }

    /** As the JDK's, but a worker runs what nobody has started before it waits. */
    @SuppressWarnings("NullAway") // as null as what the callable returns
    private <T> T anyOf(Collection<? extends Callable<T>> callables, long limitNanos)
            throws InterruptedException, ExecutionException, TimeoutException {
        List<Callable<T>> all = List.copyOf(callables);
        checkArgument(!all.isEmpty(), "invokeAny needs at least one task");
        long began = System.nanoTime();
        Race<T> race = new Race<>(all.size());
        try {
            for (Callable<T> callable : all) {
                if (race.isDone()) {
                    break;
                }
                race.add((ViewTask<T>) submit(callable));
            }
            for (ViewTask<T> task : race.tasks) {
                if (race.isDone() || System.nanoTime() - began >= limitNanos) {
                    break;
                }
                task.help();
            }
            Wait wait = race.isDone() ? null : Wait.begin(strategy, true, race::get);
            try {
                return race.get(limitNanos - (System.nanoTime() - began), TimeUnit.NANOSECONDS);
            } finally {
                Wait.end(wait);
            }
        } finally {
            race.cancelAll();
        }
    }

    /** What {@code invokeAny} waits for: the first success, which cancels the other tasks, or the last failure. */
    private static final class Race<T> extends AbstractFuture<T> implements FutureCallback<T> {
        /** The submitting thread adds, while another may cancel. */
        private final Queue<ViewTask<T>> tasks = new ConcurrentLinkedQueue<>();

        private final AtomicInteger unfinished;

        Race(int size) {
            unfinished = new AtomicInteger(size);
        }

        void add(ViewTask<T> task) {
            tasks.add(task);
            Futures.addCallback(task, this, MoreExecutors.directExecutor());
        }

        @Override
        @SuppressWarnings("NullAway") // as null as what the callable returns
        public void onSuccess(T value) {
            set(value);
            // Not only the waiting thread does this: it may be helping with one of them.
            cancelAll();
        }

        @Override
        public void onFailure(Throwable failure) {
            if (unfinished.decrementAndGet() == 0) {
                setException(failure);
            }
        }

        void cancelAll() {
            tasks.forEach(task -> task.cancel(true));
        }
    }

    @Override
    public void shutdown() {
        isShutdown = true;
        synchronized (termination) {
            termination.notifyAll();
        }
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown();
        List<Runnable> neverStarted = new ArrayList<>();
        for (ViewTask<?> task : tasks) {
            if (task.withdraw()) {
                ended(task);
                neverStarted.add(task.command());
            }
        }
        // Only now: a worker that is stopped would take the next task.
        tasks.forEach(ViewTask::stop);
        return neverStarted;
    }

    @Override
    public boolean isShutdown() {
        return isShutdown;
    }

    @Override
    public boolean isTerminated() {
        return isShutdown && tasks.isEmpty();
    }

    /** A worker runs what has not started, and may take longer than the limit. */
    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
        Worker worker = strategy.currentWorker();
        if (worker == null || isTerminated()) {
            return awaitTermination(deadline);
        }
        tasks.forEach(ViewTask::help);
        Wait wait = worker.isOwnedBy(strategy.engine()) ? new Wait(strategy.engine(), worker) : null;
        try {
            return awaitTermination(deadline);
        } finally {
            Wait.end(wait);
        }
    }

    private boolean awaitTermination(long deadline) throws InterruptedException {
        synchronized (termination) {
            while (!isTerminated()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(termination, left);
            }
            return true;
        }
    }

    @Override
    public String toString() {
        return "ExecutorService over strategy '" + strategy.name() + "', " + tasks.size() + " tasks"
                + (isShutdown ? ", shut down" : "");
    }
}
