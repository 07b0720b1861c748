package io.stratagem.batchedipc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The file that the application shares with one worker: a ring for each direction. The application creates it, the worker
 * opens it, and once both have it the application {@linkplain #unlink unlinks} it: the memory lives on until neither side
 * can reach it any more. Each side is used by one thread at a time.
 */
/* In the byte order of the machine, since both processes are on it:
 *
 *     0       8         12         128                      512 + capacity
 *     | magic | version | capacity | ring to the worker ... | ring to the application ...
 *       long    int       int        see Ring
 */
final class RingFile implements AutoCloseable {
    private static final int MAGIC = 0;
    private static final int VERSION = 8;
    private static final int CAPACITY = 12;
    private static final int RINGS = 128;

    private static final long MAGIC_VALUE = 0x5354524154524E47L; // "STRATRNG"
    private static final int VERSION_VALUE = 1;

    /** Null on the side that has opened it. */
    private final @Nullable SharedFile file;

    private final RingProducer producer;
    private final RingConsumer consumer;

    private RingFile(@Nullable SharedFile file, Ring out, Ring in, int maxMessageBytes) {
        this.file = file;
        producer = new RingProducer(out);
        consumer = new RingConsumer(in, maxMessageBytes);
    }

    /**
     * On the side of the application.
     *
     * @param places directories, of which the first that has room is taken; see {@link SharedFile#places}
     * @param capacity of each ring: a power of two, at least {@link Ring#MIN_CAPACITY}
     * @param maxMessageBytes the most that is taken from the worker as one message
     * @throws IOException if no place has room
     */
    static RingFile create(List<Path> places, int capacity, int maxMessageBytes) throws IOException {
        long bytes = fileBytes(Ring.checkCapacity(capacity));
        SharedFile file = SharedFile.create(places, bytes);
        try {
            MappedByteBuffer memory = file.map();
            memory.order(ByteOrder.nativeOrder());
            memory.putLong(MAGIC, MAGIC_VALUE);
            memory.putInt(VERSION, VERSION_VALUE);
            memory.putInt(CAPACITY, capacity);
            return new RingFile(file, ring(memory, capacity, 0), ring(memory, capacity, 1), maxMessageBytes);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * On the side of the worker.
     *
     * @throws IOException if there is no such file, or it is not one of rings
     */
    static RingFile open(Path path, int maxMessageBytes) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            long size = channel.size();
            if (size < fileBytes(Ring.MIN_CAPACITY) || size > fileBytes(Ring.MAX_CAPACITY)) {
                throw new IOException(path + " has " + size + " bytes: it is no file of rings");
            }
            MappedByteBuffer memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, size);
            memory.order(ByteOrder.nativeOrder());
            int capacity = memory.getInt(CAPACITY);
            if (memory.getLong(MAGIC) != MAGIC_VALUE
                    || memory.getInt(VERSION) != VERSION_VALUE
                    || fileBytes(capacity) != size) {
                throw new IOException(path + " is no file of rings, or one of another version of this library");
            }
            return new RingFile(null, ring(memory, capacity, 1), ring(memory, capacity, 0), maxMessageBytes);
        }
    }

    private static long fileBytes(int capacity) {
        return RINGS + 2L * (Ring.HEADER_BYTES + capacity);
    }

    private static Ring ring(ByteBuffer memory, int capacity, int number) {
        int bytes = Ring.HEADER_BYTES + capacity;
        return new Ring(memory.slice(RINGS + number * bytes, bytes));
    }

    /** For the messages to the other side. */
    RingProducer producer() {
        return producer;
    }

    /** For the messages from the other side. */
    RingConsumer consumer() {
        return consumer;
    }

    /** Where the other side finds it. Only on the side that has created it. */
    Path path() {
        return created().path();
    }

    /** Removes its name, once the other side has opened it. Only on the side that has created it. */
    void unlink() throws IOException {
        created().unlink();
    }

    private SharedFile created() {
        if (file == null) {
            throw new IllegalStateException("opened, not created");
        }
        return file;
    }

    /** Removes the file if it is still there. The memory is given back when nobody can reach the rings any more. */
    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
