package io.stratagem.batchedipc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.concurrent.TimeUnit;

/**
 * Memory that the collector unmaps when no buffer over it can be reached: all that Java can do safely before 22. To unmap
 * it by force would crash the JVM at the next access.
 */
final class CollectedMapping implements Mapping {
    private final FileChannel channel;
    private final long offset;
    private final MapMode mode;
    private final ByteBuffer[] chunks;
    private final Use use = new Use();

    CollectedMapping(FileChannel channel, long offset, long bytes, boolean isReadOnly) throws IOException {
        this.channel = channel;
        this.offset = offset;
        this.mode = isReadOnly ? MapMode.READ_ONLY : MapMode.READ_WRITE;
        this.chunks = Mapping.chunks(bytes, this::map);
    }

    @Override
    public ByteBuffer[] chunks() {
        return chunks;
    }

    @Override
    public ByteBuffer view(long from, int bytes) {
        int index = (int) (from >>> CHUNK_SHIFT);
        int at = (int) (from & CHUNK_BYTES - 1);
        if (bytes == 0) {
            return chunks[0].slice(0, 0).order(ByteOrder.nativeOrder());
        }
        if (at + (long) bytes <= chunks[index].capacity()) {
            return chunks[index].slice(at, bytes).order(ByteOrder.nativeOrder());
        }
        try {
            return Undisturbed.call(() -> map(from, bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ByteBuffer map(long from, int bytes) throws IOException {
        MappedByteBuffer buffer = channel.map(mode, offset + from, bytes);
        use.mapped(buffer, bytes);
        buffer.order(ByteOrder.nativeOrder());
        return buffer;
    }

    @Override
    public void close() {
        use.end();
    }

    /** How much of one mapping is still mapped. Must not lead to its buffers. */
    private static final class Use {
        private long bytes;
        private boolean hasEnded;

        void mapped(MappedByteBuffer buffer, int more) {
            synchronized (Lingering.LOCK) {
                bytes += more;
                if (hasEnded) {
                    Lingering.bytes += more;
                }
            }
            SharedMemory.CLEANER.register(buffer, () -> unmapped(more));
        }

        private void unmapped(int fewer) {
            synchronized (Lingering.LOCK) {
                bytes -= fewer;
                if (hasEnded) {
                    Lingering.bytes -= fewer;
                    Lingering.LOCK.notifyAll();
                }
            }
        }

        void end() {
            synchronized (Lingering.LOCK) {
                if (!hasEnded) {
                    hasEnded = true;
                    Lingering.bytes += bytes;
                }
            }
        }
    }

    /** What is closed and still mapped, in the whole JVM. */
    static final class Lingering {
        private static final Object LOCK = new Object();
        private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

        /** Guarded by LOCK. */
        private static long bytes;

        /** When the collector may be asked again just because time has passed. */
        private static long notBefore = System.nanoTime();

        private Lingering() {}

        /**
         * Asks the collector if there are any, and if that will not have taken more than a twentieth of the time. For one
         * thread.
         *
         * @return false if it is too early
         */
        static boolean collectIfDue() {
            if (bytes() == 0) {
                return true;
            }
            long start = System.nanoTime();
            if (start - notBefore < 0) {
                return false;
            }
            System.gc();
            long end = System.nanoTime();
            notBefore = end + 20 * (end - start);
            return true;
        }

        static long bytes() {
            synchronized (LOCK) {
                return bytes;
            }
        }

        static boolean awaitCollection() {
            long before = bytes();
            if (before == 0) {
                return false;
            }
            System.gc();
            boolean isInterrupted = false;
            synchronized (LOCK) {
                long deadline = System.nanoTime() + PATIENCE_NANOS;
                long left = PATIENCE_NANOS;
                while (bytes >= before && left > 0) {
                    try {
                        TimeUnit.NANOSECONDS.timedWait(LOCK, left);
                    } catch (InterruptedException e) {
                        isInterrupted = true;
                    }
                    left = deadline - System.nanoTime();
                }
                if (isInterrupted) {
                    Thread.currentThread().interrupt();
                }
                return bytes < before;
            }
        }
    }
}
