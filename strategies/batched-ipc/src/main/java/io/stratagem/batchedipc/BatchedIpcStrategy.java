package io.stratagem.batchedipc;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.processpool.WorkerProcessStrategy;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Runs workloads in worker processes, as {@link ProcessPoolStrategy} does and with all that it promises, but with another
 * way for what travels: each worker shares memory with this JVM, a ring in each direction. A message costs a copy in and a
 * copy out, and no call of the system as long as the other side is awake. For tasks that are small and many, and for
 * callers that need a result soon.
 *
 * <p>Large arrays of primitives and {@link java.nio.ByteBuffer}s, in lists, maps and records, too, go through that memory
 * from the array itself into a new array, while both sides copy at the same time. They are copies as in any process pool,
 * and their size changes nothing but the speed. What must not be copied belongs into a {@link SharedArray}.
 *
 * <p>Short compute tasks that are submitted one by one go to a worker together when they have to wait for it. If one of
 * them then takes long, those behind it are run elsewhere. If one ends the worker, those before it that had finished
 * within the last 2 ms or so may be lost with it, as of a {@code map}: they fail with a {@code WorkerDiedException} that
 * says so.
 *
 * <p>Who waits for messages looks for some microseconds, as long as that mostly helps, and then sleeps. A pool with
 * nothing to do uses no processor time.
 *
 * <p>The memory is reserved in the RAM disk ({@code /dev/shm}) if there is room, else in the directory for temporary
 * files: twice {@link Builder#ringBytes} for each worker. It has no name there, and is gone when the last process that has
 * it is, however that ends.
 */
public final class BatchedIpcStrategy extends WorkerProcessStrategy {

    private BatchedIpcStrategy(Builder builder) {
        super(builder, new RingsProvider(builder.ringBytes));
    }

    /**
     * A strategy with the defaults.
     *
     * @return a new strategy, to be closed
     */
    public static BatchedIpcStrategy create() {
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

    /** As {@link #serialized}, for this package. */
    static ByteBuffer bytesOf(Object value, int maxBytes, String what) {
        return serialized(value, maxBytes, what);
    }

    /** As {@link #warnings}, for this package. */
    static List<String> warningsOf(Workload<?, ?> workload) {
        return warnings(workload);
    }

    /** Options of a {@link BatchedIpcStrategy}. Each may be set once. Not thread-safe. */
    public static final class Builder extends ProcessPoolBuilder<Builder> {
        private static final int LEAST = 1 << 17;

        private int ringBytes = 1 << 20;

        private Builder() {
            super("batched-ipc");
        }

        @Override
        protected Builder self() {
            return this;
        }

        /**
         * How much can be on its way in one direction between this JVM and one worker. What is longer goes in pieces. By
         * default 1 MiB.
         *
         * @param bytes a power of two from 128 KiB to 512 MiB
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder ringBytes(int bytes) {
            checkArgument(
                    bytes >= LEAST && bytes <= Ring.MAX_CAPACITY && Integer.bitCount(bytes) == 1,
                    "ringBytes must be a power of two from %s to %s: %s",
                    LEAST,
                    Ring.MAX_CAPACITY,
                    bytes);
            ringBytes = once("ringBytes", bytes);
            return this;
        }

        @Override
        public BatchedIpcStrategy build() {
            return new BatchedIpcStrategy(this);
        }
    }
}
