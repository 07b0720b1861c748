package io.stratagem.spi;

import io.stratagem.ContextPropagator.Captured;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Snapshot.WaitView;
import io.stratagem.TaskInfo;
import io.stratagem.Workload;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tasks of one workload that one worker runs one after another: one of them, or, of work that does not wait, as many as
 * take the engine's target time. Core makes batches; an engine runs them and reports.
 *
 * <p>In this JVM an engine calls {@link #run} or {@link #runAsync} and is done. For a worker elsewhere it calls
 * {@link #claim}, sends the inputs, and reports, in the order of the tasks, {@link #started},
 * {@link #succeeded}, {@link #failed}, {@link #lost}; and {@link #notRun} for the tail of which it can prove that it
 * never started. A report that comes too late is dropped and says so by returning false.
 */
/* One word says how far the batch is, and every transition is one compare-and-set of it:
 *
 *     63      62 60 59      40 39      20 19       0
 *     | taken | 0  | end      | claimed  | settled |        0 <= settled <= claimed <= end
 *
 * Tasks [0, settled) have an outcome that may be read; [settled, claimed) belong to the worker; [claimed, end) have not
 * been started and may be cut off; the batch is complete when settled == end.
 *
 * run() claims one task at a time and settles task i in the same step in which it claims i + 1: one atomic operation
 * for a task, which also orders its outcome before the check whether somebody waits for it. runAsync() does so with
 * tasks that are done at once. Core takes such a task away (timeout, cancellation) by a transition to settled = claimed =
 * end with the bit `taken`: the outcome is then in the field `taken` and not in the task's slot, into which the worker may
 * still be writing. The worker's own transition then fails, and it drops what it has.
 *
 * All other transitions are made under the batch's monitor: beginning, reports from elsewhere, asynchronous completions,
 * cutting and taking. So, of those, only one at a time writes slots. No other lock but the run's (MapRun) and the clock's
 * is taken inside it.
 *
 * Interrupts: who takes a task interrupts its thread under the monitor, and only while `runner` says that run() is still
 * on it; the worker, when it finds its task taken, passes through the monitor and clears the flag. So an interrupt can
 * neither reach the next task nor be lost.
 */
public abstract sealed class Batch permits MapBatch, SingleBatch, StageBatch {
    /** The most tasks in one batch. */
    public static final int MAX_SIZE = (1 << 20) - 1;

    private static final long MASK = MAX_SIZE;
    private static final long TAKEN = 1L << 63;

    /** What {@link #begin} and {@link #settleAndClaim} return in place of an index. */
    static final int NONE_LEFT = -1;

    static final int TAKEN_AWAY = -2;

    /** A thread that starts asynchronous tasks is not interrupted: it has others to serve. */
    private static final Object STARTING = new Object();

    private static final Logger log = LoggerFactory.getLogger(Batch.class);

    private static final VarHandle WORD;

    static {
        try {
            WORD = MethodHandles.lookup().findVarHandle(Batch.class, "word", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Terms terms;
    private final long queuedAtNanos;

    /** What only some tasks need, or null. */
    final @Nullable BatchDetails details;

    private volatile long word;

    /** Set by who begins, before the word; of a single asynchronous task by who asks first, under the monitor. */
    private @Nullable BatchExecution execution;

    /** When a single asynchronous task began, or 0. Set before the word. */
    private long waitStartNanos;

    /** The outcome of the last task if the word says that it was taken. Written under the monitor, before the word. */
    private @Nullable Object taken;

    /** Who runs it: written before it claims. */
    private @Nullable Worker worker;

    /**
     * The thread that is in {@link #run}, {@link #STARTING} for one in {@link #runAsync}, or the stage of the last task, if
     * that waits; or null. Guarded by this.
     */
    private @Nullable Object runner;

    /**
     * Who is told of the end of the last task, if that is alone or waits: written under the monitor, before it is claimed
     * or before its stage is in {@code runner}. Who starts others tells their loops himself.
     */
    private @Nullable TaskLoop taskLoop;

    /** Whether the strategy's list of what waits has, or had, this batch. Written before it is shared or claimed. */
    private volatile boolean isListed;

    /** Whether the running task was interrupted by someone other than core, who sees to its result himself. */
    private volatile boolean isInterrupted;

    /** Whether its time has not come: it is a further attempt, or has no place within the limit of its key. */
    private volatile boolean isHeld;

    /** Written before it is handed to its engine. */
    private boolean isGivenBack;

    /** Whether a slot holds a {@link Moved}. Written by who settles, before the word. */
    boolean hasMoved;

    /** What service threads have left for callback threads; null until there is something. Written under the monitor. */
    private volatile @Nullable Callbacks callbacks;

    Batch(Terms terms, int size, @Nullable BatchDetails details) {
        this.terms = terms;
        this.details = details;
        this.queuedAtNanos = terms.clock().nanoTime();
        if (details != null) {
            details.taskStartNanos = queuedAtNanos; // until it is known better
            if (details.place != null) {
                isHeld = true;
            }
        }
        WORD.set(this, word(0, 0, size));
    }

    // ---------------------------------------------------------------------------------------------- what differs

    /** The input of a task; unless there are {@link #details}, only until it has an outcome. */
    abstract @Nullable Object inputOf(int index);

    /** What {@link #setOutcome} set. */
    abstract @Nullable Object slot(int index);

    /** What is needed of them is gone, and so may they be. */
    abstract void forgetInputs();

    abstract void setOutcome(int index, Object outcome, @Nullable Object value);

    /** A new batch of some of these tasks; not linked to this one. */
    abstract Batch part(int from, int to, @Nullable BatchDetails partDetails);

    /** A tail was cut off: it joins the run, to be read after this batch. Called under the monitor. */
    abstract void link(Batch rest);

    /** Nobody has claimed any of that tail, so that its inputs, which it has itself, are not needed here. */
    void forgetCut(int from, Batch rest) {}

    /** Another attempt joins the run; {@link #delayEnded} follows, unless it is settled before. */
    abstract void adopt(Batch again);

    /** It waits for its attempt no longer. */
    void delayEnded() {}

    /** Its tasks may begin to wait: who looks for what waits, or closes the strategy by force, finds it from now on. */
    void listWait() {
        terms.strategy.list(this);
    }

    /** What its last task tells of its end. */
    BiConsumer<@Nullable Object, @Nullable Throwable> whenEnded() {
        return this::ended;
    }

    /** A task was settled and the next one is about to run. Called on the worker, for each task. */
    abstract void published();

    /** All tasks are settled. Called once, on any thread. */
    abstract void completed(@Nullable Worker by);

    /**
     * No worker elsewhere is at its last task any more, nor will be: it was reported, be it too late, or never started.
     * May be called several times, on any thread.
     */
    void left() {
        leaveKey();
    }

    /** Whether nobody wants what has not been done yet. */
    abstract boolean isUnwanted();

    /** What becomes of tasks that nobody wants. */
    abstract Throwable cancellation();

    // ---------------------------------------------------------------------------------------------- for engines

    /**
     * The workload that all tasks are of.
     *
     * @return the workload
     */
    public final Workload<?, ?> workload() {
        return terms.workload;
    }

    /**
     * The SLF4J MDC of who submitted the tasks, for a worker elsewhere.
     *
     * @return its entries; unmodifiable
     */
    public final Map<String, String> mdc() {
        return terms.context.mdc();
    }

    /**
     * The context class loader of who submitted the tasks, for a worker elsewhere.
     *
     * @return the loader, or null if the thread had none
     */
    public final @Nullable ClassLoader contextClassLoader() {
        return terms.context.loader();
    }

    /**
     * What the strategy's {@link io.stratagem.ContextPropagator}s captured, for a worker elsewhere.
     *
     * @return in the order of the propagators; unmodifiable
     */
    public final List<Captured> captured() {
        return terms.context.captured();
    }

    /**
     * Runs code of the tasks that an engine calls outside of {@link #run} and {@link #runAsync}, as a loop does with
     * callbacks, in the context of who submitted them. Each action runs at once, on the calling thread.
     *
     * @param present the context class loader of the threads that will call, which have no other context
     * @return what runs such code, or null if the context is no other than that: mostly
     */
    public final @Nullable Executor contextBeyond(@Nullable ClassLoader present) {
        return terms.context.isOnly(present) ? null : terms.context::run;
    }

    /**
     * How many tasks belong to it now. Becomes smaller when a tail is cut off.
     *
     * @return the size
     */
    public final int size() {
        return end(word);
    }

    /**
     * Whether there is anything to start. A batch whose tasks were cancelled while it was queued has nothing.
     *
     * @return false if an engine may forget it
     */
    public final boolean isWaiting() {
        return mayBegin() && !isHeld;
    }

    /**
     * Whether all of its tasks have an outcome.
     *
     * @return true if nobody wants anything more of it
     */
    public final boolean isDone() {
        return isComplete();
    }

    /**
     * Whether a task has an outcome.
     *
     * @param index which task
     * @return true if nobody wants another
     */
    public final boolean isDone(int index) {
        return settled(word) > index;
    }

    /**
     * Whether a thread of this JVM is still busy with the task that was taken from it.
     *
     * @return true from {@link Engine#stop} until the task has returned
     */
    public final synchronized boolean isStuck() {
        return runner instanceof Thread && isTaken(word);
    }

    /**
     * Does something while it is certain that a thread of this JVM is still {@link #isStuck stuck}: it cannot leave the
     * task meanwhile.
     *
     * @param action short; locks that it takes must never be held when a batch is called
     * @return what the action gave, or false if no thread is stuck
     */
    public final synchronized boolean ifStuck(BooleanSupplier action) {
        return isStuck() && action.getAsBoolean();
    }

    /**
     * Runs, on the calling thread, all tasks that have not been started, and settles them. Returns at once if another
     * thread does so already. Never throws; does not block except as the tasks do.
     *
     * @param by who runs them
     */
    public final void run(Worker by) {
        LocalRun.run(this, by);
    }

    /**
     * Starts, on the calling thread, the tasks of an asynchronous batch one after another. A task is settled when its
     * stage completes. Where that is not at once, the tasks behind it are cut off and started as a batch of their own, so
     * that none waits for another. Never throws.
     *
     * @param by who starts them
     * @param loops gives what a task is given; a {@link TaskLoop}, which must be new for each, is told of the task's end
     */
    public final void runAsync(Worker by, Supplier<? extends Loop> loops) {
        new AsyncStart(this, by, loops).start(this);
    }

    /**
     * Claims all tasks for a worker elsewhere. What is claimed is run by nobody else, and must be reported.
     *
     * @param by the worker
     * @return the inputs of the tasks, or null if there was nothing to claim
     */
    public final synchronized @Nullable Object @Nullable [] claim(Worker by) {
        long now = word;
        if (claimed(now) != 0 || end(now) == 0) {
            return null;
        }
        // All of them now: a task that is cancelled while it is sent has its outcome in the place of its input.
        @Nullable Object[] inputs = new @Nullable Object[end(now)];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = inputOf(i);
        }
        worker = by;
        if (details != null) {
            details.isElsewhere = true;
        }
        word = word(0, end(now), end(now));
        return inputs;
    }

    /**
     * The input of a task, for an engine that wants to know it before it claims the batch.
     *
     * @param index which task
     * @return its input; anything if the task has been settled meanwhile
     */
    public final @Nullable Object input(int index) {
        return inputOf(index);
    }

    /**
     * Whether anybody wants {@link #started} to be reported: the tasks have a timeout, may be tried again, or have
     * listeners.
     *
     * @return false if an engine need not report it
     */
    public final boolean wantsStarts() {
        return details != null;
    }

    /**
     * Reports that the worker has started a task that was claimed for it, after the outcome of the one before it. Its
     * timeout counts from here.
     *
     * @param index which task
     * @param agoNanos how long ago
     */
    public final void started(int index, long agoNanos) {
        Worker by;
        synchronized (this) {
            long now = word;
            by = worker;
            if (by == null || settled(now) > index || index >= claimed(now)) {
                return;
            }
            long start = terms.clock().nanoTime() - agoNanos;
            if (execution == null) {
                execution = newExecution(by, end(now), start);
            }
            BatchDetails mine = details;
            if (mine != null) {
                mine.taskStartNanos = start;
                mine.lastStarted = index;
                arm(mine, terms.timeoutNanos - agoNanos);
            }
        }
        terms.strategy.notifyStarted(this, index, by.name());
    }

    /**
     * Reports what a task returned.
     *
     * @param index which task
     * @param value what it returned, or null
     * @return false if the task had an outcome already
     */
    @SuppressWarnings("NullAway") // a success may hold null
    public final boolean succeeded(int index, @Nullable Object value) {
        return settle(index, new Result.Success<>(value, executionOrNever()), value);
    }

    /**
     * Reports what several tasks in a row returned, at once: who waits for them is woken once.
     *
     * @param from the first task
     * @param values what each returned, or null
     * @param count how many tasks; what else is in the array is not looked at
     */
    @SuppressWarnings("NullAway") // a success may hold null
    public final void succeeded(int from, @Nullable Object[] values, int count) {
        if (details != null || count == 1) {
            for (int i = 0; i < count; i++) {
                succeeded(from + i, values[i]);
            }
            return;
        }
        boolean isLate;
        boolean isComplete = false;
        synchronized (this) {
            // Without details the tasks are taken away all together or not at all.
            long now = word;
            int after = from + count;
            isLate = settled(now) != from || claimed(now) < after;
            if (!isLate) {
                BatchExecution mine = executionOrNever();
                for (int i = 0; i < count; i++) {
                    setOutcome(from + i, new Result.Success<>(values[i], mine), values[i]);
                }
                isComplete = after == end(now);
                if (isComplete) {
                    finishExecution(after);
                }
                word = word(after, claimed(now), end(now));
            }
        }
        if (isLate) {
            left();
        } else if (isComplete) {
            complete();
            left();
        } else {
            published();
        }
    }

    /**
     * Reports that a task failed.
     *
     * @param index which task
     * @param cause why
     * @return false if the task had an outcome already
     */
    public final boolean failed(int index, Throwable cause) {
        return settle(index, outcomeOfFailure(index, cause), null);
    }

    /**
     * Reports that a task was lost with its worker. It may have run, so it is run again only if its workload allows
     * that.
     *
     * @param index which task
     * @param cause what became of the worker
     * @return false if the task had an outcome already
     */
    public final boolean lost(int index, Throwable cause) {
        return failed(index, cause);
    }

    /**
     * Whether an engine had it before and has given it back: so it has waited longer than what is queued, and goes before
     * that.
     *
     * @return true if so
     */
    public final boolean isGivenBack() {
        return isGivenBack;
    }

    /**
     * Reports that claimed tasks certainly never started, from the given one to the last. They are run elsewhere.
     *
     * @param from the first of them
     */
    public final void notRun(int from) {
        Batch rest = null;
        boolean isComplete;
        synchronized (this) {
            long now = word;
            int at = Math.max(from, settled(now));
            isComplete = at == settled(now);
            if (at < end(now) && claimed(now) == end(now)) {
                rest = tail(at, end(now));
                rest.isGivenBack = true;
                link(rest);
                if (isComplete) {
                    finishExecution(at);
                }
                word = word(settled(now), at, at);
            }
        }
        if (rest == null) {
            left();
            return;
        }
        terms.strategy.dispatch(rest);
        if (isComplete) {
            complete();
        }
    }

    // ---------------------------------------------------------------------------------------------- running here

    /**
     * Has an action begin these tasks, unless there is nothing to begin: in the context of who submitted them, and without
     * an interrupt that is not for them. Where that context cannot be applied they fail.
     *
     * @return what the action gave, or null
     */
    final <T> @Nullable T inContext(Supplier<@Nullable T> action) {
        if (!isWaiting()) {
            return null;
        }
        Context.Applied applied;
        try {
            applied = terms.context.apply();
        } catch (Throwable e) {
            cancelUnstarted(e);
            return null;
        }
        boolean wasInterrupted = Thread.interrupted();
        try {
            return action.get();
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
            terms.context.undo(applied);
        }
    }

    /**
     * Claims the first task for {@link #run} on the calling thread.
     *
     * @return which; {@link #NONE_LEFT} if there is none or somebody else has begun
     */
    final synchronized int begin(Worker by) {
        if (!mayBegin()) {
            return NONE_LEFT;
        }
        long start = enter(by, Thread.currentThread());
        execution = newExecution(by, end(word), start);
        return claimFirst();
    }

    private boolean mayBegin() {
        long now = word;
        return claimed(now) == settled(now) && claimed(now) < end(now);
    }

    /** Notes who begins, and gives the time: their timeout counts from here. */
    private long enter(Worker by, Object newRunner) {
        assert Thread.holdsLock(this);
        worker = by;
        runner = newRunner;
        BatchDetails mine = details;
        if (mine != null) {
            by.forgetTime(); // its end may not be noted
        }
        long start = by.nowNanos(terms.clock());
        if (mine != null) {
            mine.taskStartNanos = start;
            arm(mine, terms.timeoutNanos);
        }
        return start;
    }

    private int claimFirst() {
        assert Thread.holdsLock(this);
        long now = word;
        int first = claimed(now);
        word = word(first, first + 1, end(now));
        return first;
    }

    /** Settles a task whose outcome is in its slot and claims the next, in one step. */
    final int settleAndClaim(int index, BatchExecution mine) {
        for (; ; ) {
            long now = word;
            if (settled(now) != index) {
                return TAKEN_AWAY;
            }
            int after = index + 1;
            boolean isLast = after == end(now);
            if (isLast) {
                mine.finish(after, terms.clock().nanoTime());
            } else if (details != null) {
                details.taskStartNanos = terms.clock().nanoTime();
            }
            if (WORD.compareAndSet(this, now, word(after, isLast ? after : after + 1, end(now)))) {
                return isLast ? NONE_LEFT : after;
            }
        }
    }

    /** Leaves a task that was taken: whoever interrupted this thread has done so, and the interrupt was for that task. */
    final void leaveRun() {
        synchronized (this) {
            runner = null;
        }
        Thread.interrupted();
        leaveKey();
    }

    /** Cancels itself if its strategy was closed by force before it could be seen on a worker. */
    final boolean isRefused() {
        boolean isRefused = terms.strategy.isClosedNow();
        if (isRefused) {
            cancel(terms.strategy.closedNow());
        }
        return isRefused;
    }

    /** The calling thread, which is no worker of its strategy, is about to wait for its task. */
    final void attend(long limitNanos) {
        terms.strategy.engine().attend(this, worker, limitNanos);
    }

    /** Says that somebody is about to interrupt the thread that runs this. */
    final void noteInterrupt() {
        isInterrupted = true;
    }

    /** Whether somebody has interrupted, or is about to, the thread that runs this. */
    final boolean mayHaveBeenInterrupted() {
        return isInterrupted || isTaken(word);
    }

    // ---------------------------------------------------------------------------------------------- asynchronous

    /**
     * Claims the first task for {@link #runAsync}.
     *
     * @param loop what it is given
     * @return false if there is none or somebody else has begun
     */
    final synchronized boolean beginAsync(Worker by, Loop loop) {
        if (!mayBegin()) {
            return false;
        }
        long start = enter(by, STARTING);
        if (end(word) == 1) {
            waitStartNanos = start != 0 ? start : 1;
            taskLoop = toBeTold(loop);
        } else {
            execution = newExecution(by, end(word), start);
        }
        claimFirst();
        return true;
    }

    /** Gives a task that waits a batch of its own; those before it, if there are any, are the whole of this one then. */
    final void settleApart(int index, CompletionStage<@Nullable Object> started, Loop loop, Worker by) {
        Batch alone = null;
        synchronized (this) {
            if (settled(word) == index) {
                alone = part(index, index + 1, null);
                alone.beginAsync(by, loop); // before anybody else can
                link(alone);
                alone.listWait();
                finishExecution(index);
                word = word(index, index, index);
            }
        }
        if (alone == null) {
            leaveStarted(started, loop);
            return;
        }
        complete();
        if (!alone.isRefused()) {
            EngineStrategy.cancelIfUnwanted(alone);
        }
        alone.settleWith(0, started, loop);
    }

    /**
     * Settles a task that is done and claims the one behind it.
     *
     * @return false if none is to be started here
     */
    @SuppressWarnings("NullAway") // a success may hold null
    final boolean goOn(int index, @Nullable Object value, CompletionStage<?> started, Loop loop) {
        BatchExecution mine = executionOrNever();
        setOutcome(index, new Result.Success<>(value, mine), value);
        int next = settleAndClaim(index, mine);
        if (next == TAKEN_AWAY) {
            leaveStarted(started, loop);
            return false;
        }
        if (loop instanceof TaskLoop ofThisTask) {
            ofThisTask.ended(true);
        }
        if (next == NONE_LEFT) { // others have been cut off meanwhile
            complete();
            return false;
        }
        published();
        return true;
    }

    /** Settles the last task when its stage completes. */
    final void settleWith(int index, CompletionStage<@Nullable Object> started, Loop loop) {
        boolean isGone;
        synchronized (this) {
            isGone = settled(word) > index;
            if (!isGone) {
                runner = started;
                taskLoop = toBeTold(loop);
            }
        }
        if (isGone) {
            leaveStarted(started, loop);
            return;
        }
        try {
            started.whenComplete(whenEnded());
        } catch (Throwable e) {
            failed(index, e); // a stage of somebody's own making
        }
    }

    /** Leaves a task that was taken while it was started: nobody else knows its stage, nor its loop if it is not alone. */
    private void leaveStarted(CompletionStage<?> started, Loop loop) {
        TaskLoop untold;
        synchronized (this) {
            runner = null;
            untold = taskLoop == null ? toBeTold(loop) : null;
        }
        cancelStage(started);
        if (untold != null) {
            untold.ended(false);
        }
        leaveKey();
    }

    private static @Nullable TaskLoop toBeTold(Loop loop) {
        return loop instanceof TaskLoop ofThisTask ? ofThisTask : null;
    }

    /** The stage of the task that was claimed last has completed. */
    final void ended(@Nullable Object value, @Nullable Throwable failure) {
        int index = claimed(word) - 1;
        if (failure == null) {
            succeeded(index, value);
        } else {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
            failed(index, cause != null ? cause : failure);
        }
    }

    /** What depends on the stage may use what belongs to the task's loop. */
    private void cancelOnLoop(CompletionStage<?> told) {
        TaskLoop loop = taskLoop;
        if (loop != null) {
            try {
                loop.executor().execute(() -> cancelStage(told));
                return;
            } catch (RejectedExecutionException e) {
                log.debug("The loop of workload '{}' has ended before its stage", terms.workload.name(), e);
            }
        }
        runUserCode(() -> cancelStage(told));
    }

    private static void cancelStage(CompletionStage<?> stage) {
        try {
            stage.toCompletableFuture().cancel(true);
        } catch (Throwable e) {
            // A stage need not have a future, nor one that can be cancelled. Its outcome is dropped in any case.
            log.debug("A stage could not be cancelled: {}", stage, e);
        }
    }

    // ---------------------------------------------------------------------------------------------- outcomes

    /** Settles a claimed task by report; its outcome is dropped if it has one already. */
    private boolean settle(int index, Object outcome, @Nullable Object value) {
        boolean isLate;
        boolean isComplete = false;
        synchronized (this) {
            long now = word;
            isLate = settled(now) != index || claimed(now) <= index;
            if (!isLate) {
                setOutcome(index, outcome, value);
                isComplete = index + 1 == end(now);
                if (isComplete) {
                    finishExecution(index + 1);
                }
                if (details != null) {
                    details.disarm();
                }
                word = word(index + 1, claimed(now), end(now));
            }
        }
        if (isLate) {
            left();
            return false;
        }
        afterSettled(index, outcome);
        if (isComplete) {
            complete();
            left();
        } else {
            published();
        }
        return true;
    }

    final Object outcomeOfFailure(int index, Throwable thrown) {
        Throwable cause = thrown;
        if (thrown instanceof RejectedExecutionException && terms.strategy.isClosedNow()) {
            cause = terms.strategy.closedNow().initCause(thrown); // it met the closed engine before it was cancelled
        }
        var policy = terms.workload.retry();
        BatchDetails mine = details;
        if (policy.isPresent() && mine != null) {
            long now = terms.clock().nanoTime();
            long began = attempts() == 1 ? mine.taskStartNanos : mine.firstStartNanos;
            long delay = policy.get().nextDelayNanos(cause, attempts(), now - began);
            if (delay >= 0) {
                hasMoved = true;
                Batch again = part(index, index + 1, mine.ofNextAttempt(index, began));
                again.isHeld = true; // until it is dispatched: who helps would find it before it has joined its run
                again.callbacks = callbacks();
                return new Moved(again, delay);
            }
        }
        return new Result.Failure<>(cause, executionOrNever());
    }

    /** What must wait until it is certain that this outcome is the one. */
    final void afterSettled(int index, Object outcome) {
        if (outcome instanceof Moved moved) {
            adopt(moved.to());
            terms.strategy.retry(moved.to(), moved.delayNanos());
            return;
        }
        if (outcome instanceof Result.Failure<?> failure) {
            terms.strategy.countFailure(failure.cause());
        }
        terms.strategy.notifyFinished(this, index, (Result<?>) outcome);
    }

    /**
     * Runs what may run the user's code: here, if this thread may do that, else on a callback thread, where what is said
     * of one batch, and of further attempts at its tasks, keeps its order.
     */
    final void runUserCode(Runnable action) {
        if (mayRunUserCode()) {
            action.run();
        } else {
            runLater(action);
        }
    }

    /** Whether this thread may, and nothing waits that is to run before. */
    final boolean mayRunUserCode() {
        Callbacks present = callbacks;
        return ServiceThread.mayRunUserCode() && (present == null || present.isIdle());
    }

    /** As {@link #runUserCode}, always on a callback thread. */
    final void runLater(Runnable action) {
        callbacks().add(action);
    }

    private synchronized Callbacks callbacks() {
        Callbacks present = callbacks;
        if (present == null) {
            present = new Callbacks(terms.strategy);
            callbacks = present;
        }
        return present;
    }

    final void complete() {
        BatchDetails mine = details;
        if (mine != null) {
            mine.disarm();
            if (!mine.isLeftLater) {
                leaveKey();
            }
        }
        if (isListed) {
            terms.strategy.unlist(this);
        }
        TaskLoop loop = taskLoop;
        int settled = settled();
        if (loop != null && settled > 0) {
            loop.ended(outcome(settled - 1) instanceof Result.Success);
        }
        completed(worker);
    }

    final BatchExecution executionOrNever() {
        BatchExecution mine = waitStartNanos != 0 ? executionOfWait() : execution;
        return mine != null ? mine : BatchExecution.neverStarted(terms, attempts(), Math.max(1, size()));
    }

    /** Of a task that waits it is made late: there may be very many. */
    private synchronized BatchExecution executionOfWait() {
        BatchExecution mine = execution;
        if (mine == null) {
            mine = newExecution(Objects.requireNonNull(worker), 1, waitStartNanos);
            execution = mine;
        }
        return mine;
    }

    private BatchExecution newExecution(Worker by, int size, long startNanos) {
        return BatchExecution.started(terms, by.name(), attempts(), size, queuedAtNanos, startNanos);
    }

    private void finishExecution(int tasks) {
        BatchExecution mine = execution;
        if (mine != null) {
            mine.finish(tasks, terms.clock().nanoTime());
        }
    }

    // ---------------------------------------------------------------------------------------------- for core

    /** How it is run; null as long as it has not begun, or is a single asynchronous task of which no result is known. */
    final @Nullable BatchExecution execution() {
        return execution;
    }

    /** Which attempt this is at its tasks, from 1. */
    final int attempts() {
        return details == null ? 1 : details.attempts;
    }

    final TaskInfo info(int index) {
        return new TaskInfo(details == null ? 0 : details.firstTaskId + index, terms.workload, inputOf(index));
    }

    /** How long its task has been waiting for its stage. */
    final WaitView waitView(long nowNanos) {
        BatchExecution mine = execution;
        Duration ofSeveral = mine == null ? Duration.ZERO : mine.busy(nowNanos);
        return new WaitView(
                terms.workload.name(),
                waitStartNanos == 0 ? ofSeveral : Duration.ofNanos(Math.max(0, nowNanos - waitStartNanos)));
    }

    final void setListed() {
        isListed = true;
    }

    /** How many outcomes may be read. Acquires what was written before they were settled. */
    final int settled() {
        return settled(word);
    }

    /** As {@link #settled()} if all those outcomes are results in their slots, else 0. */
    final int settledPlain() {
        long now = word;
        return isTaken(now) || hasMoved ? 0 : settled(now);
    }

    /** Has its attempt started after the delay, unless it is settled by then. */
    final void delay(long delayNanos) {
        BatchDetails mine = details;
        synchronized (this) {
            if (mine != null && !isComplete()) {
                mine.timer = terms.clock().schedule(() -> terms.strategy.redispatch(this), delayNanos);
            }
        }
    }

    /** Its time has come; unless it still has to wait for its key. */
    final void endDelay() {
        delayEnded(); // first: whoever starts it must find it counted
        isHeld = place() != null;
    }

    /** It has a place within the limit of its key. */
    final void admit() {
        isHeld = false;
    }

    final KeyLimits.@Nullable Place place() {
        return details == null ? null : details.place;
    }

    /** Gives back the place within the limit of the key, if there is one. May be called several times. */
    private void leaveKey() {
        KeyLimits.Place place = place();
        if (place != null) {
            terms.strategy.keys().leave(place);
        }
    }

    final boolean isComplete() {
        long now = word;
        return settled(now) == end(now);
    }

    /** Whether it is complete with just so many outcomes. One look at the word: between two it may get further. */
    final boolean isCompleteAt(int outcomes) {
        long now = word;
        return settled(now) == end(now) && settled(now) == outcomes;
    }

    /** Whether a worker is at it. */
    final boolean isRunning() {
        long now = word;
        return claimed(now) > settled(now);
    }

    /** How many tasks nobody has started. */
    final int unstarted() {
        long now = word;
        return end(now) - claimed(now);
    }

    /** The outcome of a settled task: a {@link Result} or {@link Moved}. */
    final @Nullable Object outcome(int index) {
        long now = word;
        return isTaken(now) && index == settled(now) - 1 ? taken : slot(index);
    }

    /** Cuts off the later half of what has not been started, for another worker; null if there is too little. */
    final synchronized @Nullable Batch split() {
        for (; ; ) {
            long now = word;
            int left = end(now) - claimed(now);
            boolean isRunningHere = claimed(now) == settled(now) + 1;
            if (left < 1 || !isRunningHere) {
                return null;
            }
            int at = claimed(now) + left / 2;
            if (WORD.compareAndSet(this, now, word(settled(now), claimed(now), at))) {
                Batch rest = tail(at, end(now));
                link(rest);
                return rest;
            }
        }
    }

    private Batch tail(int from, int to) {
        Batch tail = part(from, to, details == null ? null : details.from(from));
        if (attempts() > 1) {
            tail.callbacks = callbacks; // listeners may have heard of earlier attempts
        }
        return tail;
    }

    /**
     * Settles everything that is not settled with a failure: what has not started never will; what runs is stopped.
     */
    final void cancel(Throwable why) {
        if (cancelUnstarted(why)) {
            return;
        }
        // What nobody has started is cut off first, so that the worker finds nothing after its present task.
        Batch rest = cutUnstarted();
        if (rest != null) {
            rest.cancelUnstarted(why);
        }
        take(why);
    }

    /**
     * Settles all tasks with a failure if none has been started.
     *
     * @return false if one has, and nothing was done
     */
    final boolean cancelUnstarted(Throwable why) {
        int count;
        synchronized (this) {
            long now = word;
            count = end(now);
            if (claimed(now) != 0 || count == 0) {
                return false;
            }
            word = word(0, count, count);
        }
        for (int i = 0; i < count; i++) {
            settle(i, new Result.Failure<>(why, executionOrNever()), null);
        }
        forgetInputs(); // an engine may keep it in a queue for long; nobody has read them, and nobody will
        return true;
    }

    final synchronized @Nullable Batch cutUnstarted() {
        for (; ; ) {
            long now = word;
            if (claimed(now) == end(now)) {
                return null;
            }
            if (WORD.compareAndSet(this, now, word(settled(now), claimed(now), claimed(now)))) {
                Batch rest = tail(claimed(now), end(now));
                link(rest);
                forgetCut(claimed(now), rest);
                return rest;
            }
        }
    }

    /** Takes the running task, if there is one, from its worker for good; and from a worker elsewhere all it has. */
    private void take(Throwable why) {
        for (; ; ) {
            Taking taking;
            synchronized (this) {
                long now = word;
                if (claimed(now) == settled(now)) {
                    return;
                }
                taking = tryTake(now, new Result.Failure<>(why, executionOrNever()));
            }
            if (taking != null) {
                afterTaking(taking);
                if (taking.isLast) {
                    return;
                }
            }
        }
    }

    private void arm(BatchDetails mine, long nanos) {
        if (terms.timeoutNanos > 0) {
            mine.disarm();
            mine.timer = terms.clock().schedule(this::checkTimeout, nanos);
            if (isComplete()) {
                mine.disarm(); // its worker has completed it just before there was anything to disarm
            }
        }
    }

    private void checkTimeout() {
        Taking taking;
        synchronized (this) {
            BatchDetails mine = details;
            // The word before the time: if the worker goes on to another task in between, the word has changed.
            long now = word;
            if (mine == null || settled(now) == claimed(now)) {
                return;
            }
            if (mine.isElsewhere && mine.lastStarted != settled(now)) {
                return; // this was on its way when its task ended; the next has not started
            }
            long left = terms.timeoutNanos - (terms.clock().nanoTime() - mine.taskStartNanos);
            if (left > 0) {
                arm(mine, left);
                return;
            }
            taking = tryTake(now, outcomeOfFailure(settled(now), terms.strategy.timeoutOf(terms.workload)));
            if (taking == null) {
                arm(mine, terms.timeoutNanos);
                return;
            }
        }
        afterTaking(taking);
    }

    /** A task that was taken from its worker; {@code rest} must go elsewhere. */
    private record Taking(
            int index,
            Object outcome,
            boolean isLast,
            @Nullable Batch rest,
            @Nullable CompletionStage<?> stage) {}

    /**
     * Settles the running task in the worker's stead, and interrupts its thread. A task that runs in this JVM thereby
     * ends its batch; of one elsewhere the others stay with their worker, whose engine will report them.
     *
     * @return null if the word is no longer {@code now}
     */
    private @Nullable Taking tryTake(long now, Object outcome) {
        assert Thread.holdsLock(this);
        int index = settled(now);
        Object present = runner;
        if (present != STARTING && !(present instanceof Thread)) {
            boolean isLast = index + 1 == end(now);
            setOutcome(index, outcome, null);
            if (isLast) {
                finishExecution(index + 1);
            }
            if (details != null) {
                details.isLeftLater = details.isElsewhere;
            }
            word = word(index + 1, claimed(now), end(now));
            return new Taking(index, outcome, isLast, null, (CompletionStage<?>) present);
        }
        taken = outcome;
        if (!WORD.compareAndSet(this, now, word(index + 1, index + 1, index + 1) | TAKEN)) {
            return null;
        }
        finishExecution(index + 1);
        if (details != null) {
            details.isLeftLater = true;
        }
        Batch rest = null;
        if (index + 1 < end(now)) {
            rest = tail(index + 1, end(now));
            link(rest);
        }
        if (present instanceof Thread thread) {
            thread.interrupt();
        }
        return new Taking(index, outcome, true, rest, null);
    }

    private void afterTaking(Taking taking) {
        afterSettled(taking.index, taking.outcome);
        if (taking.rest != null) {
            terms.strategy.dispatch(taking.rest);
        }
        Worker by = worker;
        if (by != null) {
            terms.strategy.stop(this, taking.index, by);
        }
        CompletionStage<?> told = taking.stage;
        if (told != null) {
            cancelOnLoop(told);
        }
        if (taking.isLast) {
            complete();
        } else {
            published();
        }
    }

    // ---------------------------------------------------------------------------------------------- the word

    private static long word(int settled, int claimed, int end) {
        return (long) end << 40 | (long) claimed << 20 | settled;
    }

    private static int settled(long word) {
        return (int) (word & MASK);
    }

    private static int claimed(long word) {
        return (int) (word >>> 20 & MASK);
    }

    private static int end(long word) {
        return (int) (word >>> 40 & MASK);
    }

    private static boolean isTaken(long word) {
        return word < 0;
    }

    @Override
    public final String toString() {
        long now = word;
        return "Batch[" + terms.workload.name() + ", settled " + settled(now) + ", claimed " + claimed(now) + ", of "
                + end(now) + (isTaken(now) ? ", taken" : "") + "]";
    }
}
