package io.stratagem.threadpool;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * An unbounded queue for many producers and consumers: JCTools' bounded one, which is several times faster than the
 * JDK's, and behind it an unbounded one for what does not fit. {@code benchmarks} has the comparison. First in, first
 * out, except that elements offered while the first queue fills up may change places with their neighbours.
 */
final class WorkQueue {
    private static final int CAPACITY = 4096;

    private final MpmcVarHandleArrayQueue<Object> front = new MpmcVarHandleArrayQueue<>(CAPACITY);
    private final Queue<Object> overflow = new ConcurrentLinkedQueue<>();

    void add(Object work) {
        if (!overflow.isEmpty() || !front.offer(work)) {
            overflow.add(work);
        }
    }

    @Nullable
    Object poll() {
        Object work = front.poll();
        return work != null ? work : overflow.poll();
    }

    boolean isEmpty() {
        return front.isEmpty() && overflow.isEmpty();
    }
}
