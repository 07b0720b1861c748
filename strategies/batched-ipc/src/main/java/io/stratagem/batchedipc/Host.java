package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.Hosted;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/** What a shared collection is in the JVM where it was made. Any thread may use it. */
abstract class Host implements Hosted {
    private final String kind;
    private volatile @Nullable WeakReference<Object> owner;

    /** A value of the user's in a place of its own: the same only as itself, whatever the value's equals says. */
    record Numbered(Object value, long number) {
        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(number);
        }
    }

    Host(String kind) {
        this.kind = kind;
    }

    /** What is in the place, or null if there is none. */
    static @Nullable Object value(@Nullable Numbered place) {
        return place == null ? null : place.value();
    }

    /** The collection that the user has here. If nobody has it any more, this is closed: so it does not keep it alive. */
    void ownedBy(Object collection) {
        owner = new WeakReference<>(collection);
    }

    /** That collection, or null if it has been forgotten. */
    @Nullable
    Object owner() {
        WeakReference<Object> present = owner;
        return present == null ? null : present.get();
    }

    /** Fails who waits and who asks from now on. Does not block, and runs no code of the application's. */
    abstract void close();

    IllegalStateException closed() {
        return new IllegalStateException(
                "the " + kind + " is closed, or whoever made it has not kept a reference to it");
    }
}
