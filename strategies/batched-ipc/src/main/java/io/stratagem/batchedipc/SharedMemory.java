package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.batchedipc.SharedMemoryFile.Filler;
import io.stratagem.batchedipc.SharedMemoryFile.NoRoomException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file that is mapped, which is what a {@link SharedArray} and its views have in common. Any thread may use and close
 * it. Its file is also closed when it is forgotten, and its memory unmapped when no buffer over it can be reached.
 */
final class SharedMemory {
    /** For all that is closed when it is forgotten. */
    static final Cleaner CLEANER = Cleaner.create();

    /**
     * What memory is made of.
     *
     * @param places where files are made, the best one first
     * @param passing how others get at them
     * @param mapper how they are mapped
     */
    record Means(List<Path> places, Passing passing, Mapping.Mapper mapper) {
        static Means preferred() {
            return new Means(SharedMemoryFile.places(), Passing.PREFERRED, Mapping.PREFERRED);
        }
    }

    private final SharedMemoryFile file;
    private final Mapping mapping;
    private final boolean isReadOnly;
    private final Cleaner.Cleanable holding;

    /**
     * Null once it is closed. Plain, since it is read at each access: a thread that has not been told of the close may go
     * on for a while, on memory that is still mapped, or is refused by the mapping.
     */
    private ByteBuffer @Nullable [] chunks;

    private SharedMemory(SharedMemoryFile file, Mapping mapping, boolean isReadOnly) {
        this.file = file;
        this.mapping = mapping;
        this.isReadOnly = isReadOnly;
        this.chunks = mapping.chunks();
        this.holding = CLEANER.register(this, file::release);
    }

    /**
     * Makes memory.
     *
     * @param filler what it is to contain; null for zeros
     * @throws NoRoomException if no place has room
     */
    static SharedMemory create(Means means, Contents contents, @Nullable Filler filler) throws IOException {
        // As for direct buffers: before more than a heap's worth of memory waits to be collected, it is.
        if (Mapping.lingeringBytes() > Runtime.getRuntime().maxMemory()) {
            Mapping.awaitCollection();
        }
        while (true) {
            try {
                return uninterrupted(() -> map(
                        SharedMemoryFile.create(means.places(), means.passing(), contents, filler),
                        means.mapper(),
                        false));
            } catch (NoRoomException e) {
                if (!Mapping.awaitCollection()) {
                    throw e;
                }
            }
        }
    }

    /**
     * Maps what another process has made.
     *
     * @throws IOException if the handle does not lead to it, with the reason
     */
    static SharedMemory open(SharedMemoryHandle handle) throws IOException {
        return uninterrupted(() -> map(SharedMemoryFile.open(handle), Mapping.PREFERRED, handle.isReadOnly()));
    }

    private static SharedMemory map(SharedMemoryFile file, Mapping.Mapper mapper, boolean isReadOnly)
            throws IOException {
        boolean isMapped = false;
        try {
            Undisturbed.Action<Mapping> mapIt = () -> mapper.map(
                    file.channel(),
                    SharedMemoryFile.HEADER_BYTES,
                    file.contents().mappedBytes(),
                    isReadOnly);
            Mapping mapping = file.isShared() ? Undisturbed.call(mapIt) : mapIt.run();
            isMapped = true;
            return new SharedMemory(file, mapping, isReadOnly);
        } finally {
            if (!isMapped) {
                file.release();
            }
        }
    }

    /** Again and again until no interrupt comes between, which would close the channel. */
    private static SharedMemory uninterrupted(Undisturbed.Action<SharedMemory> action) throws IOException {
        boolean isInterrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return action.run();
                } catch (ClosedByInterruptException e) {
                    isInterrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    Contents contents() {
        return file.contents();
    }

    boolean isReadOnly() {
        return isReadOnly;
    }

    boolean isClosed() {
        return chunks == null;
    }

    /** The buffer with this byte; see {@link #at} for where in it. */
    ByteBuffer chunk(long offset) {
        return chunks()[(int) (offset >>> Mapping.CHUNK_SHIFT)];
    }

    /** Where in its chunk a byte is. */
    static int at(long offset) {
        return (int) (offset & Mapping.CHUNK_BYTES - 1);
    }

    /** A buffer of its own over a part. */
    ByteBuffer view(long from, int bytes) {
        chunks();
        try {
            return mapping.view(from, bytes);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What another process opens it by. */
    synchronized SharedMemoryHandle handle(boolean asReadOnly) {
        chunks();
        try {
            return SharedMemoryHandle.of(file.location(), file.contents(), asReadOnly || isReadOnly);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    void requireOpen() {
        chunks();
    }

    private ByteBuffer[] chunks() {
        ByteBuffer[] open = chunks;
        if (open == null) {
            throw new IllegalStateException("The shared array of " + contents() + " is closed");
        }
        return open;
    }

    /** Closes the file, and unmaps it as soon as this Java can. Once is enough. */
    synchronized void close() {
        if (chunks != null) {
            mapping.close();
            chunks = null;
            holding.clean();
        }
    }
}
