package io.stratagem.batchedipc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A part of a file in memory, as buffers. Any thread may use it, and unmap it while others read and write. */
interface Mapping {
    int CHUNK_SHIFT = 30;
    long CHUNK_BYTES = 1L << CHUNK_SHIFT;

    /** Makes one. */
    @FunctionalInterface
    interface Mapper {
        /**
         * Maps a part of a file that has been reserved.
         *
         * @param offset from where, in bytes
         * @param bytes how many; positive
         * @throws IOException if it cannot be mapped
         */
        Mapping map(FileChannel channel, long offset, long bytes, boolean isReadOnly) throws IOException;
    }

    /** What every Java has. */
    Mapper COLLECTED = CollectedMapping::new;

    /** The best that the running Java has. */
    Mapper PREFERRED = Runtime.version().feature() >= ArenaMapping.FROM_JAVA ? ArenaMapping::new : COLLECTED;

    /** All of it, in buffers of {@link #CHUNK_BYTES} bytes and a rest, in native byte order; not to be changed. */
    ByteBuffer[] chunks();

    /** A new buffer over a part, in native byte order. The memory stays mapped as long as the buffer can be reached. */
    ByteBuffer view(long from, int bytes);

    /**
     * Unmaps it, at once or when no view of it can be reached any more. Once is enough.
     *
     * @throws IllegalStateException if an I/O operation is using a view, and it is still mapped
     */
    void close();

    /** How many bytes of closed mappings are still mapped; they are when the collector has not run since. */
    static long lingeringBytes() {
        return CollectedMapping.Lingering.bytes();
    }

    /** Lets the collector look for them, and waits for a moment until some are unmapped, if there are any. */
    static boolean awaitCollection() {
        return CollectedMapping.Lingering.awaitCollection();
    }

    /** Lets the collector look for them now and then: false if it is too early. For one thread. */
    static boolean collectIfDue() {
        return CollectedMapping.Lingering.collectIfDue();
    }

    /** The buffers over consecutive chunks. */
    static ByteBuffer[] chunks(long bytes, ChunkMaker maker) throws IOException {
        ByteBuffer[] chunks = new ByteBuffer[Math.toIntExact((bytes + CHUNK_BYTES - 1) >>> CHUNK_SHIFT)];
        for (int i = 0; i < chunks.length; i++) {
            long from = (long) i << CHUNK_SHIFT;
            chunks[i] = maker.make(from, (int) Math.min(CHUNK_BYTES, bytes - from));
        }
        return chunks;
    }

    /** Makes one chunk. */
    @FunctionalInterface
    interface ChunkMaker {
        /** Maps it. */
        ByteBuffer make(long from, int bytes) throws IOException;
    }
}
