package io.stratagem.spi;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads that all strategies of this JVM share. They are daemons, start when needed and end soon after.
 *
 * <p>{@link #callbacks()} runs the user's code in place of a {@link ServiceThread}. More than a few callbacks that block
 * at the same time keep others waiting.
 */
final class SharedThreads {
    static final long KEEP_ALIVE_SECONDS = 1;
    private static final int MAX_CALLBACK_THREADS = 64;
    private static final Executor CALLBACKS = newCallbacks();

    private SharedThreads() {}

    private static Executor newCallbacks() {
        ThreadPoolExecutor callbacks = new ThreadPoolExecutor(
                MAX_CALLBACK_THREADS,
                MAX_CALLBACK_THREADS,
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                action -> newThread(action, "stratagem-callbacks"));
        callbacks.allowCoreThreadTimeOut(true);
        return callbacks;
    }

    static Executor callbacks() {
        return CALLBACKS;
    }

    static Thread newThread(Runnable action, String name) {
        Thread thread = new Thread(null, action, name, 0, false);
        thread.setDaemon(true);
        // The submitter's loader must not be kept alive by a thread that outlives it.
        thread.setContextClassLoader(SharedThreads.class.getClassLoader());
        return thread;
    }
}
