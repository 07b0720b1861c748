package io.stratagem.processpool;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.Workload;
import io.stratagem.processpool.WorkerDriver.PoolWorker;
import io.stratagem.processpool.WorkerProcess.StartException;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.Engine;
import io.stratagem.spi.Profile;
import io.stratagem.spi.Worker;
import java.io.ObjectInputFilter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Batches for worker processes: one queue, and a driver for each process. Drivers come when there is work and none is
 * idle, up to the limit, and go when they have been idle for a while.
 */
/* The circuit: when processes fail to start again and again and none is alive, what waits fails with the reason, and so
 * does what comes, until the circuit closes after a growing time; then the next batch is a trial.
 */
final class ProcessEngine implements Engine {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    private static final int MAX_BATCH = 4096;
    private static final int BATCHES_PER_WORKER = 4;
    private static final long TARGET_BATCH_NANOS = 2_000_000;
    private static final int TRIES_TO_START = 3;
    private static final long FIRST_PAUSE_NANOS = 1_000_000_000;
    private static final long LONGEST_PAUSE_NANOS = 30_000_000_000L;

    private final PoolSettings settings;
    private final Clock clock;
    private final Profile computeProfile;
    private final Profile otherProfile;
    private final ClassLoader loader;
    private final String classPath;

    /** Writes only. */
    private final Codec packing;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private final Deque<Batch> queue = new ArrayDeque<>();
    private final Set<WorkerDriver> drivers = new LinkedHashSet<>();
    private int idle;
    private int driversMade;
    private int failedStarts;
    private long openUntilNanos;
    private @Nullable StartException lastFailure;

    private volatile boolean isClosed;
    private volatile boolean isClosedNow;

    ProcessEngine(PoolSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.computeProfile =
                new Profile(settings.processes(), MAX_BATCH, BATCHES_PER_WORKER, TARGET_BATCH_NANOS, true);
        this.otherProfile = new Profile(settings.processes(), 1, BATCHES_PER_WORKER, TARGET_BATCH_NANOS, true);
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        this.loader = context != null ? context : ProcessEngine.class.getClassLoader();
        this.classPath = LaunchPath.find(context);
        this.packing = newCodec();
    }

    PoolSettings settings() {
        return settings;
    }

    Clock clock() {
        return clock;
    }

    /** Real time, whatever the strategy's clock says: what is watched is a process. */
    Clock watcher() {
        return Clock.system();
    }

    String classPath() {
        return classPath;
    }

    @Override
    public Profile profile(Kind kind) {
        return kind == Kind.COMPUTE ? computeProfile : otherProfile;
    }

    @Override
    public Object pack(Workload<?, ?> workload, Object command) {
        return new PackedCommand(packing, command, settings.maxMessageBytes(), WorkerDriver.inputOf(workload));
    }

    @Override
    public Loop loop() {
        throw new UnsupportedOperationException("asynchronous tasks get the loop of their worker process");
    }

    // ---------------------------------------------------------------------------------------------- batches

    @Override
    public void execute(Batch batch) {
        StartException open = null;
        WorkerDriver fresh = null;
        lock.lock();
        try {
            if (isClosed) {
                throw new RejectedExecutionException("the worker processes of '" + settings.name() + "' are closed");
            }
            if (isOpen() && drivers.isEmpty()) {
                open = lastFailure;
            } else {
                queue.addLast(batch);
                if (idle > 0) {
                    changed.signal();
                }
                fresh = driverIfNeeded();
            }
        } finally {
            lock.unlock();
        }
        if (open != null) {
            fail(List.of(batch), open);
        }
        start(fresh);
    }

    /** A new driver, if there is more work than idle drivers and there may be one more. */
    private @Nullable WorkerDriver driverIfNeeded() {
        assert lock.isHeldByCurrentThread();
        if (queue.size() <= idle || drivers.size() >= settings.processes() || isOpen()) {
            return null;
        }
        WorkerDriver driver = new WorkerDriver(this, settings.prefix() + ++driversMade, newCodec());
        drivers.add(driver);
        return driver;
    }

    private Codec newCodec() {
        ObjectInputFilter filter = Filters.fromWorker(settings.allowedPackages(), Filters.Limits.DEFAULT);
        return new Codec(loader, filter);
    }

    private void start(@Nullable WorkerDriver driver) {
        if (driver == null) {
            return;
        }
        boolean isStarted = false;
        try {
            driver.start();
            isStarted = true;
        } finally {
            if (!isStarted) {
                ended(driver);
            }
        }
    }

