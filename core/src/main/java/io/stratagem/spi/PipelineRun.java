package io.stratagem.spi;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.ExecutorStrategy;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * One run of an {@link io.stratagem.Pipeline}, as the spliterator behind its stream.
 *
 * <p>The thread that reads the stream (the reader) pulls the inputs, as many as the window allows, and begins the first
 * stage of each. From there an input goes on by itself: who reports the end of a stage begins the next. So the stages keep
 * one another busy while the reader waits or does something else; but nothing is taken in behind its back.
 *
 * @param <O> what the last stage gives
 */
/* Who writes what: what concerns the input and the number in the window belongs to the reader. The list of what is in the
 * window is changed by the reader under this object's monitor, and walked by others inside it: by who closes the stream,
 * and the clock's callback thread. `waiter` and what else says for what the reader waits are written by it before it looks
 * once more whether it has to wait, and read by others after they have set a result, begun a stage or counted bytes: so one
 * of the two sees the other.
 */
public final class PipelineRun<O> implements Spliterator<Result<O>> {
    /**
     * How many inputs are pulled at most before a result that is there is delivered. With one, the window would stay as
     * full as it was when the first result came, however much room it has; with more, the reader waits for its results.
     */
    private static final int MOST_PULLS = 2;

    /** After an input that took longer, there is no second one before the result. */
    private static final long SLOW_INPUT_NANOS = 1_000_000;

    private final PipelineStage[] stages;
    private final String name;
    private final Intake intake;
    private final MapOptions options;
    private final int window;
    private final long windowBytes;
    private final Clock clock;

    // The reader's.
    private int inWindow;
    private boolean isStarted;
    private @Nullable Object pulled;
    private final Consumer<Object> sink = this::accept;

    /** Those that have a result, when order does not matter. */
    private final @Nullable MpscUnboundedVarHandleArrayQueue<Passage> done;

    // Written by the reader, guarded by this for others.
    private @Nullable Passage first;
    private @Nullable Passage last;

    private final AtomicLong bytes = new AtomicLong();

    // Reader to others.
    private volatile @Nullable Thread waiter;
    private volatile @Nullable Passage awaited;
    private volatile boolean helps;
    private volatile boolean wantsRoom;

    private volatile @Nullable Throwable refusal;
    private volatile boolean isCancelled;
    private volatile boolean isExpired;
    private Clock.@Nullable Timer deadline;

    /**
     * A stage before the run begins.
     *
     * @param workload what it runs
     * @param strategy where
     */
    public record Stage(Workload<?, ?> workload, ExecutorStrategy strategy) {}

    private PipelineRun(List<Stage> stages, Spliterator<?> input, MapOptions options) {
        this.stages = stages.stream()
                .map(stage -> PipelineStage.of(stage.workload, stage.strategy))
                .toArray(PipelineStage[]::new);
        this.name = stages.stream().map(stage -> stage.workload.name()).collect(Collectors.joining(", "));
        this.intake = new Intake(input);
        this.options = options;
        List<EngineStrategy> strategies = new ArrayList<>();
        for (PipelineStage each : this.stages) {
            EngineStrategy strategy = each.strategy();
            if (strategy != null) {
                strategies.add(strategy);
            }
        }
        this.window = options.window()
                .orElseGet(() -> strategies.stream()
                        .mapToInt(EngineStrategy::window)
                        .max()
                        .orElse(StrategyBuilder.DEFAULT_WINDOW));
        this.windowBytes = strategies.stream()
                .mapToLong(EngineStrategy::windowBytes)
                .min()
                .orElse(StrategyBuilder.DEFAULT_WINDOW_BYTES);
        this.clock = strategies.isEmpty() ? Clock.system() : strategies.get(0).clock();
        this.done = options.isOrdered() ? null : new MpscUnboundedVarHandleArrayQueue<>(64);
    }

    /**
     * Makes a run, which does nothing before its stream is read. For {@link io.stratagem.Pipeline}, which says what it
     * does.
     *
     * @param stages at least one, of which each takes what the one before it gives
     * @param inputs what the first stage takes; closed with the stream
     * @param options order, deadline, window
     * @param <O> what the last stage gives
     * @return the results
     */
    public static <O> Stream<Result<O>> stream(List<Stage> stages, Stream<?> inputs, MapOptions options) {
        PipelineRun<O> run = new PipelineRun<>(stages, inputs.spliterator(), options);
        return StreamSupport.stream(run, false).onClose(run::cancelAll).onClose(inputs::close);
    }

    PipelineStage stage(int index) {
        return stages[index];
    }

