package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.spi.Batch;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Receives what a worker sends, and tells core what became of its tasks. What does not fit to what is {@link AtWorker} is
 * refused, whatever the worker says. For who has the driver's turn.
 */
final class Receiver {
    private final ProcessEngine engine;
    private final String name;
    private final AtWorker atWorker;
    private final UserCode.Watch watch;

    private volatile boolean isFinishing = true; // as soon as there is a process

    /** Outcomes of tasks in a row that have not been reported yet. */
    private final @Nullable Object[] plain = new @Nullable Object[TaskPage.MAX_BATCH];

    private int plainCount;

    Receiver(ProcessEngine engine, String name, AtWorker atWorker, UserCode.Watch watch) {
        this.engine = engine;
        this.name = name;
        this.atWorker = atWorker;
        this.watch = watch;
    }

    /** Whether the outcome is being reported after which there is nothing at the worker. Any thread may ask. */
    boolean isFinishing() {
        return isFinishing;
    }

    /** There is nothing now, and that is known. */
    void finished() {
        isFinishing = false;
    }

    /**
     * Waits for what comes next and does what it asks for.
     *
     * @throws IOException if the connection has ended
     * @throws Bytes.MalformedException if what comes is not to be understood
     */
    void receive(WorkerProcess process) throws IOException {
        Bytes frame = process.link().receive();
        if (frame == null) {
            throw new IOException("the connection has ended");
        }
        handle(process, frame);
        frame.attach(null); // of which nobody has taken what was cancelled
    }

    /** Does what a frame asks for. */
    void handle(WorkerProcess process, Bytes frame) {
        byte kind = frame.getByte();
        switch (kind) {
            case Frames.STARTED -> takeStart(process, frame);
            case Frames.RESULTS -> takeResults(process, frame);
            case Frames.LOG -> RemoteLog.write(name, frame, failures());
            case Frames.QUESTION -> process.answer(frame);
            case Frames.ASK, Frames.WITHDRAW -> process.ask(kind, frame);
            default -> throw new Bytes.MalformedException("a frame of unknown kind");
        }
    }

    /** What rebuilds the exceptions of what is at the worker now. */
    private ThrowableCodec failures() {
        Sent sent = atWorker.first();
        return sent != null ? sent.values().failures() : engine.origin().failures();
    }

    private void takeStart(WorkerProcess process, Bytes frame) {
        Sent sent = atWorker.expect(frame.getLong());
        sent.skipUnsent(); // else the timeout of this one would meet the one before it, which was not sent
        int index = frame.getInt();
        if (index < sent.reported() || index >= sent.size()) {
            throw new Bytes.MalformedException("the start of task " + index + ", where " + sent.reported()
                    + " is next and " + sent.size() + " are there");
        }
        long ago = frame.getLong();
        sent.started(index, sent.pastNanos(ago, engine.clock().nanoTime()));
        if (ago > 0) { // a start that was asked for is reported at once
            sent.takesLong();
            if (engine.mayHaveSeveral()) { // else nobody could take it
                atWorker.giveBackBehind(process.page());
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- outcomes

    private void takeResults(WorkerProcess process, Bytes frame) {
        Sent sent = atWorker.expect(frame.getLong());
        int first = frame.getInt();
        long ran = frame.getLong();
        int count = frame.getInt();
        Wear wear = process.wear();
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
                byte kind = frame.getByte();
                if (kind == Frames.VALUES) {
                    left -= takeColumn(wear, sent, frame, left, ago);
                    continue;
                }
                Bytes contents = frame.slice(frame.getInt());
                int index = next(sent);
                left--;
                if (kind == Frames.REVOKED) {
                    wear.tookBack();
                } else {
                    sent.checkKept(index + 1);
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
            settled(process, sent);
        }
    }

    static String resultOf(Sent sent) {
        return "result of workload '" + sent.batch().workload().name() + "'";
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

    /** Takes the outcomes of at most so many tasks; gives their number. */
    private int takeColumn(Wear wear, Sent sent, Bytes frame, int most, long ago) {
        Tag tag = Column.getTag(frame);
        int count = frame.getInt();
        if (count < 1 || count > most) {
            throw new Bytes.MalformedException("a column of " + count + " outcomes where " + most + " are to come");
        }
        for (int left = count; left > 0; ) {
            int index = next(sent);
            sent.startedIfFirst(index, ago);
            int stretch = sent.stretch(index, left);
            sent.checkKept(index + stretch);
            boolean isWanted = !sent.batchOf(index).isDone();
            left -= stretch;
            if (!isWanted) {
                reportPlain(sent);
            }
            for (int i = 0; i < stretch; i++) {
                Object value = Column.get(frame, tag);
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
    void settled(WorkerProcess process, Sent sent) {
        atWorker.settled(sent);
        if (process.wear().proves()) {
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
        Batch batch = sent.batchOf(sent.reported());
        int index = sent.indexInBatch(sent.reported());
        UserCode code = watch.begin(batch);
        code.enter(index);
        if (batch.isDone(index)) { // who stopped it since it was looked at last has not seen where this is
            code.leave(index);
            watch.end();
            isFinishing = isLast;
            sent.unwanted();
            return;
        }
        try {
            if (kind == Frames.THROWN) {
                failure = sent.values().failures().read(contents, name);
            } else {
                value = sent.values().codec().read(contents, what);
            }
        } catch (TransferException e) {
            failure = e;
        } finally {
            code.leave(index);
        }
        watch.end();
        isFinishing = isLast; // so that who gets this outcome, and goes on, starts no other process
        if (failure == null) {
            sent.succeeded(value);
        } else {
            sent.failed(failure);
        }
    }
}
