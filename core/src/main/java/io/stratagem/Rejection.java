package io.stratagem;

/** What {@code submit} does when as many tasks are pending as the strategy allows. */
public enum Rejection {
    /** Waits for room. A caller interrupted meanwhile gets a cancelled future and keeps its interrupt. */
    BLOCK,
    /** Throws {@link java.util.concurrent.RejectedExecutionException} with the limit in its message. */
    REJECT,
    /**
     * Runs the task in the calling thread before {@code submit} returns, which slows the caller down. Where that would
     * not slow it down (asynchronous work), or would undo the isolation (worker processes), it waits as {@link #BLOCK}
     * does.
     */
    CALLER_RUNS
}