    int lastStage() {
        return stages.length - 1;
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
        for (; ; ) {
            refill();
            Passage ready = takeReady();
            if (ready != null) {
                @SuppressWarnings("unchecked") // made by the last workload's function, or a failure
                Result<O> result = (Result<O>) Objects.requireNonNull(ready.result());
                return result;
            }
            if (inWindow == 0) {
                cancelDeadline();
                intake.throwFailure();
                return null;
            }
            await();
        }
    }

    private void start() {
        isStarted = true;
        options.deadline().ifPresent(limit -> deadline = clock.schedule(this::expire, NANOSECONDS.convert(limit)));
    }

    private boolean isReady() {
        if (done != null) {
            return !done.isEmpty();
        }
        Passage head = first;
        return head != null && head.result() != null;
    }

    /** Takes the next one that has a result out of the window, if it is there. */
    private @Nullable Passage takeReady() {
        Passage ready = done == null ? first : done.poll();
        if (ready == null || ready.result() == null) {
            return null;
        }
        inWindow--;
        remove(ready);
        ready.left();
        return ready;
    }

    private void cancelDeadline() {
        Clock.Timer timer = deadline;
        if (timer != null) {
            timer.cancel();
        }
    }

    // ---------------------------------------------------------------------------------------------- intake

    /** Pulls inputs as far as the window allows; but a result that is there does not wait for many of them. */
    private void refill() {
        int pulls = 0;
        while (!intake.isExhausted() && !isCancelled && hasRoom()) {
            boolean isReady = isReady();
            if (isReady && pulls >= MOST_PULLS) {
                return;
            }
            if (isExpired) {
                intake.end(new TaskTimeoutException(deadlineMessage() + " before all inputs were taken in"));
                return;
            }
            Throwable refused = refused();
            if (refused != null) {
                intake.refuse(refused);
                return;
            }
            long began = isReady ? System.nanoTime() : 0;
            if (!pull()) {
                return;
            }
            pulls++;
            if (isReady && System.nanoTime() - began > SLOW_INPUT_NANOS) {
                return;
            }
        }
    }

    private boolean hasRoom() {
        return inWindow == 0 || (inWindow < window && bytes.get() < windowBytes);
    }

    private @Nullable Throwable refused() {
        for (PipelineStage stage : stages) {
            String closed = stage.closedMessage();
            if (closed != null) {
                return new RejectedExecutionException(closed);
            }
        }
        return refusal;
    }

    /** What an input that was taken in fails with if a strategy was closed by force. */
    private Optional<Throwable> closedNow() {
        return Arrays.stream(stages)
                .map(PipelineStage::strategy)
                .filter(strategy -> strategy != null && strategy.isClosedNow())
                .<Throwable>map(EngineStrategy::closedNow)
                .findFirst();
    }

    /** Pulls one input and begins its first stage; false if there is none. */
    private boolean pull() {
        if (!intake.pull(sink)) {
            return false;
        }
        Object value = pulled;
        pulled = null;
        inWindow++;
        Passage passage = new Passage(this);
        add(passage);
        for (PipelineStage stage : stages) {
            stage.hold();
        }
        // Who closes a strategy from now on waits for this one.
        Throwable refused = refused();
        if (refused == null) {
            passage.begin(value);
        } else {
            passage.refuse(closedNow().orElse(refused));
        }
        return true;
    }

    private void accept(@Nullable Object element) {
        pulled = element;
    }

    private synchronized void add(Passage passage) {
        Passage before = last;
        passage.previous = before;
        if (before == null) {
            first = passage;
        } else {
            before.next = passage;
        }
        last = passage;
    }

    private synchronized void remove(Passage passage) {
        Passage before = passage.previous;
        Passage after = passage.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        passage.previous = null;
        passage.next = null;
    }

    // ---------------------------------------------------------------------------------------------- waiting

    private void await() {
        boolean isWorker = Worker.isCurrent();
        Passage head = done == null ? first : null;
        if (isWorker && !Thread.currentThread().isInterrupted() && help(head)) {
            return;
        }
        EngineStrategy home = isWorker ? strategyOfReader() : null;
        awaited = head;
        helps = isWorker;
        wantsRoom = !intake.isExhausted() && !isCancelled && inWindow < window;
        waiter = Thread.currentThread();
        boolean isShort = home != null;
        Wait wait = null;
        try {
            while (!isAwaitedThere()) {
                boolean isInterrupted = Thread.currentThread().isInterrupted();
                if (isWorker && !isInterrupted && findWaiting(head) != null) {
                    break;
                }
                if (isInterrupted) {
                    cancelAll();
                    throw new CancellationException(
                            "the thread that reads the results was interrupted; pipeline '" + name + "'");
                }
                if (isShort) {
                    LockSupport.parkNanos(this, Wait.SHORT_NANOS);
                    isShort = false;
                } else if (home != null && wait == null) {
                    // It may park for a lock, and be woken by what was to end the wait: so this looks again before it
                    // parks.
                    wait = new Wait(home.engine(), Objects.requireNonNull(Worker.current(home.engine())));
                } else {
                    LockSupport.park(this);
                }
            }
        } finally {
            waiter = null;
            awaited = null;
            helps = false;
            wantsRoom = false;
            Wait.end(wait);
        }
    }

