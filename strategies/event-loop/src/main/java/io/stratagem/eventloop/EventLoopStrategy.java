package io.stratagem.eventloop;

import static com.google.common.base.Preconditions.checkArgument;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Stratagem;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyOptions;
import io.stratagem.threadpool.ThreadsBuilder;
import java.time.Duration;

/**
 * Runs asynchronous workloads on event loops: a few threads of which each waits for many connections and timers at
 * once. A task, its callbacks and its connections stay on one loop; so they need no locks, and must not block.
 * {@link Network#of} opens connections. Blocking and compute work, and what a task off-loads, has threads of its own, as
 * in {@link io.stratagem.threadpool.ThreadPoolStrategy}, with the same options.
 *
 * <p>Loops are daemon threads named {@code stratagem-NAME-loop-N}. They start when first needed and live until the
 * strategy is closed. What a task opened through its loop is closed when the task has its result, whatever that is. What it
 * off-loaded is cancelled if it failed, was cancelled or took too long, and outlives a success; delays outlive their task.
 *
 * <p>Code that holds a loop holds up all its other tasks: it is reported in the log, with its workload and stack, once
 * it takes longer than {@link Builder#holdLimit}. A thread cannot be stopped: neither a timeout nor {@code closeNow}
 * ends code that holds its loop. To wait on a loop for a future of the same strategy or loop fails with
 * {@link IllegalStateException}, since it would wait for itself.
 */
public final class EventLoopStrategy extends EngineStrategy {

    private EventLoopStrategy(LoopEngine engine, StrategyOptions options) {
        super(engine, options);
    }

    /**
     * A strategy with the defaults.
     *
     * @return a new strategy, to be closed
     */
    public static EventLoopStrategy create() {
        return builder().build();
    }

    /** The CPUs are shared with the threads that compute. */
    static int defaultLoops(int cpus) {
        return Math.max(1, Math.min(Builder.MOST_DEFAULT_LOOPS, cpus / 2));
    }

    /**
     * Begins a strategy with options.
     *
     * @return the options
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Options of an {@link EventLoopStrategy}. Each may be set once, and is checked when it is set. Not thread-safe. */
    public static final class Builder extends ThreadsBuilder<Builder> {
        private static final int MOST_DEFAULT_LOOPS = 4;

        private int loops;
        private Duration holdLimit = Duration.ofMillis(100);
        private int outboundMark = 64 << 10;

        private Builder() {
            super("loops");
        }

        @Override
        protected Builder self() {
            return this;
        }

        /**
         * How many loops there are. By default one for every two of {@link Stratagem#cpus()}, at most 4.
         *
         * @param threads from 1
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder loops(int threads) {
            checkArgument(threads > 0, "loops must be positive: %s", threads);
            loops = once("loops", threads);
            return this;
        }

        /**
         * How long code may hold a loop before it is reported in the log. 100 milliseconds by default.
         *
         * @param limit at least a millisecond
         * @return this
         * @throws IllegalArgumentException if it is shorter
         */
        public Builder holdLimit(Duration limit) {
            checkArgument(limit.toMillis() > 0, "holdLimit must be at least a millisecond: %s", limit);
            holdLimit = once("holdLimit", limit);
            return this;
        }

        /**
         * How many bytes that a connection's peer has not taken yet may wait before {@code write} makes its caller wait,
         * and before a {@link BytesHandler} gets no more input. 65,536 by default.
         *
         * @param bytes positive
         * @return this
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder outboundMark(int bytes) {
            checkArgument(bytes > 0, "outboundMark must be positive: %s", bytes);
            outboundMark = once("outboundMark", bytes);
            return this;
        }

        /**
         * Makes the strategy. Its loops and threads start when first needed.
         *
         * @return a new strategy, to be closed
         */
        public EventLoopStrategy build() {
            int count = loops > 0 ? loops : defaultLoops(Stratagem.cpus());
            StrategyOptions options = options();
            LoopSettings settings = new LoopSettings(
                    "stratagem-" + options.name(), count, NANOSECONDS.convert(holdLimit), outboundMark);
            return new EventLoopStrategy(new LoopEngine(this, settings, options.clock()), options);
        }
    }
}
