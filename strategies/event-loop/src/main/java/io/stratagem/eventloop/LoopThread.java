package io.stratagem.eventloop;

import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.ServiceThread;
import io.stratagem.spi.Worker;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop: a selector, timers, and a queue of work from other threads. It starts asynchronous tasks, and runs
 * their callbacks. Any thread may post to it and schedule on it; all else is for its own thread.
 */
/* Waking: who posts adds to the queue and then looks whether the loop sleeps; the loop says that it sleeps, and then looks
 * into the queue once more. The first of the posters to change `isAsleep` back wakes the selector, the others need not.
 *
 * The queue has one consumer: who holds the monitor of `chunk`. That is this thread, once for each chunk of work; whoever
 * closes by force; and, when the loop has ended, who posted just then. A chunk is run without the monitor.
 *
 * The end: nothing is taken once `isClosing` is set; who was just about to post adds to the queue and then looks at
 * `isEnded`, which is set before the last look into the queue. So one of the two takes what was posted.
 *
 * `steps` and `current` are for the watch, which looks at them from time to time: no clock is read for a callback.
 */
final class LoopThread extends Thread implements ServiceThread {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);
    private static final @Nullable ClassLoader LOADER = LoopThread.class.getClassLoader();
    private static final int CHUNK = 256;

    /** What depends on a future may make the next one: not too deep. */
    private static final int MOST_INLINE = 32;

    /** After the selector failed, which it should not. */
    private static final long PAUSE_NANOS = 10_000_000;

    private static final VarHandle STEPS;
    private static final VarHandle CURRENT;

    static {
        try {
            var lookup = MethodHandles.lookup();
            STEPS = lookup.findVarHandle(LoopThread.class, "steps", int.class);
            CURRENT = lookup.findVarHandle(LoopThread.class, "current", String.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LoopEngine engine;
    private final Worker worker;
    private final HoldWatch watch;
    private final Clock clock;
    private final Selector selector;
    private final Consumer<SelectionKey> ready = this::ready;
    private final MpscUnboundedVarHandleArrayQueue<Object> queue = new MpscUnboundedVarHandleArrayQueue<>(1024);
    private final @Nullable Object[] chunk = new Object[CHUNK];
    private final TimerWheel timers = new TimerWheel(System.nanoTime());
    private final Buffers buffers = new Buffers();
    private final AtomicBoolean isAsleep = new AtomicBoolean();
    private final LoopFuture<Void> done = new LoopFuture<>(this);
    private volatile boolean isClosing;
    private volatile boolean isForced;

    /** What is open is being closed, and nothing more is opened or timed. */
    private volatile boolean isEnding;

    private volatile boolean isEnded;

    /** How many connections are closed but for what they still have to send. */
    private int lingering;

    /** To be done after the next selection: the system is told only then of channels that were closed. */
    private final Queue<Callback> afterSelection = new ArrayDeque<>(0);

    /** Of the last task without a context: mostly the next has the same. */
    private LoopTask.@Nullable Home lastHome;

    /** How many futures this step has completed in the call that made them. */
    private int inlineCompletions;

    @SuppressWarnings("UnusedVariable") // read through STEPS
    private int steps;

    /** The workload whose code runs now, or null. */
    @SuppressWarnings("UnusedVariable") // read through CURRENT
    private @Nullable String current;

    /** An action on behalf of a task. */
    record Callback(LoopTask task, Runnable action) {}

    /** An action that is not lost when its loop ends before its time. */
    interface Abortable {
        /** In place of the action. */
        void abort(Throwable why);
    }

    LoopThread(String name, LoopEngine engine, HoldWatch watch) throws IOException {
        super(null, null, name, 0, false);
        this.engine = engine;
        this.watch = watch;
        this.clock = engine.clock();
        this.worker = new Worker(name, engine);
        this.selector = Selector.open();
        done.complete(null);
        setDaemon(true);
        // The loader of whoever happened to need the loop first must not be kept alive by it.
        setContextClassLoader(LOADER);
    }

    LoopEngine engine() {
        return engine;
    }

    Worker worker() {
        return worker;
    }

    /** Only for the loop's thread. */
    Buffers buffers() {
        return buffers;
    }

    void beginLinger() {
        lingering++;
    }

    void endLinger() {
        lingering--;
    }

    /** A completed future. */
    LoopFuture<Void> done() {
        return done;
    }

    /** Whether a future may be completed before it is returned. On the loop's thread. */
    boolean mayCompleteInline() {
        return inlineCompletions++ < MOST_INLINE;
    }

    boolean isCurrent() {
        return Thread.currentThread() == this;
    }

    boolean isEnding() {
        return isEnding;
    }

    boolean isEnded() {
        return isEnded;
    }

    // ---------------------------------------------------------------------------------------------- from any thread

    /**
     * Queues a batch, a {@link Callback} or a {@link Runnable} that is not the user's.
     *
     * @throws RejectedExecutionException if the strategy is closed
     */
    void post(Object work) {
        if (isClosing) {
            throw new RejectedExecutionException(getName() + " takes no more work, since its strategy is closed");
        }
        queue.offer(work);
        VarHandle.fullFence(); // the queue publishes with release when it grows: not ordered with what is read next
        if (isEnded) {
            giveUpQueued();
        } else if (!isCurrent()) {
            wake();
        }
    }

    private void wake() {
        if (isAsleep.get() && isAsleep.compareAndSet(true, false)) {
            selector.wakeup();
        }
    }

    /** Something that will be done at its time. */
    interface Scheduled {
        /** Forgets it, unless it has begun. Any thread may call it. */
        void cancel();
    }

    /**
     * Runs an action later, on the loop. If the loop ends before, it is dropped, or aborted if it is {@link Abortable}.
     *
     * @throws RejectedExecutionException if the loop has ended
     */
    Scheduled schedule(LoopTask task, Runnable action, long nanos) {
        if (clock != Clock.system()) {
            Clock.Timer timer = clock.schedule(() -> postDue(task, action), nanos);
            return timer::cancel;
        }
        return arm(new Action(task, action), nanos);
    }

    /**
     * A future that is completed later, on the loop; with a failure if the loop ends before.
     *
     * @throws RejectedExecutionException if the loop has ended
     */
    CompletableFuture<Void> delay(LoopTask task, long nanos) {
        if (clock != Clock.system()) {
            ClockDelay future = new ClockDelay(this);
            future.timer = schedule(task, future, nanos);
            return future;
        }
        return arm(new Delay(task), nanos);
    }

    private void postDue(LoopTask task, Runnable action) {
        try {
            post(new Callback(task, action));
        } catch (RejectedExecutionException e) {
            abort(action, e);
        }
    }

    private static void abort(Runnable action, Throwable why) {
        if (action instanceof Abortable abortable) {
            abortable.abort(why);
        }
    }

    private <T extends OwnTimer> T arm(T timer, long nanos) {
        long deadline = System.nanoTime() + Math.min(Math.max(0, nanos), Long.MAX_VALUE / 4);
        if (isCurrent()) {
            timer.arm(deadline);
        } else {
            post((Runnable) () -> timer.arm(deadline));
        }
        return timer;
    }

    /** A timer of the wheel. */
    private abstract static class OwnTimer extends TimerWheel.Timer {
        private final LoopTask task;

        OwnTimer(LoopTask task) {
            super(task.thread());
            this.task = task;
        }

        /** What is to be done; null if nobody wants that any more. */
        abstract @Nullable Runnable action();

        final void arm(long deadlineNanos) {
            if (loop.isEnding) {
                give(loop.hasEnded());
            } else if (action() != null) {
                loop.timers.add(this, deadlineNanos);
            }
        }

        final void due() {
            Runnable action = action();
            if (action != null) {
                loop.perform(task, action);
            }
        }

        /** Gives it up. */
        final void give(Throwable why) {
            Runnable action = action();
            if (action != null) {
                LoopThread.abort(action, why);
            }
        }

        /** Takes it off the wheel. */
        final void forget() {
            if (loop.isCurrent()) {
                loop.timers.remove(this);
            } else if (!loop.isEnded) {
                try {
                    loop.post((Runnable) () -> loop.timers.remove(this));
                } catch (RejectedExecutionException e) {
                    log.trace("A timer of {} was cancelled when the loop ended", loop.getName(), e);
                }
            }
        }
    }

    private static final class Action extends OwnTimer implements Scheduled {
        private volatile @Nullable Runnable action;

        Action(LoopTask task, Runnable action) {
            super(task);
            this.action = action;
        }

        @Override
        @Nullable
        Runnable action() {
            return action;
        }

        @Override
        public void cancel() {
            action = null;
            forget();
        }
    }

    /** A future whose completion is what is to be done. */
    private interface Completion extends Runnable, Abortable {
        boolean complete(@Nullable Void value);

        boolean completeExceptionally(Throwable why);

        @Override
        default void run() {
            complete(null);
        }

        @Override
        default void abort(Throwable why) {
            ServiceThread.callbacks().execute(() -> completeExceptionally(why));
        }
    }

    private static final class Delay extends OwnTimer implements Completion {
        Delay(LoopTask task) {
            super(task);
        }

        @Override
        @Nullable
        Runnable action() {
            return isDone() ? null : this;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean wasDone = isDone();
            boolean isCancelled = super.cancel(mayInterruptIfRunning);
            if (!wasDone) {
                forget();
            }
            return isCancelled;
        }
    }

    /** A delay by another clock. */
    private static final class ClockDelay extends LoopFuture<Void> implements Completion {
        private volatile @Nullable Scheduled timer;

        ClockDelay(LoopThread loop) {
            super(loop);
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            Scheduled armed = timer;
            if (armed != null && !isDone()) {
                armed.cancel();
            }
            return super.cancel(mayInterruptIfRunning);
        }
    }

    // ---------------------------------------------------------------------------------------------- the loop

    @Override
    public void run() {
        worker.bindToThread();
        try {
            while (!(isClosing && queue.isEmpty() && (isForced || lingering == 0))) {
                runQueued();
                runTimers();
                selectAndRunWhatWaits();
            }
        } catch (Throwable e) {
            report(() -> log.error("{} failed; its tasks are given up", getName(), e));
        } finally {
            end();
        }
    }

    private void runQueued() {
        int count = 0;
        synchronized (chunk) {
            while (count < CHUNK) {
                Object work = queue.poll();
                if (work == null) {
                    break;
                }
                chunk[count++] = work;
            }
        }
        runChunk(count);
    }

    private void runChunk(int count) {
        for (int i = 0; i < count; i++) {
            Object work = chunk[i];
            if (work != null) {
                try {
                    perform(work);
                } catch (Throwable e) {
                    report(() -> log.error("Work failed on {}", getName(), e));
                } finally {
                    chunk[i] = null;
                }
            }
        }
    }

    /** Logs a failure, whose own methods may fail when they are asked what it is. */
    static void report(Runnable logging) {
        try {
            logging.run();
        } catch (Throwable e) {
            log.error(
                    "A failure could not be logged, since it threw {}",
                    e.getClass().getName());
        }
    }

    private LoopTask.Home home(String workload, @Nullable Executor context) {
        LoopTask.Home last = lastHome;
        if (last != null && last.context() == context && last.workload().equals(workload)) {
            return last;
        }
        LoopTask.Home home = new LoopTask.Home(this, workload, context);
        lastHome = context == null ? home : null;
        return home;
    }

    private void perform(Object work) {
        if (work instanceof Callback callback) {
            perform(callback.task(), callback.action());
        } else if (work instanceof Batch batch) {
            String name = batch.workload().name();
            begin(name);
            LoopTask.Home home = home(name, batch.contextBeyond(LOADER));
            batch.runAsync(worker, () -> {
                begin(name); // for the watch each task is a step
                return new LoopTask(home);
            });
            finish();
        } else {
            try {
                ((Runnable) work).run();
            } catch (Throwable e) {
                report(() -> log.error("An action failed on {}", getName(), e));
            }
        }
    }

    private void perform(LoopTask task, Runnable action) {
        begin(task.workload());
        try {
            task.runInContext(action);
        } catch (Throwable e) {
            report(() -> log.error("A callback of workload '{}' failed on {}", task.workload(), getName(), e));
        }
        finish();
    }

    private void begin(String workload) {
        STEPS.setOpaque(this, steps + 1);
        inlineCompletions = 0;
        CURRENT.setOpaque(this, workload);
    }

    private void finish() {
        CURRENT.setOpaque(this, null);
        // A channel that is used by an interrupted thread is closed, and a selection ends at once.
        Thread.interrupted();
    }

    private void runTimers() {
        long now = System.nanoTime();
        for (int i = 0; i < CHUNK; i++) { // then channels have their turn
            TimerWheel.Timer due = timers.pollDue(now);
            if (due == null) {
                return;
            }
            ((OwnTimer) due).due(); // there are no others
        }
    }

    /** Runs an action when what has been closed until now is really closed. On the loop's thread. */
    void afterSelection(LoopTask task, Runnable action) {
        afterSelection.add(new Callback(task, action));
    }

    private void selectAndRunWhatWaits() {
        int waiting = afterSelection.size(); // what this selection closes is for the next one
        select(waiting > 0);
        for (int i = 0; i < waiting; i++) {
            perform(afterSelection.remove());
        }
    }

    private void select(boolean isWaitedFor) {
        try {
            long nanos = timers.nanosToNext(System.nanoTime());
            if (nanos == 0 || isWaitedFor || !queue.isEmpty()) {
                selector.selectNow(ready);
                return;
            }
            isAsleep.set(true);
            if (queue.isEmpty() && (!isClosing || (lingering > 0 && !isForced))) {
                selector.select(ready, nanos < 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(nanos + 999_999));
            }
            wakeUp();
        } catch (IOException e) {
            wakeUp();
            log.error("The selector of {} failed; it is tried again", getName(), e);
            LockSupport.parkNanos(this, PAUSE_NANOS);
        }
    }

    private void wakeUp() {
        if (isAsleep.get()) {
            isAsleep.set(false);
        }
        Thread.interrupted(); // by others, and it would end each selection at once
        watch.loopIsAwake();
    }

    private void ready(SelectionKey key) {
        if (isAsleep.get()) {
            wakeUp();
        }
        Opened opened = (Opened) key.attachment();
        begin(opened.task.workload());
        try {
            opened.task.runReady(opened, key);
        } catch (Throwable e) {
            abort(opened, e);
        }
        finish();
    }

    private void abort(Opened opened, Throwable why) {
        try {
            opened.task.runInContext(() -> opened.abort(why));
        } catch (Throwable e) {
            report(() -> log.error("A channel was not closed properly on {}", getName(), e));
        }
    }

    /** On the loop's thread. */
    SelectionKey register(SelectableChannel channel, int operations, Opened opened) throws IOException {
        return channel.register(selector, operations, opened);
    }

    // ---------------------------------------------------------------------------------------------- the end

    /**
     * Has it end when nothing is queued.
     *
     * @param isNow whether connections that have something to send are closed at once
     */
    void close(boolean isNow) {
        if (isNow) {
            isForced = true;
        }
        isClosing = true;
        isAsleep.set(false);
        selector.wakeup();
    }

    /** Closed by force: gives what has not been started; the loop may still be at it. */
    void giveQueued(Collection<Batch> given) {
        synchronized (chunk) {
            for (Object work : chunk) {
                if (work instanceof Batch batch) {
                    given.add(batch);
                }
            }
            // Callbacks complete what others wait for, and are run by the loop before it ends.
            Collection<Object> others = new ArrayList<>();
            for (Object work = queue.poll(); work != null; work = queue.poll()) {
                if (work instanceof Batch batch) {
                    given.add(batch);
                } else {
                    others.add(work);
                }
            }
            others.forEach(queue::offer);
            if (isEnded) {
                giveUpQueued();
            }
        }
    }

    private void end() {
        isClosing = true; // it is already, unless the loop has failed
        isEnding = true;
        RejectedExecutionException why = hasEnded();
        for (SelectionKey key : new ArrayList<>(selector.keys())) {
            if (key.attachment() instanceof Opened opened) {
                abort(opened, why);
            }
        }
        for (TimerWheel.Timer timer = timers.pollAny(); timer != null; timer = timers.pollAny()) {
            ((OwnTimer) timer).give(why);
        }
        isEnded = true;
        runChunk(CHUNK); // if the loop has failed amidst it
        while (!queue.isEmpty()) {
            runQueued();
        }
        try {
            selector.close();
        } catch (IOException e) {
            log.error("The selector of {} could not be closed", getName(), e);
        }
        afterSelection.forEach(this::perform);
    }

    private RejectedExecutionException hasEnded() {
        return new RejectedExecutionException(getName() + " has ended, since its strategy is closed");
    }

    /** It has ended just when something was posted. */
    private void giveUpQueued() {
        synchronized (chunk) {
            for (Object work = queue.poll(); work != null; work = queue.poll()) {
                Object given = work;
                ServiceThread.callbacks().execute(() -> giveUp(given));
            }
        }
    }

    private void giveUp(Object work) {
        if (work instanceof Callback callback) {
            callback.task().runInContext(callback.action());
        } else if (work instanceof Batch batch) {
            LoopTask.Home home = new LoopTask.Home(this, batch.workload().name(), null);
            batch.runAsync(worker, () -> new LoopTask(home)); // it refuses itself
        } else {
            ((Runnable) work).run();
        }
    }

    void closeUnstarted() {
        try {
            selector.close();
        } catch (IOException e) {
            log.error("The selector of {} could not be closed", getName(), e);
        }
    }

    // ---------------------------------------------------------------------------------------------- for the watch

    boolean isAsleep() {
        return isAsleep.get();
    }

    int steps() {
        return (int) STEPS.getOpaque(this);
    }

    /** The workload whose code runs, or null. */
    @Nullable
    String current() {
        return (String) CURRENT.getOpaque(this);
    }
}
