package io.stratagem.processpool;

import com.google.common.collect.Lists;
import io.stratagem.ContextPropagator.Captured;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.processpool.LoaderTable.Slot;
import io.stratagem.processpool.LoaderTable.Values;
import io.stratagem.processpool.UserCode.AbandonedException;
import io.stratagem.processpool.WorkerProcess.Death;
import io.stratagem.processpool.WorkerProcess.StartException;
import io.stratagem.processpool.WorkloadTable.Defined;
import io.stratagem.spi.AdaptiveSpin;
import io.stratagem.spi.Batch;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that serves one worker process after another: takes batches from the engine, sends them, receives outcomes
 * and reports them to core. When the process dies, it finds out what became of each task, reports that, and starts
 * another process.
 */
/* It sends and receives in turn. It cannot get stuck by that: a batch is sent while another is at the worker only if both
 * are small enough for the buffers of the connection. Otherwise the worker is waiting for the batch while it is sent, and
 * the driver for the results while those are.
 *
 * An idle driver can be lent to a caller who submits a task and waits for it, one after another: the caller then sends
 * the task and receives its outcome itself, and no thread of ours is woken. That is for what is plain, small and known to
 * the worker; whatever else happens, the caller hands the driver back, with all that is left to do. Whoever has the
 * "turn" uses the connection and what belongs to it. The driver has it except while it waits for work; a caller only
 * tries to get it, and does nothing with it that could block, except to wait for input until it is interrupted.
 *
 * Who stops a task does so through the page that the worker shares (TaskPage): the driver then finds the connection at
 * its end.
 */
final class WorkerDriver extends Thread implements ServiceThread {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    /**
     * A batch whose frame has become so large is sent as it is; the rest goes with another. So there is always room for
     * a value of the greatest size.
     */
    private static final int FULL_BYTES = PoolSettings.MARGIN_BYTES / 2;

    /**
     * The same with what is beside the frame, which costs a copy and no buffer. So large that the way there and back
     * is a small part of the time; and little enough for the worker to hold.
     */
    private static final int FULL_BESIDE_BYTES = 1 << 23;

    private static final ClassLoader OWN_LOADER = WorkerDriver.class.getClassLoader();
    private static final long PATIENCE_NANOS = 5_000_000;
    private static final int SPINS = 1000;

    /** So soon a caller is to come back for what it has sent. */
    private static final long LOAN_NANOS = 1_000_000;

    /** What a caller sends itself is no larger, and certainly fits into the connection's buffer. */
    private static final int LOAN_BYTES = 4096;

    /** At most as large is the frame, with what goes with it. */
    private static final int LOAN_FRAME_BYTES = 1 << 14;

    private static final int SMALL_CONTEXT_CHARS = 1024;

    /** A frame of results with one, up to the value itself. */
    private static final int SINGLE_RESULT_BYTES =
            1 + Long.BYTES + Integer.BYTES + Long.BYTES + Integer.BYTES + 1 + Integer.BYTES;

    /** So many lone tasks are gathered in a frame, if they take no longer than that. */
    private static final int MOST_GATHERED = 256;

    private static final long GATHERED_NANOS = 500_000;

    private final ProcessEngine engine;
    private final PoolSettings settings;
    private final PoolWorker worker;
    private final Bytes frame;
    private final Bytes contexts = new Bytes();

    /** A workload that goes with the next batch: what kills a worker that receives it is accused with that. Else empty. */
    private final Bytes definition;

    private final AtWorker atWorker = new AtWorker();

    private volatile @Nullable WorkerProcess process;

    private final AdaptiveSpin spin = new AdaptiveSpin(SPINS);
    private volatile boolean isWoken;

    /** What it serialises or rebuilds, if anything. */
    private volatile @Nullable UserCode userCode;

    /** Who has it uses the connection. The engine's lock may be taken by who has it, and not the other way round. */
    private final ReentrantLock turn = new ReentrantLock();

    /** A caller has sent what is at the worker. Changed by who has the turn. */
    private volatile boolean isLent;

    /** The caller has left it to the driver to go on. */
    private volatile boolean isHandedBack;

    /** A frame that a caller has received and left to the driver. */
    private @Nullable Bytes unhandled;

    // Guarded by the engine's lock: whether it waits for work; whether it counts as idle; whether a caller has it, who
    // has sent something or is about to.
    boolean isTaking;
    boolean isIdle;
    boolean isPromised;

    /** There is nothing more to do for it. Set by its own thread. */
    boolean isOver;

