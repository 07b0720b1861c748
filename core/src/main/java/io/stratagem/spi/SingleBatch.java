package io.stratagem.spi;

import io.stratagem.Result;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** One submitted task, which completes a future. */
final class SingleBatch extends Batch {
    private final TaskFuture<?> future;

    /** The input, then the outcome; if there are details, always the input. */
    private @Nullable Object slot;

    /** The outcome if there are details. */
    private @Nullable Object outcome;

    SingleBatch(Terms terms, TaskFuture<?> future, @Nullable Object input, @Nullable BatchDetails details) {
        super(terms, 1, details);
        this.future = future;
        this.slot = input;
    }

    @Override
    @Nullable
    Object inputOf(int index) {
        return slot;
    }

    @Override
    @Nullable
    Object slot(int index) {
        return details == null ? slot : outcome;
    }

    @Override
    void setOutcome(int index, Object newOutcome, @Nullable Object value) {
        if (details == null) {
            slot = newOutcome;
        } else {
            outcome = newOutcome;
        }
    }

    @Override
    void forgetInputs() {
        if (details != null) {
            slot = null;
        }
    }

    @Override
    Batch part(int from, int to, @Nullable BatchDetails partDetails) {
        return new SingleBatch(terms, future, slot, partDetails);
    }

    @Override
    void link(Batch rest) {
        adopt(rest);
    }

    @Override
    void adopt(Batch again) {
        future.batch = (SingleBatch) again;
    }

    @Override
    void published() {}

    @Override
    void completed(@Nullable Worker by) {
        if (settled() == 0) {
            return; // it never started, and is another batch now
        }
        if (!(outcome(0) instanceof Result<?> result)) {
            return; // it is tried again
        }
        future.batch = null;
        EngineStrategy strategy = terms.strategy;
        if (by != null && future.getNumberOfDependents() > 0) {
            by.forgetTime(); // the dependent stages may take theirs
        }
        if (mayRunUserCode()) {
            strategy.admission().leave();
            future.completeWith(result);
        } else {
            strategy.completesLater(future); // before it seems to be gone
            strategy.admission().leave();
            runLater(() -> {
                future.completeWith(result);
                strategy.completed(future);
            });
        }
        strategy.signalIfDrained();
    }

    @Override
    void left() {
        super.left();
        if (settled() > 0) { // else it never started, and is another batch now
            future.left();
        }
    }

    @Override
    boolean isUnwanted() {
        return future.isUnwanted();
    }

    @Override
    Throwable cancellation() {
        return new CancellationException("the future was cancelled");
    }
}
