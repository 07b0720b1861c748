package io.stratagem.processpool.spi;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The result that a worker's thread is writing, for those values that have something to do once they are on their way. */
public final class OutgoingResult {
    private static final ThreadLocal<@Nullable OutgoingResult> PRESENT = new ThreadLocal<>();

    private final List<Runnable> actions = new ArrayList<>();

    /** For one thread, for one result after the other. */
    public OutgoingResult() {}

    /**
     * What the present thread is writing.
     *
     * @return the result, or null if it is at no result, or not in a worker
     */
    public static @Nullable OutgoingResult present() {
        return PRESENT.get();
    }

    /**
     * Runs something as soon as the result has been written, and before it is sent; never if it cannot be written.
     *
     * @param action must not throw
     */
    public void onceWritten(Runnable action) {
        actions.add(action);
    }

    /** The present thread begins to write. */
    public void begin() {
        PRESENT.set(this);
    }

    /**
     * The present thread has ended that.
     *
     * @param isWritten whether as a whole
     */
    public void end(boolean isWritten) {
        PRESENT.set(null);
        if (!actions.isEmpty()) {
            List<Runnable> due = isWritten ? List.copyOf(actions) : List.of();
            actions.clear();
            due.forEach(Runnable::run);
        }
    }
}
