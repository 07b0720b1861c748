package io.stratagem.benchmarks.threads;

import io.stratagem.benchmarks.WrongResultException;

/**
 * The trivial element: one more than the input. It notes each time it is run by the thread that reads the results,
 * for contestants that promise worker threads. All contestants run the same function and so pay the same for it.
 */
final class Increment {

    private final Thread reader;

    /* Written without a lock: racing writers may lose counts, but not the fact that there were any. */
    private int runsOnReader;

    /** Made by the thread that reads the results. */
    Increment() {
        reader = Thread.currentThread();
    }

    Integer apply(Integer input) {
        if (Thread.currentThread() == reader) {
            runsOnReader++;
        }
        return input + 1;
    }

    /** Throws if an element was run by the reader. */
    void checkRunOnWorkers() throws WrongResultException {
        WrongResultException.check("elements run by the thread that reads the results", 0, runsOnReader);
    }
}
