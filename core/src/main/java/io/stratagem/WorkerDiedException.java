package io.stratagem;

/**
 * A worker process ended while it had this task, or was about to: it crashed, was killed, ran out of memory, or called
 * {@code System.exit}. The message names the workload, the worker, how it ended, and the last lines of what it printed.
 */
public final class WorkerDiedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The worker's name. */
    private final String worker;

    /** The process id. */
    private final long pid;

    /** For a signal 128 and its number. */
    private final int exitCode;

    /** Whether the JVM ended since it had no memory left. */
    private final boolean outOfMemory;

    /** Whether the task may have ended before the worker did. */
    private final boolean mayHaveFinished;

    /**
     * Creates the exception.
     *
     * @param message names the workload, the worker, and how it ended
     * @param worker the worker's name
     * @param pid the process id
     * @param exitCode the exit code; for a signal 128 and its number
     * @param outOfMemory whether the JVM ended because it had no memory left
     * @param mayHaveFinished whether the task may have ended before the worker did
     */
    public WorkerDiedException(
            String message, String worker, long pid, int exitCode, boolean outOfMemory, boolean mayHaveFinished) {
        super(message);
        this.worker = worker;
        this.pid = pid;
        this.exitCode = exitCode;
        this.outOfMemory = outOfMemory;
        this.mayHaveFinished = mayHaveFinished;
    }

    /**
     * The worker's name.
     *
     * @return the name
     */
    public String worker() {
        return worker;
    }

    /**
     * The id of the process that ended.
     *
     * @return the process id
     */
    public long pid() {
        return pid;
    }

    /**
     * How the process ended.
     *
     * @return the exit code; for a signal 128 and its number
     */
    public int exitCode() {
        return exitCode;
    }

    /**
     * Whether the worker's JVM ended because it had no memory left.
     *
     * @return true after an {@code OutOfMemoryError} that the JVM raised
     */
    public boolean isOutOfMemory() {
        return outOfMemory;
    }

    /**
     * Whether the task may have ended, and only its result was lost. If not, it certainly did not end.
     *
     * @return true if the worker had ended the function before it died
     */
    public boolean mayHaveFinished() {
        return mayHaveFinished;
    }
}
