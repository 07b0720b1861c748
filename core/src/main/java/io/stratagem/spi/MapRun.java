package io.stratagem.spi;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Kind;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Spliterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * One {@code map}, as the spliterator behind its stream.
 *
 * <p>The thread that reads the stream (the reader) does all of it: it pulls inputs, makes batches, hands them out, and
 * takes outcomes. Workers only note in the batch what they did, and wake the reader if it waits. Nothing goes on behind
 * the reader's back, so that a slow reader bounds everything, and an abandoned stream costs no more than its window.
 */
/* Who writes what: `order`, `current`, `settled`, `inWindow`, and all that concerns the input belong to the reader. The list of
 * the batches that the reader has not left, the sizer and the bytes are guarded by this object's monitor, held for a few
 * instructions. `waiter`, `awaited` and `isEager` are written by the reader before it looks once more whether it has to
 * wait, and read by workers after they have settled a task (a compare-and-set) or completed a batch (an atomic counter), so
 * one of the two sees the other.
 *
 * Waiting for a head that is part of a larger batch, the reader at first asks to be woken only when that batch is
 * complete: being woken for each of some thousand tiny tasks would cost more than the tasks. If that takes longer than
 * a batch should, it becomes eager, and every outcome wakes it: one slow task does not hold back those before it.
 */
final class MapRun<I, O> implements Spliterator<Result<O>> {
    private static final long LAZY_WAIT_FACTOR = 2;

    /** After how many inputs to look at the clock again. */
    private static final int LOOK_INTERVAL = 16;

    private final Terms terms;
    private final EngineStrategy strategy;
    private final Profile profile;

    /** No task of it keeps its worker, so there is no end to what a worker can have. */
    private final boolean isAsync;

    private final Intake intake;
    private final MapOptions options;
    private final int fixedWindow;
    private final long windowBytes;

    // The reader's.
    private final Deque<MapBatch> order = new ArrayDeque<>();
    private @Nullable MapBatch current;
    private long inWindow;

    /** What was taken last, and may not be delivered yet. */
    private @Nullable Settled<O> settled;

    private boolean isStarted;

    /** Nothing has come for a while: all room is to be used, be it for a small batch. */
    private boolean isStalled;

    /** Complete batches, when order does not matter. */
    private final @Nullable MpscUnboundedVarHandleArrayQueue<MapBatch> done;

    // Guarded by this.
    private final BatchSizer sizer;
    private @Nullable MapBatch firstKnown;

    /** How many of those had several tasks when they joined: single ones are complete or not, and need no look. */
    private int ofSeveral;

    private long bytes;

    /** How many further attempts wait for their time. Each is a batch of one task. */
    private int delayed;

    /** How many batches are handed out and not complete, without those that are delayed. */
    private final AtomicInteger unfinished = new AtomicInteger();

    // Reader to workers.
    private volatile @Nullable Thread waiter;
    private volatile @Nullable MapBatch awaited;
    private volatile boolean isEager;
    private volatile int wakeBelow;

    private volatile boolean isCancelled;
    private volatile boolean isExpired;

    /** Whether the strategy looks here for what waits. */
    private volatile boolean isListed;

    private Clock.@Nullable Timer deadline;

    MapRun(Terms terms, Spliterator<? extends I> input, MapOptions options) {
        this.terms = terms;
        this.strategy = terms.strategy;
        Profile ofKind = strategy.engine().profile(terms.workload.kind());
        this.profile = terms.limitPerKey > 0 ? ofKind.unbatched() : ofKind; // tasks in a batch would need one key
        this.intake = new Intake(input);
        this.options = options;
        this.isAsync = terms.workload.kind() == Kind.ASYNC;
        this.fixedWindow = options.window().orElse(profile.maxBatch() > 1 && !isAsync ? 0 : strategy.window());
        this.windowBytes = strategy.windowBytes();
        this.sizer = new BatchSizer(profile.targetBatchNanos(), profile.maxBatch());
        this.done = options.isOrdered() ? null : new MpscUnboundedVarHandleArrayQueue<>(64);
    }

