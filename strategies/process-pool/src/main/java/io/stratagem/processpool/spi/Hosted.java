package io.stratagem.processpool.spi;

import io.stratagem.TransferException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the application keeps for its workers, and changes as they ask. Any thread may use it. What workers ask is applied
 * on a thread for each of them, which may run the application's code, as the {@code equals} of a key.
 */
public interface Hosted {
    /** What {@link #apply} returns if the answer comes later, through the waiter. */
    Object LATER = new Object();

    /**
     * An answer of several values, each of which is rebuilt for itself: one that cannot be takes no other with it.
     *
     * @param values what is there
     * @param failure of the first that could not be rebuilt, if any could not; else, and where it is made, null
     */
    record Elements(List<?> values, @Nullable TransferException failure) {}

    /** Who has asked, and waits. Compared by identity. */
    interface Waiter {
        /**
         * Gives the answer. Does not block, and runs no code of the application's.
         *
         * @param value the answer
         * @return false if nobody waits any more: as if it had not been called
         */
        boolean answer(@Nullable Object value);

        /**
         * Gives an exception for an answer, as {@link #answer} does.
         *
         * @param failure what the one who waits gets
         */
        void fail(RuntimeException failure);
    }

    /**
     * What it holds, for messages: as "element of a queue".
     *
     * @return the text
     */
    String contents();

    /**
     * Applies an operation. What it throws is thrown to who has asked.
     *
     * @param operation its number, which may be any
     * @param arguments of any number and of all types
     * @param waiter to be answered, once, if the answer comes later
     * @return the answer, or {@link #LATER}
     */
    @Nullable
    Object apply(int operation, @Nullable Object[] arguments, Waiter waiter);

    /**
     * Lets somebody wait no longer. Does not block, and runs no code of the application's.
     *
     * @param waiter who waits
     * @return false if it has been answered, or has not waited
     */
    boolean withdraw(Waiter waiter);

    /**
     * Takes back an answer that has not reached who asked. Does not block, and runs no code of the application's.
     *
     * @param operation that was answered
     * @param answer as it was given
     */
    void takeBack(int operation, @Nullable Object answer);
}
