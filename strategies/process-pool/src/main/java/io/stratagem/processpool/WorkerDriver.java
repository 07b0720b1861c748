package io.stratagem.processpool;

import io.stratagem.Snapshot.WorkerView;
import io.stratagem.processpool.UserCode.AbandonedException;
import io.stratagem.processpool.WorkerProcess.Death;
import io.stratagem.processpool.WorkerProcess.StartException;
import io.stratagem.spi.AdaptiveSpin;
import io.stratagem.spi.Batch;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that serves one worker process after another: takes batches from the engine, has them sent and their outcomes
 * received, and starts another process when one has died or is worn out.
 */
/* It sends and receives in turn, by its Sender and its Receiver; AtWorker has what the one has sent and the other has not
 * received.
 *
 * Whoever has the "turn" uses the connection and what belongs to it. The driver has it except while it waits for work; then
 * it can be lent to a caller (Loan).
 *
 * Who stops a task does so through the page that the worker shares (TaskPage): the driver then finds the connection at
 * its end.
 */
final class WorkerDriver extends Thread implements ServiceThread {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    private static final ClassLoader OWN_LOADER = WorkerDriver.class.getClassLoader();
    private static final long PATIENCE_NANOS = 5_000_000;
    private static final int SPINS = 1000;

    private final ProcessEngine engine;
    private final PoolSettings settings;
    private final PoolWorker worker;

    /** Who has it uses the connection. The engine's lock may be taken by who has it, and not the other way round. */
    private final ReentrantLock turn = new ReentrantLock();

    private final UserCode.Watch watch;
    private final AtWorker atWorker = new AtWorker();
    private final Receiver receiver;
    private final Sender sender;
    private final Loan loan;

    private volatile @Nullable WorkerProcess process;

    private final AdaptiveSpin spin = new AdaptiveSpin(SPINS);
    private volatile boolean isWoken;

    // Guarded by the engine's lock: whether it waits for work; whether it counts as idle; whether a caller has it, who
    // has sent something or is about to.
    boolean isTaking;
    boolean isIdle;
    boolean isPromised;

    /** There is nothing more to do for it. Set by its own thread. */
    boolean isOver;

    private volatile boolean isListening;
    private volatile boolean isLeaving;

    private volatile long idleSince;
    private boolean hasReplaced;

    /** So many processes have died before they did anything that there is to be a pause. */
    private boolean isGivingUp;

    WorkerDriver(ProcessEngine engine, String name) {
        super(null, null, name, 0, false);
        setDaemon(true);
        setContextClassLoader(OWN_LOADER); // and not that of who happened to need it first
        this.engine = engine;
        this.settings = engine.settings();
        this.worker = new PoolWorker(name, engine, this);
        this.watch = new UserCode.Watch(engine.watcher(), this::takeOver);
        this.receiver = new Receiver(engine, name, atWorker, watch);
        this.sender = new Sender(engine, worker, atWorker, receiver, watch);
        this.loan = new Loan(engine, this, turn, atWorker, sender, receiver);
    }

    /** What core knows a driver by. */
    static final class PoolWorker extends Worker {
        private final WorkerDriver driver;

        PoolWorker(String name, ProcessEngine engine, WorkerDriver driver) {
            super(name, engine);
            this.driver = driver;
        }

        WorkerDriver driver() {
            return driver;
        }
    }

    @Override
    public void run() {
        try {
            drive();
            end();
        } catch (AbandonedException e) {
            engine.returned();
        }
    }

    private void drive() {
        try {
            while (hasProcess()) {
                Batch batch = null;
                Exception broken = null;
                try {
                    batch = take();
                } catch (IOException | Bytes.MalformedException e) {
                    broken = e;
                }
                turn.lock();
                try {
                    if (broken != null) {
                        endBroken(broken);
                    } else if (!goOn(batch)) {
                        break;
                    }
                } finally {
                    turn.unlock();
                }
            }
        } catch (AbandonedException e) {
            throw e;
        } catch (Throwable e) {
            log.error("{} failed; what it had at its worker is lost", getName(), e);
            WorkerProcess broken = process;
            if (broken != null) {
                broken.kill();
                bury(broken, false);
            }
        }
    }

    /** Does what there is to do; false if that is to end. */
    private boolean goOn(@Nullable Batch batch) {
        if (batch != null) {
            serve(batch);
        } else if (loan.isOut()) {
            serveLent();
        } else if (isLeaving || isOver) {
            return false;
        } else if (hasLostProcess()) {
            WorkerProcess lost = Objects.requireNonNull(process);
            receiveRest(lost);
            bury(lost, true);
        }
        return true;
    }

