package io.stratagem.spi;

import io.stratagem.Fn;
import io.stratagem.Result;
import org.jspecify.annotations.Nullable;

/** Runs the tasks of a {@link Batch} on the calling thread, one after another. */
final class LocalRun {
    private LocalRun() {}

    static void run(Batch batch, Worker by) {
        var unused = batch.inContext(() -> {
            runAll(batch, by);
            return null;
        });
    }

    private static void runAll(Batch batch, Worker by) {
        Batch former = by.batch();
        try {
            by.enter(batch, former);
            int first = batch.isRefused() ? Batch.NONE_LEFT : batch.begin(by);
            if (first >= 0) {
                runFrom(batch, first, by);
                if (former != null) {
                    by.forgetTime(); // the outer task goes on, and takes its time
                }
            }
        } finally {
            if (isInterruptForOuter(by, former)) {
                Thread.currentThread().interrupt();
            }
            by.leave(former);
        }
    }

    @SuppressWarnings("NullAway") // inputs may be null
    private static void runFrom(Batch batch, int first, Worker by) {
        Terms terms = batch.terms;
        @SuppressWarnings("unchecked") // a batch is made of inputs of its workload, for which this kind has an Fn
        Fn<@Nullable Object, @Nullable Object> function =
                (Fn<@Nullable Object, @Nullable Object>) terms.workload.function();
        BatchExecution execution = batch.executionOrNever();
        boolean hasListeners = terms.strategy.hasListeners();
        boolean ownsInterrupt = by.isBound();
        int index = first;
        for (; ; ) {
            if (hasListeners) {
                terms.strategy.notifyStarted(batch, index, by.name());
            }
            Object outcome;
            Object value = null;
            try {
                value = function.apply(batch.inputOf(index));
                outcome = new Result.Success<>(value, execution);
            } catch (Throwable e) {
                outcome = batch.outcomeOfFailure(index, e);
                if (e instanceof InterruptedException && !ownsInterrupt) {
                    Thread.currentThread()
                            .interrupt(); // whoever has lent the thread was meant, unless the task was taken
                }
            }
            if (ownsInterrupt) {
                // A flag that the task left behind must not meet the next one.
                Thread.interrupted();
            }
            batch.setOutcome(index, outcome, value);
            int settledIndex = index;
            index = batch.settleAndClaim(index, execution);
            if (index == Batch.TAKEN_AWAY) {
                batch.leaveRun();
                return;
            }
            if (hasListeners || !(outcome instanceof Result.Success)) {
                batch.afterSettled(settledIndex, outcome);
            }
            if (index == Batch.NONE_LEFT) {
                by.endedAt(execution.endNanos());
                batch.complete();
                return;
            }
            batch.published();
        }
    }

    /** Whether who runs this one while it waits was interrupted meanwhile, which this one may have consumed. */
    private static boolean isInterruptForOuter(Worker by, @Nullable Batch former) {
        if (former == null) {
            return by.isCallInterrupted();
        }
        for (Worker.Frame each = by.outer(); each != null; each = each.next()) {
            if (each.batch().mayHaveBeenInterrupted()) {
                return true;
            }
        }
        return false;
    }
}
