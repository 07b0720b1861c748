package io.stratagem.processpool.spi;

import java.io.Closeable;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

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

    /** Both sides have opened their ends: nobody is to find the place any more. */
    void opened();

    /**
     * Puts a message in, if there is room. It is seen after {@link #publish}.
     *
     * @param from an array with it
     * @param start its first byte
     * @param count its length
     * @return false if there is no room now: the same message is to be offered again, before any other
     */
    boolean offer(byte[] from, int start, int count);

    /**
     * Room for a piece of something large, which is written in place: it is no message, and the other side
     * {@linkplain #peek takes} it knowing that one comes. It is put in by {@link #commit}, and seen after
     * {@link #publish}.
     *
     * @param most how much there is to write, at least 1
     * @return where to write the next of it, from the position to the limit: as much as is good for one piece, a multiple
     *     of 8 bytes unless it is all; or null if there is no room now
     */
    @Nullable
    ByteBuffer reserve(int most);

    /** Puts in what was written where room was reserved, which is all of it. */
    void commit();

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
     * The next piece, where it is. It must not be interpreted, but copied: the other process may still change it.
     *
     * @return the bytes from the position to the limit, until {@link #skip}; or null if there is none now
     */
    @Nullable
    ByteBuffer peek();

    /** Takes out the piece that {@link #peek} gave last. */
    void skip();

    /**
     * Says that this side is about to block, unless there is a message.
     *
     * @return true if it may block, and {@link #unpark} is to follow
     */
    boolean parkIfEmpty();

    /** This side goes on after it has blocked. */
    void unpark();
}
