package io.stratagem.threadpool;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.Engine;
import io.stratagem.spi.Profile;
import io.stratagem.spi.Worker;
import io.stratagem.threadpool.WorkerPool.PoolWorker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Two pools: one thread per CPU for what computes, and for the starts and callbacks of what is asynchronous; many for what blocks. */
final class ThreadEngine implements Engine {
    private static final long TARGET_BATCH_NANOS = 100_000;
    private static final int MAX_BATCH = 8192;
    private static final int BATCHES_PER_WORKER = 4;

    private final WorkerPool computing;
    private final WorkerPool blocking;
    private final Loop loop;
    private final Profile computeProfile;
    private final Profile waitProfile;

    ThreadEngine(PoolSettings computing, PoolSettings blocking, boolean isBlockingVirtual, Clock clock) {
        this.computing = new PlatformPool(computing, this, clock);
        this.blocking =
                isBlockingVirtual ? new VirtualPool(blocking, this, clock) : new PlatformPool(blocking, this, clock);
        this.loop = new ThreadLoop(this, this.computing, this.blocking, clock);
        this.computeProfile =
                new Profile(computing.maxThreads(), MAX_BATCH, BATCHES_PER_WORKER, TARGET_BATCH_NANOS, false);
        this.waitProfile = new Profile(blocking.maxThreads(), 1, BATCHES_PER_WORKER, TARGET_BATCH_NANOS, false);
    }

    @Override
    public Profile profile(Kind kind) {
        return kind == Kind.COMPUTE ? computeProfile : waitProfile;
    }

    @Override
    public void execute(Batch batch) {
        switch (batch.workload().kind()) {
            case COMPUTE, ASYNC -> computing.execute(batch);
            case BLOCKING -> blocking.execute(batch);
        }
    }

    @Override
    public Loop loop() {
        return loop;
    }

    @Override
    public void stop(Batch batch, int index, Worker worker) {
        if (worker instanceof PoolWorker ours) {
            ours.pool().watch(batch, ours);
        }
    }

    @Override
    public void beginWait(Worker worker) {
        if (worker instanceof PoolWorker ours) {
            ours.pool().beginWait(ours);
        }
    }

    @Override
    public void endWait(Worker worker) {
        if (worker instanceof PoolWorker ours) {
            ours.pool().endWait(ours);
        }
    }

    @Override
    public List<WorkerView> workers(long nowNanos) {
        List<WorkerView> views = new ArrayList<>();
        computing.addViews(views, nowNanos);
        blocking.addViews(views, nowNanos);
        return views;
    }

    @Override
    public int abandoned() {
        return computing.abandoned() + blocking.abandoned();
    }

    @Override
    public void close() {
        computing.close();
        blocking.close();
    }

    @Override
    public Collection<Batch> closeNow() {
        List<Batch> given = new ArrayList<>();
        computing.closeNow(given);
        blocking.closeNow(given);
        return given;
    }

    @Override
    public boolean awaitTermination(Duration limit) throws InterruptedException {
        long limitNanos = NANOSECONDS.convert(limit);
        long deadline = System.nanoTime() + limitNanos;
        return computing.awaitTermination(limitNanos) && blocking.awaitTermination(deadline - System.nanoTime());
    }
}
