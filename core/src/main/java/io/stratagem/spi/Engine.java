package io.stratagem.spi;

import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.Workload;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where batches run: what a strategy module supplies. It takes batches and sees to it that each task is run and
 * reported; it knows nothing of streams, futures, retries or order. {@code docs/architecture.md} writes out how
 * threads, an event loop, worker processes and shared rings implement it.
 *
 * <p>Any thread may call any method; none blocks, except {@link #awaitTermination}.
 *
 * <p>Core bounds what it hands over: a map has at most {@link Profile#batchesPerWorker()} unfinished batches per worker
 * at the engine (for work that waits, at most its window), and single tasks are admitted up to the strategy's limit. So
 * an engine may keep what it cannot run yet in an unbounded queue.
 */
public interface Engine {

    /**
     * How this engine runs work of one kind. Constant.
     *
     * @param kind the kind
     * @return its profile
     */
    Profile profile(Kind kind);

    /**
     * Whether its workers are JVMs that have all of these options.
     *
     * @param jvmOptions what a workload asks for; not empty
     * @return false for an engine inside this JVM
     */
    default boolean hasJvmOptions(List<String> jvmOptions) {
        return false;
    }

    /**
     * Takes a batch, to be run by one worker. For each batch the engine, in this JVM, calls {@link Batch#run} or
     * {@link Batch#runAsync} once; for a worker elsewhere it calls {@link Batch#claim}, sends the tasks, and reports
     * what becomes of them.
     *
     * @param batch what to run
     * @throws java.util.concurrent.RejectedExecutionException if it cannot take any work, with the reason
     */
    void execute(Batch batch);

    /**
     * Makes a command of the {@code ExecutorService} view ready for its way to a worker elsewhere, on the thread that
     * submits it: so what cannot be sent fails at once. Commands of one workload are of all sorts: how long one took says
     * nothing of the next.
     *
     * @param workload which calls the command
     * @param command a {@code Callable} or {@code Runnable}
     * @return the input of the task
     * @throws io.stratagem.TransferException if the command cannot be serialised
     */
    default Object pack(Workload<?, ?> workload, Object command) {
        return command;
    }

    /**
     * What an asynchronous task gets that a waiting worker starts by itself, instead of waiting for it.
     *
     * @return a loop of this engine, or null if such tasks are started by its own threads only
     */
    @Nullable
    Loop loop();

    /**
     * Told that one of this engine's workers is about to wait, on its own thread and for more than a moment, for other
     * tasks of this strategy. They may need a worker: an engine of threads puts another in its place, within bounds.
     * Called on the worker's thread.
     *
     * @param worker who waits
     */
    default void beginWait(Worker worker) {}

    /**
     * Told that the wait that was begun last on this worker is over. Called on the worker's thread.
     *
     * @param worker who goes on
     */
    default void endWait(Worker worker) {}

    /**
     * Told that the calling thread, which is none of this strategy's workers, is about to wait for a submitted task. The
     * engine may have it do what another thread would have to be woken for: it then returns when the task has its
     * outcome, the thread is interrupted, or the limit has passed. Else it returns at once.
     *
     * @param batch the batch of the task
     * @param worker who has claimed it, or null if nobody has
     * @param limitNanos how long the thread will wait
     */
    default void attend(Batch batch, @Nullable Worker worker, long limitNanos) {}

    /**
     * Told after core has given up on the task that a worker was running (timeout, cancellation): free the worker.
     * That task has its result already. Its thread, if it runs in this JVM, has been interrupted and its stage
     * cancelled. An engine elsewhere kills the worker or tells it to stop, then reports what it claimed and what never
     * started with {@link Batch#notRun}: the late report of the task itself says that the worker has left it. Called once
     * for each such task.
     *
     * @param batch the batch of the task
     * @param index which task; the worker may have got on to a later one meanwhile
     * @param worker who runs it
     */
    void stop(Batch batch, int index, Worker worker);

    /**
     * The workers there are.
     *
     * @param nowNanos the clock's time
     * @return a view of each
     */
    List<WorkerView> workers(long nowNanos);

    /**
     * How many workers were told to stop, have not, and have been replaced.
     *
     * @return their number
     */
    int abandoned();

    /**
     * How many bytes have been sent to workers outside this JVM, since it was made: inputs and all that goes with them.
     *
     * @return the bytes; 0 for an engine inside this JVM
     */
    default long sentBytes() {
        return 0;
    }

    /**
     * How many bytes have come from workers outside this JVM, since it was made: results and all that goes with them.
     *
     * @return the bytes; 0 for an engine inside this JVM
     */
    default long receivedBytes() {
        return 0;
    }

    /**
     * Lets the workers go once they have nothing left to run. No batch comes after this. When idle, an engine ends its
     * threads at once.
     */
    void close();

    /**
     * {@link #close()}, and gives up everything. Core settles what is returned; later reports of it are dropped.
     *
     * @return all batches that are queued or running, {@link Worker#batches all} of each worker
     */
    Collection<Batch> closeNow();

    /**
     * Waits until every worker is gone, abandoned ones excepted.
     *
     * @param limit how long at most
     * @return whether all are gone
     * @throws InterruptedException if the calling thread is interrupted while it waits
     */
    boolean awaitTermination(Duration limit) throws InterruptedException;
}
