package io.stratagem;

import java.util.List;

/** Where to begin: a strategy for work of any type, and which one suits a workload, and why. */
public final class Stratagem {
    /** The name of {@link #threads()} in choices. */
    public static final String THREAD_POOL = "thread pool";

    /** The name of {@link #eventLoop()} in choices. */
    public static final String EVENT_LOOP = "event loop";

    /** The name of {@link #processes()} in choices. */
    public static final String PROCESS_POOL = "process pool";

    /** The name of {@link #batchedIpc()} in choices. */
    public static final String BATCHED_IPC = "batched IPC";

    /** The system property that overrides the number of CPUs. */
    public static final String CPUS_PROPERTY = "stratagem.cpus";

    private Stratagem() {}

    /**
     * A strategy that gives each workload to the strategy that suits it. {@link AutoStrategy#builder()} is for who wants
     * options.
     *
     * @return a new strategy, to be closed
     */
    public static AutoStrategy auto() {
        return AutoStrategy.builder().build();
    }

    /**
     * Chooses among the strategies on the class path or module path. Starts nothing.
     *
     * @param workload what is to run
     * @return the choice with its reasons
     * @throws IllegalStateException if no strategy that is there takes it; the message names the Maven coordinates of
     *     one that does
     */
    public static Choice choose(Workload<?, ?> workload) {
        return Chooser.ofThoseThere().choose(workload, cpus());
    }

    /**
     * Threads, with their defaults: for work that computes or waits in blocking calls.
     *
     * @return a new strategy, to be closed
     * @throws IllegalStateException if the module is missing; the message names its Maven coordinates
     */
    public static ExecutorStrategy threads() {
        return create(THREAD_POOL);
    }

    /**
     * Event loops, with their defaults: for work that waits without a thread.
     *
     * @return a new strategy, to be closed
     * @throws IllegalStateException if the module is missing; the message names its Maven coordinates
     */
    public static ExecutorStrategy eventLoop() {
        return create(EVENT_LOOP);
    }

    /**
     * Worker processes, with their defaults: for work that may crash, leak, hang or exit.
     *
     * @return a new strategy, to be closed
     * @throws IllegalStateException if the module is missing; the message names its Maven coordinates
     */
    public static ExecutorStrategy processes() {
        return create(PROCESS_POOL);
    }

    /**
     * Worker processes with shared memory, with their defaults: the same for many small tasks, or large arrays.
     *
     * @return a new strategy, to be closed
     * @throws IllegalStateException if the module is missing; the message names its Maven coordinates
     */
    public static ExecutorStrategy batchedIpc() {
        return create(BATCHED_IPC);
    }

    private static ExecutorStrategy create(String strategy) {
        return Chooser.ofThoseThere().named(strategy).create(cpus(), List.of());
    }

    /**
     * How many CPUs strategies count on: {@link Runtime#availableProcessors()}, or the system property
     * {@value #CPUS_PROPERTY} if it is set.
     *
     * @return at least 1
     * @throws IllegalArgumentException if the property is not a positive number
     */
    public static int cpus() {
        return Cpus.count();
    }
}
