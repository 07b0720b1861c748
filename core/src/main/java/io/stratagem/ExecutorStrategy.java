package io.stratagem;

import com.google.common.util.concurrent.ListeningExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;

/**
 * Runs workloads. Every strategy takes every workload and gives the same results; they differ in where the work runs
 * and what it costs. Swapping one for another is changing the line that builds it.
 *
 * <p>Any thread may call any method, tasks of this strategy included: work that a task submits here and waits for
 * does not deadlock, if it waits by {@code run}, by reading a {@code map}, or by {@code get} or {@code join} of a
 * future from here or of a stage made from that. The thread that would wait first runs the task itself if nobody has
 * started it, so a {@code get} with a limit may take longer than that; and while it waits for one that somebody else
 * runs, another thread takes its place, up to 64 of them. (A wait that does not lead back to a task cannot be helped
 * with: {@code CompletableFuture.allOf}, a latch.) What happened in a thread before it submitted a task happens before
 * the task runs; what the task did happens before its result is seen.
 *
 * <p>A strategy inside this JVM refuses an {@linkplain Workload#isolated() isolated} workload with
 * {@link IllegalArgumentException}, unless it was built to allow it: isolation is never lost silently.
 */
public interface ExecutorStrategy extends AutoCloseable {

    /**
     * This strategy's name, as it stands in thread names, results and snapshots.
     *
     * @return the name
     */
    String name();

    /**
     * Runs one task and waits for its result.
     *
     * @param workload what to run
     * @param input what to apply it to
     * @param <I> the input's type
     * @param <O> the output's type
     * @return the result. If the calling thread is interrupted while it waits, the task is cancelled, the result is a
     *     failure with a {@link java.util.concurrent.CancellationException}, and the interrupt is kept
     * @throws RejectedExecutionException if this strategy is closed, or full and built to reject
     * @throws IllegalStateException on a thread of this strategy that serves many tasks, as an event loop: it must not
     *     wait
     */
    <I, O> Result<O> run(Workload<I, O> workload, I input);

    /**
     * Hands in one task. May block for room, as the strategy's {@link Rejection} says, but never on a thread of this
     * strategy.
     *
     * @param workload what to run
     * @param input what to apply it to
     * @param <I> the input's type
     * @param <O> the output's type
     * @return completes normally with the result, a {@link Result.Failure} if the task failed, and exceptionally only
     *     if it is cancelled. {@code cancel(true)} stops the task if it runs, {@code cancel(false)} only if it has not
     *     started; cancelling a dependent stage stops nothing
     * @throws RejectedExecutionException if this strategy is closed, or full and built to reject
     */
    <I, O> CompletableFuture<Result<O>> submit(Workload<I, O> workload, I input);

    /**
     * Runs one task for each input, as a lazy stream with exactly one result for each.
     *
     * <p>Nothing happens before the stream's terminal operation. The thread that reads the stream pulls the inputs,
     * as many as the window allows: queued, running, and finished but not taken. A slow reader so slows down the
     * intake, and an endless input needs no more memory than the window. Close the stream (try-with-resources) to
     * cancel what is left when it is not read to its end; a stream abandoned without that has taken in at most one
     * window. What the input throws reaches the reader after the results before it. A reader that is interrupted
     * while it waits keeps its interrupt and gets a {@link java.util.concurrent.CancellationException}; the rest is
     * cancelled.
     *
     * <p>Inputs of tiny tasks are pulled several at a time. So an input must not wait for what a task does with an earlier
     * one: that may not have been handed out.
     *
     * <p>The stream may be read by one thread at a time. When this strategy is closed while the stream still pulls
     * inputs, the reader gets the results of the tasks that were taken in, then {@link RejectedExecutionException}.
     *
     * @param workload what to run
     * @param inputs what to apply it to; closed with the returned stream
     * @param options order, deadline, window
     * @param <I> the inputs' type
     * @param <O> the outputs' type
     * @return the results
     */
    <I, O> Stream<Result<O>> map(Workload<I, O> workload, Stream<? extends I> inputs, MapOptions options);

