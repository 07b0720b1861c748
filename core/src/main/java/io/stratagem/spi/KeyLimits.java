package io.stratagem.spi;

import io.stratagem.Workload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the tasks of one key within the limit of their workload: that many are at the engine, the others wait here, in
 * order and without a worker. A key that has no task is forgotten.
 */
/* A batch, which has one task then, gets its place before it is handed to the engine, and gives it back when no worker
 * is at it any more: when its task has its outcome, or, if it was taken (timeout, cancellation), when the worker has left
 * it. Who gives a place back gives it to the task that has waited longest, and hands that to the engine.
 *
 * What waits is also in the strategy's list, so that `closeNow` finds it. Whoever cancels it settles it, and so it
 * leaves from here. A batch that nobody wants any more is not handed out: who cancels its run or future cancels it, too,
 * and handing it out would be a recursion through all that wait.
 *
 * The monitor is a leaf. Keys are compared under it, as in any map; their hash is computed before.
 */
final class KeyLimits {
    /** Guarded by this. */
    private final Map<Key, Lane> lanes = new HashMap<>();

    /** A key of one workload: each workload has a limit of its own. */
    private record Key(Workload<?, ?> workload, Object value, int hash) {
        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that
                    && hash == that.hash
                    && workload == that.workload
                    && value.equals(that.value);
        }
    }

    /** The tasks of one key. */
    private static final class Lane {
        private final Key key; // the map's own: to find it by that calls no code of the user's
        private int inFlight;
        private final Set<Place> waiting = new LinkedHashSet<>(); // cancelling one of many must not search

        Lane(Key key) {
            this.key = key;
        }
    }

    /** NEW → WAITING → TAKEN → LEFT; WAITING may be left out, and LEFT may come at any time. */
    private enum State {
        NEW,
        WAITING,
        TAKEN,
        LEFT
    }

    /** What one attempt at a task has to do with its key. Its fields that change are guarded by the KeyLimits. */
    static final class Place {
        private final @Nullable Key key;
        private final @Nullable Throwable failure;
        private State state = State.NEW;

        /** That it is in; null as long as it is new. */
        private @Nullable Lane lane;

        /** Who waits. */
        private @Nullable Batch batch;

        private Place(@Nullable Key key, @Nullable Throwable failure) {
            this.key = key;
            this.failure = failure;
        }

        /** Why there is no key, or null. */
        @Nullable
        Throwable failure() {
            return failure;
        }

        /** For another attempt at the same task. */
        Place anew() {
            return new Place(key, failure);
        }
    }

    /** Asks the workload for the key of an input. */
    static Place place(Terms terms, @Nullable Object input) {
        try {
            Object value = terms.workload.keyOf(input);
            return new Place(new Key(terms.workload, value, value.hashCode()), null);
        } catch (Throwable e) {
            return new Place(null, e);
        }
    }

    /**
     * Gives the batch a place, or has it wait for one.
     *
     * @return whether it has a place
     */
    synchronized boolean enter(Place place, Batch batch) {
        Key key = place.key;
        if (place.state == State.TAKEN) { // it comes back from an engine that did not run it
            batch.admit();
            return true;
        }
        if (key == null || place.state != State.NEW) { // it was cancelled
            return false;
        }
        Lane lane = lanes.computeIfAbsent(key, Lane::new); // keys may not be fit to be compared
        place.lane = lane;
        if (lane.inFlight < batch.terms.limitPerKey) {
            take(lane, place, batch);
            return true;
        }
        place.state = State.WAITING;
        place.batch = batch;
        lane.waiting.add(place);
        batch.terms.strategy.list(batch);
        return false;
    }

    /** The place is needed no more, or never will be. May be said more than once. */
    void leave(Place place) {
        List<Runnable> cancellations = new ArrayList<>(0);
        Place next = giveBack(place);
        while (next != null) {
            Batch batch = Objects.requireNonNull(next.batch);
            Throwable refusal = batch.terms.strategy.tryExecute(batch);
            if (refusal == null) {
                EngineStrategy.cancelIfUnwanted(batch);
                break;
            }
            cancellations.add(() -> batch.cancel(refusal));
            next = giveBack(next);
        }
        cancellations.forEach(Runnable::run); // not before: what depends on these tasks may take long
    }

    /** Returns who has the place now. */
    private synchronized @Nullable Place giveBack(Place place) {
        State former = place.state;
        place.state = State.LEFT;
        Lane lane = place.lane;
        if (lane == null) {
            return null;
        }
        if (former == State.WAITING) {
            lane.waiting.remove(place);
        }
        if (former != State.TAKEN) {
            return null;
        }
        lane.inFlight--;
        Place next = next(lane);
        if (lane.inFlight == 0) {
            lanes.remove(lane.key);
        }
        return next;
    }

    private @Nullable Place next(Lane lane) {
        Iterator<Place> waiting = lane.waiting.iterator();
        while (waiting.hasNext()) {
            Place place = waiting.next();
            Batch batch = Objects.requireNonNull(place.batch);
            waiting.remove();
            if (batch.isUnwanted() || batch.terms.strategy.isClosedNow()) {
                place.state = State.LEFT;
            } else {
                batch.terms.strategy.unlist(batch);
                take(lane, place, batch);
                return place;
            }
        }
        return null;
    }

    private static void take(Lane lane, Place place, Batch batch) {
        lane.inFlight++;
        place.state = State.TAKEN;
        batch.admit();
    }
}
