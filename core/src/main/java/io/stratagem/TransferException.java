package io.stratagem;

import org.jspecify.annotations.Nullable;

/**
 * An input, a function or a result could not be serialised, or not be rebuilt on the other side. The message names the
 * class and the path of fields to it.
 */
public final class TransferException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Creates the exception.
     *
     * @param message names what was to be sent, the class, and the path of fields to it
     * @param cause what serialisation threw; null if nothing was thrown
     */
    public TransferException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
