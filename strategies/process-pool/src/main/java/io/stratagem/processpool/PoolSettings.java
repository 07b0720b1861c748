package io.stratagem.processpool;

import io.stratagem.processpool.spi.WireProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/** What a pool was built with, and for. */
record PoolSettings(
        HostSystem system,
        String name,
        int processes,
        int cpusPerWorker,
        Path javaHome,
        List<String> jvmOptions,
        @Nullable Long maxHeapBytes,
        Map<String, String> environment,
        @Nullable Path workingDirectory,
        @Nullable Initializer initializer,
        Duration startTimeout,
        Duration idleTimeout,
        long maxTasksPerProcess,
        long maxResidentBytes,
        int maxMessageBytes,
        Set<String> allowedPackages,
        Level logLevel,
        @Nullable WireProvider wires) {

    /** Room for what stands around a value. */
    static final int MARGIN_BYTES = 1 << 20;

    /** The longest frame: one value of the greatest size, gathered with others. */
    int maxFrameBytes() {
        return (int) Math.min(Bytes.LARGEST, (long) maxMessageBytes + MARGIN_BYTES);
    }

    /** Whether lone tasks go together: where a message costs more than to send it, that would be all there is to it. */
    boolean gathers() {
        return wires != null;
    }

    /** Why what it has left is cancelled. */
    String closedMessage() {
        return "strategy '" + name + "' is closed";
    }

    String prefix() {
        return "stratagem-" + name + "-worker-";
    }
}
