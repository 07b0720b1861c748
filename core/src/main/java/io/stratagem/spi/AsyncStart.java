package io.stratagem.spi;

import io.stratagem.AsyncFn;
import io.stratagem.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts the tasks of an asynchronous {@link Batch} on the calling thread, one after another, and goes on with those that
 * are cut off behind one that waits.
 */
final class AsyncStart {
    /** After so long the thread turns to what else it has to do. */
    private static final long MOST_NANOS = 1_000_000;

    /** How many it starts without a look at the clock. */
    private static final int LOOK_INTERVAL = 16;

    /** What {@link #valueOf} returns in place of a value. */
    private static final Object NOTHING = new Object();

    private final Worker by;
    private final Supplier<? extends Loop> loops;
    private final Terms terms;
    private final long began;

    /**
     * Of the tasks of a batch.
     *
     * @param by who starts them
     * @param loops gives what a task is given
     */
    AsyncStart(Batch first, Worker by, Supplier<? extends Loop> loops) {
        this.by = by;
        this.loops = loops;
        this.terms = first.terms;
        this.began = first.size() > 1 ? terms.clock().nanoTime() : 0; // of one nothing is left to look at the time for
    }

    void start(Batch first) {
        Batch rest = begin(first);
        while (rest != null) {
            if (isForLong()) {
                terms.strategy.dispatch(rest);
                return;
            }
            EngineStrategy.cancelIfUnwanted(rest);
            rest = begin(rest);
        }
    }

    /** Gives the tasks that were cut off behind the one started last, or null. */
    private @Nullable Batch begin(Batch batch) {
        return batch.inContext(() -> startTasks(batch));
    }

    /** Whether the thread must see to what else it has to do. */
    private boolean isForLong() {
        return terms.clock().nanoTime() - began > MOST_NANOS;
    }

    private @Nullable Batch startTasks(Batch batch) {
        try {
            // They count as waiting from their start, and not as running on the worker that starts them.
            batch.listWait();
            if (batch.isRefused()) {
                return null;
            }
            Loop loop = loops.get();
            return batch.beginAsync(by, loop) ? startFrom(batch, loop) : null;
        } finally {
            if (by.batch() == null && by.isBound()) {
                Thread.interrupted();
            }
            if (by.batch() == null && by.isCallInterrupted()) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Starts tasks up to one that is not done at once; gives those behind it, or null. */
    private @Nullable Batch startFrom(Batch batch, Loop firstLoop) {
        Loop loop = firstLoop;
        for (int index = 0; ; index++) {
            CompletionStage<@Nullable Object> started = startTask(batch, index, new ContextLoop(loop, terms.context));
            Object value = index + 1 < batch.size() ? valueOf(started) : NOTHING;
            boolean mustLook = index % LOOK_INTERVAL == LOOK_INTERVAL - 1;
            if (value == NOTHING || (mustLook && isForLong())) {
                Batch rest = batch.cutUnstarted();
                boolean isAlone = index == 0 && rest == null;
                if (isAlone || isDone(started)) {
                    batch.settleWith(index, started, loop);
                } else {
                    batch.settleApart(index, started, loop, by);
                }
                return rest;
            }
            if (by.batch() == null && by.isBound()) {
                Thread.interrupted(); // which must not meet the next one
            }
            Loop next = loops.get();
            if (!batch.goOn(index, value, started, loop)) {
                return null;
            }
            loop = next;
        }
    }

    /** The stage of a task, or one that has failed if there is none. */
    @SuppressWarnings("NullAway") // inputs may be null
    private CompletionStage<@Nullable Object> startTask(Batch batch, int index, Loop loop) {
        @SuppressWarnings("unchecked") // a batch is made of inputs of its workload, for which this kind has an AsyncFn
        AsyncFn<@Nullable Object, @Nullable Object> function =
                (AsyncFn<@Nullable Object, @Nullable Object>) terms.workload.function();
        terms.strategy.notifyStarted(batch, index, by.name());
        try {
            CompletionStage<@Nullable Object> started = function.apply(batch.inputOf(index), loop);
            if (started == null) {
                throw new NullPointerException(
                        "the function of workload '" + terms.workload.name() + "' returned no stage");
            }
            return started;
        } catch (Throwable e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** The value of a stage that has one and says so at once, else {@link #NOTHING}. */
    private static @Nullable Object valueOf(CompletionStage<@Nullable Object> stage) {
        if (!(stage instanceof CompletableFuture)) {
            return NOTHING;
        }
        try {
            // Those of CompletableFuture.completedStage cannot do anything else.
            CompletableFuture<@Nullable Object> future = stage.toCompletableFuture();
            return future.isCompletedExceptionally() ? NOTHING : future.getNow(NOTHING);
        } catch (Throwable e) {
            return NOTHING; // a failure that has just come, or a class of somebody's own making
        }
    }

    private static boolean isDone(CompletionStage<?> stage) {
        try {
            return stage instanceof CompletableFuture
                    && stage.toCompletableFuture().isDone();
        } catch (Throwable e) {
            return false; // a class of somebody's own making
        }
    }
}
