package io.stratagem.threadpool;

import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyOptions;

/**
 * Runs workloads on threads of this JVM. Compute work has one platform thread per CPU. Blocking work has virtual threads
 * where the JVM has good ones (from 24 on), else platform threads that come and go, both up to a limit. Asynchronous
 * work holds no thread while it waits: its starts and callbacks run on the threads for compute work.
 *
 * <p>Threads are named {@code stratagem-NAME-compute-N} and {@code stratagem-NAME-blocking-N}, start when first needed,
 * are daemons unless built otherwise, and inherit no thread-locals. While a task runs, its thread has the context class
 * loader and the SLF4J MDC of the thread that submitted it.
 *
 * <p>A thread cannot be killed. A task that exceeds its timeout or is cancelled has its result at once, and its thread
 * is interrupted; if it goes on for longer than {@link Builder#interruptGrace}, it is logged, counted in
 * {@link io.stratagem.Snapshot#abandoned()}, and replaced. When {@link Builder#maxAbandoned} threads go on like that,
 * {@code submit} fails with {@link java.util.concurrent.RejectedExecutionException} until one of them returns.
 */
public final class ThreadPoolStrategy extends EngineStrategy {

    private ThreadPoolStrategy(ThreadEngine engine, StrategyOptions options) {
        super(engine, options);
    }

    /**
     * A strategy with the defaults.
     *
     * @return a new strategy, to be closed
     */
    public static ThreadPoolStrategy create() {
        return builder().build();
    }

    /**
     * Begins a strategy with options.
     *
     * @return the options
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Options of a {@link ThreadPoolStrategy}. Each may be set once, and is checked when it is set. Not thread-safe. */
    public static final class Builder extends ThreadsBuilder<Builder> {
        private Builder() {
            super("threads");
        }

        @Override
        protected Builder self() {
            return this;
        }

        /**
         * Makes the strategy. Its threads start when first needed.
         *
         * @return a new strategy, to be closed
         */
        public ThreadPoolStrategy build() {
            return new ThreadPoolStrategy(new ThreadEngine(this), options());
        }
    }
}
