package io.stratagem.processpool;

import io.stratagem.processpool.WorkerProcess.StartException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker process in reserve, so that one that was killed, has died or is worn out is replaced at once. It is kept from
 * the first such loss on, for as long as the pool has workers. Any thread may use it.
 */
/* Guarded by this. The process is started by a thread of its own, which has gone when isGone() says so. */
final class Spare {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    private final ProcessEngine engine;
    private @Nullable WorkerProcess ready;
    private @Nullable Thread starting;
    private boolean isKept;
    private boolean isAwaited;

    Spare(ProcessEngine engine) {
        this.engine = engine;
    }

    /**
     * The spare process, which is the caller's then; null if there is none. Waits for one that is being started, unless
     * somebody else does.
     */
    synchronized @Nullable WorkerProcess take() throws InterruptedException {
        if (ready == null && starting != null && !isAwaited) {
            isAwaited = true;
            try {
                awaitStarted(Long.MAX_VALUE);
            } finally {
                isAwaited = false;
            }
        }
        WorkerProcess taken = ready;
        ready = null;
        if (taken != null && !taken.isAlive()) {
            taken.awaitDeath();
            return null;
        }
        return taken;
    }

    /** Has one started, if there is none. */
    synchronized void keep() {
        isKept = true;
        if (ready == null && starting == null) {
            String name = engine.settings().prefix() + "spare";
            Thread thread = new Thread(null, () -> start(name), name, 0, false);
            thread.setDaemon(true);
            try {
                thread.start();
            } catch (OutOfMemoryError e) { // there can be no more threads: who replaces a process must keep that
                log.debug("No spare process", e);
                return;
            }
            starting = thread; // which waits for this lock before it says that it has ended
        }
    }

    private void start(String name) {
        WorkerProcess started = null;
        try {
            started = engine.startProcess(name);
        } catch (StartException e) {
            // Who needs a process will try himself, and say so.
            log.debug("No spare process", e);
        } catch (InterruptedException e) {
            log.debug("No spare process is needed any more", e);
        }
        WorkerProcess surplus = null;
        synchronized (this) {
            if (isKept) {
                ready = started;
            } else {
                surplus = started;
            }
        }
        if (surplus != null) {
            dismiss(surplus);
        }
        synchronized (this) {
            starting = null;
            notifyAll();
        }
    }

    /** Lets it go, kindly if there is time. */
    void release(boolean isKindly) {
        WorkerProcess last;
        synchronized (this) {
            isKept = false;
            last = ready;
            ready = null;
            if (starting != null) {
                starting.interrupt();
            }
        }
        if (last != null && isKindly) {
            dismiss(last);
        } else if (last != null) {
            last.kill();
            last.awaitDeath();
        }
    }

    private void dismiss(WorkerProcess process) {
        process.dismiss(frame -> {
            byte kind = frame.getByte();
            if (kind == Frames.LOG) {
                RemoteLog.write(process.name(), frame, engine.origin().failures());
            } else if (kind == Frames.QUESTION) {
                process.answer(frame);
            }
        });
    }

    /** Waits until no thread is about to start one; false if that takes longer. */
    synchronized boolean awaitStarted(long nanos) throws InterruptedException {
        long start = System.nanoTime();
        long left = nanos;
        while (starting != null && left > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = nanos - (System.nanoTime() - start);
        }
        return starting == null;
    }
}
