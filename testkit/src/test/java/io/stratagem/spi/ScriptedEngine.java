package io.stratagem.spi;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.testkit.Patience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An engine that runs nothing: a test takes its batches, claims them for imaginary workers elsewhere, and reports what
 * it likes.
 */
final class ScriptedEngine implements Engine {
    private final int maxBatch;
    private final Queue<Batch> queue = new ConcurrentLinkedQueue<>();
    final List<Batch> stopped = new ArrayList<>();
    private volatile boolean isClosed;
    private volatile boolean isRefusing;

    /** What {@link #stop} does besides noting it. */
    private BiConsumer<Batch, Worker> onStop = (batch, worker) -> {};

    ScriptedEngine(int maxBatch) {
        this.maxBatch = maxBatch;
    }

    /** A strategy over this engine. */
    static final class Strategy extends EngineStrategy {
        Strategy(Engine engine, StrategyOptions options) {
            super(engine, options);
        }
    }

    /** Builds the strategy. */
    static final class Builder extends StrategyBuilder<Builder> {
        private final Engine engine;

        Builder(Engine engine) {
            super("scripted");
            this.engine = engine;
        }

        @Override
        protected Builder self() {
            return this;
        }

        Strategy build() {
            return new Strategy(engine, options());
        }
    }

    void onStop(BiConsumer<Batch, Worker> action) {
        onStop = action;
    }

    /** Takes nothing more. */
    void refuse() {
        isRefusing = true;
    }

    Worker worker(String name) {
        return new Worker(name, this);
    }

    /** The next batch handed over; waits for it. */
    Batch next() {
        long began = System.nanoTime();
        for (; ; ) {
            Batch batch = queue.poll();
            if (batch != null) {
                return batch;
            }
            if (System.nanoTime() - began > Patience.LIMIT.toNanos()) {
                throw new AssertionError("no batch was handed over within " + Patience.LIMIT);
            }
            Thread.onSpinWait();
        }
    }

    /** The next batch handed over, or null. */
    @Nullable
    Batch poll() {
        return queue.poll();
    }

    /** Whether nothing is queued. */
    boolean isIdle() {
        return queue.isEmpty();
    }

    @Override
    public Profile profile(Kind kind) {
        return new Profile(2, kind == Kind.BLOCKING ? 1 : maxBatch, 4, 1_000_000, true);
    }

    @Override
    public void execute(Batch batch) {
        if (isRefusing) {
            throw new RejectedExecutionException("as the test wants it");
        }
        queue.add(batch);
    }

    @Override
    public Loop loop() {
        throw new UnsupportedOperationException("its workers are elsewhere");
    }

    @Override
    public void stop(Batch batch, int index, Worker worker) {
        synchronized (stopped) {
            stopped.add(batch);
        }
        onStop.accept(batch, worker);
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
    public void close() {
        isClosed = true;
    }

    @Override
    public Collection<Batch> closeNow() {
        close();
        List<Batch> given = new ArrayList<>();
        for (Batch batch = queue.poll(); batch != null; batch = queue.poll()) {
            given.add(batch);
        }
        return given;
    }

    @Override
    public boolean awaitTermination(Duration limit) {
        return isClosed;
    }
}
