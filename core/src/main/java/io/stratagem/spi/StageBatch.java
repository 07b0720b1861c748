package io.stratagem.spi;

import io.stratagem.Result;
import org.jspecify.annotations.Nullable;

/** The task of one {@link Passage} in one of its stages. */
final class StageBatch extends Batch {
    private final Passage passage;

    /** The input, then the outcome; if there are details, always the input. */
    private @Nullable Object slot;

    /** The outcome if there are details. */
    private @Nullable Object outcome;

    StageBatch(Terms terms, Passage passage, @Nullable Object input, @Nullable BatchDetails details) {
        super(terms, 1, details);
        this.passage = passage;
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
        return new StageBatch(terms, passage, slot, partDetails);
    }

    @Override
    void link(Batch rest) {
        adopt(rest);
    }

    @Override
    void adopt(Batch again) {
        passage.isIn(again);
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
        if (by != null) {
            by.forgetTime(); // handing on takes some
        }
        // The next stage's key function and listeners are the user's, and its engine need not expect a service thread.
        if (mayRunUserCode()) {
            pass(result);
        } else {
            runLater(() -> pass(result));
        }
    }

    private void pass(Result<?> result) {
        passage.passed(result);
        terms.strategy.settled(1); // only now: who closes the strategy waits for what follows there
    }

    @Override
    boolean isUnwanted() {
        return passage.run().isCancelled();
    }

    @Override
    Throwable cancellation() {
        return passage.run().cancellation();
    }
}
