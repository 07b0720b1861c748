package io.stratagem;

import java.util.Collection;
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
     * Chooses among the strategies on the class path or module path. Starts nothing, and runs nothing of the workload; but
     * where worker processes suit it best, its function is serialised to see whether it can be.
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
     * Measures which strategy suits a workload: runs a sample of its inputs on one thread, and then on every strategy that
     * is there and takes it, for two seconds each. {@link #profile(Workload, Collection, ProfileOptions)} with the default
     * options.
     *
     * @param workload what is to run
     * @param sample inputs such as it will get, a few or some thousand; not empty
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the report
     * @throws IllegalArgumentException if the sample is empty, or {@link #cpus()} more than
     *     {@link ProfileOptions#cpus(int)} takes
     * @throws IllegalStateException if no strategy that is there takes the workload
     * @throws java.util.concurrent.CancellationException if the calling thread is interrupted, which it then still is;
     *     everything has been stopped, but for a task in this JVM that ignores interrupts: it keeps a daemon thread
     */
    public static <I, O> WorkloadProfile profile(Workload<I, O> workload, Collection<? extends I> sample) {
        return profile(workload, sample, ProfileOptions.defaults());
    }

    /**
     * Measures which strategy suits a workload: runs a sample of its inputs on one thread, and then on every strategy that
     * is there and takes it, and says which to take, and whether the work is what it was declared to be. For isolated work
     * one worker process takes the place of the one thread, for asynchronous work a loop with one task at a time.
     *
     * <p>A {@linkplain Workload#retry() retry policy} holds on one thread, too, but there nothing waits between attempts.
     *
     * <p><b>It runs the work again and again</b>, each input maybe thousands of times, and cuts off what is running when
     * the time is over: that must do no harm. Nothing else in this library does so without being asked. In this JVM tasks
     * get the inputs themselves and no copies, one input at several tasks at the same time: work that changes its inputs
     * is measured with what it has made of them.
     *
     * <p>It takes the {@linkplain ProfileOptions#timePerStrategy time for each strategy} once for each row of the report,
     * twice if its first task takes long, on one thread up to three times if another one does and cannot be interrupted,
     * and some seconds for starting and closing. Results are not kept. Work that fails is counted, work that hangs is
     * stopped. What cannot be stopped, because it ignores interrupts, keeps a daemon thread and is named in the report;
     * neither that nor what runs out of memory is tried in this JVM again. An {@linkplain Workload#isolated() isolated}
     * workload runs in worker processes only. One that is not may do to this JVM what it does anyway, as exit it.
     *
     * <p>CPU time is that of this process and its workers together, so the application should have nothing else to do
     * meanwhile.
     *
     * <p>Any thread may call it; it waits until all is done.
     *
     * @param workload what is to run
     * @param sample inputs such as it will get, a few or some thousand; not empty
     * @param options how long each strategy is measured, and on how many CPUs
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the report
     * @throws IllegalArgumentException if the sample is empty, or {@link #cpus()}, if the options leave it at that, more than
     *     {@link ProfileOptions#cpus(int)} takes
     * @throws IllegalStateException if no strategy that is there takes the workload
     * @throws java.util.concurrent.CancellationException if the calling thread is interrupted, which it then still is;
     *     everything has been stopped, but for a task in this JVM that ignores interrupts: it keeps a daemon thread
     */
    public static <I, O> WorkloadProfile profile(
            Workload<I, O> workload, Collection<? extends I> sample, ProfileOptions options) {
        return new Profiler<>(Chooser.ofThoseThere(), workload, sample, options).profile();
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
