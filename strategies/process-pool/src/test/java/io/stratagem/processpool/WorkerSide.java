package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A worker's side of its connection, in this JVM. What the application sends is given beforehand. */
final class WorkerSide {
    private static final int MAX_FRAME = ApplicationSide.MAX_MESSAGE_BYTES + PoolSettings.MARGIN_BYTES;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final TaskPage page;
    private final Codec codec = new Codec(WorkerSide.class.getClassLoader(), Filters.fromApplication());

    WorkerSide() {
        try {
            Path file = Files.createTempDirectory("fuzzed").resolve("page");
            page = TaskPage.create(file);
            PrivateDirectory.delete(file.getParent()); // the memory stays
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What a worker did.
     *
     * @param sent what it answered
     * @param end what it ended with, or null if the application said good-bye or closed the connection
     * @param allocatedBytes by this thread
     */
    record Taken(byte[] sent, Exception end, long allocatedBytes) {}

    /** Runs a worker that is sent these bytes, whatever it answers. */
    Taken take(ByteBuffer fromApplication) {
        MemoryChannel channel = new MemoryChannel(fromApplication);
        Exception end = null;
        long before = THREADS.getCurrentThreadAllocatedBytes();
        Link link = new Link(channel, MAX_FRAME);
        Outbox outbox = new Outbox(link, new ThrowableCodec(codec));
        try {
            new TaskRunner(link, outbox, page, codec, MAX_FRAME - PoolSettings.MARGIN_BYTES / 2).run();
        } catch (IOException | Bytes.MalformedException e) {
            end = e;
        }
        return new Taken(channel.sent(), end, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    /** What must hold whatever the bytes are. */
    void takeAndCheck(byte[] bytes) {
        Taken taken = take(ByteBuffer.wrap(bytes));
        assertThat(taken.allocatedBytes())
                .isLessThan(ApplicationSide.FIXED_BYTES
                        + ApplicationSide.FACTOR * (bytes.length + taken.sent().length));
    }
}
