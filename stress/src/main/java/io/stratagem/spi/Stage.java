package io.stratagem.spi;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.Workload;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Spliterators;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/** What a real {@link Batch} needs around it: a map without inputs, and an engine that does nothing. */
final class Stage {
    static final CancellationException CANCELLED = new CancellationException("of the test");
    private static final Owner OWNER = new Builder().build();
    private static final Workload<Actor, Value> WORKLOAD = Workload.compute("acting", Actor::act);
    private static final Terms TERMS = new Terms(OWNER, WORKLOAD, Context.capture(List.of(), null));
    private static final Workload<Actor, Value> ASYNC_WORKLOAD =
            Workload.async("acting", (actor, loop) -> ((Told) TaskLoop.unwrapped(loop)).start(actor));
    private static final Terms ASYNC_TERMS = new Terms(OWNER, ASYNC_WORKLOAD, Context.capture(List.of(), null));

    /** What an asynchronous task gives that waits until it is cancelled. */
    static final Value WAITS = new Value(0);

    /** What tasks do, each to its own input. */
    interface Actor {
        Value act();
    }

    /** Holds a value in a plain field: who sees it must see the value. */
    static final class Value {
        int plain;

        Value(int plain) {
            this.plain = plain;
        }
    }

    private final MapRun<Actor, Value> run;
    final MapBatch batch;

    /** A batch that is not complete, of these tasks. */
    Stage(Actor... tasks) {
        this(TERMS, tasks);
    }

    private Stage(Terms terms, Actor... tasks) {
        run = new MapRun<>(terms, Spliterators.emptySpliterator(), MapOptions.ordered());
        batch = new MapBatch(run, Arrays.copyOf(tasks, tasks.length, Object[].class), 0, null);
        run.adopt(batch);
    }

    /** The same of asynchronous tasks, to be started with {@link Told} loops. */
    static Stage async(Actor... tasks) {
        return new Stage(ASYNC_TERMS, tasks);
    }

    /** A task's loop, which knows whether the task was started, and how often it was told of the end. */
    static final class Told implements TaskLoop {
        private final AtomicInteger ends = new AtomicInteger();
        private volatile boolean isStarted;

        private CompletableFuture<Value> start(Actor actor) {
            isStarted = true;
            Value value = actor.act();
            return value == WAITS ? new CompletableFuture<>() : CompletableFuture.completedFuture(value);
        }

        @Override
        public void ended(boolean succeeded) {
            ends.incrementAndGet();
        }

        /** Whether it was told of the end once; it need not be if its task was cancelled before it was started. */
        boolean isRight() {
            return ends.get() == 1 || (ends.get() == 0 && !isStarted);
        }

        @Override
        public CompletableFuture<Void> delay(Duration delay) {
            throw new UnsupportedOperationException("nobody waits");
        }

        @Override
        public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
            throw new UnsupportedOperationException("nobody off-loads");
        }

        @Override
        public boolean inLoop() {
            return true;
        }

        @Override
        public Executor executor() {
            return Runnable::run;
        }
    }

    /** A worker that the current thread is, from now on. */
    static Worker bound() {
        Worker worker = new Worker("bound", OWNER.engine());
        worker.bindToThread();
        return worker;
    }

    /** A worker elsewhere. */
    static Worker remote() {
        return new Worker("remote", OWNER.engine());
    }

    /** How many batches have been begun less those completed: 0 if each was completed once. */
    int unfinished() {
        String text = run.toString();
        int at = text.indexOf("unfinished ") + "unfinished ".length();
        return Integer.parseInt(text.substring(at, text.indexOf(',', at)));
    }

    /** Cancels all its tasks, in which batch they may be. */
    void cancelAll() {
        run.cancelAll();
    }

    /** S for a success, F for a failure, - for no outcome, I if it is still the input. */
    static char outcome(Batch batch, int index) {
        if (index >= batch.settled()) {
            return '-';
        }
        Object outcome = batch.outcome(index);
        return outcome instanceof Result.Success ? 'S' : outcome instanceof Result.Failure ? 'F' : 'I';
    }

    private static final class Owner extends EngineStrategy {
        Owner(StrategyOptions options) {
            super(new IdleEngine(), options);
        }
    }

    private static final class Builder extends StrategyBuilder<Builder> {
        Builder() {
            super("stress");
        }

        @Override
        protected Builder self() {
            return this;
        }

        Owner build() {
            return new Owner(options());
        }
    }

    /** Takes every batch and forgets it. */
    private static final class IdleEngine implements Engine {
        @Override
        public Profile profile(Kind kind) {
            return new Profile(1, 16, 4, 1_000_000, false);
        }

        @Override
        public void execute(Batch batch) {}

        @Override
        public Loop loop() {
            throw new UnsupportedOperationException("nothing runs");
        }

        /** As an engine elsewhere does: what has not been started is given back at once. */
        @Override
        public void stop(Batch batch, int index, Worker worker) {
            batch.notRun(0);
        }

        @Override
        public List<WorkerView> workers(long nowNanos) {
            return List.of();
        }

        @Override
        public int abandoned() {
            return 0;
        }

        @Override
        public void close() {}

        @Override
        public Collection<Batch> closeNow() {
            return List.of();
        }

        @Override
        public boolean awaitTermination(Duration limit) {
            return true;
        }
    }
}
