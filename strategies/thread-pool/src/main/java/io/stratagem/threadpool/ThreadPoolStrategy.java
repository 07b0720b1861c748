package io.stratagem.threadpool;

import static com.google.common.base.Preconditions.checkArgument;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Stratagem;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.spi.StrategyOptions;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

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
    public static final class Builder extends StrategyBuilder<Builder> {
        private static final int DEFAULT_PLATFORM_THREADS = 256;
        private static final int DEFAULT_VIRTUAL_THREADS = 10_000;

        private int computeThreads;
        private int blockingThreads;
        private @Nullable Boolean virtualThreads;
        private Duration keepAlive = Duration.ofSeconds(10);
        private Duration interruptGrace = Duration.ofMillis(100);
        private int maxAbandoned = 16;
        private boolean daemon = true;

        private Builder() {
            super("threads");
        }

        @Override
        protected Builder self() {
            return this;
        }

        /**
         * How many threads compute at most. By default {@link Stratagem#cpus()}.
         *
         * @param threads from 1
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder computeThreads(int threads) {
            checkArgument(threads > 0, "computeThreads must be positive: %s", threads);
            computeThreads = once("computeThreads", threads);
            return this;
        }

        /**
         * How many blocking tasks run at once at most, on platform or virtual threads alike. By default 256 on platform
         * threads, 10,000 on virtual ones.
         *
         * @param threads from 1
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder blockingThreads(int threads) {
            checkArgument(threads > 0, "blockingThreads must be positive: %s", threads);
            blockingThreads = once("blockingThreads", threads);
            return this;
        }

        /**
         * Whether blocking tasks run on virtual threads. By default on JDK 24 and newer; may be asked for on 21 to 23,
         * where a {@code synchronized} block that waits holds its carrier thread.
         *
         * @param virtual whether they do
         * @return this
         * @throws IllegalArgumentException if this JVM has none
         */
        public Builder virtualThreads(boolean virtual) {
            checkArgument(
                    !virtual || VirtualThreads.areThere(),
                    "virtualThreads needs a JVM from 21 on; this is %s",
                    Runtime.version());
            virtualThreads = once("virtualThreads", virtual);
            return this;
        }

        /**
         * How long an idle platform thread waits for work before it ends. 10 seconds by default.
         *
         * @param limit positive
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder keepAlive(Duration limit) {
            checkArgument(limit.compareTo(Duration.ZERO) > 0, "keepAlive must be positive: %s", limit);
            keepAlive = once("keepAlive", limit);
            return this;
        }

        /**
         * How long an interrupted thread may take to give up its task before it is abandoned. 100 milliseconds by
         * default.
         *
         * @param limit zero or more
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder interruptGrace(Duration limit) {
            checkArgument(!limit.isNegative(), "interruptGrace must not be negative: %s", limit);
            interruptGrace = once("interruptGrace", limit);
            return this;
        }

        /**
         * How many threads may be abandoned, of those that compute and of those that block each, before work for them is
         * refused. 16 by default.
         *
         * @param threads from 1
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder maxAbandoned(int threads) {
            checkArgument(threads > 0, "maxAbandoned must be positive: %s", threads);
            maxAbandoned = once("maxAbandoned", threads);
            return this;
        }

        /**
         * Whether the platform threads are daemons, which do not keep the JVM alive. They are by default; virtual threads
         * always are.
         *
         * @param value whether they are
         * @return this
         */
        public Builder daemon(boolean value) {
            daemon = once("daemon", value);
            return this;
        }

        /**
         * Makes the strategy. Its threads start when first needed.
         *
         * @return a new strategy, to be closed
         */
        public ThreadPoolStrategy build() {
            StrategyOptions options = options();
            boolean isVirtual = virtualThreads == null ? VirtualThreads.areDefault() : virtualThreads;
            int cpus = computeThreads > 0 ? computeThreads : Stratagem.cpus();
            int waits = blockingThreads > 0
                    ? blockingThreads
                    : isVirtual ? DEFAULT_VIRTUAL_THREADS : DEFAULT_PLATFORM_THREADS;
            String prefix = "stratagem-" + options.name();
            PoolSettings computing = settings(prefix + "-compute", cpus, platformThreads(daemon));
            PoolSettings blocking = settings(
                    prefix + "-blocking", waits, isVirtual ? VirtualThreads.factory() : platformThreads(daemon));
            return new ThreadPoolStrategy(new ThreadEngine(computing, blocking, isVirtual, options.clock()), options);
        }

        private PoolSettings settings(String name, int maxThreads, ThreadFactory factory) {
            return new PoolSettings(
                    name,
                    maxThreads,
                    NANOSECONDS.convert(keepAlive),
                    factory,
                    NANOSECONDS.convert(interruptGrace),
                    maxAbandoned);
        }

        private static ThreadFactory platformThreads(boolean isDaemon) {
            return action -> {
                Thread thread = new Thread(null, action, "stratagem", 0, false);
                thread.setDaemon(isDaemon);
                // The loader of whoever happened to need the thread first must not be kept alive by it.
                thread.setContextClassLoader(ThreadPoolStrategy.class.getClassLoader());
                return thread;
            };
        }
    }
}
