package io.stratagem.batchedipc;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Memory that a result of a task leads to: stays open in the worker until the application has it, and is closed then. */
final class GivenAway implements Keeper.Kept {
    /**
     * How long the application may take. It is long since it may have been stopped, or be at other results; who will never
     * come, as for a task that was cancelled at the last moment, is rare.
     */
    static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);

    private static final Logger log = LoggerFactory.getLogger(SharedArray.class);

    private final SharedMemory memory;
    private final long receipt;
    private final long since;

    /**
     * Holds it open.
     *
     * @param receipt that the application will leave in the file
     * @param now as {@link System#nanoTime}
     */
    GivenAway(SharedMemory memory, long receipt, long now) {
        this.memory = memory;
        this.receipt = receipt;
        this.since = now;
    }

    @Override
    public boolean isGone(long now) {
        if (memory.isClosed()) {
            return true;
        }
        boolean hasArrived = hasArrived();
        if (!hasArrived && now - since < PATIENCE_NANOS) {
            return false;
        }
        try {
            memory.closeGivenAway();
        } catch (IllegalStateException e) {
            return false; // one of its buffers is in use
        }
        if (!hasArrived) {
            log.warn("Nobody has come for the shared array of {} that a task has returned", memory.contents());
        }
        Keeper.SHARED.keep(later -> Mapping.collectIfDue());
        return true;
    }

    private boolean hasArrived() {
        try {
            return memory.hasReceipt(receipt);
        } catch (IOException e) {
            log.debug("The file of a shared array cannot be read", e);
            return false;
        }
    }
}
