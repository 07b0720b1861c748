package io.stratagem.processpool.spi;

import java.io.Closeable;

/**
 * One end of a way for messages between the application and a worker, in which neither end ever blocks. Who has nothing
 * to do parks, and is woken over the connection that the two have besides. One thread at a time sends, and one at a time
 * receives. Whatever the other process does, the methods end soon and throw nothing but {@link BrokenWireException}.
 */
public interface Wire extends Closeable {
    /** What {@link #poll} gives when there is no message. */
    int NONE = -1;

    /** The other process has put something there that cannot be. */
    final class BrokenWireException extends RuntimeException {
        private static final long serialVersionUID = 1;

        /**
         * Creates it.
         *
         * @param message what is wrong
         */
        public BrokenWireException(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * By what the worker opens its end. Only in the application.
     *
     * @return text without spaces
     */
    String place();

    /**
     * Puts a message in, if there is room. It is seen after {@link #publish}.
     *
     * @param from an array with it
     * @param start its first byte
     * @param count its length
     * @return false if there is no room now: the same message is to be offered again, before any other
     */
    boolean offer(byte[] from, int start, int count);

    /** Lets the other side see what was put in. */
    void publish();

    /**
     * Whether the other side is parked, and is now to be woken by the caller. To be asked after {@link #publish}.
     *
     * @return true once for each time that it parks
     */
    boolean mustWake();

    /**
     * Takes a message out.
     *
     * @return its length, or {@link #NONE}
     */
    int poll();

    /**
     * The message that was taken out last.
     *
     * @return its bytes from index 0 on, until the next is taken out
     */
    byte[] message();

    /**
     * Says that this side is about to block, unless there is a message.
     *
     * @return true if it may block, and {@link #unpark} is to follow
     */
    boolean parkIfEmpty();

    /** This side goes on after it has blocked. */
    void unpark();
}
