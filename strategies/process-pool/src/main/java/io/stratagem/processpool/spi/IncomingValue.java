package io.stratagem.processpool.spi;

import io.stratagem.TransferException;
import org.jspecify.annotations.Nullable;

/**
 * What a worker's thread is rebuilding: an input or a function from the application, for those of its parts that have more
 * to rebuild than what stands there.
 */
public abstract class IncomingValue {
    private static final ThreadLocal<@Nullable IncomingValue> PRESENT = new ThreadLocal<>();

    /** Creates it. */
    protected IncomingValue() {}

    /**
     * What the present thread is rebuilding.
     *
     * @return the value; null if it is at none, or at one that does not come from the application
     */
    public static @Nullable IncomingValue present() {
        return PRESENT.get();
    }

    /**
     * The present thread begins with a value, or goes back to one.
     *
     * @param value that it is at now
     * @return the one that it was at
     */
    public static @Nullable IncomingValue enter(@Nullable IncomingValue value) {
        IncomingValue before = PRESENT.get();
        PRESENT.set(value);
        return before;
    }

    /**
     * Where its classes come from.
     *
     * @return the same loader for the values of all tasks that were submitted with the same loader
     */
    public abstract ClassLoader loader();

    /**
     * Rebuilds another value of the application, of the same classes.
     *
     * @param bytes made by {@code WorkerProcessStrategy.serialized}
     * @param what describes it in messages
     * @return the value
     * @throws TransferException if it cannot be rebuilt
     */
    public abstract @Nullable Object read(byte[] bytes, String what);
}
