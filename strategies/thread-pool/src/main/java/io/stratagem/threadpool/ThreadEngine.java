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
import io.stratagem.threadpool.ThreadLoop.Offloaded;
import io.stratagem.threadpool.WorkerPool.PoolWorker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Two pools of threads: one thread per CPU for what computes, and for the starts and callbacks of what is asynchronous;
 * many for what blocks. Public for strategies of this library that run such work on threads, too.
 */
public class ThreadEngine implements Engine {
    private static final long TARGET_BATCH_NANOS = 100_000;
    private static final int MAX_BATCH = 8192;
    private static final int BATCHES_PER_WORKER = 4;

    private final WorkerPool computing;
    private final WorkerPool blocking;
    private final Loop loop;
    private final Profile computeProfile;
    private final Profile waitProfile;

    /**
     * Creates the engine. Its threads start when first needed.
     *
     * @param builder the options
     */
    @SuppressWarnings("this-escape") // its pools and their loop only note it
    protected ThreadEngine(ThreadsBuilder<?> builder) {
        this(builder.computing(), builder.blocking(), builder.isBlockingVirtual(), builder.commonClock());
    }

    @SuppressWarnings("this-escape")
    ThreadEngine(PoolSettings computing, PoolSettings blocking, boolean isBlockingVirtual, Clock clock) {
        this.computing = new PlatformPool(computing, this, clock);
        this.blocking =
                isBlockingVirtual ? new VirtualPool(blocking, this, clock) : new PlatformPool(blocking, this, clock);
        this.loop = new ThreadLoop(this, this.computing, clock);
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
    public @Nullable Loop loop() {
        return loop;
    }

    /** What asynchronous tasks get that are started on the computing threads. */
    final Loop threadLoop() {
        return loop;
    }

    /**
     * Runs a call on the threads for blocking work.
     *
     * @param call what to run
     * @param callbacks completes the future; if it rejects that, the future fails on a thread that all strategies share
     * @param <T> what it gives
     * @return the call's value or exception; cancelling it interrupts the call
     * @throws java.util.concurrent.RejectedExecutionException if no call is taken any more
     */
    protected final <T> CompletableFuture<T> offload(Callable<? extends T> call, Executor callbacks) {
        Offloaded<T> future = new Offloaded<>(call, callbacks);
        blocking.execute(future);
        return future;
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
