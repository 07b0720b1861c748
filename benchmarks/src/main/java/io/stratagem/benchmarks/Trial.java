package io.stratagem.benchmarks;

/**
 * One contestant at one piece of work, timed by {@link TrialRun} in a JVM of its own. All methods are called on one
 * thread.
 */
public interface Trial extends AutoCloseable {

    /**
     * Makes ready what is not to be timed: the input, the pool.
     *
     * @param metric what is measured, for trials that serve several metrics
     * @param size how many elements a pass works on
     */
    void prepare(String metric, int size) throws Exception;

    /** One pass; this is timed. */
    void pass() throws Exception;

    /** Looks at what the last pass gave; not timed. */
    void verify() throws WrongResultException;

    /** By how many a pass's time is divided. */
    long operations();

    /** Whether it is the first pass in a process that counts: then it is the only one, and nothing is warmed up. */
    default boolean isCold() {
        return false;
    }

    /** Ends the threads that it started. */
    @Override
    default void close() {}
}
