package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.processpool.spi.Wire;
import io.stratagem.processpool.spi.WireProvider;
import java.io.IOException;

/** Makes the shared memory of {@link BatchedIpcStrategy}, on both sides. */
@SuppressWarnings("exports") // the service is one of this library's own modules
public final class RingsProvider implements WireProvider {
    private final int capacity;

    /** For {@link java.util.ServiceLoader} in a worker. */
    public RingsProvider() {
        this(Ring.MIN_CAPACITY);
    }

    RingsProvider(int capacity) {
        this.capacity = Ring.checkCapacity(capacity);
    }

    @Override
    public Wire create(int maxMessageBytes) throws IOException {
        return Rings.create(Means.preferred(), capacity, maxMessageBytes);
    }

    @Override
    public Wire open(String place, int maxMessageBytes) throws IOException {
        return Rings.open(place, maxMessageBytes);
    }
}
