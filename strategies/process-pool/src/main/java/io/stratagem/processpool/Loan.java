package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.spi.Batch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An idle driver's connection, lent to a caller who submits a task and waits for it, one after another: the caller then
 * sends the task and receives its outcome itself, and no thread of ours is woken. That is for what is plain, small and
 * known to the worker; whatever else happens, the caller hands the driver back, with all that is left to do.
 */
/* A caller only tries to get the turn, and does nothing with it that could block, except to wait for input until it is
 * interrupted. It does not keep it between sending and receiving: the loan goes on meanwhile, and the driver takes it back
 * from who does not come.
 */
final class Loan {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    /** So soon a caller is to come back for what it has sent. */
    static final long LIMIT_NANOS = 1_000_000;

    private static final long LONGEST_WAIT_NANOS = 5_000_000;

    /** What a caller sends itself is no larger, and certainly fits into the connection's buffer. */
    private static final int INPUT_BYTES = 4096;

    /** At most as large is the frame, with what goes with it. */
    private static final int FRAME_BYTES = 1 << 14;

    private static final int CONTEXT_CHARS = 1024;

    /** A frame of results with one, up to the value itself. */
    private static final int SINGLE_RESULT_BYTES =
            1 + Long.BYTES + Integer.BYTES + Long.BYTES + Integer.BYTES + 1 + Integer.BYTES;

    private final ProcessEngine engine;
    private final WorkerDriver driver;
    private final ReentrantLock turn;
    private final AtWorker atWorker;
    private final Sender sender;
    private final Receiver receiver;

    /** A caller has sent what is at the worker. Changed by who has the turn. */
    private volatile boolean isOut;

    /** The caller has left it to the driver to go on. Changed by who has the turn. */
    private volatile boolean isHandedBack;

    /** A frame that a caller has received and left to the driver. For who has the turn. */
    private @Nullable Bytes unhandled;

    Loan(
            ProcessEngine engine,
            WorkerDriver driver,
            ReentrantLock turn,
            AtWorker atWorker,
            Sender sender,
            Receiver receiver) {
        this.engine = engine;
        this.driver = driver;
        this.turn = turn;
        this.atWorker = atWorker;
        this.sender = sender;
        this.receiver = receiver;
    }

    /** Whether what goes with the tasks of a batch, besides their inputs, takes little room and no code to write. */
    static boolean hasSmallContext(Batch batch) {
        int chars = 0;
        for (Map.Entry<String, String> entry : batch.mdc().entrySet()) {
            chars += entry.getKey().length() + String.valueOf(entry.getValue()).length();
        }
        return chars <= CONTEXT_CHARS && batch.captured().isEmpty();
    }

    /** Any thread may ask. */
    boolean isOut() {
        return isOut;
    }

    /** Whether the driver is to go on with what a caller has sent. Any thread may ask. */
    boolean isHandedBack() {
        return isOut && isHandedBack;
    }

    // ---------------------------------------------------------------------------------------------- the caller

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
            WorkerProcess process = driver.process();
            if (process == null
                    || isOut
                    || !isPlainAndKnown(batch, process)
                    || !process.link().hasRoomFor(FRAME_BYTES)) {
                return false;
            }
            begin(process, batch);
            isUnwanted = !isOut;
        } finally {
            turn.unlock();
        }
        if (isUnwanted) {
            engine.giveBack(driver);
        }
        return true;
    }

    private static boolean isPlainAndKnown(Batch batch, WorkerProcess process) {
        if (process.wear().isWornOutBy(1)
                || batch.wantsStarts()
                || !hasSmallContext(batch)
                || !Tag.isSmall(batch.input(0), INPUT_BYTES)) {
            return false;
        }
        return process.workloads().find(batch.workload(), batch.contextClassLoader()) != null;
    }

    private void begin(WorkerProcess process, Batch batch) {
        isHandedBack = false;
        boolean isSent = false;
        try {
            process.link().prepareToWait();
            sender.send(process, List.of(batch));
            isSent = true;
            isOut = !atWorker.isEmpty();
        } catch (IOException | RuntimeException e) {
            log.debug("{} could not be sent a task at once", process, e);
        } catch (Error e) {
            process.kill(); // it may have been sent a part, or be waited for in vain
            throw e;
        } finally {
            driver.leaveLoader();
            if (!isSent) { // the driver meets the same, and sees to it
                isHandedBack = true;
                isOut = true;
                LockSupport.unpark(driver);
            }
        }
    }

    /**
     * Receives the outcome of the task that was sent at once, in the thread that waits for it. Returns when there is an
     * outcome, or nothing more that can be done here.
     */
    void attend(Batch batch, long limitNanos) {
        if (!isOut || !turn.tryLock()) {
            return;
        }
        Plain outcome;
        Sent sent;
        try {
            sent = atWorker.first();
            if (!isOut || isHandedBack || sent == null || sent.batch() != batch) {
                return;
            }
            WorkerProcess process = Objects.requireNonNull(driver.process());
            outcome = awaitPlain(process.link(), sent, limitNanos);
            if (outcome == null) {
                isHandedBack = true;
                LockSupport.unpark(driver);
                return;
            }
            sent.ran(outcome.ran);
            receiver.settled(process, sent);
            process.wear().weigh();
            isOut = false;
        } finally {
            turn.unlock();
        }
        engine.giveBack(driver);
        batch.started(0, sent.pastNanos(outcome.ran, engine.clock().nanoTime()));
        batch.succeeded(0, outcome.value); // last, and without the turn: what depends on it may run here
    }

    /** What a single task has returned, if that is plain. */
    private record Plain(@Nullable Object value, long ran) {}

    /** Null if something else has come, or nothing. */
    private @Nullable Plain awaitPlain(Link link, Sent sent, long limitNanos) {
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
            Object value = sent.values().codec().read(contents, Receiver.resultOf(sent));
            unhandled = null;
            return new Plain(value, ran);
        } catch (TransferException e) {
            return null;
        } finally {
            answer.position(start);
        }
    }

    // ---------------------------------------------------------------------------------------------- the driver

    /** Waits until the caller is done, or has left the rest to the driver, or has not come to wait for its result. */
    void awaitReturn() {
        long nanos = LIMIT_NANOS;
        while (isOut && !isHandedBack && !driver.hasLostProcess()) {
            LockSupport.parkNanos(driver, nanos);
            nanos = Math.min(2 * nanos, LONGEST_WAIT_NANOS);
            if (turn.tryLock()) {
                try {
                    Sent sent = atWorker.first();
                    if (isOut && sent != null && sent.ageNanos() > LIMIT_NANOS) {
                        isHandedBack = true;
                        engine.hasNotCome();
                    }
                } finally {
                    turn.unlock();
                }
            }
        }
    }

    /** Ends it. Gives a frame that a caller has received and not handled, or null. For who has the turn. */
    @Nullable
    Bytes end() {
        Bytes left = unhandled;
        isOut = false;
        isHandedBack = false;
        unhandled = null;
        return left;
    }
}
