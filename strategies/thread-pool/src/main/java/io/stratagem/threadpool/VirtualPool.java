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
        lock.lock();
        try {
            if (isClosed) {
                throw closed();
            }
            if (threads < settings.maxThreads()) {
                startThread(work);
                return;
            }
            // A thread that leaves takes the lock, and then sees it.
            queue.add(work);
        } finally {
            lock.unlock();
        }
    }

    @Override
    void work(PoolWorker worker, @Nullable Object first) {
        Object work = first;
        do {
            while (work != null) {
                perform(worker, work);
                work = worker.isAbandoned() ? null : queue.poll();
            }
            if (leaveUnlessWork(worker)) {
                return;
            }
            work = queue.poll();
        } while (true);
    }

    @Override
    void replace() {
        lock.lock();
        try {
            Object work = threads < settings.maxThreads() ? queue.poll() : null;
            if (work != null) {
                startThread(work);
            }
        } finally {
            lock.unlock();
        }
    }
}
