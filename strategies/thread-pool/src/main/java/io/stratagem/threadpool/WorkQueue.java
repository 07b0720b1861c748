package io.stratagem.threadpool;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * An unbounded queue for many producers and consumers: JCTools' bounded one, which is several times faster than the
 * JDK's, replaced by a larger one when it is full for the first time; and an unbounded one for what does not fit there
 * either. {@code benchmarks} has the comparison. First in, first out, except that elements offered while one of the
 * queues fills up may change places with their neighbours.
 */
/* Once there is a larger queue nothing new goes into the first one, except from who was just about to add to it: so it
 * is still looked at, but its cache lines hardly ever change.
 */
final class WorkQueue {
    private static final int FIRST_CAPACITY = 1 << 12;

    /** As many as may be pending by default. */
    private static final int LARGER_CAPACITY = 1 << 16;

    private final MpmcVarHandleArrayQueue<Object> first = new MpmcVarHandleArrayQueue<>(FIRST_CAPACITY);
    private volatile @Nullable MpmcVarHandleArrayQueue<Object> larger;
    private final Queue<Object> overflow = new ConcurrentLinkedQueue<>();

    void add(Object work) {
        MpmcVarHandleArrayQueue<Object> present = larger;
        if (present == null) {
            if (first.offer(work)) {
                return;
            }
            present = grow();
        }
        if (!overflow.isEmpty() || !present.offer(work)) {
            overflow.add(work);
        }
    }

    private synchronized MpmcVarHandleArrayQueue<Object> grow() {
        MpmcVarHandleArrayQueue<Object> present = larger;
        if (present == null) {
            present = new MpmcVarHandleArrayQueue<>(LARGER_CAPACITY);
            larger = present;
        }
        return present;
    }

    @Nullable
    Object poll() {
        MpmcVarHandleArrayQueue<Object> present = larger;
        if (present == null) {
            return first.poll();
        }
        Object work = first.isEmpty() ? null : first.poll();
        if (work == null) {
            work = present.poll();
        }
        return work != null ? work : overflow.poll();
    }

    boolean isEmpty() {
        MpmcVarHandleArrayQueue<Object> present = larger;
        return first.isEmpty() && (present == null || (present.isEmpty() && overflow.isEmpty()));
    }
}
