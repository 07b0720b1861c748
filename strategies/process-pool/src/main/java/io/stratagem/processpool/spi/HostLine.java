package io.stratagem.processpool.spi;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The way to something {@link Hosted}. Any thread may use it, also several at once. */
public interface HostLine {
    /** Stands for no limit of time. */
    long FOR_EVER = Long.MAX_VALUE;

    /**
     * Asks, and blocks until the answer is there, which is soon. An interrupt does not end that, and is kept.
     *
     * @param operation its number
     * @param arguments the arguments
     * @return the answer
     */
    @Nullable
    Object ask(int operation, @Nullable Object... arguments);

    /**
     * Asks what may be answered later, and blocks until then.
     *
     * @param operation its number
     * @param limitNanos how long to wait, or {@link #FOR_EVER}
     * @param arguments the arguments
     * @return the answer, or null if the time was over before there was one: then nothing has been done
     * @throws InterruptedException if the thread was interrupted before there was an answer: then nothing has been done
     */
    @Nullable
    Object await(int operation, long limitNanos, @Nullable Object... arguments) throws InterruptedException;

    /** A stream by which a worker gets objects of the application. */
    interface Source {
        /**
         * The way back, for what is read from this stream.
         *
         * @param id of what is hosted
         * @param contents what that holds, for messages
         * @return the way, or null if this is not a worker's
         */
        @Nullable
        HostLine hostLine(UUID id, String contents);
    }
}
