package io.stratagem.processpool;

import io.stratagem.processpool.WorkerProcess.StartException;
import org.jspecify.annotations.Nullable;

/**
 * Whether worker processes may be started. After some failures in a row it opens, for a time that grows: what waits
 * fails with the reason then, instead of starting processes for ever. After that time the next start is a trial. Not for
 * several threads at once.
 */
final class Circuit {
    private static final int TRIES = 3;
    private static final long FIRST_PAUSE_NANOS = 1_000_000_000;
    private static final long LONGEST_PAUSE_NANOS = 30_000_000_000L;

    private int failures;
    private long openUntil;
    private @Nullable StartException reason;

    boolean isOpen() {
        return pauseNanos() > 0;
    }

    /** How long it will still be open; not positive if it is not. */
    long pauseNanos() {
        return reason != null && failures >= TRIES ? openUntil - System.nanoTime() : 0;
    }

    /** The last failure, or null if a process has done something since. */
    @Nullable
    StartException reason() {
        return reason;
    }

    /** A process has done something: so it is possible. */
    void succeeded() {
        failures = 0;
        reason = null;
    }

    /** A process could not be started, or was of no use. */
    void failed(StartException failure) {
        reason = failure;
        failures = failure.isFinal() ? Math.max(TRIES, failures + 1) : failures + 1;
        if (failures >= TRIES) {
            int pauses = Math.min(failures - TRIES, 10);
            openUntil = System.nanoTime() + Math.min(LONGEST_PAUSE_NANOS, FIRST_PAUSE_NANOS << pauses);
        }
    }
}
