package io.stratagem.processpool;

import io.stratagem.AsyncFn;
import io.stratagem.Loop;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The loops of a worker's tasks: callbacks run on its main thread while that waits for the stage of a task. */
final class WorkerLoop {
    private static final ClassLoader OWN_LOADER = WorkerLoop.class.getClassLoader();

    private final LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final Thread thread = Thread.currentThread();
    private @Nullable ScheduledThreadPoolExecutor timers;
    private @Nullable ExecutorService blocking;

    /** Starts an asynchronous task and waits for its stage. */
    @SuppressWarnings("NullAway") // inputs may be null
    @Nullable
    Object run(
            AsyncFn<@Nullable Object, @Nullable Object> function,
            @Nullable Object input,
            String name,
            TaskContext context)
            throws Throwable {
        CompletionStage<@Nullable Object> stage = function.apply(input, new TaskLoop(context));
        if (stage == null) {
            throw new NullPointerException("the function of workload '" + name + "' returned no stage");
        }
        Ending end = new Ending();
        var unused = stage.whenComplete((value, failure) -> callbacks.add(() -> end.set(value, failure)));
        while (!end.isDone) {
            try {
                runCallback(callbacks.take());
            } catch (InterruptedException e) {
                log().debug("The task or a callback left an interrupt behind", e);
            }
        }
        Throwable failure = end.failure;
        if (failure != null) {
            throw failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        }
        return end.value;
    }

    /** How a stage has ended. Only the main thread uses it. */
    private static final class Ending {
        private boolean isDone;
        private @Nullable Object value;
        private @Nullable Throwable failure;

        void set(@Nullable Object aValue, @Nullable Throwable aFailure) {
            value = aValue;
            failure = aFailure;
            isDone = true;
        }
    }

    private static void runCallback(Runnable callback) {
        try {
            callback.run();
        } catch (Throwable e) {
            log().error("A callback failed", e);
        }
    }

    private final class TaskLoop implements Loop {
        private final TaskContext context;
        private final ClassLoader loader = thread.getContextClassLoader();

        TaskLoop(TaskContext context) {
            this.context = context;
        }

        @Override
        public CompletableFuture<Void> delay(Duration delay) {
            CompletableFuture<Void> future = new CompletableFuture<>();
            var timer = timers().schedule(
                            () -> callbacks.add(() -> future.complete(null)),
                            TimeUnit.NANOSECONDS.convert(delay),
                            TimeUnit.NANOSECONDS);
            var unused = future.whenComplete((nothing, failure) -> timer.cancel(false));
            return future;
        }

        @Override
        public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
            CompletableFuture<T> future = new CompletableFuture<>();
            var running = blocking().submit(() -> {
                Thread.currentThread().setContextClassLoader(loader);
                try {
                    T value = context.run(call::call);
                    callbacks.add(() -> future.complete(value));
                } catch (Throwable e) {
                    callbacks.add(() -> future.completeExceptionally(e));
                } finally {
                    Thread.currentThread().setContextClassLoader(OWN_LOADER);
                }
            });
            var unused = future.whenComplete((value, failure) -> running.cancel(true));
            return future;
        }

        @Override
        public boolean inLoop() {
            return Thread.currentThread() == thread;
        }

        @Override
        public Executor executor() {
            return callbacks::add;
        }
    }

    private synchronized ScheduledThreadPoolExecutor timers() {
        ScheduledThreadPoolExecutor present = timers;
        if (present == null) {
            present = new ScheduledThreadPoolExecutor(1, action -> daemon(action, "stratagem-timers"));
            present.setRemoveOnCancelPolicy(true); // else a delay of days keeps what waited for it
            timers = present;
        }
        return present;
    }

    private synchronized ExecutorService blocking() {
        ExecutorService present = blocking;
        if (present == null) {
            present = Executors.newCachedThreadPool(action -> daemon(action, "stratagem-blocking"));
            blocking = present;
        }
        return present;
    }

    /** Not a constant: that would load SLF4J when the worker starts, and few ever need it. */
    private static Logger log() {
        return LoggerFactory.getLogger(WorkerLoop.class);
    }

    /** With nothing of the task that happens to be the first to need it. */
    private static Thread daemon(Runnable action, String name) {
        Thread thread = new Thread(null, action, name, 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(OWN_LOADER);
        return thread;
    }
}