    Terms terms() {
        return terms;
    }

    // ---------------------------------------------------------------------------------------------- the reader

    @Override
    public boolean tryAdvance(Consumer<? super Result<O>> action) {
        Result<O> result = next();
        if (result == null) {
            return false;
        }
        action.accept(result);
        return true;
    }

    @Override
    public void forEachRemaining(Consumer<? super Result<O>> action) {
        for (Result<O> result = next(); result != null; result = next()) {
            action.accept(result);
            deliverSettled(action);
        }
    }

    /** Delivers what is there of the present batch. */
    private void deliverSettled(Consumer<? super Result<O>> action) {
        Settled<O> present = settled;
        if (present == null || !present.hasNext()) {
            present = takeSettled();
        }
        while (present != null && present.hasNext()) {
            action.accept(present.next());
        }
    }

    /** Takes what is there of the present batch, without looking at each result; null if that is nothing. */
    private @Nullable Settled<O> takeSettled() {
        MapBatch batch = current;
        if (batch == null) {
            return null;
        }
        int from = batch.read;
        int to = batch.settledPlain();
        if (from >= to) {
            return null;
        }
        inWindow -= to - from;
        batch.read = to;
        Settled<O> taken = new Settled<>(batch.slots(), from, to);
        settled = taken;
        return taken;
    }

    /**
     * Results that were taken together. How many are delivered stands here: workers look at the run, and change the
     * batch, for each task.
     */
    private static final class Settled<O> {
        private final @Nullable Object[] slots;
        private int read;
        private final int end;

        Settled(@Nullable Object[] slots, int from, int end) {
            this.slots = slots;
            this.read = from;
            this.end = end;
        }

        boolean hasNext() {
            return read < end;
        }

        @SuppressWarnings({"unchecked", "NullAway"}) // plain slots hold results of this workload
        Result<O> next() {
            return (Result<O>) slots[read++];
        }
    }

    @Override
    public @Nullable Spliterator<Result<O>> trySplit() {
        return null;
    }

    @Override
    public long estimateSize() {
        return intake.input.estimateSize();
    }

    /** Not SIZED, though each input has one result: {@code count()} would then not run anything. */
    @Override
    public int characteristics() {
        return NONNULL | (options.isOrdered() ? ORDERED : 0);
    }

    /** The next result, or null at the end. */
    private @Nullable Result<O> next() {
        if (!isStarted) {
            start();
        }
        Settled<O> taken = settled;
        if (taken != null) { // whoever takes them reads on amidst them, or has thrown
            if (taken.hasNext()) {
                return taken.next();
            }
            settled = null;
        }
        for (; ; ) {
            MapBatch batch = current;
            if (batch != null) {
                if (batch.read < batch.settled()) {
                    Result<O> result = take(batch);
                    if (result != null) {
                        return result;
                    }
                    continue;
                }
                if (batch.isCompleteAt(batch.read)) {
                    leave(batch);
                    continue;
                }
                if (done != null) {
                    // It was only looked into; it will come again when it is complete.
                    current = null;
                    continue;
                }
            }
            refill();
            isStalled = false;
            if (current == null) {
                current = done == null ? order.poll() : done.poll();
            }
            if (current == null && inWindow == 0 && (intake.isExhausted() || isCancelled)) {
                cancelDeadline();
                intake.throwFailure();
                return null;
            }
            if (!isReady()) {
                await();
            }
        }
    }

    private void start() {
        isStarted = true;
        options.deadline()
                .ifPresent(limit -> deadline = strategy.clock().schedule(this::expire, NANOSECONDS.convert(limit)));
    }

