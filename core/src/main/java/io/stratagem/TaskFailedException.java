package io.stratagem;

/** Wraps the checked exception of a task where only an unchecked one can be thrown. The cause is the task's own. */
public final class TaskFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Wraps a cause.
     *
     * @param message what failed
     * @param cause the task's exception
     */
    public TaskFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
