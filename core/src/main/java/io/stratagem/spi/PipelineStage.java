package io.stratagem.spi;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** A stage of a {@link PipelineRun}: a workload on a strategy, with the context of who made the run. Any thread may use it. */
abstract sealed class PipelineStage {

    /**
     * The stage, made in the context of the calling thread.
     *
     * @throws IllegalArgumentException if the strategy does not take the workload
     * @throws java.util.concurrent.RejectedExecutionException if it is closed
     */
    static PipelineStage of(Workload<?, ?> workload, ExecutorStrategy strategy) {
        return strategy instanceof EngineStrategy ours
                ? new OnEngine(ours, ours.newTerms(workload))
                : new Elsewhere(strategy, workload, Context.capture(List.of(), null));
    }

    /** Makes the strategy wait with its end until this stage was begun; taken back by {@link #release}. */
    void hold() {}

    void release() {}

    /** Why nothing more can be taken in, or null. */
    @Nullable
    String closedMessage() {
        return null;
    }

    /** The strategy, if its engine is one of ours. */
    @Nullable
    EngineStrategy strategy() {
        return null;
    }

    /**
     * Refuses to wait on a thread that this stage may need.
     *
     * @throws IllegalStateException if the calling thread is one
     */
    void checkMayWait() {}

    /** Begins this stage for a passage, which is told when it is over, also if it cannot be begun. */
    abstract void begin(Passage passage, @Nullable Object input);

    private static final class OnEngine extends PipelineStage {
        private final EngineStrategy strategy;
        private final Terms terms;

        OnEngine(EngineStrategy strategy, Terms terms) {
            this.strategy = strategy;
            this.terms = terms;
        }

        @Override
        void hold() {
            strategy.expectStage();
        }

        @Override
        void release() {
            strategy.stageBegun();
        }

        @Override
        @Nullable
        String closedMessage() {
            return strategy.isClosed() ? strategy.closedMessage() : null;
        }

        @Override
        EngineStrategy strategy() {
            return strategy;
        }

        @Override
        void checkMayWait() {
            strategy.checkMayWait(terms.workload);
        }

        @Override
        void begin(Passage passage, @Nullable Object input) {
            StageBatch batch = new StageBatch(terms, passage, input, strategy.newDetails(terms, 1, input));
            strategy.taken(1);
            strategy.notifySubmitted(batch); // before anybody can run or cancel it
            passage.isIn(batch);
            if (batch.isUnwanted()) {
                batch.cancel(batch.cancellation());
                return;
            }
            try {
                strategy.dispatchOrThrow(batch);
            } catch (Throwable e) {
                passage.run().refuse(e);
                batch.cancel(strategy.failureOf(e));
            }
        }
    }

    /** On a strategy of which nothing is known but its interface. */
    private static final class Elsewhere extends PipelineStage {
        private final ExecutorStrategy strategy;
        private final Workload<Object, Object> workload;
        private final Context context;

        @SuppressWarnings("unchecked") // a stage is given what the one before it gave
        Elsewhere(ExecutorStrategy strategy, Workload<?, ?> workload, Context context) {
            this.strategy = strategy;
            this.workload = (Workload<Object, Object>) workload;
            this.context = context;
        }

        @Override
        void begin(Passage passage, @Nullable Object input) {
            Context.Applied applied = context.apply();
            CompletableFuture<Result<Object>> future;
            try {
                future = submit(input);
            } finally {
                context.undo(applied);
            }
            passage.isIn(future);
            if (passage.run().isCancelled()) {
                future.cancel(true);
            }
            var unused = future.whenComplete((result, failure) -> {
                if (ServiceThread.mayRunUserCode()) {
                    passed(passage, result, failure);
                } else {
                    ServiceThread.callbacks().execute(() -> passed(passage, result, failure));
                }
            });
        }

        @SuppressWarnings("NullAway") // inputs may be null
        private CompletableFuture<Result<Object>> submit(@Nullable Object input) {
            return strategy.submit(workload, input);
        }

        private static void passed(Passage passage, @Nullable Result<?> result, @Nullable Throwable failure) {
            if (result != null) {
                passage.passed(result);
                return;
            }
            PipelineRun<?> run = passage.run();
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (run.isCancelled() || cause == null) {
                cause = run.cancellation();
            }
            passage.passed(Result.failure(cause));
        }
    }
}