    private void end() {
        try {
            WorkerProcess last = process;
            process = null;
            if (last != null) {
                last.dismiss(frame -> receiver.handle(last, frame));
            }
        } finally {
            engine.ended(this);
        }
    }

    // ---------------------------------------------------------------------------------------------- waiting

    /** Waits for a batch; null if there is none for this driver, or it has lost its process. */
    private @Nullable Batch take() throws IOException {
        rested();
        try {
            return engine.take(this);
        } finally {
            isListening = false;
        }
    }

    /**
     * Waits until it is woken, or so long. Other work mostly comes soon, from a caller that has just got its result; if
     * not, it listens to the process meanwhile: that may have something to log.
     */
    void awaitWork(long nanos) throws IOException {
        if (loan.isOut()) {
            loan.awaitReturn();
            return;
        }
        if (spin.until(() -> isWoken)) {
            isWoken = false; // who woke it has left a batch
            return;
        }
        long patience = idleSince + PATIENCE_NANOS - System.nanoTime();
        if (patience > 0) {
            LockSupport.parkNanos(this, Math.min(Math.min(patience, Loan.LIMIT_NANOS), nanos));
        } else if (turn.tryLock()) {
            try {
                WorkerProcess present = Objects.requireNonNull(process);
                if (!isListening) {
                    present.link().prepareToWait();
                    isListening = true; // and who came before has left a batch, which is looked for now
                } else if (!loan.isOut() && present.link().awaitInput(nanos)) {
                    receiver.receive(present);
                }
            } finally {
                turn.unlock();
            }
        }
    }

    /** Ends its wait. Any thread may do that. */
    void wake() {
        isWoken = true;
        LockSupport.unpark(this);
        WorkerProcess present = process;
        if (isListening && present != null) {
            present.link().wakeup();
        }
    }

    /** From now on it is idle. */
    void rested() {
        idleSince = System.nanoTime();
    }

    /** How long it has been idle. */
    long idleNanos() {
        return System.nanoTime() - idleSince;
    }

    /** Whether it is about to be idle: it starts, or reports the last outcome that it has to wait for. Any thread may ask. */
    boolean isFinishing() {
        return receiver.isFinishing();
    }

    /** It counts as idle from now on. Guarded by the engine's lock. */
    void finished() {
        receiver.finished();
    }

    /** Tells it that it is one too many. Guarded by the engine's lock. */
    void leave() {
        isLeaving = true;
    }

    /** Whether it is about to end. Any thread may ask. */
    boolean isLeaving() {
        return isLeaving;
    }

    Loan loan() {
        return loan;
    }

    // ---------------------------------------------------------------------------------------------- serving

    /** Serves a batch, and what can be sent with it or ahead meanwhile, to its end or to that of the process. */
    void serve(Batch first) {
        WorkerProcess present = Objects.requireNonNull(process);
        try {
            sender.sendWithOthers(present, first);
            while (!atWorker.isEmpty()) {
                while (atWorker.mayHaveMore() && !present.wear().isWornOut()) {
                    Batch next = engine.takeAhead(first);
                    if (next == null) {
                        break;
                    }
                    sender.sendWithOthers(present, next);
                }
                if (!atWorker.isEmpty()) {
                    receiver.receive(present);
                }
            }
            if (present.wear().isWornOut()) {
                replaceProcess(present);
            }
        } catch (IOException | Bytes.MalformedException e) {
            endBroken(e);
        } finally {
            leaveLoader();
        }
    }

    /** Goes on with what a caller has sent. */
    private void serveLent() {
        WorkerProcess present = Objects.requireNonNull(process);
        Bytes unhandled = loan.end();
        Sent lent = atWorker.first();
        if (lent != null) {
            setContextClassLoader(lent.values().loader());
        }
        try {
            if (unhandled != null) {
                receiver.handle(present, unhandled);
            }
            while (!atWorker.isEmpty()) {
                receiver.receive(present);
            }
        } catch (IOException | Bytes.MalformedException e) {
            endBroken(e);
        } finally {
            leaveLoader();
        }
    }

    /** It keeps no class loader of the application's. */
    void leaveLoader() {
        setContextClassLoader(OWN_LOADER);
    }

    // ---------------------------------------------------------------------------------------------- the process

    /** Starts a process if there is none; false if that is not to be. */
    private boolean hasProcess() {
        while (process == null) {
            if (isGivingUp || (engine.isClosed() && !engine.hasWork())) {
                return false;
            }
            try {
                WorkerProcess started = engine.takeProcess(worker.name());
                attach(started);
                started.onExit(this::wake);
                if (hasReplaced) {
                    engine.keepSpare();
                }
                if (engine.isClosedNow()) {
                    started.kill();
                }
            } catch (StartException e) {
                if (!engine.mayStartAgain(e)) {
                    return false;
                }
            } catch (InterruptedException e) {
                return false;
            }
        }
        return true;
    }

