package io.stratagem.spi;

import io.stratagem.Result;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * One input on its way through the stages of a {@link PipelineRun}. Who reports the end of a stage begins the next one:
 * so one thread after the other has it, and no two at once.
 */
/* A stage ends once, and by that the passage goes on once. Its result is set by compare-and-set all the same, since
 * beginning a stage may throw after that stage has come to its end.
 *
 * Cancelling goes by what the passage is in. Who begins a stage first says so in `present`, then looks whether the run is
 * cancelled; who cancels the run says so, then looks at `present`. So one of the two sees the other, and once a stream is
 * closed nothing begins.
 */
final class Passage {
    private static final VarHandle RESULT;

    static {
        try {
            RESULT = MethodHandles.lookup().findVarHandle(Passage.class, "result", Result.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final PipelineRun<?> run;

    /** Which stage it is in. Written by who begins it. */
    private int stage = -1;

    /** What that is: a {@link Batch}, or the {@link Future} of a strategy that is not of this library; null in between. */
    private volatile @Nullable Object present;

    private volatile @Nullable Result<?> result;

    /** What it weighs in the run's window. Written by who has the passage, and once it has a result by the reader. */
    private long weight;

    /** Links of the run's window. Guarded by the run. */
    @Nullable
    Passage previous;

    @Nullable
    Passage next;

    Passage(PipelineRun<?> run) {
        this.run = run;
    }

    PipelineRun<?> run() {
        return run;
    }

    /** What became of it, or null as long as it is on its way. */
    @Nullable
    Result<?> result() {
        return result;
    }

    /** The present stage ended so. */
    void passed(Result<?> outcome) {
        if (!(outcome instanceof Result.Success<?> success) || stage == run.lastStage()) {
            end(outcome);
        } else if (run.isCancelled()) {
            end(new Result.Failure<>(run.cancellation(), outcome.execution()));
        } else {
            begin(success.value());
        }
    }

    /** Begins the next stage. */
    void begin(@Nullable Object value) {
        stage++;
        weigh(value);
        PipelineStage next = run.stage(stage);
        try {
            next.begin(this, value);
        } catch (Throwable e) {
            run.refuse(e);
            end(Result.failure(e));
        } finally {
            next.release();
        }
    }

    /** It does not begin at all. */
    void refuse(Throwable why) {
        end(Result.failure(why));
    }

    private void end(Result<?> outcome) {
        weigh(outcome instanceof Result.Success<?> success ? success.value() : null);
        if (RESULT.compareAndSet(this, (Result<?>) null, outcome)) {
            present = null;
            for (int i = stage + 1; i <= run.lastStage(); i++) {
                run.stage(i).release();
            }
            run.ended(this);
        }
    }

    private void weigh(@Nullable Object value) {
        long now = Weight.bytes(value);
        long before = weight;
        weight = now;
        run.count(now - before);
    }

    /** The reader has its result. */
    void left() {
        weigh(null);
    }

    /** Who begins or tries again the present stage says what it is. */
    void isIn(Object task) {
        present = task;
        run.moved(this);
    }

    /** The batch of its present stage, or null if it has none. */
    @Nullable
    Batch batch() {
        Object now = present;
        return now instanceof TaskFuture<?> future ? future.batch : now instanceof Batch batch ? batch : null;
    }

    /** Ends the present stage, if there is one. Any thread. */
    void cancel(Throwable why) {
        Object now = present;
        if (now instanceof Batch batch) {
            batch.cancel(why);
        } else if (now instanceof Future<?> future) {
            future.cancel(true);
        }
    }

    @Override
    public String toString() {
        Result<?> end = result;
        return "Passage[" + (end == null ? "stage " + stage + ", " + present : end) + "]";
    }
}