    /** Takes the next outcome of a batch; null if it is not here but with another attempt. */
    private @Nullable Result<O> take(MapBatch batch) {
        Object outcome = batch.outcome(batch.read++);
        if (outcome instanceof Moved moved) {
            if (done == null) {
                order.addFirst(batch);
                current = (MapBatch) moved.to();
            }
            return null;
        }
        inWindow--;
        @SuppressWarnings("unchecked") // made by the workload's function, or a failure
        Result<O> result = (Result<O>) outcome;
        return result;
    }

    /** Goes on after a batch of which every outcome has been taken. */
    private void leave(MapBatch batch) {
        forget(batch);
        current = done == null ? batch.continuation() : null;
        if (current == null) {
            refill();
        }
        if (current == null) {
            current = done == null ? order.poll() : done.poll();
        }
    }

    /** Without regard to order a batch may be left twice: when it was looked into, and when it was complete. */
    private synchronized void forget(MapBatch batch) {
        if (!batch.isLeft) {
            batch.isLeft = true;
            bytes -= batch.inputBytes + (batch.isWeighed ? batch.resultBytes() : 0);
            ofSeveral -= batch.isOfSeveral ? 1 : 0;
            remove(batch);
        }
    }

    private boolean isReady() {
        MapBatch batch = current;
        return batch != null && (batch.read < batch.settled() || batch.isComplete());
    }

    private void cancelDeadline() {
        Clock.Timer timer = deadline;
        if (timer != null) {
            timer.cancel();
        }
    }

    // ---------------------------------------------------------------------------------------------- intake

    /** Pulls inputs and hands out batches, as far as window and credit allow. */
    private void refill() {
        while (!intake.isExhausted() && !isCancelled && hasCredit() && hasRoom()) {
            if (strategy.isClosed()) {
                intake.refuse(new RejectedExecutionException(strategy.closedMessage()));
                return;
            }
            if (isExpired) {
                intake.end(new TaskTimeoutException(deadlineMessage() + " before all inputs were taken in"));
                return;
            }
            MapBatch batch = fill();
            if (batch == null) {
                return;
            }
            handOut(batch);
            if (isReady()) {
                return;
            }
        }
        if (intake.isExhausted() && profile.maxBatch() > 1 && unfinished.get() < profile.parallelism()) {
            shareOut();
        }
    }

    private boolean hasCredit() {
        return profile.maxBatch() == 1
                || isAsync
                || unfinished.get() < (long) profile.parallelism() * profile.batchesPerWorker();
    }

    private boolean hasRoom() {
        return hasRoomFor(isStalled ? 1 : leastBatch());
    }

    private boolean hasRoomFor(long tasks) {
        return inWindow == 0 || (inWindow <= window() - tasks && bytesInWindow() < windowBytes);
    }

    /** Whether there is room that waits for a larger batch. */
    private boolean keepsRoom() {
        return isAsync && !intake.isExhausted() && !isCancelled && hasRoomFor(1);
    }

    /**
     * For how many tasks there must be room. Where nothing but the window bounds what is handed out, it would else be
     * full of single tasks, each of which would be replaced by another one.
     */
    private long leastBatch() {
        return isAsync ? Math.max(1, Math.min(batchSize(), window() / 4)) : 1;
    }

    private long window() {
        if (fixedWindow > 0) {
            return fixedWindow;
        }
        return (long) profile.parallelism() * profile.batchesPerWorker() * batchSize() + delayedBeyondWindow();
    }

    /** A window that is made to keep the workers busy is not to be full of what none of them is at. */
    private synchronized int delayedBeyondWindow() {
        return Math.min(delayed, strategy.window());
    }

    private synchronized int batchSize() {
        return sizer.size();
    }

    private synchronized long bytesInWindow() {
        return bytes;
    }

