package io.stratagem.threadpool;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Loop;
import io.stratagem.spi.Clock;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import io.stratagem.threadpool.WorkerPool.PoolWorker;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** What asynchronous tasks get: their callbacks run on the computing threads, what they off-load on the blocking ones. */
final class ThreadLoop implements Loop {
    private final ThreadEngine engine;
    private final WorkerPool callbacks;
    private final Executor executor;
    private final Clock clock;

    ThreadLoop(ThreadEngine engine, WorkerPool callbacks, Clock clock) {
        this.engine = engine;
        this.callbacks = callbacks;
        this.executor = callbacks::execute;
        this.clock = clock;
    }

    @Override
    public CompletableFuture<Void> delay(Duration delay) {
        Delay future = new Delay();
        future.timer = clock.schedule(
                () -> executeOrFail(executor, future, () -> future.complete(null)), NANOSECONDS.convert(delay));
        return future;
    }

    private static final class Delay extends CompletableFuture<Void> {
        private volatile Clock.@Nullable Timer timer;

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            Clock.Timer armed = timer;
            if (armed != null) {
                armed.cancel();
            }
            return super.cancel(mayInterruptIfRunning);
        }
    }

    @Override
    public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
        return engine.offload(call, executor);
    }

    /** A call on the blocking threads; cancelling it interrupts its thread, and nothing else. */
    static final class Offloaded<T> extends CompletableFuture<T> implements Runnable {
        private final Callable<? extends T> call;
        private final Executor callbacks;
        private @Nullable Thread runner; // guarded by this

        /** Written before the interrupt. */
        private volatile boolean isInterrupted;

        /** What it fails with, whatever the call does from now on; written before the interrupt. */
        private volatile @Nullable Throwable stopped;

        Offloaded(Callable<? extends T> call, Executor callbacks) {
            this.call = call;
            this.callbacks = callbacks;
        }

        @Override
        public void run() {
            synchronized (this) {
                if (isDone() || stopped != null) { // who stopped it completes it
                    return;
                }
                runner = Thread.currentThread();
            }
            try {
                T value = call.call();
                executeOrFail(callbacks, this, () -> end(value, null));
            } catch (Throwable e) {
                executeOrFail(callbacks, this, () -> end(null, e));
            } finally {
                synchronized (this) {
                    runner = null;
                }
            }
        }

        private void end(@Nullable T value, @Nullable Throwable failure) {
            Throwable why = stopped == null ? failure : stopped;
            if (why == null) {
                complete(value);
            } else {
                completeExceptionally(why);
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            if (mayInterruptIfRunning) {
                stop(new CancellationException());
            }
            return super.cancel(mayInterruptIfRunning);
        }

        /** Fails it, whether it waits or runs. */
        void giveUp(Throwable why) {
            stop(why);
            completeExceptionally(why);
        }

        /** Before it is completed: what depends on it then runs here, and may wait for the call to end. */
        private void stop(Throwable why) {
            if (stopped == null && (!isDone() || isCancelled())) { // cancelled perhaps in a way that lets it go on
                stopped = why;
                interrupt();
            }
        }

        private synchronized void interrupt() {
            if (runner != null) {
                isInterrupted = true;
                runner.interrupt();
            }
        }

        boolean isInterrupted() {
            return isInterrupted;
        }
    }

    private static void executeOrFail(Executor callbacks, CompletableFuture<?> future, Runnable completion) {
        try {
            callbacks.execute(completion);
        } catch (RejectedExecutionException e) {
            // This may be the clock's thread.
            ServiceThread.callbacks().execute(() -> future.completeExceptionally(e));
        }
    }

    @Override
    public boolean inLoop() {
        return Worker.current(engine) instanceof PoolWorker worker && worker.pool() == callbacks;
    }

    @Override
    public Executor executor() {
        return executor;
    }
}
