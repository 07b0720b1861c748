package io.stratagem;

import static com.google.common.base.Preconditions.checkState;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.Uninterruptibles;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the parts of an {@link AutoStrategy}, each when it is first needed and by one thread, for which others that need
 * it wait; until it is closed. Any thread may use it.
 */
final class Making {
    /**
     * Guards what is made, what is being made, and the closing. Held for a few instructions, never while one is made. One
     * for all, since an {@link AutoStrategy} may be a part of another, or be needed to make it.
     */
    private static final Object LOCK = new Object();

    /** Who waits for what another thread makes. Under the lock. */
    private static final Map<Thread, Attempt> WAITING = new HashMap<>();

    private final AutoStrategy whole;
    private final List<Part> parts = new CopyOnWriteArrayList<>();

    /** Written under the lock. */
    private volatile boolean isClosed;

    Making(AutoStrategy whole) {
        this.whole = whole;
    }

    /** A strategy, or how to make it. */
    static final class Part {
        /** Who makes it, for messages. */
        private final String source;

        private final Supplier<? extends ExecutorStrategy> supplier;
        private final boolean isOwned;

        /** Written under the lock. */
        private volatile @Nullable ExecutorStrategy made;

        /** The one that is under way. Under the lock. */
        private @Nullable Attempt attempt;

        private Part(String source, Supplier<? extends ExecutorStrategy> supplier, @Nullable ExecutorStrategy own) {
            this.source = source;
            this.supplier = supplier;
            this.isOwned = own == null;
            this.made = own;
        }

        /** The strategy, if it has been made. */
        @Nullable
        ExecutorStrategy made() {
            return made;
        }
    }

    /** An attempt of one thread to make a part, which others wait for. */
    private static final class Attempt {
        private final Thread maker = Thread.currentThread();
        private final CountDownLatch ended = new CountDownLatch(1);

        /** Why those who wait do not get it; written before the latch opens. */
        private @Nullable Throwable failure;

        boolean isUnderWay() {
            return ended.getCount() > 0;
        }

        /** The first end counts. Under the lock. */
        void end(@Nullable Throwable why) {
            if (isUnderWay()) {
                failure = why;
                ended.countDown();
            }
        }
    }

    /** A part that the supplier makes, and that is closed with the whole. */
    Part newPart(String source, Supplier<? extends ExecutorStrategy> supplier) {
        return added(new Part(source, supplier, null));
    }

    /** A part that is the application's. */
    Part newPart(ExecutorStrategy own) {
        return added(new Part("the application", () -> own, own));
    }

    private Part added(Part part) {
        parts.add(part);
        return part;
    }

    /** What has been made so far, each once. */
    List<ExecutorStrategy> made(boolean onlyOwned) {
        Set<ExecutorStrategy> all = Collections.newSetFromMap(new IdentityHashMap<>()); // one may have several places
        for (Part part : parts) {
            ExecutorStrategy made = part.made;
            if (made != null && (part.isOwned || !onlyOwned)) {
                all.add(made);
            }
        }
        return List.copyOf(all);
    }

    /**
     * The strategy; made if it is not, or waited for. An interrupt does not end the wait, and is kept.
     *
     * @throws IllegalStateException if the part is needed to make itself
     * @throws RejectedExecutionException if this is closed
     */
    ExecutorStrategy get(Part part) {
        ExecutorStrategy made = part.made;
        return made != null ? made : makeOrAwait(part);
    }

    private ExecutorStrategy makeOrAwait(Part part) {
        Attempt attempt;
        boolean isOurs;
        synchronized (LOCK) {
            ExecutorStrategy made = part.made;
            if (made != null) {
                return made;
            }
            checkOpen();
            isOurs = part.attempt == null;
            attempt = isOurs ? new Attempt() : Objects.requireNonNull(part.attempt);
            part.attempt = attempt;
            if (!isOurs) {
                checkEnds(part, attempt);
                WAITING.put(Thread.currentThread(), attempt);
            }
        }
        return isOurs ? make(part, attempt) : await(part, attempt);
    }

    /**
     * Refuses to wait for who makes it, if that is this thread, or waits for this thread. Who waited for what has ended
     * waits no longer, even if it has not woken up yet. Under the lock.
     */
    private void checkEnds(Part part, Attempt attempt) {
        for (Attempt next = attempt; next != null && next.isUnderWay(); next = WAITING.get(next.maker)) {
            checkState(next.maker != Thread.currentThread(), "%s needs the strategy that it makes", part.source);
        }
    }

    /** Calls what is not ours: without the lock. */
    private ExecutorStrategy make(Part part, Attempt attempt) {
        ExecutorStrategy made;
        try {
            made = Objects.requireNonNull(part.supplier.get(), () -> part.source + " gave no strategy");
            synchronized (LOCK) {
                checkIsNoCircle(part, made);
                part.attempt = null;
                if (!isClosed) {
                    part.made = made;
                    attempt.end(null);
                    return made;
                }
            }
        } catch (Throwable e) {
            synchronized (LOCK) {
                part.attempt = null; // the next caller tries again
                attempt.end(e);
            }
            throw e;
        }
        RejectedExecutionException closed = closed();
        try {
            made.closeNow(); // who closed the whole did not know of it
        } catch (Throwable e) {
            closed.addSuppressed(e);
        }
        throw closed;
    }

    /** Work would be handed round for ever, and so would closing. Under the lock, so that no two join at once. */
    private void checkIsNoCircle(Part part, ExecutorStrategy made) {
        checkState(made != whole, "%s gave the strategy that it is to be a part of", part.source);
        if (hasPart(made, whole)) {
            throw new IllegalStateException(part.source + " gave strategy '" + made.name() + "', which has '"
                    + whole.name() + "' as a part and so cannot be a part of it");
        }
    }

    private static boolean hasPart(ExecutorStrategy strategy, AutoStrategy sought) {
        return strategy instanceof AutoStrategy auto
                && auto.strategies().stream().anyMatch(part -> part == sought || hasPart(part, sought));
    }

    private ExecutorStrategy await(Part part, Attempt attempt) {
        Uninterruptibles.awaitUninterruptibly(attempt.ended);
        synchronized (LOCK) {
            WAITING.remove(Thread.currentThread());
        }
        Throwable failure = attempt.failure;
        if (failure != null) {
            Throwables.throwIfUnchecked(failure);
            throw new IllegalStateException(failure);
        }
        return Objects.requireNonNull(part.made);
    }

    boolean isClosed() {
        return isClosed;
    }

    /** Throws {@link RejectedExecutionException} if this is closed. */
    void checkOpen() {
        if (isClosed) {
            throw closed();
        }
    }

    private RejectedExecutionException closed() {
        return new RejectedExecutionException("strategy '" + whole.name() + "' is closed");
    }

    /** Makes no more. What is being made is closed by force once it is there. Gives what is to be closed with the whole. */
    List<ExecutorStrategy> close() {
        synchronized (LOCK) {
            isClosed = true;
            for (Part part : parts) {
                Attempt attempt = part.attempt;
                if (attempt != null) { // its thread may be long; those who wait for it need not be
                    attempt.end(closed());
                }
            }
            return made(true);
        }
    }
}
