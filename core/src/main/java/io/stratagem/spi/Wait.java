package io.stratagem.spi;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A worker waits on its own thread for other tasks of its strategy, and its engine knows. */
record Wait(Engine engine, Worker worker) {
    /** What waits no longer than this is not replaced. */
    static final long SHORT_NANOS = 1_000_000;

    Wait {
        engine.beginWait(worker);
    }

    /**
     * If the calling thread is the engine's, waits a moment, and then tells the engine. If the thread is interrupted, it
     * does not wait here; nor afterwards, if it is interruptible: then the engine is not told.
     *
     * @param isInterruptible whether an interrupt ends the wait
     * @param isDone whether there is nothing to wait for any more
     * @param onDone sees to it that what it is given runs then; used at most once
     * @return the wait, if it has begun
     */
    static @Nullable Wait begin(
            EngineStrategy strategy, boolean isInterruptible, BooleanSupplier isDone, Consumer<Runnable> onDone) {
        Worker worker = strategy.currentWorker();
        if (worker == null || !worker.isOwnedBy(strategy.engine()) || isDone.getAsBoolean()) {
            return null;
        }
        Thread thread = Thread.currentThread();
        onDone.accept(() -> LockSupport.unpark(thread));
        long deadline = System.nanoTime() + SHORT_NANOS;
        for (long left = SHORT_NANOS; left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(strategy, left);
            if (isDone.getAsBoolean()) {
                return null;
            }
            if (thread.isInterrupted()) {
                if (isInterruptible) {
                    return null;
                }
                break;
            }
        }
        return new Wait(strategy.engine(), worker);
    }

    static void end(@Nullable Wait wait) {
        if (wait != null) {
            wait.engine.endWait(wait.worker);
        }
    }
}