    /** Pulls the inputs of one batch; null if there are none. */
    private @Nullable MapBatch fill() {
        int size = nextSize();
        Filling filling = new Filling(size);
        long bytesLeft = windowBytes - bytesInWindow();
        long began = 0;
        while (filling.count < size && intake.pull(filling)) {
            if (filling.bytes >= bytesLeft) {
                break;
            }
            // A slow input must not keep back what it has given, while workers have nothing to do.
            boolean mayBeIdle = isAsync || unfinished.get() == 0;
            int filled = filling.count;
            if (mayBeIdle && filled < size && (filled < LOOK_INTERVAL || filled % LOOK_INTERVAL == 0)) {
                long now = strategy.clock().nanoTime();
                if (began == 0) {
                    began = now;
                } else if (now - began > profile.targetBatchNanos()) {
                    break;
                }
            }
        }
        if (filling.count == 0) {
            return null;
        }
        @Nullable Object[] inputs = filling.inputs();
        inWindow += inputs.length;
        BatchDetails details = strategy.newDetails(terms, inputs.length, inputs[0]);
        return new MapBatch(this, inputs, filling.bytes, details);
    }

    /** The inputs of a batch as they are pulled. Not in fields of the run, which workers look at for each task. */
    private static final class Filling implements Consumer<Object> {
        private final @Nullable Object[] elements;
        private int count;
        private long bytes;

        Filling(int size) {
            this.elements = new @Nullable Object[size];
        }

        @Override
        public void accept(@Nullable Object element) {
            elements[count++] = element;
            bytes += Weight.bytes(element);
        }

        @Nullable
        Object[] inputs() {
            return count == elements.length ? elements : Arrays.copyOf(elements, count);
        }
    }

    /** The sizer's proposal, within the window, and less towards a known end, so that all workers end together. */
    private int nextSize() {
        if (profile.maxBatch() == 1 || (isAsync && terms.haveDetails)) {
            return 1; // each has its own time, and may wait for long
        }
        long size = batchSize();
        size = Math.min(size, window() - inWindow);
        if (intake.input.hasCharacteristics(SIZED)) {
            size = Math.min(size, 1 + intake.input.estimateSize() / (2L * profile.parallelism()));
        }
        return (int) Math.max(1, size);
    }

    private void handOut(MapBatch batch) {
        strategy.taken(batch.size());
        adopt(batch);
        if (done == null) {
            order.add(batch);
        }
        strategy.notifySubmitted(batch);
        try {
            strategy.dispatchOrThrow(batch);
        } catch (Throwable e) {
            batch.cancel(strategy.failureOf(e));
            intake.stop(e);
        }
        if (current == null && done == null) {
            current = order.poll();
        }
    }

    /** Gives the idle workers a part of what the busiest has not started. */
    private void shareOut() {
        MapBatch largest = null;
        synchronized (this) {
            for (MapBatch each = firstKnown; each != null; each = each.next) {
                if (each.isRunning() && (largest == null || each.unstarted() > largest.unstarted())) {
                    largest = each;
                }
            }
        }
        Batch rest = largest == null ? null : largest.split();
        if (rest != null) {
            strategy.dispatch(rest);
        }
    }

    // ---------------------------------------------------------------------------------------------- waiting

    private void await() {
        Worker worker = strategy.currentWorker();
        if (worker != null) {
            checkMayWait();
            if (!Thread.currentThread().isInterrupted() && helpOnWorker(worker)) {
                return;
            }
        }
        MapBatch head = current;
        boolean mayWaitForBatch = head == null || head.size() > 1 || keepsRoom();
        waiter = Thread.currentThread();
        awaited = head;
        wakeBelow = wakeBelow();
        isEager = !mayWaitForBatch;
        long limit = mayWaitForBatch ? LAZY_WAIT_FACTOR * profile.targetBatchNanos() : 0;
        boolean mayTell = worker != null && worker.isOwnedBy(strategy.engine());
        if (mayTell) {
            limit = Math.max(limit, Wait.SHORT_NANOS);
        }
        Wait wait = null;
        try {
            while (!isAwaitedThere()) {
                if (Thread.currentThread().isInterrupted()) {
                    cancelAll();
                    throw new CancellationException("the thread that reads the results was interrupted; workload '"
                            + terms.workload.name() + "'");
                }
                if (limit > 0) {
                    LockSupport.parkNanos(this, limit);
                    limit = 0;
                    isEager = true;
                    if (keepsRoom() && !isAwaitedThere()) {
                        isStalled = true;
                        return;
                    }
                } else if (mayTell) {
                    // It may park for a lock, and be woken by what was to end the wait: so this looks again before it
                    // parks.
                    wait = new Wait(strategy.engine(), Objects.requireNonNull(worker));
                    mayTell = false;
                } else {
                    LockSupport.park(this);
                }
            }
        } finally {
            waiter = null;
            awaited = null;
            isEager = false;
            Wait.end(wait);
        }
    }

