package io.stratagem.spi;

import java.util.concurrent.Executor;

/**
 * Threads that all strategies of this JVM share. They are daemons, start when needed and end soon after.
 *
 * <p>{@link #callbacks()} runs the user's code in place of a {@link ServiceThread}. However
 * many of them block, others get a thread.
 */
final class SharedThreads {
    static final long KEEP_ALIVE_SECONDS = 1;
    private static final Executor CALLBACKS =
            new CallbackThreads(Clock.system(), action -> newThread(action, "stratagem-callbacks"));

    private SharedThreads() {}

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
