package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.Workload;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * The functions of workloads as they travel, so that each is serialised once and not for each worker. A large one is not
 * kept. Any thread may use it.
 */
final class SerializedFunctions {
    private static final int KEPT_BYTES = 1 << 16;

    private final Codec codec;

    /** As long as there is the workload, which equals only itself. Guarded by itself. */
    private final Map<Workload<?, ?>, Bytes> kept = new WeakHashMap<>();

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
        Bytes bytes;
        synchronized (kept) {
            bytes = kept.get(workload);
        }
        if (bytes == null) {
            bytes = serialize(workload);
        }
        frame.putBytes(bytes.array(), 0, bytes.size());
    }

    private Bytes serialize(Workload<?, ?> workload) {
        Bytes bytes = new Bytes();
        codec.write(bytes, workload.function(), BatchWriter.functionOf(workload));
        if (bytes.size() <= KEPT_BYTES) {
            synchronized (kept) {
                kept.put(workload, bytes);
            }
        }
        return bytes;
    }
}
