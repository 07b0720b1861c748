package io.stratagem.threadpool;

import io.stratagem.spi.Clock;
import org.jspecify.annotations.Nullable;

/**
 * A virtual thread for each piece of work, up to the limit. What comes beyond waits in the queue, and is taken by the
 * threads that have done theirs.
 */
final class VirtualPool extends WorkerPool {

    VirtualPool(PoolSettings settings, ThreadEngine owner, Clock clock) {
        super(settings, owner, clock);
    }

    @Override
    void add(Object work) {
        if (tryCount() && startOrThrow(work)) {
            return;
        }
        queue.add(work);
        replace();
    }

    @Override
    void work(PoolWorker worker, @Nullable Object first) {
        Object work = first;
        do {
            while (work != null) {
                perform(worker, work);
                work = worker.isAbandoned() || leaveIfTooMany(worker) ? null : queue.poll();
            }
            if (leaveUnlessWork(worker)) {
                return;
            }
            work = queue.poll();
        } while (true);
    }

    @Override
    void replace() {
        while (!queue.isEmpty() && tryCount()) {
            Object work = queue.poll();
            if (work == null) {
                uncount(); // who was refused meanwhile is seen by the next look into the queue
            } else if (!tryStart(work)) {
                queue.add(work); // it may be another caller's
                return;
            }
        }
    }
}
