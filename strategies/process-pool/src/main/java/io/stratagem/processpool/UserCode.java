package io.stratagem.processpool;

import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where a driver is in the application's code while it serialises or rebuilds the values of a batch: that may hang, and
 * then somebody else takes over what the driver has. One thread is in it; any thread may abandon that.
 */
final class UserCode {
    /** Code whose task is over may take so long to come to an end by itself. */
    static final long GRACE_NANOS = 20_000_000;

    /** The function and the context, of which each task has need. */
    static final int ALL = -1;

    private static final int OUTSIDE = -2;
    private static final int ABANDONED = -3;

    private final Batch batch;

    /** The task whose value it is, or one of the above. */
    private final AtomicInteger at = new AtomicInteger(OUTSIDE);

    UserCode(Batch batch) {
        this.batch = batch;
    }

    /** The driver has come back from code that was believed to hang; what it had is another's now. */
    static final class AbandonedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        AbandonedException() {
            super("abandoned", null, false, false);
        }
    }

    /** What a driver serialises or rebuilds, if anything, and what is done if that hangs. */
    static final class Watch {
        private final Clock clock;
        private final Consumer<UserCode> takeOver;
        private volatile @Nullable UserCode present;

        /**
         * Nothing is serialised or rebuilt yet.
         *
         * @param clock of real time
         * @param takeOver what is done in place of a driver that has been abandoned
         */
        Watch(Clock clock, Consumer<UserCode> takeOver) {
            this.clock = clock;
            this.takeOver = takeOver;
        }

        /** Tasks of that batch are claimed, or their outcomes are there: their values come next. For the driver. */
        UserCode begin(Batch batch) {
            UserCode code = new UserCode(batch);
            present = code;
            return code;
        }

        /** They are done. For the driver. */
        void end() {
            present = null;
        }

        /** Nobody wants a task any more: a driver that stays in its code is abandoned. Any thread may say that. */
        void stop(Batch batch, int index) {
            UserCode code = present;
            if (code != null && code.batch == batch) {
                abandonLater(code, () -> code.abandon(index));
            }
        }

        /** Nobody wants anything any more. Any thread may say that. */
        void stop() {
            UserCode code = present;
            if (code != null) {
                abandonLater(code, code::abandon);
            }
        }

        private void abandonLater(UserCode code, BooleanSupplier abandon) {
            clock.schedule(
                    () -> {
                        if (abandon.getAsBoolean()) {
                            takeOver.accept(code);
                        }
                    },
                    GRACE_NANOS);
        }
    }

    Batch batch() {
        return batch;
    }

    void enter(int index) {
        at.set(index);
    }

    /**
     * Comes back. An interrupt that was left behind is cleared: it would close the connection.
     *
     * @throws AbandonedException if nobody waits for that any more
     */
    void leave(int index) {
        if (!at.compareAndSet(index, OUTSIDE)) {
            throw new AbandonedException();
        }
        Thread.interrupted();
    }

    /** Abandons the thread if it is at that task, or at what all need. */
    private boolean abandon(int index) {
        return at.compareAndSet(index, ABANDONED) || at.compareAndSet(ALL, ABANDONED);
    }

    /** Abandons the thread wherever it is in there. */
    private boolean abandon() {
        int now = at.get();
        return now >= ALL && at.compareAndSet(now, ABANDONED);
    }
}
