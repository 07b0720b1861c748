package io.stratagem.spi;

import static com.google.common.base.Preconditions.checkArgument;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.Snapshot;
import io.stratagem.Snapshot.WaitView;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.TaskListener;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An {@link ExecutorStrategy} over an {@link Engine}: what a strategy module extends. It admits tasks, keeps count,
 * tells listeners, and closes; {@code map} is {@link MapRun}'s, single tasks are {@link SingleBatch}'s, those of pipelines
 * {@link StageBatch}'s.
 */
/* Drained means: as many tasks have their final outcome as were taken in. The counters are striped; read in the order
 * settled, retried, taken they can only be too pessimistic, since a task is counted as taken before and as settled after
 * everything else. Whoever settles a task looks afterwards whether somebody waits for the end; whoever waits has said so
 * before it looks at the counters, and looks again from time to time.
 */
public abstract class EngineStrategy implements ExecutorStrategy {
    private static final Logger log = LoggerFactory.getLogger(ExecutorStrategy.class);

    /** How long a strategy that was closed by force waits for its threads to notice. */
    private static final Duration LAST_WAIT = Duration.ofSeconds(1);

    private static final long LOOK_AGAIN_NANOS = 10_000_000;

    private final String name;
    private final Engine engine;
    private final StrategyOptions options;
    private final Clock clock;
    private final TaskListener[] listeners;
    private final Admission admission;
    private final KeyLimits keys = new KeyLimits();

    /** For threads that wait for a submitted task. */
    private final AdaptiveSpin spin = new AdaptiveSpin(200);

    private final LongAdder mapTaken = new LongAdder();
    private final LongAdder mapSettled = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder cancelled = new LongAdder();
    private final LongAdder timedOut = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder mapRetried = new LongAdder();
    private final AtomicLong taskIds = new AtomicLong();

    /** How many stages of inputs that pipelines have taken in are still to begin here. */
    private final AtomicLong expectedStages = new AtomicLong();

    /**
     * What is neither queued nor on a worker: asynchronous tasks that wait, but for those of maps, tasks that wait for
     * another attempt or for their key, and those that run in the thread that submitted them.
     */
    private final Set<Batch> waiting = ConcurrentHashMap.newKeySet();

    /** Maps with asynchronous tasks that wait: these are found there. */
    private final Set<MapRun<?, ?>> waitingRuns = ConcurrentHashMap.newKeySet();

    /**
     * Read and written without order: any will do, since their fields are final. Weak, so as not to keep the class loader
     * of the last submitter.
     */
    private WeakReference<@Nullable Terms> lastTerms = new WeakReference<>(null);

    private volatile boolean isClosed;
    private volatile boolean isClosedNow;
    private volatile boolean hasDrainWaiter;
    private final ReentrantLock drainLock = new ReentrantLock();
    private final Condition drained = drainLock.newCondition();

    /** The futures that callback threads are about to complete. */
    private final Set<TaskFuture<?>> completing = ConcurrentHashMap.newKeySet();

    /**
     * Creates the strategy.
     *
     * @param engine where its batches run
     * @param options what all strategies have in common
     */
    protected EngineStrategy(Engine engine, StrategyOptions options) {
        this.name = options.name();
        this.engine = engine;
        this.options = options;
        this.clock = options.clock();
        this.listeners = options.listeners().toArray(TaskListener[]::new);
        this.admission = new Admission(options.maxPending());
    }

    @Override
    public final String name() {
        return name;
    }

    // ---------------------------------------------------------------------------------------------- single tasks

    @Override
    public final <I, O> Result<O> run(Workload<I, O> workload, I input) {
        checkMayWait(workload);
        CompletableFuture<Result<O>> future = submit(workload, input);
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(true);
            Thread.currentThread().interrupt();
            return Result.failure(cancelledBy(e, workload));
        } catch (CancellationException e) {
            return Result.failure(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a task's future never fails", e);
        }
    }

    private static CancellationException cancelledBy(InterruptedException interrupt, Workload<?, ?> workload) {
        CancellationException cancelled = new CancellationException(
                "the thread that waited for workload '" + workload.name() + "' was interrupted");
        cancelled.initCause(interrupt);
        return cancelled;
    }

