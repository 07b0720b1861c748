package io.stratagem.spi;

import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
     * @param awaited how to wait for the future, which leaves nothing behind: it may be polled
     * @return the wait, if it has begun
     */
    static @Nullable Wait begin(EngineStrategy strategy, boolean isInterruptible, TimedGet awaited) {
        Worker worker = strategy.currentWorker();
        if (worker == null || !worker.isOwnedBy(strategy.engine())) {
            return null;
        }
        try {
            var unused = awaited.get(SHORT_NANOS, TimeUnit.NANOSECONDS);
            return null;
        } catch (TimeoutException e) {
            // so it is no short wait
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            if (isInterruptible) {
                return null;
            }
        } catch (ExecutionException | CancellationException e) {
            return null;
        }
        return new Wait(strategy.engine(), worker);
    }

    /** A future's own {@code get}, which does nothing but wait. */
    interface TimedGet {
        @Nullable
        Object get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException;
    }

    static void end(@Nullable Wait wait) {
        if (wait != null) {
            wait.engine.endWait(wait.worker);
        }
    }
}
