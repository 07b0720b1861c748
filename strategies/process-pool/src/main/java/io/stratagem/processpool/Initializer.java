package io.stratagem.processpool;

import java.io.Serializable;

/** What a worker process does before its first task. */
@FunctionalInterface
public interface Initializer extends Serializable {

    /**
     * Prepares the worker process. Runs in it, once, on the thread that will run the tasks.
     *
     * @throws Exception if no task can be run; every task that waits for a worker gets it as the cause of its failure
     */
    void run() throws Exception;
}