    @Override
    public final <I, O> CompletableFuture<Result<O>> submit(Workload<I, O> workload, I input) {
        checkTaken(workload);
        checkOpen();
        Terms terms = terms(workload);
        if (!entersAtOnce()) {
            // To start an asynchronous task here would not slow the caller down.
            if (options.rejection() == Rejection.CALLER_RUNS
                    && workload.kind() != Kind.ASYNC
                    && !isolates(workload.kind())
                    && terms.limitPerKey == 0) {
                return runInCaller(terms, input);
            }
            if (!waitForRoom()) {
                CompletableFuture<Result<O>> interrupted = new CompletableFuture<>();
                interrupted.cancel(false);
                return interrupted;
            }
        }
        TaskFuture<O> future = new TaskFuture<>();
        dispatchSingle(newSingle(terms, future, input));
        return future;
    }

    /**
     * The first half of {@link #submit}, which may wait for room: makes a task for an engine that isolates.
     * {@link #dispatchSingle} is the other half.
     *
     * @return null if the caller was interrupted while it waited; it keeps its interrupt
     */
    final @Nullable SingleBatch admit(Workload<?, ?> workload, Object input, TaskFuture<?> future) {
        checkTaken(workload);
        checkOpen();
        Terms terms = terms(workload);
        return entersAtOnce() || waitForRoom() ? newSingle(terms, future, input) : null;
    }

    /** Hands a new task to the engine; if that cannot take it, the task fails, too. */
    final void dispatchSingle(SingleBatch batch) {
        try {
            dispatchOrThrow(batch);
        } catch (Throwable e) {
            batch.cancelUnstarted(e);
            throw e;
        }
    }

    /** False if there is no room, and the caller should wait for it: not one of ours, nor a loop of another strategy. */
    private boolean entersAtOnce() {
        if (currentWorker() == null) {
            if (admission.tryEnter()) {
                return true;
            }
            if (options.rejection() == Rejection.REJECT) {
                throw new RejectedExecutionException(admission.fullMessage(name));
            }
            if (ServiceThread.mayRunUserCode()) {
                return false;
            }
        }
        admission.enterAnyway();
        return true;
    }

    private SingleBatch newSingle(Terms terms, TaskFuture<?> future, @Nullable Object input) {
        SingleBatch batch = new SingleBatch(terms, future, input, newDetails(terms, 1, input));
        future.batch = batch;
        notifySubmitted(batch);
        return batch;
    }

    /**
     * The details of new tasks, or null if they need none. Calls the key function, so only for submitters and readers.
     *
     * @param input of the one task, if the workload has keys
     */
    final @Nullable BatchDetails newDetails(Terms terms, int tasks, @Nullable Object input) {
        if (!terms.haveDetails) {
            return null;
        }
        return new BatchDetails(newTaskIds(tasks), terms.limitPerKey > 0 ? KeyLimits.place(terms, input) : null);
    }

