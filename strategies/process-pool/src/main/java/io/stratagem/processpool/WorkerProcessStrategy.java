package io.stratagem.processpool;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.processpool.spi.WireProvider;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyOptions;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What strategies that run workloads in worker processes have in common. {@link ProcessPoolStrategy} says what that is; they
 * differ in how messages travel.
 */
public abstract class WorkerProcessStrategy extends EngineStrategy {
    private final ProcessEngine engine;

    /**
     * Creates the strategy.
     *
     * @param builder the options
     * @param wires makes what messages travel over; null for the connection to each worker
     */
    @SuppressWarnings("exports") // it is for strategies of this library
    protected WorkerProcessStrategy(ProcessPoolBuilder<?> builder, @Nullable WireProvider wires) {
        this(builder.commonOptions(), builder, wires);
    }

    private WorkerProcessStrategy(
            StrategyOptions options, ProcessPoolBuilder<?> builder, @Nullable WireProvider wires) {
        this(new ProcessEngine(builder.settings(options, wires), options.clock()), options);
    }

    private WorkerProcessStrategy(ProcessEngine engine, StrategyOptions options) {
        super(engine, options);
        this.engine = engine;
    }

    /**
     * A value as it travels to workers. For strategies of this library.
     *
     * @param value what to serialise
     * @param maxBytes how many bytes it may take
     * @param what describes it in messages
     * @return the bytes
     * @throws TransferException if it cannot be serialised; the message has the path of fields to what cannot
     */
    protected static ByteBuffer serialized(Object value, int maxBytes, String what) {
        Bytes bytes = new Bytes(maxBytes);
        Codec codec = new Codec(WorkerProcessStrategy.class.getClassLoader(), Filters.fromApplication());
        codec.write(bytes, value, what);
        return ByteBuffer.wrap(bytes.array(), 0, bytes.size());
    }

    /**
     * What speaks against sending a workload to workers: that its function cannot be serialised. It is, to find out. For
     * strategies of this library.
     *
     * @param workload what is to run
     * @return a sentence with the path of fields to what cannot, or nothing
     */
    protected static List<String> warnings(Workload<?, ?> workload) {
        try {
            serialized(workload.function(), Bytes.LARGEST, BatchWriter.functionOf(workload));
            return List.of();
        } catch (TransferException e) {
            return List.of("it cannot be sent to a worker process: " + e.getMessage());
        } catch (OutOfMemoryError e) {
            return List.of(
                    "it cannot be sent to a worker process: there is not enough memory to serialise its function");
        }
    }

    /**
     * Changes how many worker processes there are at most. Those that are too many end when they have done what they
     * are at. A {@code map} that is under way may go on sending as much as before. Any thread may call it; it does not
     * wait.
     *
     * @param workerProcesses from 1
     * @throws IllegalArgumentException if it is not positive
     */
    public final void resize(int workerProcesses) {
        checkArgument(workerProcesses > 0, "workerProcesses must be positive: %s", workerProcesses);
        engine.resize(workerProcesses);
    }
}
