package io.stratagem.spi;

import org.jspecify.annotations.Nullable;

/** What a {@link Batch} knows besides for timeouts, further attempts, keys and listeners. */
final class BatchDetails {
    final long firstTaskId;
    final int attempts;

    /** When the first attempt of the task began; only for further attempts. */
    final long firstStartNanos;

    /** When the running task began: the zero of its timeout. Written before the word that claims it. */
    volatile long taskStartNanos;

    volatile Clock.@Nullable Timer timer;

    /** The place of the one task within the limit of its key, or null. A batch that gives its task away loses it. */
    volatile KeyLimits.@Nullable Place place;

    /** Whether it was claimed for a worker elsewhere. Guarded by the batch. */
    boolean isElsewhere;

    /** Which task a worker elsewhere has started last. Guarded by the batch. */
    int lastStarted = -1;

    /** Whether a task was taken whose worker will say that it has left it. Guarded by the batch. */
    boolean isLeftLater;

    /** The inputs of a {@link MapBatch}. Only that uses it. */
    @Nullable
    Object @Nullable [] inputs;

    BatchDetails(long firstTaskId, KeyLimits.@Nullable Place place) {
        this(firstTaskId, 1, 0, place);
    }

    private BatchDetails(long firstTaskId, int attempts, long firstStartNanos, KeyLimits.@Nullable Place place) {
        this.firstTaskId = firstTaskId;
        this.attempts = attempts;
        this.firstStartNanos = firstStartNanos;
        this.place = place;
    }

    /** For tasks that go elsewhere, from the given one on. */
    BatchDetails from(int index) {
        KeyLimits.Place given = place;
        place = null;
        return new BatchDetails(firstTaskId + index, attempts, firstStartNanos, given);
    }

    BatchDetails ofNextAttempt(int index, long beganNanos) {
        KeyLimits.Place former = place;
        return new BatchDetails(firstTaskId + index, attempts + 1, beganNanos, former == null ? null : former.anew());
    }

    void disarm() {
        Clock.Timer armed = timer;
        if (armed != null) {
            armed.cancel();
        }
    }
}
