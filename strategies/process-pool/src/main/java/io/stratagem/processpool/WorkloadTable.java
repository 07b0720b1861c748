package io.stratagem.processpool;

import io.stratagem.Workload;
import io.stratagem.processpool.LoaderTable.Slot;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * By which numbers a worker knows workloads, each with the class loader that its tasks were submitted with. It keeps
 * those used last; to the number of one that was dropped another may be defined. Workloads and loaders are compared by
 * identity, and not kept alive. Not for several threads.
 */
final class WorkloadTable {
    static final int CAPACITY = 256;

    private final Map<Key, Defined> all = new LinkedHashMap<>(16, 0.75f, true);
    private final Deque<Integer> free = new ArrayDeque<>();

    /** The one that was asked for last. */
    private @Nullable Defined last;

    private static final class Key extends WeakReference<Workload<?, ?>> {
        private final WeakReference<@Nullable ClassLoader> context;
        private final boolean hasContext; // the reference to one that is gone is as that to none
        private final int hash;

        Key(Workload<?, ?> workload, @Nullable ClassLoader context) {
            super(workload);
            this.context = new WeakReference<>(context);
            this.hasContext = context != null;
            this.hash = 31 * System.identityHashCode(workload) + System.identityHashCode(context);
        }

        boolean is(Workload<?, ?> aWorkload, @Nullable ClassLoader aContext) {
            return refersTo(aWorkload) && hasContext == (aContext != null) && context.refersTo(aContext);
        }

        @Override
        public boolean equals(@Nullable Object object) {
            if (this == object) {
                return true;
            }
            Workload<?, ?> workload = get();
            return object instanceof Key other && workload != null && other.is(workload, context.get());
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /** A workload at the worker: the function has been sent. */
    static final class Defined {
        private final Key key;
        private final int number;
        private final Slot values;

        private Defined(Key key, int number, Slot values) {
            this.key = key;
            this.number = number;
            this.values = values;
        }

        int number() {
            return number;
        }

        /** The loader that rebuilds its values. */
        Slot values() {
            return values;
        }
    }

    /** The workload as it was defined with that context, or null if it was not. */
    @Nullable
    Defined find(Workload<?, ?> workload, @Nullable ClassLoader context) {
        Defined present = last;
        if (present != null && present.key.is(workload, context)) {
            return present;
        }
        present = all.get(new Key(workload, context));
        if (present != null) {
            last = present;
        }
        return present;
    }

    /** Gives a workload a number. */
    Defined add(Workload<?, ?> workload, @Nullable ClassLoader context, Slot values) {
        if (all.size() == CAPACITY) {
            Iterator<Defined> eldest = all.values().iterator();
            free.add(eldest.next().number);
            eldest.remove();
            last = null;
        }
        int number = free.isEmpty() ? all.size() : free.remove();
        Defined added = new Defined(new Key(workload, context), number, values);
        all.put(added.key, added);
        return added;
    }

    void remove(Defined defined) {
        if (all.remove(defined.key) != null) {
            free.add(defined.number);
        }
        last = null;
    }
}
