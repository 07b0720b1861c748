package io.stratagem.processpool;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Runs workloads in worker processes: JVMs of their own, which may crash, hang, leak, exit or run out of memory. A task
 * that takes its worker with it fails with {@link io.stratagem.WorkerDiedException}; the other tasks go on, on another
 * worker. A task that was started is never run again unless its workload has a {@link io.stratagem.RetryPolicy}.
 *
 * <p>Functions, inputs and results travel: they must be values of well-known types (primitives, strings, arrays of
 * primitives, lists, maps, records and enums) or serialisable. In a named module records must be serialisable, or their
 * package open to {@code io.stratagem.processpool}. What a lambda captures must be serialisable, records and {@code this}
 * included. What cannot travel fails its task with {@link io.stratagem.TransferException}. The same input
 * is another object in the worker, and static fields there have values of their own.
 *
 * <p>A worker has the class path of this JVM, or its modules. What is not there it asks for: the context class loader of
 * who submits a task is that of the task, too, and finds in the worker the classes and resources that it finds here. A
 * class that was generated at run time has no class file, and cannot be found.
 *
 * <p>Cancelling a running task, and its timeout, kill its worker. Each worker runs one task at a time; an asynchronous
 * task has its worker until its stage completes. Worker processes start when first needed, end when idle for a while,
 * and are gone within a second when this JVM ends, however it ends. What they print and what they log through SLF4J
 * appears in the log of this JVM.
 *
 * <p>Workers have the environment of this process (but for {@link ProcessPoolBuilder#environment}), its user, limits and working
 * directory, and this JVM's class path, default charset, locale and time zone as they are when the worker starts. They
 * have none of its other options and system properties: no debugger, agent, management port or {@code -D} of its command
 * line. They are no security boundary: a task can do whatever this user can.
 */
public final class ProcessPoolStrategy extends WorkerProcessStrategy {

    private ProcessPoolStrategy(Builder builder) {
        super(builder, null);
    }

    /**
     * A strategy with the defaults.
     *
     * @return a new strategy, to be closed
     */
    public static ProcessPoolStrategy create() {
        return builder().build();
    }

    /**
     * Begins a strategy with options.
     *
     * @return the options
     */
    public static Builder builder() {
        return new Builder(HostSystem.present(), HostSystem.runtimeHome(System.getProperties()));
    }

    /** Options of a {@link ProcessPoolStrategy}. Each may be set once. Not thread-safe. */
    public static final class Builder extends ProcessPoolBuilder<Builder> {
        Builder(HostSystem system, @Nullable Path ownHome) {
            super("processes", system, ownHome);
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        public ProcessPoolStrategy build() {
            return new ProcessPoolStrategy(this);
        }
    }
}
