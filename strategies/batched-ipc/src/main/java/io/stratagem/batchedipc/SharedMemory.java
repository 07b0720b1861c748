package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.batchedipc.SharedMemoryFile.Filler;
import io.stratagem.batchedipc.SharedMemoryFile.NoRoomException;
import io.stratagem.processpool.spi.OutgoingResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
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

    /** So long what was collected may take to be freed, by threads of the cleaners. */
    private static final long FREEING_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** The last receipt. They begin anywhere, so that those of different processes differ. */
    private static final AtomicLong RECEIPTS = new AtomicLong(UUID.randomUUID().getMostSignificantBits());

    private final MappedFile mapped;
    private final boolean isReadOnly;
    private final Use use;
    private final Cleaner.Cleanable forgetting;

    /**
     * Null once it is closed. Plain, since it is read at each access: a thread that has not been told of the close may go
     * on for a while, on memory that is still mapped, or is refused by the mapping.
     */
    private ByteBuffer @Nullable [] chunks;

    /** Guarded by this. */
    private boolean isGivenAway;

    private SharedMemory(MappedFile mapped, boolean isReadOnly) {
        this.mapped = mapped;
        this.isReadOnly = isReadOnly;
        this.chunks = mapped.mapping().chunks();
        this.use = new Use(mapped);
        this.forgetting = CLEANER.register(this, use);
    }

    /** Ends with the memory, one way or the other. Must not lead to it. */
    private static final class Use implements Runnable {
        private final MappedFile mapped;
        private boolean hasEnded;

        Use(MappedFile mapped) {
            this.mapped = mapped;
        }

        /** It has been collected; or closed, and has nothing to collect any more. */
        @Override
        public void run() {
            if (!hasEnded) {
                mapped.forget();
            }
        }

        void end() {
            mapped.leave();
            hasEnded = true;
        }
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
        long start = 0;
        int open = Integer.MAX_VALUE;
        boolean isCollected = false;
        while (true) {
            try {
                return new SharedMemory(uninterrupted(() -> MappedFile.make(means, contents, filler)), false);
            } catch (NoRoomException e) {
                if (Mapping.awaitCollection()) {
                    continue;
                }
                int openNow = SharedMemoryFile.openCount();
                if (openNow < open) {
                    open = openNow;
                    isCollected = false;
                } else if (!isCollected) {
                    System.gc(); // the first closes what was forgotten, and when that is closed another one unmaps it
                    isCollected = true;
                    start = System.nanoTime();
                } else if (System.nanoTime() - start > FREEING_NANOS) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /**
     * Maps what another process has made.
     *
     * @throws IOException if the handle does not lead to it, with the reason
     */
    static SharedMemory open(SharedMemoryHandle handle) throws IOException {
        return new SharedMemory(uninterrupted(() -> MappedFile.open(handle)), handle.isReadOnly());
    }

    /** Again and again until no interrupt comes between, which would close the channel. */
    private static MappedFile uninterrupted(Undisturbed.Action<MappedFile> action) throws IOException {
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
        return mapped.file().contents();
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
            return mapped.mapping().view(from, bytes);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What another process opens it by. */
    SharedMemoryHandle handle(boolean asReadOnly) {
        return handle(asReadOnly, SharedMemoryHandle.NO_RECEIPT);
    }

    /**
     * The same for the result of a task. The memory belongs to who opens it then: until that has happened it is kept open
     * here, and closed afterwards.
     */
    SharedMemoryHandle giveAway(boolean asReadOnly, OutgoingResult result) {
        if (isClosed()) {
            throw new IllegalStateException(
                    closedMessage() + ". A task leaves open what it returns; who gets the result closes it");
        }
        long receipt = RECEIPTS.incrementAndGet();
        SharedMemoryHandle handle = handle(asReadOnly, receipt);
        result.onceWritten(() -> Keeper.SHARED.keep(new GivenAway(this, receipt, System.nanoTime())));
        return handle;
    }

    private synchronized SharedMemoryHandle handle(boolean asReadOnly, long receipt) {
        chunks();
        SharedMemoryFile file = mapped.file();
        try {
            return SharedMemoryHandle.of(file.location(), file.contents(), asReadOnly || isReadOnly, receipt);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Whether who has opened it by the handle with that receipt has left it. */
    synchronized boolean hasReceipt(long receipt) throws IOException {
        return chunks != null && mapped.file().hasReceipt(receipt);
    }

    void requireOpen() {
        chunks();
    }

    private ByteBuffer[] chunks() {
        ByteBuffer[] open = chunks;
        if (open == null) {
            throw new IllegalStateException(closedMessage());
        }
        return open;
    }

    private synchronized String closedMessage() {
        return "The shared array of " + contents() + " is closed"
                + (isGivenAway ? ": a task has returned it, and so given it away" : "");
    }

    /** Closes the file only: who has mapped it has the memory, and nobody else can have it any more. */
    void closeFile() {
        mapped.closeFile();
    }

    /** Closes the file, and unmaps it as soon as this Java can. Once is enough. */
    synchronized void close() {
        if (chunks != null) {
            use.end();
            chunks = null;
            forgetting.clean();
        }
    }

    /** Closes it, since another process has it now. */
    synchronized void closeGivenAway() {
        close();
        isGivenAway = true;
    }
}
