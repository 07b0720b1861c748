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
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Batches for worker processes: one queue, and a driver for each process. Drivers come when there is work and none is
 * idle, up to the limit, and go when they have been idle for a while.
 */
/* Idle drivers wait each for itself, and who came last is woken first: so those that are not needed stay idle and end.
 * While the circuit is open and no process is alive, what waits and what comes fails with the reason.
 */
final class ProcessEngine implements Engine {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    private static final int MAX_BATCH = TaskPage.MAX_BATCH;
    private static final int BATCHES_PER_WORKER = 4;
    private static final long TARGET_BATCH_NANOS = 2_000_000;

    /** The input of a task that is gathered takes no more. */
    private static final int GATHERED_BYTES = 512;

    private final PoolSettings settings;
    private final Clock clock;
    private final Spare spare = new Spare(this);
    private final Trust trust = new Trust();
    private final Suspects suspects = new Suspects();
    private final Traffic traffic = new Traffic();
    private final LaunchPath launchPath;
    private final WeakReference<@Nullable ClassLoader> loader;

    private final ObjectInputFilter filter;

    /** Writes only. */
    private final Codec codec;

    private final SerializedFunctions functions;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private final Deque<Batch> queue = new ArrayDeque<>();
    private final Set<WorkerDriver> drivers = new LinkedHashSet<>();
    private final Circuit circuit = new Circuit();

    /** The idle drivers that nobody has woken, the last one first. */
    private final Deque<WorkerDriver> waiting = new ArrayDeque<>();

    /** How many drivers are idle, woken or not, and not lent. */
    private int idle;

    private int driversMade;
    private int releasing;

    /** May be −1 for a moment, if one comes back at once. */
    private final AtomicInteger abandoned = new AtomicInteger();

    private volatile int processes;
    private volatile boolean isClosed;
    private volatile boolean isClosedNow;

