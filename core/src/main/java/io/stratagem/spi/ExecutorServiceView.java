package io.stratagem.spi;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.util.concurrent.AbstractFuture;
import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.ListeningExecutorService;
import com.google.common.util.concurrent.MoreExecutors;
import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.Workload;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A strategy as an {@code ExecutorService}. It keeps its own tasks in a set until they have ended, and terminates when
 * it is shut down and the set is empty; the strategy behind it goes on.
 */
/* As in the JDK's pools, a task that was cancelled or interrupted counts until its code has returned. So it is the
 * view's task that is cancelled and interrupted, and not the strategy's, which would have its result at once.
 */
final class ExecutorServiceView extends AbstractExecutorService implements ListeningExecutorService {
    private static final Logger log = LoggerFactory.getLogger(ExecutorServiceView.class);

    private final EngineStrategy strategy;
    private final Workload<ViewTask<?>, Void> workload;
    private final Set<ViewTask<?>> tasks = ConcurrentHashMap.newKeySet();
    private final Object termination = new Object();
    private volatile boolean isShutdown;

    ExecutorServiceView(EngineStrategy strategy, Kind kind) {
        this.strategy = strategy;
        this.workload = kind == Kind.COMPUTE
                ? Workload.computeAction("executor-service", ViewTask::runOnWorker)
                : Workload.blockingAction("executor-service", ViewTask::runOnWorker);
    }

    @Override
    public void execute(Runnable command) {
        ViewTask<?> task =
                command instanceof ViewTask<?> own && own.view() == this ? own : new ViewTask<>(this, command);
        if (task.isDone()) {
            return; // a future that was executed before
        }
        tasks.add(task);
        if (isShutdown) {
            reject(task, "this executor service over strategy '" + strategy.name() + "' was shut down");
            return;
        }
        CompletableFuture<Result<Void>> submitted;
        try {
            submitted = strategy.submit(workload, task);
        } catch (Throwable e) {
            ended(task);
            throw e;
        }
        // Cancelled only if the caller was interrupted and nothing was submitted: nobody else can cancel it.
        if (submitted.isCancelled() && task != command) {
            reject(task, "interrupted while strategy '" + strategy.name() + "' was full");
            return;
        }
        if (submitted instanceof TaskFuture<Void> future) {
            task.submittedAs(future);
        }
        // The task itself never fails for the strategy: it was closed by force, or a context could not be applied.
        var unused = submitted.whenComplete((result, cancellation) -> {
            if (result instanceof Result.Failure<Void> failure && !(failure.cause() instanceof CancellationException)) {
                task.fail(failure.cause());
            } else if (result == null || !result.isSuccess()) {
                task.cancel(false);
            }
        });
    }

    /** Throws, unless {@code shutdownNow} has just returned the task as one that never started. */
    private void reject(ViewTask<?> task, String why) {
        if (task.withdraw()) {
            ended(task);
            throw new RejectedExecutionException(why);
        }
    }

    private void ended(ViewTask<?> task) {
        if (tasks.remove(task) && isShutdown) {
            synchronized (termination) {
                termination.notifyAll();
            }
        }
    }

    @Override
    protected <T> RunnableFuture<T> newTaskFor(Runnable runnable, T value) {
        return new ViewTask<>(this, Executors.callable(runnable, value));
    }

    @Override
    protected <T> RunnableFuture<T> newTaskFor(Callable<T> callable) {
        return new ViewTask<>(this, callable);
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
            Wait wait =
                    Wait.begin(strategy, race::isDone, wake -> race.addListener(wake, MoreExecutors.directExecutor()));
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
        // Only now: a thread that is interrupted would take the next task.
        tasks.forEach(ViewTask::interrupt);
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

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
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

    /**
     * A task of the view. States: NEW → RUNNING → ENDED, or NEW → WITHDRAWN by {@code shutdownNow}; who then gets it may
     * still run it.
     */
    private static final class ViewTask<T> extends AbstractFuture<T> implements RunnableFuture<T> {
        private enum State {
            NEW,
            RUNNING,
            WITHDRAWN,
            ENDED
        }

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

        synchronized void submittedAs(TaskFuture<?> future) {
            if (!isDone()) {
                submitted = future;
            }
        }

        /** The workload's function. */
        void runOnWorker() {
            Worker worker = view.strategy.currentWorker();
            run(State.NEW, worker == null ? null : worker.batch());
        }

        /** For who got it from {@code shutdownNow}. */
        @Override
        public void run() {
            if (!run(State.NEW, null)) {
                run(State.WITHDRAWN, null);
            }
        }

        private boolean run(State from, @Nullable Batch own) {
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

        /** It cannot be run. */
        void fail(Throwable cause) {
            if (setException(cause) && plain != null) {
                log.error("A command handed to execute could not be run: {}", plain, cause);
            }
        }

        synchronized boolean withdraw() {
            if (state != State.NEW || isDone()) {
                return false;
            }
            state = State.WITHDRAWN;
            return true;
        }

        synchronized void interrupt() {
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
                view.ended(this);
            }
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
            return Wait.begin(view.strategy, this::isDone, wake -> addListener(wake, MoreExecutors.directExecutor()));
        }

        /** A worker that would wait for a task that has not started runs it; not if it would be interrupted in it. */
        void help() {
            Worker worker = view.strategy.currentWorker();
            if (worker == null || Thread.currentThread().isInterrupted()) {
                return;
            }
            TaskFuture<?> future;
            synchronized (this) {
                future = submitted;
            }
            SingleBatch waiting = future == null ? null : future.batch;
            if (waiting != null && waiting.isWaiting()) {
                view.strategy.help(worker, waiting);
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
}
