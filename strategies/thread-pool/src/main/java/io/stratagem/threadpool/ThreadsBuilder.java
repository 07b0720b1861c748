package io.stratagem.threadpool;

import static com.google.common.base.Preconditions.checkArgument;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Stratagem;
import io.stratagem.spi.Clock;
import io.stratagem.spi.StrategyBuilder;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * Options of strategies that run compute and blocking work on threads of this JVM. Each may be set once, and is checked
 * when it is set. Not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class ThreadsBuilder<B extends ThreadsBuilder<B>> extends StrategyBuilder<B> {
    private static final int DEFAULT_PLATFORM_THREADS = 256;
    private static final int DEFAULT_VIRTUAL_THREADS = 10_000;

    private int computeThreads;
    private int blockingThreads;
    private @Nullable Boolean virtualThreads;
    private Duration keepAlive = Duration.ofSeconds(10);
    private Duration interruptGrace = Duration.ofMillis(100);
    private int maxAbandoned = 16;
    private boolean daemon = true;

    /**
     * Begins with the defaults.
     *
     * @param name of the strategy, unless it is given another
     */
    protected ThreadsBuilder(String name) {
        super(name);
    }

    /**
     * How many threads compute at most. By default {@link Stratagem#cpus()}.
     *
     * @param threads from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B computeThreads(int threads) {
        checkArgument(threads > 0, "computeThreads must be positive: %s", threads);
        computeThreads = once("computeThreads", threads);
        return self();
    }

    /**
     * How many blocking tasks run at once at most, on platform or virtual threads alike. By default 256 on platform
     * threads, 10,000 on virtual ones.
     *
     * @param threads from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B blockingThreads(int threads) {
        checkArgument(threads > 0, "blockingThreads must be positive: %s", threads);
        blockingThreads = once("blockingThreads", threads);
        return self();
    }

    /**
     * Whether blocking tasks run on virtual threads. By default on JDK 24 and newer; may be asked for on 21 to 23,
     * where a {@code synchronized} block that waits holds its carrier thread.
     *
     * @param virtual whether they do
     * @return this
     * @throws IllegalArgumentException if this JVM has none
     */
    public B virtualThreads(boolean virtual) {
        checkArgument(
                !virtual || VirtualThreads.areThere(),
                "virtualThreads needs a JVM from 21 on; this is %s",
                Runtime.version());
        virtualThreads = once("virtualThreads", virtual);
        return self();
    }

    /**
     * How long an idle platform thread waits for work before it ends. 10 seconds by default.
     *
     * @param limit positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B keepAlive(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "keepAlive must be positive: %s", limit);
        keepAlive = once("keepAlive", limit);
        return self();
    }

    /**
     * How long an interrupted thread may take to give up its task before it is abandoned. 100 milliseconds by
     * default.
     *
     * @param limit zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public B interruptGrace(Duration limit) {
        checkArgument(!limit.isNegative(), "interruptGrace must not be negative: %s", limit);
        interruptGrace = once("interruptGrace", limit);
        return self();
    }

    /**
     * How many threads may be abandoned, of those that compute and of those that block each, before work for them is
     * refused. 16 by default.
     *
     * @param threads from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B maxAbandoned(int threads) {
        checkArgument(threads > 0, "maxAbandoned must be positive: %s", threads);
        maxAbandoned = once("maxAbandoned", threads);
        return self();
    }

    /**
     * Whether the platform threads are daemons, which do not keep the JVM alive. They are by default; virtual threads
     * always are.
     *
     * @param value whether they are
     * @return this
     */
    public B daemon(boolean value) {
        daemon = once("daemon", value);
        return self();
    }

    final Clock commonClock() {
        return options().clock();
    }

    final boolean isBlockingVirtual() {
        return virtualThreads == null ? VirtualThreads.areDefault() : virtualThreads;
    }

    final PoolSettings computing() {
        int cpus = computeThreads > 0 ? computeThreads : Stratagem.cpus();
        return settings("compute", cpus, platformThreads(daemon));
    }

    final PoolSettings blocking() {
        int waits = blockingThreads > 0
                ? blockingThreads
                : isBlockingVirtual() ? DEFAULT_VIRTUAL_THREADS : DEFAULT_PLATFORM_THREADS;
        return settings("blocking", waits, isBlockingVirtual() ? VirtualThreads.factory() : platformThreads(daemon));
    }

    private PoolSettings settings(String kind, int maxThreads, ThreadFactory factory) {
        return new PoolSettings(
                "stratagem-" + options().name() + "-" + kind,
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
