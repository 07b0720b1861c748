package io.stratagem.spi;

import java.util.concurrent.Executor;

/**
 * Marks a thread that serves many tasks at once (a clock's, or one that owns a connection, a ring or a loop), and so
 * must not run the user's code: what futures, listeners and cancelled stages call goes to other threads from there.
 */
public interface ServiceThread {

    /**
     * Whether the user's code may run on the calling thread.
     *
     * @return false on a service thread
     */
    static boolean mayRunUserCode() {
        return !(Thread.currentThread() instanceof ServiceThread);
    }

    /**
     * Runs the user's code in place of a service thread, or of any other that it must not hold up. All strategies of
     * this JVM share its threads.
     *
     * @return runs each action on another thread, soon
     */
    static Executor callbacks() {
        return SharedThreads.callbacks();
    }
}
