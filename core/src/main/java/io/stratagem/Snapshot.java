package io.stratagem;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a strategy is doing at one moment. The counts are taken one after another while work goes on, so their sums
 * are exact only when it is idle.
 *
 * @param strategy the strategy's name
 * @param closed whether it takes no more work
 * @param submitted tasks taken in so far
 * @param queued tasks handed to the strategy that have no result and do not run now: most have not been started; tasks
 *     that wait for other tasks on their own thread are among them
 * @param running tasks that have started and have no result yet, abandoned ones excepted
 * @param succeeded results so far that are successes
 * @param failed results so far that are failures, for whatever reason: cancelled and timed-out tasks are among them
 * @param cancelled tasks cancelled so far
 * @param timedOut tasks that exceeded their timeout or deadline so far
 * @param retried further attempts made so far
 * @param abandoned threads that were told to stop, did not, and were replaced; they still run
 * @param sentBytes what has been sent to workers outside this JVM so far; 0 if they are inside
 * @param receivedBytes what has come from workers outside this JVM so far; 0 if they are inside
 * @param workers the workers there are now
 * @param waits asynchronous tasks that have begun and wait for their stage, the longest first, at most
 *     {@value #MOST_WAITS} of them
 */
public record Snapshot(
        String strategy,
        boolean closed,
        long submitted,
        long queued,
        long running,
        long succeeded,
        long failed,
        long cancelled,
        long timedOut,
        long retried,
        int abandoned,
        long sentBytes,
        long receivedBytes,
        List<WorkerView> workers,
        List<WaitView> waits) {

    /** How many waits a snapshot names at most. */
    public static final int MOST_WAITS = 16;

    /**
     * Copies the lists.
     *
     * @param strategy see the record
     * @param closed see the record
     * @param submitted see the record
     * @param queued see the record
     * @param running see the record
     * @param succeeded see the record
     * @param failed see the record
     * @param cancelled see the record
     * @param timedOut see the record
     * @param retried see the record
     * @param abandoned see the record
     * @param sentBytes see the record
     * @param receivedBytes see the record
     * @param workers see the record
     * @param waits see the record
     */
    public Snapshot {
        workers = List.copyOf(workers);
        waits = List.copyOf(waits);
    }

    /**
     * An asynchronous task that waits for its stage.
     *
     * @param workload the name of its workload
     * @param age for how long it has been running
     */
    public record WaitView(String workload, Duration age) {}

    /**
     * One worker: a thread, loop, process or member.
     *
     * @param name its name
     * @param workload the name of the workload it runs, or empty if it is idle
     * @param busy for how long it has been running the current batch; zero if it is idle
     */
    public record WorkerView(String name, Optional<String> workload, Duration busy) {}
}
