package io.stratagem;

/**
 * A task ran for longer than its workload's timeout, or was not done by the deadline of its map. The message names
 * the workload, the limit, and what was done about the work.
 */
public final class TaskTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Creates the exception.
     *
     * @param message names the workload and the limit
     */
    public TaskTimeoutException(String message) {
        super(message);
    }
}