    private boolean isAwaitedThere() {
        if (isReady() || unfinished.get() < wakeBelow) {
            return true;
        }
        if (done == null) {
            return false;
        }
        return !done.isEmpty() || findPartlySettled();
    }

    /** With how few unfinished batches the reader has something better to do than to wait: workers run dry. */
    private int wakeBelow() {
        if (profile.maxBatch() == 1 || isAsync) {
            return 0;
        }
        if (!intake.isExhausted()) {
            boolean mayGetRoom = fixedWindow == 0 && terms.workload.retry().isPresent();
            return mayGetRoom || hasRoom() ? Math.min(unfinished.get(), profile.parallelism() + 1) : 0;
        }
        return Math.min(unfinished.get(), profile.parallelism());
    }

    /** When order does not matter: a batch of which some outcomes can be taken although it is not complete. */
    private synchronized boolean findPartlySettled() {
        for (MapBatch each = ofSeveral > 0 ? firstKnown : null; each != null; each = each.next) {
            if (each.read < each.settled()) {
                current = each;
                return true;
            }
        }
        return false;
    }

    private void checkMayWait() {
        try {
            strategy.checkMayWait(terms.workload);
        } catch (IllegalStateException e) {
            cancelAll();
            throw e;
        }
    }

    /** A worker that would wait for tasks that nobody has started runs them: so nested maps cannot deadlock. */
    private boolean helpOnWorker(Worker worker) {
        MapBatch batch = current;
        if (batch == null || !batch.isWaiting()) {
            batch = done == null ? null : anyWaiting();
        }
        if (batch == null || !strategy.mayHelp(batch)) {
            return false;
        }
        strategy.help(worker, batch);
        return true;
    }

    private synchronized @Nullable MapBatch anyWaiting() {
        for (MapBatch each = firstKnown; each != null; each = each.next) {
            if (each.isWaiting()) {
                return each;
            }
        }
        return null;
    }

    // ---------------------------------------------------------------------------------------------- from workers

    /** A task of it is about to wait. */
    void listWaits() {
        if (!isListed) {
            synchronized (this) {
                strategy.list(this);
                isListed = true;
                unlistIfDone(); // what was to wait may have been cancelled
            }
        }
    }

    /* Whoever starts a task has counted it before (unfinished), and then looks whether the run is listed; here it is the
     * other way round. So one of the two sees the other.
     */
    private synchronized void unlistIfDone() {
        isListed = false;
        if (unfinished.get() == 0) {
            strategy.unlist(this);
        } else {
            isListed = true;
        }
    }

    /** A task was settled and the worker goes on to the next. */
    void published(MapBatch batch) {
        if (isEager) {
            wake(batch);
        }
    }

    /** All tasks of the batch are settled. */
    void completed(MapBatch batch) {
        if (profile.maxBatch() > 1 || batch.resultBytes() > 0) {
            learn(batch);
        }
        int left = batch.attempts() > 1 && leaveDelayed(batch) ? unfinished.get() : unfinished.decrementAndGet();
        strategy.settled(batch.settled());
        if (left == 0 && isListed) {
            unlistIfDone();
        }
        if (done != null) {
            done.add(batch);
        }
        if (waiter != null) {
            if (done != null || left < wakeBelow) {
                unpark();
            } else {
                wake(batch);
            }
        }
    }