    /** From here on this process is the driver's. */
    void attach(WorkerProcess started) {
        started.link().countInto(engine.traffic());
        process = started;
        atWorker.forgetWorkloads();
    }

    /** The one that it has now, or null. Any thread may ask. */
    @Nullable
    WorkerProcess process() {
        return process;
    }

    /** Whether there was a process and it has ended. */
    boolean hasLostProcess() {
        WorkerProcess present = process;
        return present != null && !present.isAlive();
    }

    private void replaceProcess(WorkerProcess old) {
        process = null;
        hasReplaced = true;
        old.dismiss(frame -> receiver.handle(old, frame));
    }

    /** The process has ended, or is of no use any more. */
    private void endBroken(Exception e) {
        WorkerProcess broken = Objects.requireNonNull(process);
        if (e instanceof Bytes.MalformedException) {
            log.error("{} sent what cannot be read, and is killed", broken, e);
        }
        giveTimeToEnd(broken);
        if (e instanceof IOException) {
            receiveRest(broken);
        }
        bury(broken, true);
    }

    /** A connection that has ended without its process: whatever it does, it is of no use any more. */
    private static void giveTimeToEnd(WorkerProcess broken) {
        if (broken.isAlive()) {
            try {
                if (broken.awaitExit(100)) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            broken.kill();
        }
    }

    /** Takes what a process that has ended had sent before: results that nobody has to lose, and its last words. */
    private void receiveRest(WorkerProcess ended) {
        try {
            while (true) {
                receiver.receive(ended);
            }
        } catch (IOException | Bytes.MalformedException e) {
            log.debug("{} has ended, and that was all it sent", ended, e);
        }
    }

    /**
     * The process has died: says so for each task that it had.
     *
     * @param isItsOwn whether nobody here has killed it
     */
    private void bury(WorkerProcess dead, boolean isItsOwn) {
        Death death = dead.awaitDeath();
        TaskPage.Look last = dead.page().look();
        boolean wasUnexpected = !engine.isClosedNow() && last.state() != TaskPage.State.DOOMED;
        if (wasUnexpected) {
            log.warn("{}", death.description() + death.printed());
        }
        process = null;
        loan.end();
        hasReplaced = true;
        if (last.batch() > 0 || atWorker.hasLarge()) { // those have their own count
            engine.provedStarting();
        } else if (isItsOwn && wasUnexpected) {
            String message = death.description() + " before it began a task" + death.printed();
            isGivingUp = !engine.mayStartAgain(new StartException(message, death.toException(message, false), false));
        }
        if (engine.isClosedNow()) {
            atWorker.cancelAll(settings.closedMessage());
        } else {
            atWorker.bury(death, last, engine.suspects());
        }
    }

    // ---------------------------------------------------------------------------------------------- from elsewhere

    /** Core has given up a task. */
    void stop(Batch batch, int index) {
        watch.stop(batch, index);
        WorkerProcess present = process;
        if (present != null) {
            atWorker.stop(batch, index, present, engine.watcher());
        }
    }

    /** This thread does not come back from the application's code: another one cleans up and makes room for a new one. */
    private void takeOver(UserCode code) {
        Exception where = new Exception("where it is");
        where.setStackTrace(getStackTrace());
        log.warn(
                "A value of workload '{}' has been serialised or rebuilt for a while although its task is over; its"
                        + " thread {} is left to itself, and its worker replaced",
                code.batch().workload().name(),
                getName(),
                where);
        Thread successor = new Thread(null, () -> succeed(code), getName() + "-successor", 0, false);
        successor.setDaemon(true);
        successor.start();
    }

    private void succeed(UserCode code) {
        WorkerProcess left = Objects.requireNonNull(process); // while values are serialised or rebuilt there is one
        left.kill();
        if (!atWorker.has(code.batch())) {
            sender.giveBack(code.batch());
        }
        bury(left, false);
        engine.abandoned(this);
        interrupt();
    }

    /** Kills the process, or ends the wait for it, and adds the batches that it has. */
    void killNow(Collection<Batch> given) {
        WorkerProcess present = process;
        if (present != null) {
            present.kill();
        } else {
            interrupt(); // it may be waiting for a process to get ready
        }
        watch.stop();
        atWorker.addTo(given);
    }

    WorkerView view(long now) {
        Sent sent = atWorker.first();
        return sent == null
                ? new WorkerView(worker.name(), Optional.empty(), Duration.ZERO)
                : new WorkerView(
                        worker.name(),
                        Optional.of(sent.batch().workload().name()),
                        Duration.ofNanos(Math.max(0, now - sent.sentAt())));
    }
}
