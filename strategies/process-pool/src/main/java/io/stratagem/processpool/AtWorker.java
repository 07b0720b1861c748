package io.stratagem.processpool;

import io.stratagem.processpool.WorkerProcess.Death;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/**
 * What has been sent to a worker and not come back, in the order in which it was sent, and what is known of how long such
 * work takes. Changed by who has the driver's turn, and by its successor; others stop tasks in it, or look.
 */
final class AtWorker {
    /** After a batch that took no longer, others of its workload are sent ahead. */
    static final long SHORT_NANOS = 5_000_000;

    /** What certainly fits into the connection's buffers while nobody reads. */
    static final int SMALL_BYTES = 1 << 15;

    private static final int NONE = -1;
    private static final int MOST = TaskPage.MAX_BATCHES - 1;

    private final Deque<Sent> all = new ConcurrentLinkedDeque<>();
    private long lastId;

    /** The number of the workload of the last batch if that was short, else −1. Only its batches are sent ahead. */
    private volatile int shortWorkload = NONE;

    /** How long one of its tasks took. */
    private long shortTaskNanos;

    boolean isEmpty() {
        return all.isEmpty();
    }

    boolean isOnlyOne() {
        return all.size() == 1;
    }

    /** What is next to come back; null if nothing is there. Any thread may ask. */
    @Nullable
    Sent first() {
        return all.peekFirst();
    }

    /**
     * What is next to come back, of which a frame speaks.
     *
     * @throws Bytes.MalformedException if it is not that
     */
    Sent expect(long id) {
        Sent sent = first();
        if (sent == null || sent.id() != id) {
            throw new Bytes.MalformedException("a frame about a batch that is not the next");
        }
        return sent;
    }

    /** Whether those batches are what was added last. */
    boolean endsWith(List<Batch> batches) {
        Sent last = all.peekLast();
        return last != null && last.batches() == batches;
    }

    /** A number whose place in the page nothing that is here has: some numbers were for batches that were not sent. */
    long nextId() {
        boolean isFree;
        do {
            lastId++;
            isFree = true;
            for (Sent each : all) {
                isFree &= !TaskPage.havePlaceInCommon(each.id(), lastId);
            }
        } while (!isFree);
        return lastId;
    }

    /** From here on who stops a task finds it. */
    void add(Sent sent) {
        all.addLast(sent);
    }

    /** What was added last is not sent after all. */
    void removeLast() {
        all.removeLast();
    }

    /** What is next has come back. */
    void settled(Sent sent) {
        all.removeFirst();
        boolean wasShort = sent.ranNanos() < SHORT_NANOS && !sent.isSlow();
        shortTaskNanos = sent.nanosPerTask();
        shortWorkload = wasShort && !sent.isCommand() ? sent.workload() : NONE;
    }

    // ---------------------------------------------------------------------------------------------- how long it takes

    /** Whether a further batch of the same workload may be sent while this is here. */
    boolean mayHaveMore() {
        if (all.size() >= MOST) {
            return false;
        }
        int bytes = 0;
        for (Sent each : all) {
            bytes += each.bytes();
            if (each.workload() != shortWorkload || each.isSlow()) {
                return false;
            }
        }
        return bytes < SMALL_BYTES;
    }

    /** Whether the last batch was short. */
    boolean wasShort() {
        return shortWorkload != NONE;
    }

    /** Whether it was, and of that workload. */
    boolean wasShort(int workload) {
        return shortWorkload == workload;
    }

    /** How many tasks are done in that time if they are as the last. */
    long doneWithin(long nanos) {
        return nanos / Math.max(1, shortTaskNanos);
    }

    /** Workloads have other numbers from now on. */
    void forgetWorkloads() {
        shortWorkload = NONE;
    }

    // ---------------------------------------------------------------------------------------------- given back

