package io.stratagem.batchedipc;

/** What the other process has written into shared memory is not what it may write. That memory is of no more use. */
final class MalformedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    MalformedException(String message) {
        super(message, null, false, false);
    }
}
