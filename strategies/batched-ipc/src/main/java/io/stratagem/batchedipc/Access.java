package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosts;
import java.lang.ref.Cleaner.Cleanable;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** How a shared collection gets at its {@link Host}: directly, or, in a worker, over the connection. */
final class Access {
    private final UUID id;
    private final HostLine line;

    /** Closes the host; null in a worker, which only closes its own way there. */
    private final @Nullable Cleanable hosting;

    private volatile boolean isClosed;

    private Access(UUID id, HostLine line, @Nullable Cleanable hosting) {
        this.id = id;
        this.line = line;
        this.hosting = hosting;
    }

    /** To a new host in this JVM, for as long as the collection can be reached that has this access. */
    static Access here(Host host, Object collection) {
        UUID id = Hosts.add(host);
        host.ownedBy(collection);
        Cleanable hosting = SharedMemory.CLEANER.register(collection, () -> {
            Hosts.remove(id);
            host.close();
        });
        return new Access(id, new LocalLine(host), hosting);
    }

    /** To a host that is elsewhere. */
    static Access over(HostLine line, UUID id) {
        return new Access(id, line, null);
    }

    UUID id() {
        return id;
    }

    @Nullable
    Object ask(int operation, @Nullable Object... arguments) {
        checkOpen();
        return line.ask(operation, arguments);
    }

    @Nullable
    Object await(int operation, long limitNanos, @Nullable Object... arguments) throws InterruptedException {
        checkOpen();
        return line.await(operation, limitNanos, arguments);
    }

    private void checkOpen() {
        if (isClosed) {
            throw new IllegalStateException("it is closed here");
        }
    }

    boolean isClosed() {
        return isClosed;
    }

    void close() {
        isClosed = true;
        if (hosting != null) {
            hosting.clean();
        }
    }
}
