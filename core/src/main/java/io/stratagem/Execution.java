package io.stratagem;

import java.time.Duration;

/**
 * How a task was run. Tasks that ran in one batch share one record, so that a result costs no clock of its own:
 * {@link #queued()} and {@link #ran()} are then averages over {@link #batchSize()} tasks. Immutable once the batch
 * is finished; any thread may read it at any time.
 */
public interface Execution {

    /**
     * The strategy's name.
     *
     * @return the name, or an empty string for a result that no strategy made
     */
    String strategy();

    /**
     * The worker (thread, loop, process or member) that ran the task.
     *
     * @return its name, or an empty string if the task never started
     */
    String worker();

    /**
     * How long the batch waited from the moment it was handed to the strategy until it started.
     *
     * @return the wait; zero if the task never started
     */
    Duration queued();

    /**
     * How long a task of this batch ran, on average.
     *
     * @return the time; while the batch still runs, a lower bound of it; zero if the task never started
     */
    Duration ran();

    /**
     * Which attempt this is, if the workload allows more than one.
     *
     * @return 1 for the first attempt, even if the task was cancelled before it started
     */
    int attempts();

    /**
     * How many tasks were handed to the worker together with this one.
     *
     * @return at least 1
     */
    int batchSize();
}
