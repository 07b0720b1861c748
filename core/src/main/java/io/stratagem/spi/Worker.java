package io.stratagem.spi;

import io.stratagem.Snapshot.WorkerView;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What runs batches: a thread, loop, process or member, seen from this JVM. Its engine makes it and keeps it; core
 * notes in it what it runs. Any thread may read it.
 */
public class Worker {
    private static final ThreadLocal<@Nullable Worker> CURRENT = new ThreadLocal<>();

    private static final VarHandle BATCH;

    static {
        try {
            BATCH = MethodHandles.lookup().findVarHandle(Worker.class, "batch", Batch.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final Object owner;
    private boolean isBound;

    /** Whom this one has covered on its thread. Only that thread uses it. */
    private @Nullable Worker below;

    /** Written by its own thread: volatile when it begins, with release when it has ended. */
    @SuppressWarnings("UnusedVariable") // read through BATCH
    private @Nullable Batch batch;

    private volatile @Nullable Frame outer;

    /** When its last batch ended, if it has done nothing since; else 0. Only its own thread uses it. */
    private long lastEndNanos;

    /**
     * Creates a worker.
     *
     * @param name unique within the strategy
     * @param owner the engine it belongs to, compared by identity
     */
    public Worker(String name, Object owner) {
        this.name = name;
        this.owner = owner;
    }

    /**
     * The worker's name.
     *
     * @return the name
     */
    public final String name() {
        return name;
    }

    /** Makes this the current thread's worker for the rest of the thread's life. */
    public final void bindToThread() {
        CURRENT.set(this);
        isBound = true;
    }

    /** Makes this the current thread's worker until {@link #unbind}: it is a caller that runs a task itself. */
    final void bind() {
        below = CURRENT.get();
        CURRENT.set(this);
    }

    final void unbind() {
        if (below == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(below);
        }
    }

    /**
     * Whether a call that it is at, which is no batch, was interrupted. Said of a worker that runs a batch while such a
     * call waits, and may have consumed that interrupt. Called on its thread.
     *
     * @return false for a worker that runs only batches
     */
    protected boolean isCallInterrupted() {
        return false;
    }

    /** Whether it has a thread of its own, rather than that of a caller. */
    final boolean isBound() {
        return isBound;
    }

    /**
     * The worker that the current thread is bound to.
     *
     * @param owner the engine that asks
     * @return the worker, or null if the thread is not a worker of that engine
     */
    public static @Nullable Worker current(Object owner) {
        Worker worker = CURRENT.get();
        while (worker != null && worker.owner != owner) {
            worker = worker.below;
        }
        return worker;
    }

    /** Whether the current thread is a worker of any strategy. */
    static boolean isCurrent() {
        return CURRENT.get() != null;
    }

    final boolean isOwnedBy(Object engine) {
        return owner == engine;
    }

    /**
     * The batch it runs now, the innermost if a task that waits runs another in the meantime.
     *
     * @return the batch, or null if it is idle
     */
    public final @Nullable Batch batch() {
        return (Batch) BATCH.getVolatile(this);
    }

    /** Its engine says so when it had to wait for work: time has passed since the last batch. Called on its thread. */
    public final void forgetTime() {
        lastEndNanos = 0;
    }

    /** The time, without asking the clock if the last batch ended just now. Called on its thread. */
    final long nowNanos(Clock clock) {
        long last = lastEndNanos;
        lastEndNanos = 0;
        return last != 0 ? last : clock.nanoTime();
    }

    final void endedAt(long nanos) {
        lastEndNanos = nanos;
    }

    /**
     * All batches that it is at: the one it runs, and those whose tasks wait meanwhile.
     *
     * @param given where to add them
     */
    public final void batches(Collection<Batch> given) {
        Batch inner = batch();
        if (inner != null) {
            given.add(inner);
        }
        for (Frame each = outer; each != null; each = each.next) {
            given.add(each.batch);
        }
    }

    /** Notes a batch before its first task is claimed, so that who closes the strategy sees it, or is seen by it. */
    final void enter(Batch inner, @Nullable Batch former) {
        if (former != null) {
            outer = new Frame(former, outer);
        }
        BATCH.setVolatile(this, inner);
    }

    /** Undoes {@link #enter}. */
    final void leave(@Nullable Batch former) {
        BATCH.setRelease(this, former);
        Frame top = outer;
        if (former != null && top != null) {
            outer = top.next;
        }
    }

    /** The batches whose tasks wait on this thread while it runs another, the nearest first. */
    final @Nullable Frame outer() {
        return outer;
    }

    /** A batch whose task waits, and those whose tasks wait for that. */
    record Frame(Batch batch, @Nullable Frame next) {}

    /**
     * This worker at this moment.
     *
     * @param nowNanos the clock's time
     * @return name, workload and for how long
     */
    public final WorkerView view(long nowNanos) {
        Batch running = batch();
        if (running == null) {
            return new WorkerView(name, Optional.empty(), Duration.ZERO);
        }
        BatchExecution execution = running.execution();
        return new WorkerView(
                name,
                Optional.of(running.workload().name()),
                execution == null ? Duration.ZERO : execution.busy(nowNanos));
    }
}