    /** False if the caller was interrupted while it waited; it keeps its interrupt. */
    private boolean waitForRoom() {
        try {
            if (!admission.enter(() -> !isClosed)) {
                throw new RejectedExecutionException(closedMessage());
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private <O> CompletableFuture<Result<O>> runInCaller(Terms terms, @Nullable Object input) {
        admission.enterAnyway();
        TaskFuture<O> future = new TaskFuture<>();
        Batch batch = newSingle(terms, future, input);
        list(batch);
        Worker caller = new Worker(Thread.currentThread().getName(), this);
        caller.bind();
        try {
            runOn(caller, batch);
        } finally {
            caller.unbind();
        }
        return future;
    }

    // ---------------------------------------------------------------------------------------------- many tasks

    @Override
    public final <I, O> Stream<Result<O>> map(
            Workload<I, O> workload, Stream<? extends I> inputs, MapOptions mapOptions) {
        MapRun<I, O> run = new MapRun<>(newTerms(workload), inputs.spliterator(), mapOptions);
        return StreamSupport.stream(run, false).onClose(run::cancelAll).onClose(inputs::close);
    }

    @Override
    public final ListeningExecutorService asExecutorService(Kind kind) {
        checkArgument(
                Objects.requireNonNull(kind, "kind") != Kind.ASYNC,
                "an executor service runs plain calls, not %s work",
                kind);
        return new ExecutorServiceView(this, kind);
    }

    /** What tasks of a map or of a stage have in common, in the calling thread's context. */
    final Terms newTerms(Workload<?, ?> workload) {
        checkTaken(workload);
        checkOpen();
        return terms(workload);
    }

    /** The workload's terms in the calling thread's context; the last ones again if they fit. */
    private Terms terms(Workload<?, ?> workload) {
        Terms last = lastTerms.get();
        Context context = Context.capture(options.propagators(), last == null ? null : last.context);
        if (last != null && last.fit(workload, context)) {
            return last;
        }
        Terms terms = new Terms(this, workload, context);
        lastTerms = new WeakReference<>(terms);
        return terms;
    }

    private void checkTaken(Workload<?, ?> workload) {
        Objects.requireNonNull(workload, "workload");
        checkArgument(
                !workload.isolated() || options.allowInProcess() || isolates(workload.kind()),
                "workload '%s' is isolated and strategy '%s' runs in this JVM: use a strategy with processes, or build "
                        + "this one with allowInProcess(true)",
                workload.name(),
                name);
        checkArgument(
                workload.jvmOptions().isEmpty()
                        || options.allowInProcess()
                        || engine.hasJvmOptions(workload.jvmOptions()),
                "workload '%s' needs a JVM with the options %s, which the workers of strategy '%s' do not have: build "
                        + "it with jvmOptions(...), or use Stratagem.auto()",
                workload.name(),
                workload.jvmOptions(),
                name);
    }

    /**
     * How many tasks of a kind it runs at once. Constant, but for a pool that can be resized.
     *
     * @param kind the kind
     * @return the most there can be
     */
    public final int parallelism(Kind kind) {
        return engine.profile(kind).parallelism();
    }

    /**
     * Whether its workers are JVMs that have all of these options. Constant.
     *
     * @param jvmOptions what a workload asks for
     * @return true if there is nothing that they lack
     */
    public final boolean hasJvmOptions(List<String> jvmOptions) {
        return jvmOptions.isEmpty() || engine.hasJvmOptions(jvmOptions);
    }

    /**
     * Whether the calling thread is one of its workers, runs a task of it in a worker's stead, or tells listeners and
     * futures of one: whether there may be tasks of it that cannot end while the thread waits.
     *
     * @return true if so
     */
    public final boolean isOnWorker() {
        return currentWorker() != null || Callbacks.strategy() == this;
    }

    final void checkOpen() {
        if (isClosed) {
            throw new RejectedExecutionException(closedMessage());
        }
    }

    final String closedMessage() {
        return "strategy '" + name + "' is closed";
    }

    final boolean isClosed() {
        return isClosed;
    }

    // ---------------------------------------------------------------------------------------------- for runs

    /** Hands a batch to the engine, or has it wait for its key. */
    final void dispatchOrThrow(Batch batch) {
        KeyLimits.Place place = batch.place();
        if (place == null) {
            execute(batch);
        } else {
            executeInTurn(batch, place);
        }
        cancelIfUnwanted(batch);
    }

    private void executeInTurn(Batch batch, KeyLimits.Place place) {
        Throwable failure = place.failure();
        if (failure != null) {
            batch.cancelUnstarted(failure);
        } else if (keys.enter(place, batch)) {
            execute(batch);
        } else if (isClosedNow) {
            batch.cancel(closedNow()); // closeNow may have gone through the list just before
        }
    }

    private void execute(Batch batch) {
        if (isClosedNow) {
            throw new RejectedExecutionException(closedMessage());
        }
        engine.execute(batch);
    }

    /** Hands a batch to the engine; if that cannot take it, returns what its tasks are to fail with. */
    final @Nullable Throwable tryExecute(Batch batch) {
        try {
            execute(batch);
            return null;
        } catch (Throwable e) {
            return failureOf(e);
        }
    }

    /** Hands a batch to the engine; if that cannot take it, its tasks fail with the reason. */
    final void dispatch(Batch batch) {
        try {
            dispatchOrThrow(batch);
        } catch (Throwable e) {
            batch.cancel(failureOf(e));
        }
    }

    /** What a task that was taken in fails with if the engine refuses it: it is closed, or has no thread to start. */
    final Throwable failureOf(Throwable refusal) {
        return isClosedNow ? closedNow() : refusal;
    }

    /** Hands a batch to the engine after a while. */
    final void retry(Batch batch, long delayNanos) {
        retried.increment();
        if (batch instanceof MapBatch) {
            mapRetried.increment();
        }
        list(batch);
        if (isClosedNow) {
            batch.cancel(closedNow());
        }
        cancelIfUnwanted(batch);
        if (delayNanos == 0) {
            redispatch(batch);
        } else {
            batch.delay(delayNanos);
        }
    }

    final void redispatch(Batch batch) {
        waiting.remove(batch);
        batch.endDelay();
        if (batch.unstarted() > 0) {
            dispatch(batch);
        }
    }

    /** A run that is cancelled cancels all it knows of; what joined it just then is cancelled here. */
    static void cancelIfUnwanted(Batch batch) {
        if (batch.isUnwanted()) {
            batch.cancel(batch.cancellation());
        }
    }

    /**
     * Runs a batch on the thread of a task that waits.
     *
     * @throws StackOverflowError if there may be too little stack left to run it and to deliver its result; it is then
     *     left for another worker
     */
    final void help(Worker worker, Batch batch) {
        StackReserve.check();
        runOn(worker, batch);
    }

    /** Whether a worker that waits for the batch may run it. */
    final boolean mayHelp(Batch batch) {
        return batch.workload().kind() != Kind.ASYNC || engine.loop() != null;
    }

    /** Runs a batch on the calling thread. */
    private void runOn(Worker worker, Batch batch) {
        if (batch.workload().kind() == Kind.ASYNC) {
            Loop loop = Objects.requireNonNull(engine.loop());
            batch.runAsync(worker, () -> loop);
        } else {
            batch.run(worker);
        }
    }

    /**
     * Refuses to wait on a thread of the engine's that serves many tasks: what is waited for may need just this thread.
     *
     * @throws IllegalStateException if the calling thread is one
     */
    final void checkMayWait(Workload<?, ?> workload) {
        if (!ServiceThread.mayRunUserCode() && Worker.current(engine) != null) {
            throw new IllegalStateException("workload '" + workload.name() + "' was to be waited for on "
                    + Thread.currentThread().getName() + ", a thread of strategy '" + name
                    + "' that serves all its tasks and must not block: use submit and go on in a dependent stage, or "
                    + "wait inside loop.offload");
        }
    }

    /** The worker that the calling thread is, be it the engine's or a caller that runs a task itself; or null. */
    final @Nullable Worker currentWorker() {
        Worker worker = Worker.current(engine);
        return worker != null ? worker : Worker.current(this);
    }

    /** Runs what may run the user's code: here, if this thread may do that, else elsewhere and later. */
    static void runUserCode(Runnable action) {
        if (ServiceThread.mayRunUserCode()) {
            action.run();
        } else {
            SharedThreads.callbacks().execute(action);
        }
    }

    final void stop(Batch batch, int index, Worker worker) {
        if (worker.isOwnedBy(engine)) {
            engine.stop(batch, index, worker);
        }
    }

    final TaskTimeoutException timeoutOf(Workload<?, ?> workload) {
        String stop = isolates(workload.kind())
                ? "its worker is killed"
                : "it was told to stop; only an isolated workload can be killed";
        return new TaskTimeoutException("workload '" + workload.name() + "' ran longer than its timeout of "
                + workload.timeout().orElseThrow() + "; " + stop);
    }

    /** Whether it runs work of this kind outside this JVM. */
    final boolean isolates(Kind kind) {
        return engine.profile(kind).isolates();
    }

    final Engine engine() {
        return engine;
    }

    final Clock clock() {
        return clock;
    }

    final AdaptiveSpin spin() {
        return spin;
    }

    final Admission admission() {
        return admission;
    }

    final KeyLimits keys() {
        return keys;
    }

    /** Looks there from now on, too, for what waits. */
    final void list(MapRun<?, ?> run) {
        waitingRuns.add(run);
    }

    final void unlist(MapRun<?, ?> run) {
        waitingRuns.remove(run);
    }

    /** All tasks that are neither queued nor on a worker and have begun. */
    private Stream<Batch> waits() {
        Stream<Batch> ofMaps = waitingRuns.stream().flatMap(run -> run.known().stream());
        return Stream.concat(waiting.stream(), ofMaps).filter(Batch::isRunning).distinct();
    }

    final void unlist(Batch batch) {
        waiting.remove(batch);
    }

    /** Notes what is neither queued nor on a worker, until it is settled or dispatched. */
    final void list(Batch batch) {
        batch.setListed();
        waiting.add(batch);
        if (batch.isComplete()) {
            waiting.remove(batch); // it was settled just before it was known to be listed
        }
    }

    final int window() {
        return options.window();
    }

    final long windowBytes() {
        return options.windowBytes();
    }

    // ---------------------------------------------------------------------------------------------- counts

    /** Ids for new tasks: the first of so many. */
    final long newTaskIds(int tasks) {
        return taskIds.getAndAdd(tasks);
    }

    /** Counts tasks of a map that were taken in. */
    final void taken(int tasks) {
        mapTaken.add(tasks);
    }

    /** Counts tasks of a map that were settled. */
    final void settled(int tasks) {
        mapSettled.add(tasks);
        signalIfDrained();
    }

    /** An input was taken in that will come to a stage here, or end before it. */
    final void expectStage() {
        expectedStages.incrementAndGet();
    }

    /** It has begun, and was counted, or never will. */
    final void stageBegun() {
        expectedStages.decrementAndGet();
        signalIfDrained();
    }

    final void countFailure(Throwable cause) {
        failed.increment();
        if (cause instanceof CancellationException) {
            cancelled.increment();
        } else if (cause instanceof TaskTimeoutException) {
            timedOut.increment();
        }
    }

    @Override
    public final Snapshot snapshot() {
        long done = doneTasks();
        long failures = failed.sum();
        List<WorkerView> workers = engine.workers(clock.nanoTime());
        int abandoned = engine.abandoned();
        long running =
                workers.stream().filter(worker -> worker.workload().isPresent()).count() - abandoned + waits().count();
        running = Math.max(0, running);
        long taken = takenTasks();
        return new Snapshot(
                name,
                isClosed,
                taken,
                Math.max(0, taken - done - running),
                running,
                Math.max(0, done - failures),
                failures,
                cancelled.sum(),
                timedOut.sum(),
                retried.sum(),
                abandoned,
                engine.sentBytes(),
                engine.receivedBytes(),
                workers,
                longestWaits(clock.nanoTime()));
    }

    private List<WaitView> longestWaits(long nowNanos) {
        return waits().filter(batch -> batch.workload().kind() == Kind.ASYNC)
                .map(batch -> batch.waitView(nowNanos))
                .sorted(Comparator.comparing(WaitView::age).reversed())
                .limit(Snapshot.MOST_WAITS)
                .toList();
    }

    // ---------------------------------------------------------------------------------------------- listeners

    final boolean hasListeners() {
        return listeners.length > 0;
    }

    final void notifySubmitted(Batch batch) {
        if (listeners.length > 0) {
            for (int i = 0; i < batch.size(); i++) {
                var task = batch.info(i);
                tell(listener -> listener.submitted(task));
            }
        }
    }

    final void notifyStarted(Batch batch, int index, String worker) {
        if (listeners.length > 0) {
            var task = batch.info(index);
            batch.runUserCode(() -> tell(listener -> listener.started(task, worker)));
        }
    }

    final void notifyFinished(Batch batch, int index, Result<?> result) {
        if (listeners.length > 0) {
            var task = batch.info(index);
            batch.runUserCode(() -> tell(listener -> listener.finished(task, result)));
        }
    }

    private void tell(Consumer<TaskListener> event) {
        for (TaskListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (Throwable e) {
                log.error("A task listener of strategy '{}' failed: {}", name, listener, e);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- closing

    @Override
    public final void close() {
        stopIntake();
        if (isOnWorker()) {
            SharedThreads.newThread(this::drainAndClose, "stratagem-" + name + "-closer")
                    .start();
        } else {
            drainAndClose();
        }
    }

    private void stopIntake() {
        isClosed = true;
        admission.wakeAll();
    }

    private void drainAndClose() {
        long deadline = System.nanoTime() + NANOSECONDS.convert(options.closeTimeout());
        boolean isInterrupted = false;
        boolean isDrained = false;
        try {
            isDrained = awaitDrained(NANOSECONDS.convert(options.closeTimeout()));
        } catch (InterruptedException e) {
            isInterrupted = true;
        }
        if (isDrained) {
            engine.close();
        } else {
            log.warn(
                    "Strategy '{}' still had work when its close had to end (closeTimeout); cancelling it: {}",
                    name,
                    snapshot());
            closeNow();
        }
        try {
            Duration left = Duration.ofNanos(Math.max(LAST_WAIT.toNanos(), deadline - System.nanoTime()));
            if (!isInterrupted) {
                engine.awaitTermination(isDrained ? left : LAST_WAIT);
            }
        } catch (InterruptedException e) {
            isInterrupted = true;
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public final void closeNow() {
        isClosedNow = true; // first: who sees that it is closed sees how
        stopIntake();
        CancellationException why = closedNow();
        engine.closeNow().forEach(batch -> batch.cancel(why));
        waiting.forEach(batch -> batch.cancel(why));
        waitingRuns.forEach(run -> run.cancelUnfinished(why)); // also what has not begun: it may just be about to
    }

    final boolean isClosedNow() {
        return isClosedNow;
    }

    final CancellationException closedNow() {
        return new CancellationException(closedMessage());
    }

    private boolean awaitDrained(long limitNanos) throws InterruptedException {
        drainLock.lockInterruptibly();
        try {
            hasDrainWaiter = true;
            long deadline = System.nanoTime() + limitNanos;
            while (!isDrained()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                // The counters promise no order with the look at hasDrainWaiter: a signal may be missed, if rarely.
                drained.awaitNanos(Math.min(left, LOOK_AGAIN_NANOS));
            }
            return true;
        } finally {
            drainLock.unlock();
        }
    }

    private boolean isDrained() {
        if (!isClosedNow && expectedStages.get() > 0) { // else those would be refused
            return false; // first: a stage that has begun since is counted as taken
        }
        long done = doneTasks();
        // Done, and not removed: what depends on a future may take long, and may be what waits here.
        return done == takenTasks() && completing.stream().allMatch(Future::isDone);
    }

    /** The future of a task that counts as done is left to a callback thread. */
    final void completesLater(TaskFuture<?> future) {
        completing.add(future);
    }

    /** That has completed it. */
    final void completed(TaskFuture<?> future) {
        completing.remove(future);
    }

    /** Of a map's task that is tried again, each attempt is settled; of others only the last is, or leaves. */
    private long doneTasks() {
        return mapSettled.sum() - mapRetried.sum() + admission.left();
    }

    private long takenTasks() {
        return admission.entered() + mapTaken.sum();
    }

    final void signalIfDrained() {
        if (hasDrainWaiter && isDrained()) {
            drainLock.lock();
            try {
                drained.signalAll();
            } finally {
                drainLock.unlock();
            }
        }
    }

    @Override
    public String toString() {
        return snapshot().toString();
    }

    @SuppressWarnings("unchecked") // what was thrown unchecked is thrown on
    static <E extends Throwable> void sneakyThrow(Throwable failure) throws E {
        throw (E) failure;
    }
}
