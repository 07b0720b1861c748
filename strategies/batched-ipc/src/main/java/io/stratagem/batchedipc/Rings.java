package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.processpool.spi.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The memory that the application shares with one worker: a ring for each direction. It has no name, and lives as long as
 * one of the two has it. On each side one thread at a time sends, and one receives.
 */
/*     0                          384 + capacity
 *     | ring to the worker ...   | ring to the application ...          see Ring
 */
final class Rings implements Wire {
    /** So large a piece costs little beyond the copy, and the other side begins soon to read it. */
    private static final int GREATEST_PIECE = 1 << 16;

    private final SharedMemory memory;
    private final int pieceBytes;
    private final RingProducer producer;
    private final RingConsumer consumer;

    private Rings(SharedMemory memory, Ring out, Ring in, int maxMessageBytes) {
        this.memory = memory;
        pieceBytes = Math.min(GREATEST_PIECE, out.capacity() / 8);
        producer = new RingProducer(out);
        consumer = new RingConsumer(in, maxMessageBytes);
    }

    /**
     * On the side of the application.
     *
     * @param capacity of each ring: a power of two, at least {@link Ring#MIN_CAPACITY}
     * @param maxMessageBytes the most that is taken from the worker as one message
     * @throws IOException if no place has room
     */
    static Rings create(Means means, int capacity, int maxMessageBytes) throws IOException {
        long bytes = 2L * (Ring.HEADER_BYTES + Ring.checkCapacity(capacity));
        SharedMemory memory =
                SharedMemory.create(means, new Contents(UUID.randomUUID(), SharedArray.Type.BYTE, bytes), null);
        try {
            return new Rings(memory, ring(memory, 0), ring(memory, 1), maxMessageBytes);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /**
     * On the side of the worker.
     *
     * @throws IOException if there is no such memory, or not of rings
     */
    static Rings open(String place, int maxMessageBytes) throws IOException {
        SharedMemory memory;
        try {
            memory = SharedMemory.open(SharedMemoryHandle.parse(place));
        } catch (IOException e) { // the application is there, or would not be waited for
            throw new IOException(
                    "the memory of the application cannot be opened: " + e.getMessage()
                            + ". A worker needs the application's /proc: the same one, mounted without hidepid, in the same"
                            + " container and as the same user. Where it cannot have that, use a ProcessPoolStrategy",
                    e);
        }
        try {
            return new Rings(memory, ring(memory, 1), ring(memory, 0), maxMessageBytes);
        } catch (IllegalArgumentException e) {
            memory.close();
            throw new IOException("no memory of rings: " + e.getMessage(), e);
        }
    }

    private static Ring ring(SharedMemory memory, int number) {
        long bytes = memory.contents().bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(bytes + " bytes");
        }
        int half = (int) bytes / 2;
        return new Ring(memory.view((long) number * half, half));
    }

    /** For the messages to the other side. */
    RingProducer producer() {
        return producer;
    }

    /** For the messages from the other side. */
    RingConsumer consumer() {
        return consumer;
    }

    @Override
    public String place() {
        return memory.handle(false).format();
    }

    /** Who has the file open can cut it, at which a JVM that uses the memory may crash. */
    @Override
    public void opened() {
        memory.closeFile();
    }

    @Override
    public boolean offer(byte[] from, int start, int count) {
        return producer.offer(from, start, count);
    }

    @Override
    public @Nullable ByteBuffer reserve(int most) {
        return producer.reserve(Math.min(most, pieceBytes));
    }

    @Override
    public void commit() {
        producer.commit();
    }

    @Override
    public @Nullable ByteBuffer peek() {
        return consumer.peek();
    }

    @Override
    public void skip() {
        consumer.skip();
    }

    @Override
    public void publish() {
        producer.publish();
    }

    @Override
    public boolean mustWake() {
        return producer.mustWake();
    }

    @Override
    public int poll() {
        return consumer.poll();
    }

    @Override
    public byte[] message() {
        return consumer.message();
    }

    @Override
    public boolean parkIfEmpty() {
        return consumer.parkIfEmpty();
    }

    @Override
    public void unpark() {
        var unused = consumer.unpark(); // a wake-up that is under way ends the next wait
    }

    /** The rings must not be used after that. */
    @Override
    public void close() {
        memory.close();
    }
}
