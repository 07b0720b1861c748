package io.stratagem;

import org.jspecify.annotations.Nullable;

/**
 * Stands for what a task threw in another JVM where that cannot be rebuilt here: its class is unknown or not allowed
 * here, or it could not be serialised. It has the class, the message, the stack trace and the causes of the original;
 * a {@link TransferException} among its {@linkplain #getSuppressed suppressed} exceptions says why it is not the original.
 */
public final class WorkerFailureException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The name of a class that need not exist here. */
    private final String originalClass;

    /**
     * Creates the exception. Its message consists of the original's class and message.
     *
     * @param originalClass the name of the original's class
     * @param originalMessage the original's message, or null if it had none
     * @param cause the original's cause, or what stands for it; null if it had none
     */
    public WorkerFailureException(String originalClass, @Nullable String originalMessage, @Nullable Throwable cause) {
        super(originalMessage == null ? originalClass : originalClass + ": " + originalMessage, cause);
        this.originalClass = originalClass;
    }

    /**
     * The name of the class of what was thrown, as {@link Class#getName} gives it.
     *
     * @return a class that need not exist here
     */
    public String originalClass() {
        return originalClass;
    }
}