    private synchronized void learn(MapBatch batch) {
        if (!batch.isLeft) {
            batch.isWeighed = true;
            bytes += batch.resultBytes();
        }
        BatchExecution execution = batch.execution();
        if (execution != null) {
            sizer.record(batch.settled(), execution.ranNanos());
        }
    }

    private void wake(MapBatch batch) {
        if (done != null || batch == awaited) {
            unpark();
        }
    }

    private void unpark() {
        Thread reader = waiter;
        if (reader != null) {
            LockSupport.unpark(reader);
        }
    }

    /** A batch joins this run, before anyone can settle it. */
    void adopt(MapBatch batch) {
        unfinished.incrementAndGet();
        add(batch);
    }

    /** As {@link #adopt}, of one that is not to be handed out for a while. */
    synchronized void adoptDelayed(MapBatch batch) {
        batch.isDelayed = true;
        delayed++;
        add(batch);
    }

    synchronized void delayEnded(MapBatch batch) {
        if (leaveDelayed(batch)) {
            unfinished.incrementAndGet();
        }
    }

    /** False if it was not delayed, or is no longer. */
    private synchronized boolean leaveDelayed(MapBatch batch) {
        boolean wasDelayed = batch.isDelayed;
        if (wasDelayed) {
            batch.isDelayed = false;
            delayed--;
        }
        return wasDelayed;
    }

    private synchronized void add(MapBatch batch) {
        MapBatch first = firstKnown;
        batch.next = first;
        if (first != null) {
            first.previous = batch;
        }
        firstKnown = batch;
        batch.isOfSeveral = batch.size() > 1;
        ofSeveral += batch.isOfSeveral ? 1 : 0;
        bytes += batch.inputBytes;
    }

    /** Inputs of so many bytes went to another batch. */
    synchronized void moved(MapBatch from, long weight) {
        from.inputBytes -= weight;
        if (!from.isLeft) {
            bytes -= weight;
        }
    }

    private void remove(MapBatch batch) {
        MapBatch before = batch.previous;
        MapBatch after = batch.next;
        if (before == null) {
            firstKnown = after;
        } else {
            before.next = after;
        }
        if (after != null) {
            after.previous = before;
        }
        batch.previous = null;
        batch.next = null;
    }

    // ---------------------------------------------------------------------------------------------- the end

    boolean isCancelled() {
        return isCancelled || isExpired;
    }

    Throwable cancellation() {
        return isExpired
                ? expiry()
                : new CancellationException("the stream of workload '" + terms.workload.name() + "' was closed");
    }

    /** Cancels what is left. Any thread. */
    void cancelAll() {
        isCancelled = true;
        cancelDeadline();
        cancelUnfinished();
    }

    private void expire() {
        isExpired = true;
        EngineStrategy.runUserCode(this::cancelUnfinished);
        unpark();
    }

    private void cancelUnfinished() {
        cancelUnfinished(cancellation());
    }

    void cancelUnfinished(Throwable why) {
        known().forEach(batch -> batch.cancel(why));
    }

    /** The batches that its reader has not left. */
    synchronized List<MapBatch> known() {
        List<MapBatch> all = new ArrayList<>();
        for (MapBatch each = firstKnown; each != null; each = each.next) {
            all.add(each);
        }
        return all;
    }

    private Throwable expiry() {
        return new TaskTimeoutException(deadlineMessage());
    }

    private String deadlineMessage() {
        return "workload '" + terms.workload.name() + "': the map's deadline of "
                + options.deadline().orElseThrow() + " passed";
    }

    @Override
    public String toString() {
        return "MapRun[" + terms.workload.name() + ", " + options + ", in window " + inWindow + ", unfinished "
                + unfinished + ", " + sizer + (intake.isExhausted() ? ", input exhausted" : "") + "]";
    }
}