    /**
     * {@link #map(Workload, Stream, MapOptions)} in the order of the inputs.
     *
     * @param workload what to run
     * @param inputs what to apply it to
     * @param <I> the inputs' type
     * @param <O> the outputs' type
     * @return the results
     */
    default <I, O> Stream<Result<O>> map(Workload<I, O> workload, Stream<? extends I> inputs) {
        return map(workload, inputs, MapOptions.ordered());
    }

    /**
     * {@link #map(Workload, Stream, MapOptions)} in the order of the inputs.
     *
     * @param workload what to run
     * @param inputs what to apply it to
     * @param <I> the inputs' type
     * @param <O> the outputs' type
     * @return the results
     */
    default <I, O> Stream<Result<O>> map(Workload<I, O> workload, Iterable<? extends I> inputs) {
        return map(workload, Inputs.lazily(inputs), MapOptions.ordered());
    }

    /**
     * {@link #map(Workload, Stream, MapOptions)} with each result as soon as it is there.
     *
     * @param workload what to run
     * @param inputs what to apply it to
     * @param <I> the inputs' type
     * @param <O> the outputs' type
     * @return the results
     */
    default <I, O> Stream<Result<O>> mapUnordered(Workload<I, O> workload, Stream<? extends I> inputs) {
        return map(workload, inputs, MapOptions.unordered());
    }

    /**
     * {@link #map(Workload, Stream, MapOptions)} with each result as soon as it is there.
     *
     * @param workload what to run
     * @param inputs what to apply it to
     * @param <I> the inputs' type
     * @param <O> the outputs' type
     * @return the results
     */
    default <I, O> Stream<Result<O>> mapUnordered(Workload<I, O> workload, Iterable<? extends I> inputs) {
        return map(workload, Inputs.lazily(inputs), MapOptions.unordered());
    }

    /**
     * What this strategy is doing now. Does not block.
     *
     * @return counts and workers
     */
    Snapshot snapshot();

    /**
     * A view for code that wants an {@code ExecutorService}. What is handed to it is taken for {@link Kind#BLOCKING}
     * work, since nobody can know. See {@link #asExecutorService(Kind)}.
     *
     * @return a new view
     */
    default ListeningExecutorService asExecutorService() {
        return asExecutorService(Kind.BLOCKING);
    }

    /**
     * A view of this strategy with the full contract of {@code ExecutorService}. Shutting the view down does not close
     * this strategy; each call makes a view with a life of its own.
     *
     * <p>A thread of this strategy that would wait in {@code get}, {@code invokeAll} or {@code invokeAny} first runs
     * what it waits for and nobody has started. It ends that in any case, so a timeout may be exceeded by as long as such
     * a task takes. If a thread is interrupted while it waits for room ({@link Rejection#BLOCK}), it keeps its interrupt,
     * {@code submit} gives a cancelled future, and {@code execute} throws {@code RejectedExecutionException}.
     *
     * <p>If this strategy runs its tasks outside this JVM, the callable or runnable itself is sent there, as it is when
     * it is handed in, and never runs here. One that cannot be serialised fails at once with {@link TransferException}:
     * {@code submit} and {@code invokeAll} give failed futures, {@code invokeAny} takes it for a failed task, and
     * {@code execute} throws the exception. The value that a runnable is submitted with stays here. {@code cancel(true)}
     * and {@code shutdownNow} kill the workers that run the tasks; the futures are then cancelled. If a worker dies by
     * itself, the future of its task fails with {@link WorkerDiedException}. What {@code shutdownNow} returns may be
     * run by the caller, and then runs in this JVM.
     *
     * @param kind what the tasks handed to it spend their time on; not {@link Kind#ASYNC}
     * @return a new view
     * @throws IllegalArgumentException if the kind is {@code ASYNC}
     */
    ListeningExecutorService asExecutorService(Kind kind);

    /**
     * Takes no more work, waits until what was taken in is done, at most for the time set at build, then does
     * {@link #closeNow()}. An interrupt ends the wait in the same way and is kept. Called by a task of this strategy,
     * or where a listener or a future's callback is told of one, it cannot wait for that, and only begins to close.
     * Closing again waits as well.
     */
    @Override
    void close();

    /**
     * Takes no more work and cancels all there is: what has not started never will, what runs is stopped as far as
     * this strategy can stop it. Does not wait.
     */
    void closeNow();
}
