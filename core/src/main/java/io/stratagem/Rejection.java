package io.stratagem;

/** What {@code submit} does when as many tasks are pending as the strategy allows. */
public enum Rejection {
    /** Waits for room. A caller interrupted meanwhile gets a cancelled future and keeps its interrupt. */
    BLOCK,
    /** Throws {@link java.util.concurrent.RejectedExecutionException} with the limit in its message. */
    REJECT,
    /** Runs the task in the calling thread before {@code submit} returns, which slows the caller down. */
    CALLER_RUNS
}
