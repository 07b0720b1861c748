package io.stratagem.spi;

import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A task of an {@link ExecutorServiceView} whose command runs in a worker elsewhere. The command travels, and this, the
 * caller's future, stays. In this JVM the command is run only by who got it from {@code shutdownNow}.
 */
/* It is over when it is done and the strategy has nothing of it any more: of a task that was cancelled while it ran the
 * first comes at once, the second when its worker was killed; of one that ended by itself they come in either order.
 * Whoever brings the one about says so and then looks for the other.
 */
final class RemoteViewTask<T> extends ViewTask<T> {
    private final ExecutorServiceView view;

    /** Null once it is done. Guarded by this. */
    private @Nullable Order<T> order;

    /** The strategy's side of it, or null if it was not submitted. Guarded by this. */
    private @Nullable Link link;

    /** What is to be run elsewhere, and what its value is here. */
    private record Order<T>(Workload<?, ?> workload, Object command, Function<@Nullable Object, T> value) {}

    private RemoteViewTask(ExecutorServiceView view, Callable<T> callable, Order<T> order) {
        super(view, callable);
        this.view = view;
        this.order = order;
    }

    @SuppressWarnings("NullAway") // nobody sees the value
    private RemoteViewTask(ExecutorServiceView view, Runnable plain, Order<T> order) {
        super(view, plain);
        this.view = view;
        this.order = order;
    }

    @SuppressWarnings("unchecked") // it is what the callable returned
    static <T> ViewTask<T> of(ExecutorServiceView view, Kind kind, Callable<T> callable) {
        return new RemoteViewTask<>(
                view, callable, new Order<>(Commands.calls(kind), callable, returned -> (T) returned));
    }

    /** The value stays here. */
    static <T> ViewTask<T> of(ExecutorServiceView view, Kind kind, Runnable runnable, T value) {
        return new RemoteViewTask<>(
                view,
                Executors.callable(runnable, value),
                new Order<>(Commands.actions(kind), runnable, nothing -> value));
    }

    /** Of what was handed to {@code execute} itself. */
    static ViewTask<?> ofPlain(ExecutorServiceView view, Kind kind, Runnable command) {
        return new RemoteViewTask<>(view, command, new Order<>(Commands.actions(kind), command, nothing -> nothing));
    }

    @Override
    boolean submit() {
        Order<T> wanted;
        synchronized (this) {
            wanted = link == null ? order : null;
        }
        if (wanted == null) {
            ended(); // this future was executed before
            return true;
        }
        view.strategy().checkOpen();
        Object packed;
        try {
            packed = view.strategy().engine().pack(wanted.workload, wanted.command);
        } catch (TransferException e) {
            if (command() != this) {
                throw e; // nobody else would see it
            }
            fail(e);
            return true;
        }
        Link fresh = new Link();
        SingleBatch batch = view.strategy().admit(wanted.workload, packed, fresh);
        if (batch == null) {
            return false;
        }
        boolean isWanted;
        synchronized (this) {
            isWanted = isNew() && link == null;
            if (isWanted) {
                link = fresh;
            }
        }
        if (isWanted) {
            view.strategy().dispatchSingle(batch);
        } else {
            fresh.cancel(false); // withdrawn while this waited for room
        }
        return true;
    }

    @Override
    public void run() {
        run(State.WITHDRAWN, null);
    }

    @Override
    boolean withdraw() {
        Link present;
        synchronized (this) {
            present = link;
            if (present == null) {
                return super.withdraw();
            }
        }
        return present.withdraw() && super.withdraw();
    }

    @Override
    void stop() {
        Link present = link();
        if (!cancel(true) && present != null) {
            present.stop(); // it may have been cancelled in a way that lets it go on
        }
    }

    private synchronized @Nullable Link link() {
        return link;
    }

    @Override
    protected void afterDone() {
        Link present;
        synchronized (this) {
            order = null;
            present = link;
        }
        if (isCancelled() && present != null) {
            present.cancel(wasInterrupted());
        }
        super.afterDone();
    }

    @Override
    void ended() {
        Link present = link();
        if (isDone() && (present == null || present.hasLeft)) {
            view.ended(this);
        }
    }

    private void settle(Result<?> result) {
        if (result instanceof Result.Failure<?> failure) {
            if (failure.cause() instanceof CancellationException
                    && view.strategy().isClosedNow()) {
                cancel(false);
            } else {
                fail(failure.cause());
            }
            return;
        }
        Order<T> present;
        synchronized (this) {
            present = order;
        }
        if (present != null) {
            set(present.value.apply(((Result.Success<?>) result).value()));
        }
    }

    /** The future of the strategy's task. */
    private final class Link extends TaskFuture<Object> {
        /** Why it was withdrawn, which concerns nobody, or null. */
        private volatile @Nullable Throwable withdrawal;

        /** Whether the command is neither queued nor running any more. */
        private volatile boolean hasLeft;

        /** Withdraws it from the strategy; false if a worker may have begun it. */
        boolean withdraw() {
            SingleBatch present = batch;
            if (present == null) {
                return false;
            }
            CancellationException why = new CancellationException("the executor service was shut down");
            withdrawal = why;
            return present.cancelUnstarted(why);
        }

        @Override
        void completeWith(Result<?> result) {
            super.completeWith(result);
            if (!isCancelled() && !(result instanceof Result.Failure<?> failure && failure.cause() == withdrawal)) {
                settle(result);
            }
        }

        @Override
        void left() {
            hasLeft = true;
            ended();
        }
    }
}
