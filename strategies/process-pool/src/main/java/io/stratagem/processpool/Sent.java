package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.processpool.LoaderTable.Values;
import io.stratagem.spi.Batch;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of one frame, at the worker: those of a batch, or the lone tasks of several that were gathered. Core hears of
 * them here, one after another. For who has the driver's turn, except where it says otherwise.
 */
final class Sent {
    private static final int LARGE_BYTES = 1 << 20;

    private final long id;
    private final List<Batch> batches;
    private final int workload;
    private final Values values;
    private final int size;
    private final int bytes;
    private final boolean isCommand;
    private final long sentNanos;
    private final long sentAt;

    /** Inputs that could not be serialised, by index; or null. */
    private final @Nullable TransferException @Nullable [] unsent;

    private int reported;

    /** Which task was reported as started last; −1 if none was. */
    private int lastStarted = -1;

    /** Of so many tasks, from the first on, the worker may send outcomes; those behind were given back. */
    private int kept;

    private boolean isSlow;
    private long ranNanos;

    /**
     * Tasks whose frame is about to be sent.
     *
     * @param id the number of the frame
     * @param batches one, or several of one task each
     * @param workload its number at the worker
     * @param size how many tasks
     * @param bytes the length of the frame, and of the definition that goes before it
     * @param isCommand whether it is work of its own kind, of which no other says how long it takes
     * @param unsent inputs that could not be serialised, by index
     * @param now by the strategy's clock
     */
    Sent(
            long id,
            List<Batch> batches,
            int workload,
            Values values,
            int size,
            int bytes,
            boolean isCommand,
            @Nullable TransferException @Nullable [] unsent,
            long now) {
        this.id = id;
        this.batches = batches;
        this.workload = workload;
        this.values = values;
        this.size = size;
        this.kept = size;
        this.bytes = bytes;
        this.isCommand = isCommand;
        this.unsent = unsent;
        this.sentNanos = System.nanoTime();
        this.sentAt = now;
    }

    long id() {
        return id;
    }

    int workload() {
        return workload;
    }

    Values values() {
        return values;
    }

    int size() {
        return size;
    }

    int bytes() {
        return bytes;
    }

    /** Whether it takes so much room that a worker might die of receiving it. */
    boolean isLarge() {
        return bytes >= LARGE_BYTES;
    }

    boolean isCommand() {
        return isCommand;
    }

    /** When it was sent, by the strategy's clock. Any thread may ask. */
    long sentAt() {
        return sentAt;
    }

    /** How long ago it was sent. */
    long ageNanos() {
        return System.nanoTime() - sentNanos;
    }

    /**
     * How long ago something was that the worker has dated: not before it was sent.
     *
     * @param now the time by the strategy's clock, which may be another than the worker's
     */
    long pastNanos(long ago, long now) {
        return Math.max(0, Math.min(ago, now - sentAt));
    }

    /** Any of the batches: they are alike. Any thread may ask. */
    Batch batch() {
        return batches.get(0);
    }

    List<Batch> batches() {
        return batches;
    }

    /** The place of a batch's task in the frame, or −1 if it is not there. Any thread may ask. */
    int indexOf(Batch batch, int index) {
        int at = batches.indexOf(batch);
        return at < 0 ? -1 : at + index;
    }

    /** The batch of the task at that place of the frame. */
    Batch batchOf(int at) {
        return isGathered() ? batches.get(at) : batch();
    }

    private boolean isGathered() {
        return batches.size() > 1;
    }

    /** The place in its batch. */
    int indexInBatch(int at) {
        return isGathered() ? 0 : at;
    }

    /** How many tasks from that place on, at most so many, have the same batch and were sent. */
    int stretch(int at, int most) {
        return isGathered() || hasUnsent() ? 1 : Math.min(most, size - at);
    }

    /** Whether nobody wants anything more of any task. */
    boolean isDone() {
        for (Batch each : batches) {
            if (!each.isDone()) {
                return false;
            }
        }
        return true;
    }

