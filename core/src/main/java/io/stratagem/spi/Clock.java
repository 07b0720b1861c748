package io.stratagem.spi;

/**
 * The one source of time: what the time is, and what is to happen later. Tests replace it by one that they move.
 * Any thread may call it; nothing blocks.
 */
public interface Clock {

    /**
     * A time in nanoseconds from an arbitrary origin, comparable only within this JVM.
     *
     * @return as {@link System#nanoTime()}
     */
    long nanoTime();

    /**
     * Runs a short action later, on a thread of the clock. It must not block and must not run the user's code.
     *
     * @param action what to run
     * @param delayNanos how much later; zero or less means as soon as possible
     * @return cancels the action
     */
    Timer schedule(Runnable action, long delayNanos);

    /** An action that waits for its time. */
    @FunctionalInterface
    interface Timer {
        /** Forgets the action, unless it has begun. */
        void cancel();
    }

    /**
     * The clock of this machine. Its one daemon thread is shared by all strategies, starts when first needed and ends
     * when nothing waits.
     *
     * @return the clock
     */
    static Clock system() {
        return SystemClock.INSTANCE;
    }
}
