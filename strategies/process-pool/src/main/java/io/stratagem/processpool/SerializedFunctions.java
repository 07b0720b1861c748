package io.stratagem.processpool;

import com.google.common.collect.MapMaker;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import java.util.concurrent.ConcurrentMap;

/**
 * The functions of workloads as they travel, so that each is serialised once and not for each worker. A large one is not
 * kept. Any thread may use it.
 */
final class SerializedFunctions {
    private static final int KEPT_BYTES = 1 << 16;

    private final Codec codec;

    /** As long as there is the workload; that is compared by identity. */
    private final ConcurrentMap<Workload<?, ?>, Bytes> kept =
            new MapMaker().weakKeys().makeMap();

    SerializedFunctions(Codec codec) {
        this.codec = codec;
    }

    /**
     * Puts the kind, the name and the function of a workload.
     *
     * @throws TransferException if the function cannot be serialised
     */
    void write(Bytes frame, Workload<?, ?> workload) {
        frame.putString(workload.kind().name());
        frame.putString(workload.name());
        Bytes bytes = kept.get(workload);
        if (bytes == null) {
            bytes = serialize(workload);
        }
        frame.putBytes(bytes.array(), 0, bytes.size());
    }

    private Bytes serialize(Workload<?, ?> workload) {
        Bytes bytes = new Bytes();
        codec.write(bytes, workload.function(), WorkerDriver.functionOf(workload));
        if (bytes.size() <= KEPT_BYTES) {
            kept.put(workload, bytes);
        }
        return bytes;
    }
}