    private boolean isAwaitedThere() {
        return isReady() || (wantsRoom && hasRoom());
    }

    /** The strategy of a stage whose engine the calling thread belongs to, and which so can put another in its place. */
    private @Nullable EngineStrategy strategyOfReader() {
        for (PipelineStage stage : stages) {
            EngineStrategy strategy = stage.strategy();
            if (strategy != null && Worker.current(strategy.engine()) != null) {
                return strategy;
            }
        }
        return null;
    }

    /** A worker that would wait for a task that nobody has started runs it: so a run inside a task cannot deadlock. */
    private boolean help(@Nullable Passage head) {
        checkMayWait();
        Batch batch = findWaiting(head);
        if (batch == null) {
            return false;
        }
        EngineStrategy strategy = batch.terms.strategy;
        strategy.help(Objects.requireNonNull(strategy.currentWorker()), batch);
        return true;
    }

    private void checkMayWait() {
        try {
            for (PipelineStage stage : stages) {
                stage.checkMayWait();
            }
        } catch (IllegalStateException e) {
            cancelAll();
            throw e;
        }
    }

    /** What the calling worker may run: of the head, if there is one, else of any. */
    private @Nullable Batch findWaiting(@Nullable Passage head) {
        if (head != null) {
            return waitingBatch(head);
        }
        synchronized (this) {
            for (Passage each = first; each != null; each = each.next) {
                Batch batch = waitingBatch(each);
                if (batch != null) {
                    return batch;
                }
            }
        }
        return null;
    }

    private static @Nullable Batch waitingBatch(Passage passage) {
        Batch batch = passage.batch();
        if (batch == null || !batch.isWaiting()) {
            return null;
        }
        EngineStrategy strategy = batch.terms.strategy;
        return strategy.currentWorker() != null && strategy.mayHelp(batch) ? batch : null;
    }

    // ---------------------------------------------------------------------------------------------- from others

    /** A passage has its result. */
    void ended(Passage passage) {
        if (done != null) {
            done.add(passage);
        }
        wake(passage);
    }

    /** A passage is in another stage, or tries again: a worker that reads may have to run that. */
    void moved(Passage passage) {
        if (helps) {
            wake(passage);
        }
    }

    private void wake(Passage passage) {
        if (waiter != null && (done != null || passage == awaited)) {
            unpark();
        }
    }

    private void unpark() {
        Thread reader = waiter;
        if (reader != null) {
            LockSupport.unpark(reader);
        }
    }

    /** Adds to the bytes in the window. */
    void count(long weight) {
        if (weight == 0) {
            return;
        }
        long now = bytes.addAndGet(weight);
        if (now < windowBytes && now - weight >= windowBytes && wantsRoom) {
            unpark();
        }
    }

    /** A stage could not be begun: nothing more is to be taken in. */
    void refuse(Throwable why) {
        refusal = why;
    }

    // ---------------------------------------------------------------------------------------------- the end

    boolean isCancelled() {
        return isCancelled || isExpired;
    }

    Throwable cancellation() {
        return isExpired
                ? new TaskTimeoutException(deadlineMessage())
                : new CancellationException("the stream of pipeline '" + name + "' was closed");
    }

    /** Cancels what is left. Any thread. */
    private void cancelAll() {
        isCancelled = true;
        cancelDeadline();
        cancelPassages();
    }

    private void expire() {
        isExpired = true;
        EngineStrategy.runUserCode(this::cancelPassages);
        unpark();
    }

    private void cancelPassages() {
        List<Passage> left = new ArrayList<>();
        synchronized (this) {
            for (Passage each = first; each != null; each = each.next) {
                left.add(each);
            }
        }
        Throwable why = cancellation();
        left.forEach(passage -> passage.cancel(why));
    }

    private String deadlineMessage() {
        return "pipeline '" + name + "': the deadline of " + options.deadline().orElseThrow() + " passed";
    }

    @Override
    public String toString() {
        return "PipelineRun[" + name + ", " + options + ", in window " + inWindow + ", bytes " + bytes
                + (intake.isExhausted() ? ", input exhausted" : "") + "]";
    }
}
