package io.stratagem.threadpool;

import io.stratagem.Kind;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import io.stratagem.threadpool.ThreadLoop.Offloaded;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that take work from one queue, started on demand up to a limit. A thread that was interrupted because its
 * task was given up, and goes on with it, is abandoned: it counts no longer, another may take its place, and it ends
 * when its task returns after all.
 */
/* What is queued are batches and callbacks, which have no type in common; nothing else gets in.
 *
 * Work is added to the queue before it is looked at whether a thread is needed; a thread leaves those that count before
 * it looks whether work is left; so one of the two sees the other. Threads come and go by one atomic step on their
 * number, since virtual ones do so for each task. The lock is for what is rare: abandoned threads, waiting for the end,
 * and the idle threads of PlatformPool. It is held for a few instructions, never across user code. Inside it a batch's
 * monitor may be taken, and inside that a worker's, to abandon a thread; never the other way round.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // of what is updated under the lock
abstract class WorkerPool {
    private static final Logger log = LoggerFactory.getLogger(ThreadPoolStrategy.class);

    private static final long LOOK_AGAIN_NANOS = 10_000_000;

    /** So many waiting threads may be replaced: without a bound each of them might take a task that waits. */
    private static final int MAX_REPLACED = 64;

    /** After a thread could not be started; also the shortest time between two entries in the log about that. */
    private static final long START_AGAIN_NANOS = 100_000_000;

    final PoolSettings settings;
    final WorkQueue queue = new WorkQueue();
    final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private final ThreadEngine owner;
    private final Clock clock;
    private final Set<PoolWorker> workers = ConcurrentHashMap.newKeySet();

    private final AtomicLong threadsMade = new AtomicLong();

    /** How many threads count: those that there are, without the abandoned ones. */
    private final AtomicInteger threads = new AtomicInteger();

    /** Whether the clock is to try again to start a thread. */
    private final AtomicBoolean isStartDue = new AtomicBoolean();

    /** How many do not count because they wait for other tasks. */
    private final AtomicInteger replaced = new AtomicInteger();

    /** Written under the lock. */
    private volatile int abandoned;

    /** Written under the lock. */
    volatile boolean isClosed;

    /** Written before closeNow looks at what threads run; read when a thread has said what it runs. */
    private volatile boolean isClosedNow;

    WorkerPool(PoolSettings settings, ThreadEngine owner, Clock clock) {
        this.settings = settings;
        this.owner = owner;
        this.clock = clock;
    }

    // ---------------------------------------------------------------------------------------------- work

    final void execute(Batch batch) {
        take(batch);
    }

    final void execute(Runnable callback) {
        take(callback);
    }

    private void take(Object work) {
        if (abandoned >= settings.maxAbandoned()) {
            throw new RejectedExecutionException(tooManyAbandoned());
        }
        if (isClosed) {
            throw new RejectedExecutionException(closedMessage());
        }
        add(work);
    }

    private String closedMessage() {
        return "the threads of '" + settings.name() + "' are closed";
    }

    /** Queues the work and sees to it that a thread takes it. */
    abstract void add(Object work);

    /** What the thread does until it is to end; {@code first} was handed to it at its start. */
    abstract void work(PoolWorker worker, @Nullable Object first);

    final void perform(PoolWorker worker, Object work) {
        if (worker.first != null) {
            worker.first = null;
        }
        if (work instanceof Batch batch) {
            if (batch.workload().kind() == Kind.ASYNC) {
                batch.runAsync(worker, owner::threadLoop);
            } else {
                batch.run(worker);
            }
        } else {
            Runnable callback = (Runnable) work;
            worker.callback = callback;
            try {
                if (isClosedNow && callback instanceof Offloaded<?>) {
                    giveUp(callback); // closeNow may have looked for it just before
                } else {
                    callback.run();
                }
            } catch (Throwable e) {
                log.error("A callback failed on {}", worker.name(), e);
            }
            worker.callback = null;
            worker.forgetTime();
        }
        // A listener, a dependent stage or a context may have left a flag as well as a callback.
        Thread.interrupted();
    }

    // ---------------------------------------------------------------------------------------------- threads

    final boolean hasRoom() {
        return threads.get() < settings.maxThreads();
    }

    /** Counts one more thread, if there may be one more. */
    final boolean tryCount() {
        for (; ; ) {
            int now = threads.get();
            if (now >= settings.maxThreads()) {
                return false;
            }
            if (threads.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    /** Counts a thread, if there is none. */
    final boolean tryCountFirst() {
        return threads.get() == 0 && threads.compareAndSet(0, 1);
    }

    final void uncount() {
        threads.decrementAndGet();
    }

    /** Takes a thread off the number if there are too many, as there are for a while when a wait has ended. */
    final boolean leaveIfTooMany(PoolWorker worker) {
        for (; ; ) {
            int now = threads.get();
            if (now <= settings.maxThreads()) {
                return false;
            }
            if (threads.compareAndSet(now, now - 1)) {
                if (!worker.stopCounting()) {
                    threads.incrementAndGet(); // it was abandoned just now
                }
                return true;
            }
        }
    }

    /**
     * Starts a thread that has been counted, for work that is not queued.
     *
     * @return false if it could not be started, and the work is to be queued for the others
     * @throws RejectedExecutionException if it could not be started, and there is no other
     */
    final boolean startOrThrow(Object first) {
        try {
            startThread(first);
            return true;
        } catch (Throwable e) {
            startLater(e);
            if (threads.get() == 0) {
                throw new RejectedExecutionException("no thread of '" + settings.name() + "' could be started", e);
            }
            return false;
        }
    }

    /** Starts a thread that has been counted. False if it could not be started: what is queued then gets another try. */
    final boolean tryStart(@Nullable Object first) {
        try {
            startThread(first);
            return true;
        } catch (Throwable e) {
            startLater(e);
            return false;
        }
    }

    private void startThread(@Nullable Object first) {
        PoolWorker worker = null;
        boolean isStarted = false;
        try {
            worker = new PoolWorker(threadsMade.incrementAndGet(), first);
            workers.add(worker);
            worker.thread.start();
            isStarted = true;
        } finally {
            if (!isStarted) {
                if (worker != null) {
                    workers.remove(worker);
                }
                uncount();
            }
        }
    }

    /** Tries again later: others may have relied on the thread, and what is queued must not wait for more to come. */
    private void startLater(Throwable why) {
        if (!isStartDue.compareAndSet(false, true)) {
            return;
        }
        log.error("A thread of '{}' could not be started; queued work waits for the others", settings.name(), why);
        try {
            clock.schedule(this::startAgain, START_AGAIN_NANOS);
        } catch (Throwable e) {
            isStartDue.set(false); // not even the clock can start its thread
            log.error("Nor could it be arranged to try again", e);
        }
    }

    private void startAgain() {
        isStartDue.set(false);
        replace();
    }

    /** Leaves the threads that count, unless there is work after all. */
    final boolean leaveUnlessWork(PoolWorker worker) {
        if (!worker.stopCounting()) {
            return true; // it is abandoned
        }
        uncount();
        if (queue.isEmpty() || !tryCount()) {
            return true;
        }
        worker.countAgain();
        return false;
    }

    private void exit(PoolWorker worker) {
        if (worker.stopCounting()) {
            uncount();
            replace(); // it did not end as it should, and may have been the only one
        }
        // From here on nobody can abandon it.
        if (!isClosed && !worker.isAbandoned) {
            workers.remove(worker);
            return;
        }
        lock.lock();
        try {
            if (worker.isAbandoned) {
                abandoned--; // before it leaves: who reads without the lock and sees no worker sees none abandoned
            }
            workers.remove(worker);
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** A thread of this pool. */
    final class PoolWorker extends Worker implements Runnable {
        final Thread thread;
        private volatile @Nullable Object first;

        /** Written under the lock, and in one step with {@code counts}. */
        private volatile boolean isAbandoned;

        // Guarded by this.
        private boolean counts = true;
        private boolean isReplaced;

        /** What it runs that is no batch, for {@code closeNow}. */
        private volatile @Nullable Runnable callback;

        private final long number;

        private PoolWorker(long number, @Nullable Object first) {
            super(settings.name() + "-" + number, owner);
            this.number = number;
            this.first = first;
            this.thread = settings.factory().newThread(this);
            this.thread.setName(name());
        }

        WorkerPool pool() {
            return WorkerPool.this;
        }

        /** Neighbours by age are neighbours in the set of workers: a thread for each task makes that a hot place. */
        @Override
        public int hashCode() {
            return Long.hashCode(number);
        }

        boolean isAbandoned() {
            return isAbandoned;
        }

        @Override
        protected boolean isCallInterrupted() {
            return callback instanceof Offloaded<?> call && call.isInterrupted();
        }

        /** True for the one who has to take it off the number of threads. */
        private synchronized boolean stopCounting() {
            boolean wasCounting = counts;
            counts = false;
            return wasCounting;
        }

        /** Stops counting since others are to take its place; false if it had stopped before. */
        private synchronized boolean tryAbandon() {
            if (isAbandoned || !(stopCounting() || isReplaced)) {
                return false;
            }
            if (!isReplaced) {
                uncount();
            }
            isAbandoned = true;
            return true;
        }

        private synchronized boolean tryReplace() {
            isReplaced = stopCounting();
            return isReplaced;
        }

        /** True for one that was replaced. */
        private synchronized boolean comeBack() {
            boolean wasReplaced = isReplaced;
            isReplaced = false;
            if (wasReplaced && !isAbandoned) {
                counts = true;
                threads.incrementAndGet();
            }
            return wasReplaced;
        }

        private synchronized void countAgain() {
            counts = true;
        }

        @Override
        public void run() {
            bindToThread();
            try {
                work(this, first);
            } finally {
                exit(this);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- waiting for tasks

    /** The worker waits for other tasks, which may need a thread: another may take its place. */
    final void beginWait(PoolWorker worker) {
        if (replaced.incrementAndGet() > MAX_REPLACED || !worker.tryReplace()) {
            replaced.decrementAndGet();
            return;
        }
        uncount();
        replace();
    }

    /** There may now be one thread too many, until the first of them has done its work. */
    final void endWait(PoolWorker worker) {
        if (worker.comeBack()) {
            replaced.decrementAndGet();
        }
    }

    // ---------------------------------------------------------------------------------------------- abandoning

    /** The task was given up and its thread interrupted: looks after a while whether that helped. */
    final void watch(Batch batch, PoolWorker worker) {
        watch(batch, worker, settings.graceNanos());
    }

    private void watch(Batch batch, PoolWorker worker, long graceNanos) {
        if (!batch.isStuck()) {
            return; // it had no thread, being asynchronous, or has given it back
        }
        clock.schedule(
                () -> {
                    if (batch.isStuck()) {
                        abandon(batch, worker);
                    }
                },
                graceNanos);
    }

    private void abandon(Batch batch, PoolWorker worker) {
        if (abandoned >= settings.maxAbandoned()) {
            // Until there is room for one more, or it returns; without a grace it would keep the clock busy.
            watch(batch, worker, Math.max(settings.graceNanos(), LOOK_AGAIN_NANOS));
            return;
        }
        lock.lock();
        try {
            if (!batch.ifStuck(worker::tryAbandon)) {
                return; // or it has left the task just now
            }
            abandoned++;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
        log.warn(
                "Thread {} goes on with workload '{}' although it was interrupted; it is replaced. {} of at most {} such",
                worker.name(),
                batch.workload().name(),
                abandoned,
                settings.maxAbandoned());
        replace();
    }

    /** Sees to it that a thread takes what is queued: one was abandoned, or could not be started. Never throws. */
    abstract void replace();

    final int abandoned() {
        return abandoned;
    }

    private String tooManyAbandoned() {
        List<String> stuck = new ArrayList<>();
        for (PoolWorker worker : workers) {
            Batch batch = worker.batch();
            if (worker.isAbandoned && batch != null) {
                stuck.add(worker.name() + " (workload '" + batch.workload().name() + "')");
            }
        }
        return settings.maxAbandoned() + " threads go on with tasks that were given up, the limit (maxAbandoned): "
                + stuck + "; let their code react to interrupts, or isolate it";
    }

    // ---------------------------------------------------------------------------------------------- the end

    final void addViews(List<WorkerView> views, long nowNanos) {
        workers.forEach(worker -> views.add(worker.view(nowNanos)));
    }

    void close() {
        lock.lock();
        try {
            isClosed = true;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Closes, and adds to the collection the batches that were queued or run. */
    final void closeNow(Collection<Batch> given) {
        isClosedNow = true;
        close();
        for (Object work = queue.poll(); work != null; work = queue.poll()) {
            if (work instanceof Batch batch) {
                given.add(batch);
            } else {
                giveUp((Runnable) work);
            }
        }
        for (PoolWorker worker : workers) {
            if (worker.first instanceof Batch batch) {
                given.add(batch);
            }
            worker.batches(given);
            if (worker.callback instanceof Offloaded<?> call) {
                giveUp(call);
            }
        }
    }

    /** Fails a call that was off-loaded; a callback is run, since it completes what others wait for. */
    private void giveUp(Runnable work) {
        runElsewhere(
                work instanceof Offloaded<?> call
                        ? () -> call.giveUp(new CancellationException(closedMessage()))
                        : work);
    }

    /** Either runs the user's code, which must not hold up who closes. */
    private void runElsewhere(Runnable end) {
        try {
            ServiceThread.callbacks().execute(end);
        } catch (Throwable e) {
            log.error("A callback of '{}' was lost when it was closed", settings.name(), e);
        }
    }

    final boolean awaitTermination(long limitNanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long deadline = System.nanoTime() + limitNanos;
            while (workers.size() > abandoned) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                // A thread that ends just when this pool is closed need not see that, and then does not signal.
                ended.awaitNanos(Math.min(left, LOOK_AGAIN_NANOS));
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