    /** Takes back the lone tasks that nobody wants any more; a batch that is not done as a whole is sent as it is. */
    void revokeDone(TaskPage page) {
        for (int at = 0; isGathered() && at < size; at++) {
            if (batches.get(at).isDone()) {
                page.revoke(id, at);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- reports

    /** How many tasks core has heard of. */
    int reported() {
        return reported;
    }

    boolean isAllReported() {
        return reported == size;
    }

    /** Whether the input of a task was not sent. */
    boolean hasUnsent() {
        return unsent != null;
    }

    /** Of how many tasks the inputs were sent. */
    int countSent() {
        int count = size;
        for (int at = 0; unsent != null && at < size; at++) {
            count -= unsent[at] != null ? 1 : 0;
        }
        return count;
    }

    /** Reports in their turn the tasks whose inputs were not sent. */
    void skipUnsent() {
        while (unsent != null && reported < size) {
            TransferException failure = unsent[reported];
            if (failure == null) {
                return;
            }
            failed(failure);
        }
    }

    /** The worker has survived that it received the first task, unless that is known already. */
    void acquit(Suspects suspects) {
        if (reported == 0) {
            suspects.acquit(batch());
        }
    }

    /** A task has been started, and those before it have outcomes. Of what is said twice, the first counts. */
    void started(int at, long agoNanos) {
        if (at > lastStarted) {
            lastStarted = at;
            batchOf(at).started(indexInBatch(at), agoNanos);
        }
    }

    /** As {@link #started}, where no start of the frame has been reported. */
    void startedIfFirst(int at, long agoNanos) {
        if (isGathered() || lastStarted < 0) {
            started(at, agoNanos);
        }
    }

    /** One of the tasks takes long. */
    void takesLong() {
        isSlow = true;
    }

    /** Whether one of the tasks takes long, or has. */
    boolean isSlow() {
        return isSlow;
    }

    /**
     * A worker says how tasks up to that place have ended.
     *
     * @throws Bytes.MalformedException if others have them
     */
    void checkKept(int to) {
        if (to > kept) {
            throw new Bytes.MalformedException(
                    "outcomes up to task " + to + ", where all from " + kept + " on were taken back");
        }
    }

    /** The next tasks have returned something. */
    void succeeded(@Nullable Object[] results, int count) {
        if (isGathered()) {
            for (int i = 0; i < count; i++) {
                succeeded(results[i]);
            }
        } else {
            int from = reported;
            reported += count;
            batch().succeeded(from, results, count);
        }
    }

    /** The next task has returned something. */
    void succeeded(@Nullable Object result) {
        int at = reported++;
        batchOf(at).succeeded(indexInBatch(at), result);
    }

    /** The next task has failed. */
    void failed(Throwable cause) {
        int at = reported++;
        batchOf(at).failed(indexInBatch(at), cause);
    }

    /** The next task may have run, and was lost with its worker. */
    void lost(Throwable cause) {
        int at = reported++;
        batchOf(at).lost(indexInBatch(at), cause);
    }

    /** Nobody wants the next task's outcome any more: this says only that the worker has left it. */
    void unwanted() {
        failed(new CancellationException("it was cancelled"));
    }

    /** The next task, and all that are left behind it in its batch, were taken back before they began. */
    void revoked() {
        int at = reported++;
        if (!isGathered()) {
            kept = Math.min(kept, at); // also if nobody here has taken it back
        }
        batchOf(at).notRun(indexInBatch(at));
    }

    /** Takes back the tasks behind the one that was started last. */
    void revokeUnstarted(TaskPage page) {
        page.revoke(id, lastStarted + 1, size);
    }

    /**
     * Those tasks are run elsewhere, unless the worker had begun them before. Of all of them outcomes are still to come. A
     * batch comes in two halves: if all its tasks take long, it is not sent anew, but for one task, for each of them.
     */
    void giveBackUnstarted(TaskPage.Look now) {
        int from = Math.max(lastStarted + 1, now.firstUnstarted(id, size));
        kept = Math.min(kept, from);
        if (from < size) {
            isSlow = true; // how soon it is done says nothing
        }
        if (from < size && !isGathered()) {
            int half = from + (size - from + 1) / 2;
            if (half < size) {
                batch().notRun(half);
            }
            batch().notRun(from);
            return;
        }
        for (int at = size - 1; at >= from; at--) { // the last to be given back is the first to be run
            batchOf(at).notRun(0);
        }
    }

    /** All other tasks have certainly not been started. */
    void notRun() {
        if (!isGathered()) {
            int from = reported;
            reported = size;
            batch().notRun(from);
        }
        for (int at = size - 1; at >= reported; at--) {
            batches.get(at).notRun(0);
        }
        reported = size;
    }

    /** Core does the same, but it may not know yet, or no more, that the worker has these tasks. */
    void cancelRest(String why) {
        CancellationException cancellation = new CancellationException(why);
        while (reported < size) {
            failed(cancellation);
        }
    }

    /** The worker has been at it for so long, when it sent what came last. */
    void ran(long nanos) {
        ranNanos = nanos;
    }

    /** How long that was, of the last it has sent: without the time in which it, or the driver, was at another batch. */
    long ranNanos() {
        return ranNanos;
    }

    /** How long a task has taken on average, once all are reported. */
    long nanosPerTask() {
        return ranNanos / size;
    }
}
