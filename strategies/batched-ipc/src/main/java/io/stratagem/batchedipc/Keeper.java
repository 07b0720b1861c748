package io.stratagem.batchedipc;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Holds on to memory that nobody here uses, and looks now and then whether it may go. Any thread may use it; its own thread
 * lives only while there is something to look after.
 */
final class Keeper {
    /** For all memory of this process. */
    static final Keeper SHARED = new Keeper();

    /** The first; each is twice as long as the one before. */
    private static final long SHORTEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    // Guarded by this.
    private final Set<Kept> all = new LinkedHashSet<>();
    private long pauseNanos;
    private boolean isRunning;

    Keeper() {}

    /** Something that is held on to. */
    @FunctionalInterface
    interface Kept {
        /**
         * Lets it go, if its time has come.
         *
         * @param now as {@link System#nanoTime}
         * @return whether it is gone
         */
        boolean isGone(long now);
    }

    /** Holds on to it from now on. */
    synchronized void keep(Kept one) {
        all.add(one);
        if (!isRunning) {
            pauseNanos = SHORTEST_PAUSE_NANOS;
            Thread thread = new Thread(null, this::look, "stratagem-shared-memory", 0, false); // inherits nothing
            thread.setDaemon(true);
            thread.setContextClassLoader(Keeper.class.getClassLoader()); // before 19 that is inherited all the same
            thread.start();
            isRunning = true;
        }
    }

    private void look() {
        for (List<Kept> present = pause(); !present.isEmpty(); present = pause()) {
            for (Kept each : present) {
                if (each.isGone(System.nanoTime())) {
                    remove(each);
                }
            }
        }
    }

    /** What there is after a pause; nothing if this is the end. */
    private synchronized List<Kept> pause() {
        if (all.isEmpty()) {
            isRunning = false;
            return List.of();
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, pauseNanos);
        } catch (InterruptedException e) {
            // whoever did that has no business here
        }
        pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
        return List.copyOf(all);
    }

    private synchronized void remove(Kept one) {
        all.remove(one);
    }
}