    /**
     * A task takes long: what came with it or was sent ahead goes elsewhere, if it has not begun. All is marked before the
     * look at the page: what the worker has not begun by then, it will not. And from the last to the first: so, when the
     * worker finds a mark, all behind it is marked, and runs after it, which may have to be waited for.
     */
    void giveBackBehind(TaskPage page) {
        for (Iterator<Sent> last = all.descendingIterator(); last.hasNext(); ) {
            last.next().revokeUnstarted(page);
        }
        TaskPage.Look now = page.look();
        for (Iterator<Sent> last = all.descendingIterator(); last.hasNext(); ) {
            last.next().giveBackUnstarted(now);
        }
    }

    /**
     * Core has given up a task: takes it back if it is here, or kills the process if it is at it. Any thread may do that.
     */
    void stop(Batch batch, int index, WorkerProcess process, Clock watcher) {
        for (Sent sent : all) {
            int at = sent.indexOf(batch, index);
            if (at >= 0) {
                stop(sent, at, process, watcher);
                return;
            }
        }
    }

    private void stop(Sent sent, int at, WorkerProcess process, Clock watcher) {
        process.page().revoke(sent.id(), at);
        // Of work that ends by itself in a moment the worker is not killed; nor at once where that would take
        // with it the outcomes of others, which the worker sends in a moment.
        boolean mayEndSoon = wasShort(sent.workload()) || sent.batches().size() > 1;
        if (!mayEndSoon && process.page().doom(sent.id(), at, false)) {
            process.kill();
        } else {
            watcher.schedule(() -> stopLate(process, sent.id(), at), UserCode.GRACE_NANOS);
        }
    }

    /** Its function has not come to an end, or that of its result's serialising. */
    private static void stopLate(WorkerProcess process, long id, int at) {
        if (process.page().doom(id, at, true)) {
            process.kill();
        }
    }

    /** Whether a batch is here. Any thread may ask. */
    boolean has(Batch batch) {
        return all.stream().anyMatch(sent -> sent.indexOf(batch, 0) >= 0);
    }

    /** Adds the batches that are here. Any thread may do that. */
    void addTo(Collection<Batch> batches) {
        all.forEach(sent -> batches.addAll(sent.batches()));
    }

    // ---------------------------------------------------------------------------------------------- a death

    /** Whether anything is here of which a worker might die when it receives it. */
    boolean hasLarge() {
        return all.stream().anyMatch(Sent::isLarge);
    }

    /**
     * The process has died: core hears of each task whether it was lost or has not run.
     *
     * @param last what the process said in its page
     */
    void bury(Death death, TaskPage.Look last, Suspects suspects) {
        for (Sent sent : all) {
            reportLost(sent, death, last, suspects);
        }
        // Backwards: the last to be given back is the first to be run.
        for (Iterator<Sent> each = all.descendingIterator(); each.hasNext(); ) {
            Sent sent = each.next();
            if (!sent.isAllReported()) {
                sent.notRun();
            }
        }
        all.clear();
    }

    private void reportLost(Sent sent, Death death, TaskPage.Look last, Suspects suspects) {
        if (last.hasStarted(sent.id(), 0)) {
            sent.acquit(suspects);
        }
        sent.skipUnsent();
        String task = " a task of workload '" + sent.batch().workload().name() + "'";
        while (!sent.isAllReported() && last.hasStarted(sent.id(), sent.reported())) {
            boolean isLast = last.batch() == sent.id() && last.index() == sent.reported();
            boolean mayHaveFinished = !isLast || last.state() != TaskPage.State.RUNNING;
            String message = death.description() + " while it had" + task
                    + (mayHaveFinished ? ", which may have finished" : "") + death.printed();
            sent.lost(death.toException(message, mayHaveFinished));
            sent.skipUnsent();
        }
        boolean wasReceived = sent == first() && sent.reported() == 0 && last.state() != TaskPage.State.DOOMED;
        if (wasReceived && sent.isLarge() && suspects.accuse(sent.batch())) {
            String message = death.description() + ", as others before it, when it had received" + task
                    + " and not begun it" + death.printed();
            sent.lost(death.toException(message, false));
            sent.skipUnsent();
        }
    }

    /** The process has died since the strategy was closed. */
    void cancelAll(String why) {
        all.forEach(sent -> sent.cancelRest(why));
        all.clear();
    }
}
