package io.stratagem.processpool;

import io.stratagem.TransferException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What a worker sends. Outcomes are gathered, and leave when the batch is done, when they have become many, or when the
 * first of them has waited for a few milliseconds, so that a slow task does not hold back those before it. Any thread
 * may use it; it blocks as the connection does.
 */
/* The ticker is a thread that looks every few milliseconds as long as there are tasks, and parks when there have been none
 * for a while: to wake it for each lone task would cost as much as the task. It also is the clock by which tasks are seen
 * to be slow: to ask the system's once for each would take longer than many a task.
 *
 * The lock, which is this, guards the connection's sending side. A tiny task takes less time than a lock, so the gathered
 * outcomes have another guard: between two tasks they belong to the thread that runs these; while a task runs, to who has
 * the lock. `running` says which it is:
 *
 *                     begun, a release                          taken, by compare-and-set
 *     0: between    ────────────────────▶  > 0: a task runs   ─────────────────────────────▶  < 0: the ticker, which has
 *     tasks         ◀────────────────────                     ◀─────────────────────────────  the lock, sends them
 *                     compare-and-set, or                       a release
 *                     with the lock
 */
final class Outbox {
    private static final int MANY_BYTES = 1 << 15;
    private static final long TICK_NANOS = 2_000_000;
    private static final int TICKS_AWAKE = 50;
    private static final long EXIT_MILLIS = 500;
    private static final long SENDER_IDLE_SECONDS = 10;

    /** What is sent of an event that is too large. */
    private static final int CUT_OFF_CHARS = 8192;

    /** Where the number of outcomes stands in a frame of results: after length, kind, batch, first index, time. */
    private static final int COUNT_OFFSET = Integer.BYTES + 1 + Long.BYTES + Integer.BYTES + Long.BYTES;

    private static final VarHandle RUNNING;

