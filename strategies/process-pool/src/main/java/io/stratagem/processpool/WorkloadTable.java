package io.stratagem.processpool;

import io.stratagem.Workload;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * By which numbers a worker knows workloads. It keeps those used last; to the number of one that was dropped another
 * workload may be defined. Workloads are compared by identity. Not for several threads.
 */
final class WorkloadTable {
    static final int CAPACITY = 256;

    private final Map<Workload<?, ?>, Integer> ids = new LinkedHashMap<>(16, 0.75f, true);
    private final Deque<Integer> free = new ArrayDeque<>();

    /** The one that was asked for last, and its number. */
    private @Nullable Workload<?, ?> last;

    private int lastId;

    /** The workload's number, or −1 if it has none. */
    int idOf(Workload<?, ?> workload) {
        if (workload == last) {
            return lastId;
        }
        Integer id = ids.get(workload);
        if (id == null) {
            return -1;
        }
        last = workload;
        lastId = id;
        return id;
    }

    /** Gives a workload a number. */
    int add(Workload<?, ?> workload) {
        if (ids.size() == CAPACITY) {
            Iterator<Integer> eldest = ids.values().iterator();
            free.add(eldest.next());
            eldest.remove();
            last = null;
        }
        Integer id = free.isEmpty() ? Integer.valueOf(ids.size()) : free.remove();
        ids.put(workload, id);
        return id;
    }

    void remove(Workload<?, ?> workload) {
        Integer id = ids.remove(workload);
        if (id != null) {
            free.add(id);
        }
        last = null;
    }

    void clear() {
        ids.clear();
        free.clear();
        last = null;
    }
}