    /** Waits for a batch; null if the driver is to look after its process, or to end. */
    @Nullable
    Batch take(WorkerDriver driver) throws InterruptedException {
        long deadline = System.nanoTime() + settings.idleTimeout().toNanos();
        lock.lock();
        idle++;
        try {
            while (true) {
                if (driver.hasLostProcess()) {
                    return null;
                }
                Batch batch = pollWaiting();
                if (batch != null) {
                    return batch;
                }
                long left = deadline - System.nanoTime();
                if (isClosed || left <= 0) {
                    return null;
                }
                changed.awaitNanos(left);
            }
        } finally {
            idle--;
            lock.unlock();
        }
    }

    /** A further batch for a driver that has one, if it is of that workload, and no other driver is there for it. */
    @Nullable
    Batch takeAhead(Workload<?, ?> workload) {
        lock.lock();
        try {
            Batch next = queue.peekFirst();
            boolean othersMayTakeIt = queue.size() <= idle || drivers.size() < settings.processes();
            return next == null || next.workload() != workload || othersMayTakeIt ? null : pollIfWaiting();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Batch pollIfWaiting() {
        Batch batch = queue.pollFirst();
        return batch != null && batch.isWaiting() ? batch : null;
    }

    private @Nullable Batch pollWaiting() {
        assert lock.isHeldByCurrentThread();
        Batch batch = queue.pollFirst();
        while (batch != null && !batch.isWaiting()) {
            batch = queue.pollFirst();
        }
        return batch;
    }

    /** Drivers look after their processes. */
    void wakeAll() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void stop(Batch batch, int index, Worker worker) {
        if (worker instanceof PoolWorker ours) {
            ours.driver().stop(batch, index);
        }
    }

    // ---------------------------------------------------------------------------------------------- starting

    private boolean isOpen() {
        assert lock.isHeldByCurrentThread();
        return lastFailure != null && failedStarts >= TRIES_TO_START && System.nanoTime() - openUntilNanos < 0;
    }

    /** A process has been started. */
    void started() {
        lock.lock();
        try {
            failedStarts = 0;
            lastFailure = null;
        } finally {
            lock.unlock();
        }
    }

    /** A process could not be started. False if the driver is to give up. */
    boolean mayStartAgain(StartException failure) {
        lock.lock();
        try {
            lastFailure = failure;
            failedStarts = failure.isFinal() ? Math.max(TRIES_TO_START, failedStarts + 1) : failedStarts + 1;
            if (failedStarts < TRIES_TO_START) {
                return true;
            }
            int pauses = Math.min(failedStarts - TRIES_TO_START, 10);
            openUntilNanos = System.nanoTime() + Math.min(LONGEST_PAUSE_NANOS, FIRST_PAUSE_NANOS << pauses);
        } finally {
            lock.unlock();
        }
        log.error("No more worker processes are started for a while", failure);
        return false;
    }

    /** A driver has ended; its work, if there is any, is another's. */
    void ended(WorkerDriver driver) {
        WorkerDriver fresh = null;
        List<Batch> given = List.of();
        StartException reason;
        lock.lock();
        try {
            drivers.remove(driver);
            reason = lastFailure;
            if (isOpen() && drivers.isEmpty()) {
                given = new ArrayList<>(queue);
                queue.clear();
            } else if (!queue.isEmpty() && !isClosedNow) {
                fresh = driverIfNeeded();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (reason != null) {
            fail(given, reason);
        }
        start(fresh);
    }

    /** Fails what cannot be run since no process can be started. */
    private void fail(List<Batch> given, StartException reason) {
        Worker nobody = new Worker(settings.prefix() + "none", this);
        for (Batch batch : given) {
            @Nullable Object[] inputs = batch.claim(nobody);
            for (int i = 0; inputs != null && i < inputs.length; i++) {
                batch.failed(i, reason);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- looking, closing

    @Override
    public List<WorkerView> workers(long nowNanos) {
        lock.lock();
        try {
            return drivers.stream().map(driver -> driver.view(nowNanos)).toList();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int abandoned() {
        return 0;
    }

    boolean isClosed() {
        return isClosed;
    }

    boolean isClosedNow() {
        return isClosedNow;
    }

    boolean hasWork() {
        lock.lock();
        try {
            return !queue.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        isClosed = true;
        wakeAll();
    }

    @Override
    public Collection<Batch> closeNow() {
        List<Batch> given = new ArrayList<>();
        lock.lock();
        try {
            isClosed = true;
            isClosedNow = true;
            given.addAll(queue);
            queue.clear();
            drivers.forEach(driver -> driver.killNow(given));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return given;
    }

    @Override
    public boolean awaitTermination(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        lock.lockInterruptibly();
        try {
            while (!drivers.isEmpty()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