    static {
        try {
            RUNNING = MethodHandles.lookup().findVarHandle(Outbox.class, "running", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static @Nullable Outbox present;

    private final Link link;
    private final ThrowableCodec failures;
    private final Bytes results = new Bytes();
    private final Bytes other = new Bytes();
    private final Thread ticker;

    /** Not this, whose holder may be waiting for the connection. */
    private final Object senderLock = new Object();

    /** Sends for threads that are the user's. Made for the first of them; guarded by its lock. */
    private @Nullable ExecutorService sender;

    // Guarded by this.
    private boolean isInBatch;
    private boolean reportsStarts;
    private boolean hadWork;

    /** The {@link #running} whose start has been reported at once. */
    private long startReported;

    /** The one that has been reported to take long. */
    private long slowReported;

    // What is gathered, with the bytes.
    private long batch;
    private long batchStart;
    private int gathered;

    /** Of the column that the gathered outcomes end with: its tag, if there is one, where its number of values stands, and that. */
    private @Nullable Tag column;

    private int columnCountAt;
    private int columnCount;

    /**
     * Which task runs, and since which tick; see above. When it begins a task, its thread writes this and then looks at
     * {@link #isTicking}, with the page's step between, which is a full fence; the ticker writes that and then looks at
     * this: so either the ticker sees the task, or it is woken.
     */
    private volatile long running;

    /** What {@link #running} is for the task. Only its thread uses it. */
    private long begun;

    private volatile int ticks;
    private volatile boolean isTicking;

    Outbox(Link link, ThrowableCodec failures) {
        this.link = link;
        this.failures = failures;
        this.ticker = new Thread("stratagem-ticker") {
            @Override
            public void run() {
                tick();
            }
        };
        ticker.setDaemon(true);
    }

    static Outbox open(Link link, ThrowableCodec failures) {
        Outbox outbox = new Outbox(link, failures);
        present = outbox;
        outbox.ticker.start();
        return outbox;
    }

    /** The one of this worker, or null in the application. */
    static @Nullable Outbox present() {
        return present;
    }

    synchronized void sendHello(String token) throws IOException {
        Link.frame(other, Frames.HELLO);
        other.putString(token);
        link.sendFirst(other);
    }

    /** One that the application does not refuse. */
    private Bytes frame(byte kind) {
        return Link.frame(new Bytes(link.maxFrame()), kind);
    }

    /** Ready, or not because of a failure. */
    void sendReady(@Nullable Throwable failure) throws IOException {
        Bytes frame = frame(Frames.READY);
        putFailure(frame, failure);
        send(frame);
    }

    void sendLog(int level, String logger, String message, Map<String, String> mdc, @Nullable Throwable failure) {
        Bytes frame;
        try {
            frame = event(level, logger, message, mdc, failure);
        } catch (Bytes.TooLargeException | TransferException e) {
            frame = event(
                    level,
                    beginning(logger),
                    beginning(message) + " … (cut off: " + e.getMessage() + ")",
                    Map.of(),
                    null);
        }
        sendFromAnyThread(frame);
    }

    private static String beginning(String text) {
        return text.substring(0, Math.min(text.length(), CUT_OFF_CHARS));
    }

    private Bytes event(
            int level, String logger, String message, Map<String, String> mdc, @Nullable Throwable failure) {
        Bytes frame = frame(Frames.LOG);
        frame.putByte(level);
        frame.putString(logger);
        frame.putString(message);
        frame.putString(Thread.currentThread().getName());
        frame.putInt(mdc.size());
        mdc.forEach((key, value) -> {
            frame.putString(key);
            frame.putString(String.valueOf(value));
        });
        putFailure(frame, failure);
        return frame;
    }

    /** Asks for what a class loader of the application finds. */
    void sendQuestion(int number, int loader, String name, boolean forAll, List<String> known) {
        Bytes frame = frame(Frames.QUESTION);
        frame.putInt(number);
        frame.putInt(loader);
        frame.putByte(forAll ? 1 : 0);
        frame.putString(name);
        frame.putVarInt(known.size());
        known.forEach(frame::putString);
        sendFromAnyThread(frame);
    }

    /** A question to what the application hosts, to be filled and sent by {@link #ask}. */
    Bytes question() {
        return frame(Frames.ASK);
    }

    void ask(Bytes question) {
        sendFromAnyThread(question);
    }

    void withdraw(int question) {
        Bytes frame = frame(Frames.WITHDRAW);
        frame.putInt(question);
        sendFromAnyThread(frame);
    }

    /** Without the lock: the failure's own methods may log, and load classes, for which others may be waiting. */
    private void putFailure(Bytes frame, @Nullable Throwable failure) {
        frame.putByte(failure == null ? 0 : 1);
        if (failure != null) {
            failures.writeIfThereIsRoom(frame, failure);
        }
    }

    /** The thread may be the user's, and to write while it is interrupted would close the connection. */
    private void sendFromAnyThread(Bytes frame) {
        try {
            if (link.isClosedByInterrupts() && !(Thread.currentThread() instanceof TaskThread)) {
                sendUndisturbed(frame);
            } else {
                send(frame);
            }
        } catch (IOException e) {
            // The application is gone, and this process will be in a moment.
        }
    }

    /** On a thread that nobody else knows. */
    private void sendUndisturbed(Bytes frame) throws IOException {
        Future<?> sent = sender().submit(() -> {
            send(frame);
            return null;
        });
        boolean wasInterrupted = false;
        while (true) {
            try {
                sent.get();
                break;
            } catch (InterruptedException e) {
                wasInterrupted = true;
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private ExecutorService sender() {
        synchronized (senderLock) {
            ExecutorService present = sender;
            if (present == null) {
                ThreadPoolExecutor made = new ThreadPoolExecutor(
                        1, 1, SENDER_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
                made.allowCoreThreadTimeOut(true);
                made.setThreadFactory(action -> {
                    Thread thread = new Thread(null, action, "stratagem-sender", 0, false);
                    thread.setDaemon(true);
                    thread.setContextClassLoader(Outbox.class.getClassLoader()); // before 19 it is the task's
                    return thread;
                });
                present = made;
                sender = present;
            }
            return present;
        }
    }

    private synchronized void send(Bytes frame) throws IOException {
        write(frame);
    }

    private void write(Bytes frame) throws IOException {
        TaskThread.beginExchange();
        try {
            link.send(frame);
        } finally {
            TaskThread.endExchange();
        }
    }

    // ---------------------------------------------------------------------------------------------- batches

    /* All of these are for the one thread that runs tasks. */

    /**
     * Begins a batch.
     *
     * @param mustReport whether the start of each task is to be reported at once
     */
    synchronized void beginBatch(long aBatch, boolean mustReport) {
        isInBatch = true;
        batch = aBatch;
        reportsStarts = mustReport;
        batchStart = System.nanoTime();
        startReported = 0;
        slowReported = 0;
    }

    /** Sends what is left. */
    synchronized void endBatch() throws IOException {
        flush();
        isInBatch = false;
    }

    /** A task is about to begin; to be followed by the page's step, and then by {@link #begun} or {@link #notBegun}. */
    void beginTask(int index) {
        begun = ((index + 1L) << Integer.SIZE) | Integer.toUnsignedLong(ticks);
        RUNNING.setRelease(this, begun);
    }

    void notBegun() {
        takeBack();
    }

    private void takeBack() {
        if (!RUNNING.compareAndSet(this, begun, 0L)) {
            synchronized (this) { // the ticker sends what is gathered
                running = 0;
            }
        }
    }

    void begun() throws IOException {
        if (reportsStarts) { // which this thread has written
            synchronized (this) {
                flush();
                startReported = begun;
                sendStarted(begun, 0);
            }
        }
        if (!isTicking) {
            isTicking = true;
            LockSupport.unpark(ticker);
        }
    }

    /** Adds the outcome of the task that was begun last, as it is to be sent. */
    void endTask(int index, Bytes outcome) throws IOException {
        takeBack();
        if (outcome.attachments() != null) {
            flush(); // what is beside a frame is numbered from its beginning, and must be sent before the next task
            // runs
        }
        beginOutcome(index);
        endColumn();
        results.putBytes(outcome.array(), 0, outcome.size());
        gathered++;
        if (outcome.attachments() != null) {
            results.attach(outcome.attachments());
            flush();
        }
    }

    /** Whether so much is gathered that it is to be sent. */
    boolean isFull() {
        return results.size() > MANY_BYTES;
    }

    /**
     * The same for the outcome of a task that has returned what can be in a {@link Column}, unless that would have to wait
     * for the connection.
     *
     * @return false if it would, and nothing was done
     */
    boolean endTaskAtOnce(int index, Tag tag, Object value) {
        if (!RUNNING.compareAndSet(this, begun, 0L)) {
            return false;
        }
        beginOutcome(index);
        if (column != tag) {
            endColumn();
            results.putByte(Frames.VALUES);
            tag.put(results);
            column = tag;
            columnCountAt = results.size();
            columnCount = 0;
            results.putInt(0);
        }
        Column.put(results, tag, value);
        columnCount++;
        gathered++;
        return true;
    }

    private void beginOutcome(int index) {
        if (gathered == 0) {
            Link.frame(results, Frames.RESULTS);
            results.putLong(batch);
            results.putInt(index);
            results.putLong(0);
            results.putInt(0);
        }
    }

    private void endColumn() {
        if (column != null) {
            results.setInt(columnCountAt, columnCount);
            column = null;
        }
    }

    /** Sends what is gathered. For the thread that runs tasks, and who has taken that from it. */
    synchronized void flush() throws IOException {
        if (gathered > 0) {
            hadWork = true;
            endColumn();
            results.setInt(COUNT_OFFSET, gathered);
            results.setLong(COUNT_OFFSET - Long.BYTES, System.nanoTime() - batchStart);
            gathered = 0;
            write(results);
            results.attach(null);
        }
    }

    /**
     * For the shutdown of this JVM, as by a task that calls {@code System.exit}: what is gathered are the results of
     * those before it. Bounded, since who exits may hold the lock, and there may be no moment in which a task runs.
     */
    void flushAtExit() {
        Thread flusher = new Thread(
                () -> {
                    try {
                        while (!flushIfRunning()) {
                            Thread.onSpinWait();
                        }
                    } catch (IOException e) {
                        // The application is gone.
                    }
                },
                "stratagem-last-flush");
        flusher.setDaemon(true);
        flusher.start();
        try {
            flusher.join(EXIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** False if it must be tried again. */
    private synchronized boolean flushIfRunning() throws IOException {
        long present = running;
        if (present > 0 && RUNNING.compareAndSet(this, present, -present)) {
            try {
                flush();
            } finally {
                RUNNING.setRelease(this, present);
            }
            return true;
        }
        return !isInBatch;
    }

    private void sendStarted(long which, long ago) throws IOException {
        Link.frame(other, Frames.STARTED);
        other.putLong(batch);
        other.putInt((int) (which >>> Integer.SIZE) - 1);
        other.putLong(ago);
        write(other);
    }

    // ---------------------------------------------------------------------------------------------- the ticker

    private void tick() {
        int idle = 0;
        try {
            while (true) {
                if (idle < TICKS_AWAKE) {
                    LockSupport.parkNanos(this, TICK_NANOS);
                } else {
                    isTicking = false;
                    if (!look()) {
                        LockSupport.park(this);
                    }
                    isTicking = true;
                }
                idle = look() ? 0 : idle + 1;
            }
        } catch (IOException e) {
            // The application is gone.
        }
    }

    /** What the ticker does at each tick: whether there is or has been anything to do. */
    synchronized boolean look() throws IOException {
        long present = running;
        boolean isBusy = hadWork || present != 0;
        hadWork = false;
        int age = ++ticks - (int) present; // one more than the whole ticks that it has run
        if (present > 0 && RUNNING.compareAndSet(this, present, -present)) {
            try {
                flush();
                // Whoever is told of starts must not hear of one before it is certain that the task was not taken back.
                boolean isCertain = !reportsStarts || present == startReported;
                if (present != slowReported && age > 1 && isCertain) {
                    slowReported = present;
                    sendStarted(present, (age - 1) * TICK_NANOS);
                }
            } finally {
                RUNNING.setRelease(this, present);
            }
        }
        return isBusy;
    }
}
