package io.stratagem.spi;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Tasks of a {@link MapRun}. */
final class MapBatch extends Batch implements BiConsumer<@Nullable Object, @Nullable Throwable> {
    private final MapRun<?, ?> run;

    /** The input of a task, then its outcome. */
    private final @Nullable Object[] slots;

    /** What the inputs weigh, as {@link Weight} sees it. What is split off counts twice, until its batch is left. */
    long inputBytes;

    /** What the values weigh so far. Written by who settles, before the word. */
    private long resultBytes;

    /** What was cut off, to be read after this batch. Guarded by this; read by a reader who has seen it complete. */
    private @Nullable MapBatch continuation;

    /** How many outcomes the run's reader has taken. Only the reader uses it. */
    int read;

    /** Whether the run's reader has given that back. Guarded by the run. */
    boolean isLeft;

    /** Whether its results count in the run's window, too. Guarded by the run. */
    boolean isWeighed;

    /** Whether the run counts it among those of several tasks. Guarded by the run. */
    boolean isOfSeveral;

    /** Whether the run counts it among those that wait for another attempt. Guarded by the run. */
    boolean isDelayed;

    /** Links of the run's list of the batches that its reader has not left. Guarded by the run. */
    @Nullable
    MapBatch previous;

    @Nullable
    MapBatch next;

    /** Takes over the array. */
    MapBatch(MapRun<?, ?> run, @Nullable Object[] inputs, long inputBytes, @Nullable BatchDetails details) {
        super(run.terms(), inputs.length, details);
        this.run = run;
        this.inputBytes = inputBytes;
        if (details == null) {
            this.slots = inputs;
        } else {
            this.slots = inputs.clone();
            details.inputs = inputs;
        }
    }

    /** The inputs, if they are needed after their slots are overwritten; else the slots. */
    private @Nullable Object[] inputs() {
        BatchDetails mine = details;
        return mine == null ? slots : Objects.requireNonNull(mine.inputs);
    }

    @Override
    @Nullable
    Object inputOf(int index) {
        return inputs()[index];
    }

    /** What {@link #slot} looks into. */
    @Nullable
    Object[] slots() {
        return slots;
    }

    @Override
    @Nullable
    Object slot(int index) {
        return slots[index];
    }

    @Override
    void setOutcome(int index, Object outcome, @Nullable Object value) {
        slots[index] = outcome;
        resultBytes += Weight.bytes(value);
    }

    @Override
    void forgetInputs() {
        if (details != null) {
            Arrays.fill(inputs(), null);
        }
    }

    @Override
    Batch part(int from, int to, @Nullable BatchDetails partDetails) {
        @Nullable Object[] some = Arrays.copyOfRange(inputs(), from, to);
        long bytes = 0;
        for (Object input : some) {
            bytes += Weight.bytes(input);
        }
        return new MapBatch(run, some, bytes, partDetails);
    }

    @Override
    void link(Batch rest) {
        MapBatch after = (MapBatch) rest;
        after.continuation = continuation;
        continuation = after;
        run.adopt(after);
    }

    @Override
    void forgetCut(int from, Batch rest) {
        MapBatch after = (MapBatch) rest;
        Arrays.fill(inputs(), from, from + after.slots.length, null);
        run.moved(this, after.inputBytes);
    }

    /** What was cut off and is to be read next, or null. Only for a reader that has seen this batch complete. */
    synchronized @Nullable MapBatch continuation() {
        return continuation;
    }

    @Override
    void adopt(Batch again) {
        run.adoptDelayed((MapBatch) again);
    }

    @Override
    void delayEnded() {
        run.delayEnded(this);
    }

    @Override
    void listWait() {
        run.listWaits();
    }

    /** Itself: there may be very many that wait. */
    @Override
    BiConsumer<@Nullable Object, @Nullable Throwable> whenEnded() {
        return this;
    }

    @Override
    public void accept(@Nullable Object value, @Nullable Throwable failure) {
        ended(value, failure);
    }

    @Override
    void published() {
        run.published(this);
    }

    @Override
    void completed(@Nullable Worker by) {
        run.completed(this);
    }

    @Override
    boolean isUnwanted() {
        return run.isCancelled();
    }

    @Override
    Throwable cancellation() {
        return run.cancellation();
    }

    long resultBytes() {
        return resultBytes;
    }
}