    private volatile boolean isListening;
    private volatile boolean isFinishing = true; // as soon as it has a process
    private volatile boolean isLeaving;

    private volatile long idleSince;
    private boolean hasReplaced;

    /** So many processes have died before they did anything that there is to be a pause. */
    private boolean isGivingUp;

    /** Outcomes of tasks in a row that have not been reported yet. */
    private final @Nullable Object[] plain = new @Nullable Object[TaskPage.MAX_BATCH];

    private int plainCount;

    WorkerDriver(ProcessEngine engine, String name) {
        super(null, null, name, 0, false);
        setDaemon(true);
        setContextClassLoader(OWN_LOADER); // and not that of who happened to need it first
        this.engine = engine;
        this.settings = engine.settings();
        this.worker = new PoolWorker(name, engine, this);
        this.frame = new Bytes(settings.maxFrameBytes());
        this.definition = new Bytes(settings.maxFrameBytes());
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
                bury(false);
            }
        }
    }

    /** Does what there is to do; false if that is to end. */
    private boolean goOn(@Nullable Batch batch) {
        if (batch != null) {
            serve(batch);
        } else if (isLent) {
            serveLent();
        } else if (isLeaving || isOver) {
            return false;
        } else if (hasLostProcess()) {
            receiveRest();
            bury(true);
        }
        return true;
    }

    private void end() {
        try {
            WorkerProcess last = process;
            process = null;
            if (last != null) {
                last.dismiss(frame -> handle(last, frame));
            }
        } finally {
            engine.ended(this);
        }
    }

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
        if (isLent) {
            awaitReturn();
            return;
        }
        if (spin.until(() -> isWoken)) {
            isWoken = false; // who woke it has left a batch
            return;
        }
        long patience = idleSince + PATIENCE_NANOS - System.nanoTime();
        if (patience > 0) {
            LockSupport.parkNanos(this, Math.min(Math.min(patience, LOAN_NANOS), nanos));
        } else if (turn.tryLock()) {
            try {
                if (!isListening) {
                    Objects.requireNonNull(process).link().prepareToWait();
                    isListening = true; // and who came before has left a batch, which is looked for now
                } else if (!isLent && Objects.requireNonNull(process).link().awaitInput(nanos)) {
                    receive();
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

    // ---------------------------------------------------------------------------------------------- lending

    /** From now on it is idle. */
    void rested() {
        idleSince = System.nanoTime();
    }

    /** How long it has been idle. */
    long idleNanos() {
        return System.nanoTime() - idleSince;
    }

    /** Whether the driver is to go on with what a caller has sent. */
    boolean isHandedBack() {
        return isLent && isHandedBack;
    }

    /**
     * Sends a single task in the calling thread, which is not the driver's, if that takes no more than to write some
     * bytes.
     *
     * @return false if nothing has been done
     */
    boolean sendAtOnce(Batch batch) {
        if (!turn.tryLock()) {
            return false;
        }
        boolean isUnwanted;
        try {
            if (process == null
                    || isLent
                    || !isPlainAndKnown(batch, process)
                    || !process.link().hasRoomFor(LOAN_FRAME_BYTES)) {
                return false;
            }
            lend(batch);
            isUnwanted = !isLent;
        } finally {
            turn.unlock();
        }
        if (isUnwanted) {
            engine.giveBack(this);
        }
        return true;
    }

    private void lend(Batch batch) {
        isHandedBack = false;
        boolean isSent = false;
        try {
            Objects.requireNonNull(process).link().prepareToWait();
            send(batch);
            isSent = true;
            isLent = !atWorker.isEmpty();
        } catch (IOException | RuntimeException e) {
            log.debug("{} could not be sent a task at once", process, e);
        } catch (Error e) {
            Objects.requireNonNull(process).kill(); // it may have been sent a part, or be waited for in vain
            throw e;
        } finally {
            setContextClassLoader(OWN_LOADER);
            if (!isSent) { // the driver meets the same, and sees to it
                isHandedBack = true;
                isLent = true;
                LockSupport.unpark(this);
            }
        }
    }

    private boolean isPlainAndKnown(Batch batch, WorkerProcess present) {
        if (present.wear().isWornOutBy(1)
                || batch.wantsStarts()
                || !hasSmallContext(batch)
                || !Tag.isSmall(batch.input(0), LOAN_BYTES)) {
            return false;
        }
        return present.workloads().find(batch.workload(), batch.contextClassLoader()) != null;
    }

    /** Waits until the caller is done, or has left the rest to the driver, or has not come to wait for its result. */
    private void awaitReturn() {
        long nanos = LOAN_NANOS;
        while (isLent && !isHandedBack && !hasLostProcess()) {
            LockSupport.parkNanos(this, nanos);
            nanos = Math.min(2 * nanos, PATIENCE_NANOS);
            if (turn.tryLock()) {
                try {
                    Sent sent = atWorker.first();
                    if (isLent && sent != null && sent.ageNanos() > LOAN_NANOS) {
                        isHandedBack = true;
                        engine.hasNotCome();
                    }
                } finally {
                    turn.unlock();
                }
            }
        }
    }

    /**
     * Receives the outcome of the task that was sent at once, in the thread that waits for it. Returns when there is an
     * outcome, or nothing more that can be done here.
     */
    void attend(Batch batch, long limitNanos) {
        if (!isLent || !turn.tryLock()) {
            return;
        }
        Plain outcome;
        Sent sent;
        try {
            sent = atWorker.first();
            if (!isLent || isHandedBack || sent == null || sent.batch() != batch) {
                return;
            }
            outcome = awaitPlain(sent, limitNanos);
            if (outcome == null) {
                isHandedBack = true;
                LockSupport.unpark(this);
                return;
            }
            WorkerProcess present = Objects.requireNonNull(process);
            sent.ran(outcome.ran);
            settled(present, sent);
            present.wear().weigh();
            isLent = false;
        } finally {
            turn.unlock();
        }
        engine.giveBack(this);
        batch.started(0, sent.pastNanos(outcome.ran, engine.clock().nanoTime()));
        batch.succeeded(0, outcome.value); // last, and without the turn: what depends on it may run here
    }

    /** What a single task has returned, if that is plain. */
    private record Plain(@Nullable Object value, long ran) {}

    /** Whether what goes with the tasks of a batch, besides their inputs, takes little room and no code to write. */
    static boolean hasSmallContext(Batch batch) {
        int chars = 0;
        for (Map.Entry<String, String> entry : batch.mdc().entrySet()) {
            chars += entry.getKey().length() + String.valueOf(entry.getValue()).length();
        }
        return chars <= SMALL_CONTEXT_CHARS && batch.captured().isEmpty();
    }

    /** Null if something else has come, or nothing. */
    private @Nullable Plain awaitPlain(Sent sent, long limitNanos) {
        Link link = Objects.requireNonNull(process).link();
        long start = System.nanoTime();
        try {
            while (true) {
                long left = limitNanos - (System.nanoTime() - start);
                if (sent.isDone() || left <= 0 || Thread.currentThread().isInterrupted()) {
                    return null;
                }
                if (link.awaitInput(left)) {
                    Bytes answer = link.poll();
                    return answer == null ? null : readPlain(sent, answer);
                }
            }
        } catch (IOException | Bytes.MalformedException e) {
            return null; // the driver meets the same
        }
    }

    /** Null if it is for the driver. */
    private @Nullable Plain readPlain(Sent sent, Bytes answer) {
        int start = answer.position();
        unhandled = answer;
        try {
            if (answer.remaining() < SINGLE_RESULT_BYTES
                    || answer.getByte() != Frames.RESULTS
                    || answer.getLong() != sent.id()
                    || answer.getInt() != 0) {
                return null;
            }
            long ran = answer.getLong();
            boolean isOne = answer.getInt() == 1 && answer.getByte() == Frames.VALUE;
            Bytes contents = answer.slice(answer.getInt());
            if (!isOne || !Tag.isPlainNext(contents)) {
                return null;
            }
            Object value = sent.values().codec().read(contents, resultOf(sent));
            unhandled = null;
            return new Plain(value, ran);
        } catch (TransferException e) {
            return null;
        } finally {
            answer.position(start);
        }
    }

    private static String resultOf(Sent sent) {
        return "result of workload '" + sent.batch().workload().name() + "'";
    }

    /** Goes on with what a caller has sent. */
    private void serveLent() {
        isLent = false;
        isHandedBack = false;
        Sent lent = atWorker.first();
        if (lent != null) {
            setContextClassLoader(lent.values().loader());
        }
        try {
            Bytes answer = unhandled;
            unhandled = null;
            if (answer != null) {
                handle(Objects.requireNonNull(process), answer);
            }
            while (!atWorker.isEmpty()) {
                receive();
            }
        } catch (IOException | Bytes.MalformedException e) {
            endBroken(e);
        } finally {
            setContextClassLoader(OWN_LOADER);
        }
    }

    // ---------------------------------------------------------------------------------------------- state

    /** Whether it is about to be idle: it starts, or reports the last outcome that it has to wait for. Any thread may ask. */
    boolean isFinishing() {
        return isFinishing;
    }

    /** It counts as idle from now on. Guarded by the engine's lock. */
    void finished() {
        isFinishing = false;
    }

    /** Tells it that it is one too many. Guarded by the engine's lock. */
    void leave() {
        isLeaving = true;
    }

    /** Whether it is about to end. Any thread may ask. */
    boolean isLeaving() {
        return isLeaving;
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

    /** Whether there was a process and it has ended. */
    boolean hasLostProcess() {
        WorkerProcess present = process;
        return present != null && !present.isAlive();
    }

    /**
     * The process has died: says so for each task that it had.
     *
     * @param isItsOwn whether nobody here has killed it
     */
    private void bury(boolean isItsOwn) {
        WorkerProcess dead = process;
        if (dead == null) {
            return;
        }
        Death death = dead.awaitDeath();
        TaskPage.Look last = dead.page().look();
        boolean wasUnexpected = !engine.isClosedNow() && last.state() != TaskPage.State.DOOMED;
        if (wasUnexpected) {
            log.warn("{}", death.description() + death.printed());
        }
        process = null;
        isLent = false;
        isHandedBack = false;
        unhandled = null;
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

    // ---------------------------------------------------------------------------------------------- sending

    /** Serves a batch, and what can be sent with it or ahead meanwhile, to its end or to that of the process. */
    void serve(Batch first) {
        try {
            sendWithOthers(first);
            while (!atWorker.isEmpty()) {
                while (atWorker.mayHaveMore() && !isWornOut()) {
                    Batch next = engine.takeAhead(first);
                    if (next == null) {
                        break;
                    }
                    sendWithOthers(next);
                }
                if (!atWorker.isEmpty()) {
                    receive();
                }
            }
            if (isWornOut()) {
                replaceProcess();
            }
        } catch (IOException | Bytes.MalformedException e) {
            endBroken(e);
        } finally {
            setContextClassLoader(OWN_LOADER); // to keep no other
        }
    }

    /** The process has ended, or is of no use any more. */
    private void endBroken(Exception e) {
        WorkerProcess broken = process;
        if (broken != null && e instanceof Bytes.MalformedException) {
            log.error("{} sent what cannot be read, and is killed", broken, e);
        }
        if (broken != null) {
            giveTimeToEnd(broken);
        }
        if (e instanceof IOException) {
            receiveRest();
        }
        bury(true);
    }

    private boolean isWornOut() {
        WorkerProcess present = process;
        return present != null && present.wear().isWornOut();
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

    private void replaceProcess() {
        WorkerProcess old = process;
        process = null;
        hasReplaced = true;
        if (old != null) {
            old.dismiss(frame -> handle(old, frame));
        }
    }

    /** Sends a batch; if it is of one short task, with others of that kind that wait behind it. */
    private void sendWithOthers(Batch first) throws IOException {
        int most = mostGathered(first);
        if (most > 1) {
            send(engine.gather(first, most));
        } else {
            send(first);
        }
    }

    /** How many tasks like this one may be sent in a frame: as many as are done in a moment; 1 if that is not known. */
    private int mostGathered(Batch first) {
        WorkerProcess present = process;
        if (!atWorker.wasShort() || present == null || !engine.isToBeGathered(first)) {
            return 1;
        }
        Defined workload = present.workloads().find(first.workload(), first.contextClassLoader());
        if (workload == null || !atWorker.wasShort(workload.number())) {
            return 1;
        }
        long most = Math.min(MOST_GATHERED, atWorker.doneWithin(GATHERED_NANOS));
        return (int) Math.min(most, present.wear().tasksLeft());
    }

    private void send(Batch batch) throws IOException {
        send(List.of(batch));
    }

    /**
     * Sends a batch, or several of one task each, but for what somebody else has. Whatever happens, each of the tasks
     * will be heard of.
     */
    private void send(List<Batch> given) throws IOException {
        UserCode code = new UserCode(given.get(0));
        userCode = code; // before it can be stopped
        List<Batch> batches = given;
        @Nullable Object @Nullable [] inputs = null;
        if (given.size() == 1) {
            inputs = given.get(0).claim(worker);
        } else {
            batches = new ArrayList<>(given.size());
            inputs = claim(given, batches);
        }
        if (inputs == null) {
            userCode = null;
            return;
        }
        try {
            send(batches, inputs, code);
        } catch (AbandonedException e) {
            throw e;
        } catch (IOException | Bytes.MalformedException e) { // of the connection, and not of this batch
            if (!atWorker.endsWith(batches)) {
                Lists.reverse(batches).forEach(this::giveBack); // the last is the first to be run
            }
            throw e;
        } catch (Bytes.TooLargeException e) { // by what surrounds the inputs: each of those is sent or fails
            String what =
                    "MDC and context of workload '" + batches.get(0).workload().name() + "'";
            fail(batches, Diagnosis.ofWriting(what, null, e));
        } catch (RuntimeException | Error e) {
            fail(batches, e);
            throw e;
        } finally {
            userCode = null;
        }
    }

    /** Claims tasks; gives the inputs of those that were free, or null if there were none, and adds their batches. */
    private @Nullable Object @Nullable [] claim(List<Batch> given, List<Batch> claimed) {
        @Nullable Object[] inputs = new @Nullable Object[given.size()];
        for (Batch each : given) {
            @Nullable Object[] input = each.claim(worker);
            if (input != null) {
                inputs[claimed.size()] = input[0];
                claimed.add(each);
            }
        }
        return claimed.isEmpty() ? null : Arrays.copyOf(inputs, claimed.size());
    }

    /** No worker has heard of it. */
    private void giveBack(Batch batch) {
        if (engine.isClosedNow()) {
            fail(List.of(batch), new CancellationException(settings.closedMessage()));
        } else {
            batch.notRun(0);
        }
    }

    private static void fail(List<Batch> batches, Throwable cause) {
        for (Batch each : batches) {
            int size = each.size();
            for (int i = 0; i < size; i++) {
                each.failed(i, cause);
            }
        }
    }

    private void send(List<Batch> batches, @Nullable Object[] inputs, UserCode code) throws IOException {
        Batch batch = batches.get(0); // what is not an input is the same in all
        WorkerProcess present = Objects.requireNonNull(process);
        Defined workload = present.workloads().find(batch.workload(), batch.contextClassLoader());
        if (workload != null) {
            send(present, workload, batches, inputs, code);
            return;
        }
        try {
            workload = define(present, batch.workload(), batch.contextClassLoader(), code);
        } catch (TransferException e) {
            fail(batches, e);
            return;
        }
        try {
            send(present, workload, batches, inputs, code);
        } finally {
            if (definition.size() > 0) { // the worker has not heard of it
                present.workloads().remove(workload);
                definition.clear();
            }
        }
    }

    private void send(
            WorkerProcess present, Defined workload, List<Batch> batches, @Nullable Object[] inputs, UserCode code)
            throws IOException {
        Batch batch = batches.get(0);
        Values values;
        try {
            values = present.loaders().valuesOf(workload.values());
            setContextClassLoader(values.loader());
            encodeContexts(batch.captured(), code);
        } catch (TransferException e) {
            fail(batches, e);
            return;
        }
        long id = atWorker.nextId();
        present.page().prepare(id);
        Link.frame(frame, Frames.BATCH);
        frame.putLong(id);
        frame.putInt(workload.number());
        Tag column = inputs.length > 1 ? Column.tagOf(inputs) : null;
        frame.putByte((batch.wantsStarts() ? Frames.REPORT_STARTS : 0) | (column != null ? Frames.COLUMN : 0));
        encodeMdc(batch.mdc());
        frame.putInt(contexts.size());
        frame.putBytes(contexts.array(), 0, contexts.size());
        if (present.link().canAttach()) {
            frame.beginAttaching();
        }
        int sizeAt = frame.size();
        frame.putInt(0);
        @Nullable TransferException @Nullable [] unsent = null;
        int size = 0;
        boolean isCommand = inputs[0] instanceof PackedCommand;
        String what = inputOf(batch.workload());
        if (column != null) { // for which there is always room
            putColumn(column, inputs);
            size = inputs.length;
        }
        while (size < inputs.length && (size == 0 || hasRoom())) {
            int weight = frame.weight();
            boolean mayWait = weight >= FULL_BYTES;
            Object input = inputs[size];
            int lengthAt = frame.beginLength();
            try {
                if (Tag.ofValue(input).isPlain()) {
                    engine.codec().write(frame, input, what);
                } else {
                    code.enter(size);
                    try {
                        encode(input, what);
                    } finally {
                        code.leave(size);
                    }
                }
                frame.endLength(lengthAt);
                if (size > 0 && fillsAFrame(lengthAt, weight)) {
                    frame.truncate(lengthAt);
                    break;
                }
            } catch (TransferException e) {
                if (mayWait) { // it may be too large for what is left, and not too large
                    frame.truncate(lengthAt);
                    break;
                }
                frame.setInt(lengthAt, Frames.NOT_SENT);
                if (unsent == null) {
                    unsent = new @Nullable TransferException[inputs.length];
                }
                unsent[size] = e;
            }
            inputs[size++] = null;
        }
        frame.setInt(sizeAt, size);
        long now = engine.clock().nanoTime();
        int bytes = (int) Math.min(Integer.MAX_VALUE, (long) definition.size() + frame.weight());
        Sent sent = new Sent(id, batches, workload.number(), values, size, bytes, isCommand, unsent, now);
        if (size < inputs.length) {
            batch.notRun(size); // gathered ones are small, and so is what goes with them
        }
        int count = sent.countSent();
        if (count == 0) {
            sent.skipUnsent();
            return;
        }
        atWorker.add(sent); // from here on who stops a task finds it
        // The worker reads this when it has done the others, and it cannot do those while nobody reads what it sends.
        while (frame.weight() >= AtWorker.SMALL_BYTES && atWorker.first() != sent) {
            receive();
        }
        // What was stopped before is not sent, or taken back.
        if (sent.isDone()) {
            atWorker.removeLast();
            sent.notRun();
            frame.clear();
            return;
        }
        sent.revokeDone(present.page());
        present.wear().sent(count);
        if (definition.size() > 0) {
            present.link().send(definition);
            definition.clear();
        }
        present.link().send(frame);
        frame.clear(); // a large batch must not leave a large buffer behind for ever
    }

    private void putColumn(Tag tag, @Nullable Object[] inputs) {
        tag.put(frame);
        for (int i = 0; i < inputs.length; i++) {
            Column.put(frame, tag, Objects.requireNonNull(inputs[i]));
            inputs[i] = null;
        }
    }

    /**
     * Whether the input put last is so large that it goes alone: if the worker has no room for it, it is known which it
     * was.
     */
    private boolean fillsAFrame(int start, int weightBefore) {
        return frame.size() - start >= FULL_BYTES || frame.weight() - weightBefore >= FULL_BESIDE_BYTES;
    }

    /** Whether the frame may have another input. */
    private boolean hasRoom() {
        return frame.size() < FULL_BYTES && frame.weight() < FULL_BESIDE_BYTES;
    }

    static String inputOf(Workload<?, ?> workload) {
        return "input of workload '" + workload.name() + "'";
    }

    static String functionOf(Workload<?, ?> workload) {
        return "function of workload '" + workload.name() + "'";
    }

    private void encode(@Nullable Object input, String what) {
        if (input instanceof PackedCommand packed) {
            packed.putTo(frame, what);
        } else {
            engine.codec().write(frame, input, what);
        }
    }

    private Defined define(WorkerProcess present, Workload<?, ?> workload, @Nullable ClassLoader context, UserCode code)
            throws IOException {
        ClassLoader loader = LoaderTable.choose(context, workload.functionClass());
        Slot values = present.nameLoader(loader);
        Slot contextSlot = context == null ? values : present.nameLoader(context);
        Defined defined = present.workloads().add(workload, context, values);
        try {
            Link.frame(definition, Frames.DEFINE);
            definition.putInt(defined.number());
            definition.putInt(contextSlot.number());
            definition.putInt(values.number());
            code.enter(UserCode.ALL);
            try {
                engine.functions().write(definition, workload);
            } finally {
                code.leave(UserCode.ALL);
            }
        } catch (RuntimeException e) {
            present.workloads().remove(defined);
            definition.clear();
            throw e instanceof Bytes.TooLargeException ? Diagnosis.ofWriting(functionOf(workload), null, e) : e;
        }
        return defined;
    }

    private void encodeMdc(Map<String, String> mdc) {
        frame.putVarInt(mdc.size());
        for (Map.Entry<String, String> entry : mdc.entrySet()) {
            frame.putString(entry.getKey());
            frame.putString(String.valueOf(entry.getValue()));
        }
    }

    private void encodeContexts(List<Captured> captured, UserCode code) {
        contexts.clear();
        for (Captured each : captured) {
            int lengthAt = contexts.beginLength();
            code.enter(UserCode.ALL);
            try {
                engine.codec().write(contexts, each, "captured context");
            } finally {
                code.leave(UserCode.ALL);
            }
            contexts.endLength(lengthAt);
        }
    }

    // ---------------------------------------------------------------------------------------------- receiving

    private void receive() throws IOException {
        WorkerProcess present = Objects.requireNonNull(process);
        Bytes answer = present.link().receive();
        if (answer == null) {
            throw new IOException("the connection has ended");
        }
        handle(present, answer);
        answer.attach(null); // of which nobody has taken what was cancelled
    }

    private void handle(WorkerProcess present, Bytes answer) {
        byte kind = answer.getByte();
        switch (kind) {
            case Frames.STARTED -> {
                Sent sent = atWorker.expect(answer.getLong());
                sent.skipUnsent(); // else the timeout of this one would meet the one before it, which was not sent
                int index = answer.getInt();
                if (index < sent.reported() || index >= sent.size()) {
                    throw new Bytes.MalformedException("the start of task " + index + ", where " + sent.reported()
                            + " is next and " + sent.size() + " are there");
                }
                long ago = answer.getLong();
                sent.started(index, sent.pastNanos(ago, engine.clock().nanoTime()));
                if (ago > 0) { // a start that was asked for is reported at once
                    sent.takesLong();
                    if (engine.mayHaveSeveral()) { // else nobody could take it
                        atWorker.giveBackBehind(present.page());
                    }
                }
            }
            case Frames.RESULTS -> receiveResults(present, answer);
            case Frames.LOG -> RemoteLog.write(worker.name(), answer, failures());
            case Frames.QUESTION -> present.answer(answer);
            case Frames.ASK, Frames.WITHDRAW -> present.ask(kind, answer);
            default -> throw new Bytes.MalformedException("a frame of unknown kind");
        }
    }

    /** What rebuilds the exceptions of what is at the worker now. */
    private ThrowableCodec failures() {
        Sent sent = atWorker.first();
        return sent != null ? sent.values().failures() : engine.origin().failures();
    }

    /** Takes what a process that has ended had sent before: results that nobody has to lose, and its last words. */
    private void receiveRest() {
        try {
            while (process != null) {
                receive();
            }
        } catch (IOException | Bytes.MalformedException e) {
            log.debug("{} has ended, and that was all it sent", process, e);
        }
    }

    private void receiveResults(WorkerProcess present, Bytes answer) {
        Sent sent = atWorker.expect(answer.getLong());
        int first = answer.getInt();
        long ran = answer.getLong();
        int count = answer.getInt();
        Wear wear = present.wear();
        wear.weigh(); // before the last outcome says that this driver is free at once
        sent.skipUnsent();
        if (first != sent.reported()) {
            throw new Bytes.MalformedException(
                    "outcomes from task " + first + " on, where " + sent.reported() + " is next");
        }
        sent.acquit(engine.suspects());
        sent.ran(ran);
        long ago = sent.pastNanos(ran, engine.clock().nanoTime());
        String what = resultOf(sent);
        try {
            int left = count;
            while (left > 0) {
                byte kind = answer.getByte();
                if (kind == Frames.VALUES) {
                    left -= receiveColumn(wear, sent, answer, left, ago);
                    continue;
                }
                Bytes contents = answer.slice(answer.getInt());
                int index = next(sent);
                left--;
                if (kind == Frames.REVOKED) {
                    wear.tookBack();
                } else {
                    sent.startedIfFirst(index, ago);
                }
                boolean isLast = left == 0 && isLast(wear, sent, index);
                boolean isWanted = !sent.batchOf(index).isDone(sent.indexInBatch(index));
                if (isWanted && kind == Frames.VALUE && gatherPlain(sent, contents, what)) {
                    isFinishing = isLast;
                    continue;
                }
                reportPlain(sent);
                if (isWanted && kind != Frames.REVOKED) {
                    report(sent, kind, contents, what, isLast);
                    continue;
                }
                isFinishing = isLast;
                if (isWanted) {
                    sent.revoked();
                } else { // and is not rebuilt: if that hung, there would be nobody to notice
                    sent.unwanted();
                }
            }
        } finally {
            reportPlain(sent);
        }
        sent.skipUnsent();
        if (sent.isAllReported()) {
            settled(present, sent);
        }
    }

    /** The place of the task whose outcome is next. */
    private int next(Sent sent) {
        if (sent.hasUnsent()) {
            reportPlain(sent);
            sent.skipUnsent();
        }
        int index = sent.reported() + plainCount;
        if (index >= sent.size()) {
            throw new Bytes.MalformedException("more outcomes than tasks");
        }
        return index;
    }

    /** Whether the driver has nothing to do when it has reported the outcome of that task. */
    private boolean isLast(Wear wear, Sent sent, int index) {
        return index == sent.size() - 1 && atWorker.isOnlyOne() && !wear.isWornOut();
    }

    /** Receives the outcomes of at most so many tasks; gives their number. */
    private int receiveColumn(Wear wear, Sent sent, Bytes answer, int most, long ago) {
        Tag tag = Column.getTag(answer);
        int count = answer.getInt();
        if (count < 1 || count > most) {
            throw new Bytes.MalformedException("a column of " + count + " outcomes where " + most + " are to come");
        }
        for (int left = count; left > 0; ) {
            int index = next(sent);
            sent.startedIfFirst(index, ago);
            int stretch = sent.stretch(index, left);
            boolean isWanted = !sent.batchOf(index).isDone();
            left -= stretch;
            if (!isWanted) {
                reportPlain(sent);
            }
            for (int i = 0; i < stretch; i++) {
                Object value = Column.get(answer, tag);
                if (isWanted) {
                    plain[plainCount++] = value;
                } else {
                    sent.unwanted();
                }
            }
            boolean isAll = left == 0 && count == most;
            isFinishing = isAll && isLast(wear, sent, index + stretch - 1); // and all of it is there
        }
        return count;
    }

    /** All its outcomes are there. */
    private void settled(WorkerProcess present, Sent sent) {
        atWorker.settled(sent);
        if (present.wear().proves()) {
            engine.provedStarting();
        }
    }

    /** Rebuilds a value of which no more can go wrong, and keeps it until it is reported with its neighbours. */
    private boolean gatherPlain(Sent sent, Bytes contents, String what) {
        if (!Tag.isPlainNext(contents)) {
            return false;
        }
        int start = contents.position();
        try {
            plain[plainCount] = sent.values().codec().read(contents, what);
            plainCount++;
            return true;
        } catch (TransferException e) {
            contents.position(start);
            return false; // to be reported as what it is
        }
    }

    /** Reports what has been gathered. */
    private void reportPlain(Sent sent) {
        int count = plainCount;
        if (count > 0) {
            plainCount = 0;
            sent.succeeded(plain, count);
            Arrays.fill(plain, 0, count, null);
        }
    }

    /** Rebuilds the next outcome and reports it. */
    private void report(Sent sent, byte kind, Bytes contents, String what, boolean isLast) {
        Object value = null;
        Throwable failure = null;
        int at = sent.reported();
        int index = sent.indexInBatch(at);
        UserCode code = new UserCode(sent.batchOf(at));
        userCode = code;
        code.enter(index);
        if (sent.batchOf(at).isDone(index)) { // who stopped it since it was looked at last has not seen where this is
            code.leave(index);
            userCode = null;
            isFinishing = isLast;
            sent.unwanted();
            return;
        }
        try {
            if (kind == Frames.THROWN) {
                failure = sent.values().failures().read(contents, worker.name());
            } else {
                value = sent.values().codec().read(contents, what);
            }
        } catch (TransferException e) {
            failure = e;
        } finally {
            code.leave(index);
        }
        userCode = null;
        isFinishing = isLast; // so that who gets this outcome, and goes on, starts no other process
        if (failure == null) {
            sent.succeeded(value);
        } else {
            sent.failed(failure);
        }
    }

    // ---------------------------------------------------------------------------------------------- from elsewhere

    /** Core has given up a task. */
    void stop(Batch batch, int index) {
        UserCode code = userCode;
        if (code != null && code.batch() == batch) {
            engine.watcher()
                    .schedule(
                            () -> {
                                if (code.abandon(index)) {
                                    takeOver(code);
                                }
                            },
                            UserCode.GRACE_NANOS);
        }
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
        WorkerProcess left = process;
        if (left != null) {
            left.kill();
        }
        if (!atWorker.has(code.batch())) {
            giveBack(code.batch());
        }
        bury(false);
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
        UserCode code = userCode;
        if (code != null) {
            engine.watcher()
                    .schedule(
                            () -> {
                                if (code.abandon()) {
                                    takeOver(code);
                                }
                            },
                            UserCode.GRACE_NANOS);
        }
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
