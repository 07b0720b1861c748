package io.stratagem.threadpool;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Loop;
import io.stratagem.spi.Clock;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import io.stratagem.threadpool.WorkerPool.PoolWorker;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** What asynchronous tasks get: their callbacks run on the computing threads, what they off-load on the blocking ones. */
final class ThreadLoop implements Loop {
    private final Object engine;
    private final WorkerPool callbacks;
    private final WorkerPool blocking;
    private final Clock clock;

    ThreadLoop(Object engine, WorkerPool callbacks, WorkerPool blocking, Clock clock) {
        this.engine = engine;
        this.callbacks = callbacks;
        this.blocking = blocking;
        this.clock = clock;
    }

    @Override
    public CompletableFuture<Void> delay(Duration delay) {
        Delay future = new Delay();
        future.timer =
                clock.schedule(() -> executeOrFail(future, () -> future.complete(null)), NANOSECONDS.convert(delay));
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
        Offloaded<T> future = new Offloaded<>(call, this);
        blocking.execute(future);
        return future;
    }

    /** A call on the blocking threads; cancelling it interrupts its thread, and nothing else. */
    static final class Offloaded<T> extends CompletableFuture<T> implements Runnable {
        private final Callable<? extends T> call;
        private final ThreadLoop loop;
        private @Nullable Thread runner; // guarded by this

        Offloaded(Callable<? extends T> call, ThreadLoop loop) {
            this.call = call;
            this.loop = loop;
        }

        @Override
        public void run() {
            synchronized (this) {
                if (isDone()) {
                    return;
                }
                runner = Thread.currentThread();
            }
            try {
                T value = call.call();
                loop.executeOrFail(this, () -> complete(value));
            } catch (Throwable e) {
                loop.executeOrFail(this, () -> completeExceptionally(e));
            } finally {
                synchronized (this) {
                    runner = null;
                }
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean isCancelled = super.cancel(mayInterruptIfRunning);
            if (isCancelled && mayInterruptIfRunning) {
                interrupt();
            }
            return isCancelled;
        }

        /** Fails it, whether it waits or runs. */
        void giveUp(Throwable why) {
            if (completeExceptionally(why)) {
                interrupt();
            }
        }

        private synchronized void interrupt() {
            if (runner != null) {
                runner.interrupt();
            }
        }
    }

    private void executeOrFail(CompletableFuture<?> future, Runnable completion) {
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
        return callbacks::execute;
    }
}