    ProcessEngine(PoolSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.processes = settings.processes();
        this.launchPath = LaunchPath.find(settings.javaHome(), settings.wires());
        this.loader = new WeakReference<>(Thread.currentThread().getContextClassLoader());
        this.filter = Filters.fromWorker(settings.allowedPackages(), Filters.Limits.DEFAULT);
        this.codec = new Codec(ProcessEngine.class.getClassLoader(), filter);
        this.functions = new SerializedFunctions(codec);
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

    Codec codec() {
        return codec;
    }

    SerializedFunctions functions() {
        return functions;
    }

    Suspects suspects() {
        return suspects;
    }

    Traffic traffic() {
        return traffic;
    }

    WorkerProcess.Origin origin() {
        ClassLoader present = loader.get();
        return new WorkerProcess.Origin(
                launchPath, present != null ? present : ProcessEngine.class.getClassLoader(), filter);
    }

    @Override
    public Profile profile(Kind kind) {
        int maxBatch = kind == Kind.COMPUTE ? MAX_BATCH : 1;
        return new Profile(processes, maxBatch, BATCHES_PER_WORKER, TARGET_BATCH_NANOS, true);
    }

    @Override
    public Object pack(Workload<?, ?> workload, Object command) {
        return new PackedCommand(codec(), command, settings.maxMessageBytes(), BatchWriter.inputOf(workload));
    }

    @Override
    public Loop loop() {
        throw new UnsupportedOperationException("asynchronous tasks get the loop of their worker process");
    }

    // ---------------------------------------------------------------------------------------------- batches

    @Override
    public boolean hasJvmOptions(List<String> jvmOptions) {
        return settings.jvmOptions().containsAll(jvmOptions);
    }

    @Override
    public void execute(Batch batch) {
        WorkerDriver lent = null;
        StartException open = null;
        WorkerDriver fresh = null;
        WorkerDriver woken = null;
        lock.lock();
        try {
            if (isClosed) {
                throw new RejectedExecutionException("the worker processes of '" + settings.name() + "' are closed");
            }
            trust.submitted();
            if (circuit.isOpen() && drivers.isEmpty()) {
                open = circuit.reason();
            } else if (trust.isJustified() && queue.isEmpty() && batch.size() == 1 && !waiting.isEmpty()) {
                lent = waiting.removeFirst();
                lent.isPromised = true;
                setIdle(lent, false);
            } else {
                enqueue(batch);
                woken = waiting.pollFirst();
                fresh = driverIfNeeded();
            }
        } finally {
            lock.unlock();
        }
        if (lent != null && !lent.loan().sendAtOnce(batch)) {
            lock.lock();
            try {
                lent.isPromised = false;
                setIdle(lent, lent.isTaking);
                enqueue(batch);
                woken = lent.isTaking ? lent : waiting.pollFirst();
                fresh = driverIfNeeded();
            } finally {
                lock.unlock();
            }
        }
        if (woken != null) {
            woken.wake();
        }
        if (open != null) {
            fail(List.of(batch), open);
        }
        start(fresh);
    }

    @Override
    public void attend(Batch batch, @Nullable Worker worker, long limitNanos) {
        trust.awaited();
        if (worker instanceof PoolWorker ours) {
            ours.driver().loan().attend(batch, limitNanos);
        }
    }

    /** A caller that was to wait for what it had sent has not come to do so. */
    void hasNotCome() {
        trust.disappoint();
    }

    private void enqueue(Batch batch) {
        if (batch.isGivenBack()) {
            queue.addFirst(batch); // behind what has come since it might wait for a task that waits for it
        } else {
            queue.addLast(batch);
        }
    }

    /** A driver that was lent is idle again. */
    void giveBack(WorkerDriver driver) {
        boolean isNeeded = false;
        lock.lock();
        try {
            driver.isPromised = false;
            driver.rested();
            if (driver.isTaking) {
                setIdle(driver, true);
                isNeeded = !queue.isEmpty() || isClosed || staying() > processes;
                if (!isNeeded) {
                    waiting.addFirst(driver);
                }
            }
        } finally {
            lock.unlock();
        }
        if (isNeeded) {
            driver.wake();
        }
    }

    private void setIdle(WorkerDriver driver, boolean isIdle) {
        assert lock.isHeldByCurrentThread();
        if (driver.isIdle != isIdle) {
            driver.isIdle = isIdle;
            idle += isIdle ? 1 : -1;
        }
    }

    /** A new driver, if there is more work than drivers that are or will be idle, and there may be one more. */
    private @Nullable WorkerDriver driverIfNeeded() {
        assert lock.isHeldByCurrentThread();
        if (queue.size() <= idle || staying() >= processes || circuit.isOpen()) {
            return null;
        }
        int finishing = 0;
        for (WorkerDriver each : drivers) {
            finishing += each.isFinishing() ? 1 : 0;
        }
        if (queue.size() <= idle + finishing) {
            return null;
        }
        WorkerDriver driver = new WorkerDriver(this, settings.prefix() + ++driversMade);
        drivers.add(driver);
        return driver;
    }

    private List<WorkerDriver> driversIfNeeded() {
        List<WorkerDriver> fresh = new ArrayList<>();
        for (WorkerDriver each = driverIfNeeded(); each != null; each = driverIfNeeded()) {
            fresh.add(each);
        }
        return fresh;
    }

    private int staying() {
        assert lock.isHeldByCurrentThread();
        int staying = 0;
        for (WorkerDriver each : drivers) {
            staying += each.isLeaving() ? 0 : 1;
        }
        return staying;
    }

    private void start(@Nullable WorkerDriver driver) {
        if (driver == null) {
            return;
        }
        try {
            driver.start();
        } catch (Error e) { // there can be no more threads: what waits is another driver's, or fails
            var unused =
                    mayStartAgain(new StartException("there is no thread for " + driver.getName() + ": " + e, e, true));
            ended(driver);
        }
    }

    /**
     * Waits for a batch; null if the driver is to look after its process, or to end.
     *
     * @throws IOException if the connection to the process has ended
     */
    @Nullable
    Batch take(WorkerDriver driver) throws IOException {
        long patience = TimeUnit.NANOSECONDS.convert(settings.idleTimeout());
        Batch batch = null;
        lock.lock();
        driver.isTaking = true;
        setIdle(driver, true);
        driver.finished();
        try {
            while (true) {
                if (driver.hasLostProcess() || driver.loan().isHandedBack()) {
                    return null;
                }
                long left = patience - driver.idleNanos();
                if (!driver.isPromised) {
                    if (staying() > processes) {
                        driver.leave();
                        return null;
                    }
                    batch = pollWaiting();
                    if (batch != null) {
                        return batch;
                    }
                    if (isClosed || left <= 0) {
                        driver.isOver = true;
                        return null;
                    }
                    if (!waiting.contains(driver)) {
                        waiting.addFirst(driver);
                    }
                }
                lock.unlock();
                try {
                    driver.awaitWork(left);
                } finally {
                    lock.lock();
                }
            }
        } finally {
            driver.isTaking = false;
            driver.isPromised = false;
            setIdle(driver, false);
            waiting.remove(driver);
            // It may have been woken for a batch that it cannot take without a process; others do not know.
            WorkerDriver other = batch == null && !queue.isEmpty() ? waiting.pollFirst() : null;
            lock.unlock();
            if (other != null) {
                other.wake();
            }
        }
    }

    /**
     * A further batch for a driver that has one, if it is of the same workload in the same class loader, so that no more
     * has to be sent than its inputs, and no other driver is there for it.
     */
    @Nullable
    Batch takeAhead(Batch like) {
        lock.lock();
        try {
            Batch next = queue.peekFirst();
            boolean othersMayTakeIt = queue.size() <= idle || staying() < processes;
            return next != null && isAlike(next, like) && !othersMayTakeIt ? pollIfWaiting() : null;
        } finally {
            lock.unlock();
        }
    }

    /** Whether there may be more than one worker. */
    boolean mayHaveSeveral() {
        return processes > 1;
    }

    /** Whether a batch may be sent in one frame with others like it: a lone compute task, of which no start is wanted. */
    boolean isToBeGathered(Batch batch) {
        return settings.gathers()
                && batch.size() == 1
                && !batch.wantsStarts()
                && Loan.hasSmallContext(batch)
                && batch.workload().kind() == Kind.COMPUTE
                && Tag.isSmall(batch.input(0), GATHERED_BYTES);
    }

    /** The batch, and those of the same kind that wait behind it: the driver's share of them, and at most so many. */
    List<Batch> gather(Batch first, int most) {
        List<Batch> gathered = new ArrayList<>();
        gathered.add(first);
        lock.lock();
        try {
            int drivers = Math.max(1, staying());
            int share = Math.min(most - 1, (queue.size() + drivers - 1) / drivers - idle);
            for (int i = 0; i < share; i++) {
                Batch next = queue.peekFirst();
                if (next == null
                        || !isAlike(next, first)
                        || !isToBeGathered(next)
                        || !next.mdc().equals(first.mdc())) {
                    break;
                }
                queue.removeFirst();
                if (next.isWaiting()) {
                    gathered.add(next);
                }
            }
        } finally {
            lock.unlock();
        }
        return gathered;
    }

    /** Whether the one needs nothing that was not sent for the other. */
    private static boolean isAlike(Batch one, Batch other) {
        return one.workload() == other.workload() && one.contextClassLoader() == other.contextClassLoader();
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

    /** Idle drivers look whether they are to end. */
    private void wakeAll() {
        assert lock.isHeldByCurrentThread();
        waiting.forEach(WorkerDriver::wake);
        waiting.clear();
        changed.signalAll();
    }

    /** Starts drivers for what waits: after a pause nobody else does that as long as others are busy. */
    private void startNeeded() {
        List<WorkerDriver> fresh;
        lock.lock();
        try {
            fresh = isClosedNow ? List.of() : driversIfNeeded();
        } finally {
            lock.unlock();
        }
        fresh.forEach(this::start);
    }

    /** Changes how many processes there may be. What is at work goes on. */
    void resize(int newProcesses) {
        List<WorkerDriver> fresh;
        lock.lock();
        try {
            processes = newProcesses;
            wakeAll();
            fresh = driversIfNeeded();
        } finally {
            lock.unlock();
        }
        fresh.forEach(this::start);
    }

    @Override
    public void stop(Batch batch, int index, Worker worker) {
        if (worker instanceof PoolWorker ours) {
            ours.driver().stop(batch, index);
        }
    }

    // ---------------------------------------------------------------------------------------------- starting

    /** A process, the spare one if there is. */
    WorkerProcess takeProcess(String name) throws StartException, InterruptedException {
        WorkerProcess ready = spare.take();
        if (ready == null) {
            return startProcess(name);
        }
        ready.rename(name);
        spare.keep();
        return ready;
    }

    WorkerProcess startProcess(String name) throws StartException, InterruptedException {
        return WorkerProcess.start(settings, name, origin(), this::prepare);
    }

    private void prepare() {
        codec.prepareToWrite();
        FirstBatch.prepare();
    }

    /**
     * A process has done its first task, or one that was at work has been lost: however many others could not be started
     * beside that, the one in its place gets all its tries. To be started is no proof: it may die before it has a task.
     */
    void provedStarting() {
        lock.lock();
        try {
            circuit.succeeded();
        } finally {
            lock.unlock();
        }
    }

    /** A process could not be started, or died before it began a task. False if the driver is to give up. */
    boolean mayStartAgain(StartException failure) {
        long pause;
        lock.lock();
        try {
            circuit.failed(failure);
            pause = circuit.pauseNanos();
            if (pause <= 0) {
                return true;
            }
        } finally {
            lock.unlock();
        }
        watcher().schedule(this::startNeeded, pause);
        log.error("No more worker processes are started for a while", failure);
        return false;
    }

    /** A process has been lost, or has worn out, and another one has come in its place. */
    void keepSpare() {
        if (!isClosed) {
            spare.keep();
        }
    }

    /** A driver has been left to itself, since it does not come back from the application's code. */
    void abandoned(WorkerDriver driver) {
        abandoned.incrementAndGet();
        ended(driver);
    }

    /** One that was abandoned has come back, and ends. */
    void returned() {
        abandoned.decrementAndGet();
    }

    /** A driver has ended; its work, if there is any, is another's. */
    void ended(WorkerDriver driver) {
        WorkerDriver fresh = null;
        List<Batch> given = List.of();
        StartException reason;
        boolean isLast;
        lock.lock();
        try {
            drivers.remove(driver);
            reason = circuit.reason();
            if (circuit.isOpen() && drivers.isEmpty()) {
                given = new ArrayList<>(queue);
                queue.clear();
            } else if (!queue.isEmpty() && !isClosedNow) {
                fresh = driverIfNeeded();
            }
            isLast = drivers.isEmpty();
            if (isLast) {
                releasing++;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (reason != null) {
            fail(given, reason);
        }
        start(fresh);
        if (isLast) {
            spare.release(true);
            released();
        }
    }

    private void released() {
        lock.lock();
        try {
            releasing--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
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
        return Math.max(0, abandoned.get());
    }

    @Override
    public long sentBytes() {
        return traffic.sent();
    }

    @Override
    public long receivedBytes() {
        return traffic.received();
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
        lock.lock();
        try {
            isClosed = true;
            wakeAll();
        } finally {
            lock.unlock();
        }
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
            wakeAll();
        } finally {
            lock.unlock();
        }
        spare.release(false);
        return given;
    }

    @Override
    public boolean awaitTermination(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(limit);
        lock.lockInterruptibly();
        try {
            while (!drivers.isEmpty() || releasing > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
        return spare.awaitStarted(deadline - System.nanoTime());
    }
}
