package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.Profile;
import io.stratagem.threadpool.ThreadEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** Loops for what is asynchronous, and the two pools of threads for all else. */
final class LoopEngine extends ThreadEngine {
    private static final long TARGET_BATCH_NANOS = 100_000;

    /** Of tasks that are done at once; others are on their own. */
    private static final int MAX_BATCH = 256;

    private final LoopSettings settings;
    private final Clock clock;
    private final Profile asyncProfile;

    /** Those that have been started; an element is set once, under this monitor. */
    private final AtomicReferenceArray<@Nullable LoopThread> loops;

    private final AtomicInteger turns = new AtomicInteger();
    private @Nullable HoldWatch watch; // guarded by this
    private boolean isClosed; // guarded by this

    LoopEngine(EventLoopStrategy.Builder builder, LoopSettings settings, Clock clock) {
        super(builder);
        this.settings = settings;
        this.clock = clock;
        this.loops = new AtomicReferenceArray<>(settings.loops());
        this.asyncProfile = new Profile(settings.loops(), MAX_BATCH, 1, TARGET_BATCH_NANOS, false);
    }

    LoopSettings settings() {
        return settings;
    }

    Clock clock() {
        return clock;
    }

    @Override
    public Profile profile(Kind kind) {
        return kind == Kind.ASYNC ? asyncProfile : super.profile(kind);
    }

    @Override
    public void execute(Batch batch) {
        if (batch.workload().kind() == Kind.ASYNC) {
            choose().post(batch);
        } else {
            super.execute(batch);
        }
    }

    /** The calling thread's own loop, so that a task and what it hands in stay together; else one after another. */
    private LoopThread choose() {
        if (Thread.currentThread() instanceof LoopThread own && own.engine() == this) {
            return own;
        }
        int count = loops.length();
        int index = count == 1 ? 0 : Math.floorMod(turns.getAndIncrement(), count);
        LoopThread loop = loops.get(index);
        return loop != null ? loop : start(index);
    }

    private synchronized LoopThread start(int index) {
        LoopThread present = loops.get(index);
        if (present != null) {
            return present;
        }
        String name = settings.prefix() + "-loop-" + (index + 1);
        if (isClosed) {
            throw new RejectedExecutionException(name + " is closed");
        }
        try {
            HoldWatch watching = watch;
            if (watching == null) {
                watching = new HoldWatch(settings.prefix() + "-watch", settings.holdLimitNanos(), loops);
                watching.start();
                watch = watching;
            }
            LoopThread loop = new LoopThread(name, this, watching);
            boolean isStarted = false;
            try {
                loop.start();
                isStarted = true;
            } finally {
                if (!isStarted) {
                    loop.closeUnstarted();
                }
            }
            loops.set(index, loop);
            return loop;
        } catch (IOException | OutOfMemoryError e) {
            throw new RejectedExecutionException(name + " could not be started", e);
        }
    }

    /** None: asynchronous tasks are started on loops only. */
    @Override
    public @Nullable Loop loop() {
        return null;
    }

    <T> CompletableFuture<T> offloadTo(Callable<? extends T> call, Executor callbacks) {
        return offload(call, callbacks);
    }

    private List<LoopThread> started() {
        List<LoopThread> all = new ArrayList<>(loops.length());
        for (int i = 0; i < loops.length(); i++) {
            LoopThread loop = loops.get(i);
            if (loop != null) {
                all.add(loop);
            }
        }
        return all;
    }

    @Override
    public List<WorkerView> workers(long nowNanos) {
        List<WorkerView> views = new ArrayList<>(super.workers(nowNanos));
        for (LoopThread loop : started()) {
            if (!loop.isEnded()) {
                views.add(loop.worker().view(nowNanos));
            }
        }
        return views;
    }

    @Override
    public void close() {
        super.close();
        closeLoops(false);
    }

    @Override
    public Collection<Batch> closeNow() {
        Collection<Batch> given = super.closeNow();
        closeLoops(true);
        started().forEach(loop -> loop.giveQueued(given));
        return given;
    }

    private synchronized void closeLoops(boolean isNow) {
        isClosed = true;
        started().forEach(loop -> loop.close(isNow));
        if (watch != null) {
            watch.close();
        }
    }

    @Override
    public boolean awaitTermination(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + NANOSECONDS.convert(limit);
        for (LoopThread loop : started()) {
            long left = deadline - System.nanoTime();
            if (left > 0) {
                NANOSECONDS.timedJoin(loop, left);
            }
            if (loop.isAlive()) {
                return false;
            }
        }
        return super.awaitTermination(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
}
