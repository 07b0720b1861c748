package io.stratagem.spi;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs callbacks on the shared threads for them, one after another, as they were added. Any thread may add. */
final class Callbacks {
    private static final Logger log = LoggerFactory.getLogger(Callbacks.class);

    /** Whose callbacks the thread runs. */
    private static final ThreadLocal<@Nullable EngineStrategy> STRATEGY = new ThreadLocal<>();

    private final EngineStrategy strategy;

    // Guarded by this.
    private final Deque<Runnable> waiting = new ArrayDeque<>(2);
    private boolean isRunning;

    Callbacks(EngineStrategy strategy) {
        this.strategy = strategy;
    }

    /** Whose callbacks the calling thread runs, or null. */
    static @Nullable EngineStrategy strategy() {
        return STRATEGY.get();
    }

    void add(Runnable action) {
        synchronized (this) {
            waiting.add(action);
            if (isRunning) {
                return;
            }
            isRunning = true;
        }
        SharedThreads.callbacks().execute(this::runAll);
    }

    /** Whether all that was added has been run. */
    synchronized boolean isIdle() {
        return !isRunning;
    }

    private void runAll() {
        STRATEGY.set(strategy);
        try {
            runEach();
        } finally {
            STRATEGY.remove();
        }
    }

    private void runEach() {
        for (Runnable next = next(); next != null; next = next()) {
            try {
                next.run();
            } catch (Throwable e) {
                log.error("A callback failed", e);
            }
        }
    }

    private synchronized @Nullable Runnable next() {
        Runnable next = waiting.poll();
        isRunning = next != null;
        return next;
    }
}
