package io.stratagem;

/**
 * Hears of every task of a strategy: what a progress bar, metrics or tracing needs.
 *
 * <p>Methods are called on the thread where the event happens, many threads at once, and must be quick. For one
 * task the order is submitted, started (once for each attempt; never if it was cancelled before), finished; but if a
 * task is cancelled just as it starts, finished may come first. Where an event happens on a thread that must not run the user's code, as a timeout does, the method is called on another and
 * a little later. An exception that a method throws is logged and harms nothing.
 */
public interface TaskListener {

    /**
     * A task was taken in.
     *
     * @param task the task
     */
    default void submitted(TaskInfo task) {}

    /**
     * A task was started. On strategies inside this JVM this is called on the thread that is about to run it.
     *
     * @param task the task
     * @param worker the worker's name
     */
    default void started(TaskInfo task, String worker) {}

    /**
     * A task has its result.
     *
     * @param task the task
     * @param result its one result
     */
    default void finished(TaskInfo task, Result<?> result) {}
}
