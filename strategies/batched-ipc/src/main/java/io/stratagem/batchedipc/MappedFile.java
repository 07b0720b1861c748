package io.stratagem.batchedipc;

import io.stratagem.batchedipc.Passing.Location;
import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.batchedipc.SharedMemoryFile.Filler;
import io.stratagem.processpool.spi.IncomingValue;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that is mapped. What this process has opened by handles is mapped once for all that use it at the same time, with a
 * count of them; in a worker, where the next task is likely to use it as well, it stays mapped for a moment. Any thread may
 * use it.
 */
final class MappedFile {
    /** Those that were opened by handles. Guarded by itself, as is all that changes in them. */
    private static final Map<Key, MappedFile> OPENED = new HashMap<>();

    /** How long it is kept: to map it again costs far less than that. */
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private static final Logger log = LoggerFactory.getLogger(SharedArray.class);

    private record Key(UUID id, boolean isReadOnly) {}

    /** Null for what was made here: nobody else gets at that. */
    private final @Nullable Key key;

    private final SharedMemoryFile file;
    private final Mapping mapping;

    private int users = 1;

    private boolean isFileClosed;

    /** Whether there may be buffers that a user gave out who has been collected: they stay valid. */
    private boolean wasForgotten;

    /** Who passed it last to a task of this worker; null in other processes, and for what is no part of an input. */
    private @Nullable Location origin;

    /** Watches over it from its first time without a user on; null if nobody does. */
    private @Nullable Idle idle;

    /** Since when it has had no user. */
    private long idleSince;

    private MappedFile(@Nullable Key key, SharedMemoryFile file, Mapping mapping) {
        this.key = key;
        this.file = file;
        this.mapping = mapping;
    }

    /** Makes one, for one user; see {@link SharedMemoryFile#create}. */
    static MappedFile make(Means means, Contents contents, @Nullable Filler filler) throws IOException {
        SharedMemoryFile file = SharedMemoryFile.create(means.places(), means.passing(), contents, filler);
        return new MappedFile(null, file, map(file, means.mapper(), false));
    }

    /** What the handle leads to, for one user more; see {@link SharedMemoryFile#open}. */
    static MappedFile open(SharedMemoryHandle handle) throws IOException {
        Key key = new Key(handle.contents().id(), handle.isReadOnly());
        synchronized (OPENED) {
            MappedFile opened = OPENED.get(key);
            if (opened != null) {
                opened.file.requireContents(handle.contents());
                opened.users++;
            } else {
                SharedMemoryFile file = SharedMemoryFile.open(handle);
                opened = new MappedFile(key, file, map(file, Mapping.PREFERRED, handle.isReadOnly()));
                OPENED.put(key, opened);
            }
            if (IncomingValue.present() != null) {
                opened.origin = handle.location();
            }
            if (handle.receipt() != SharedMemoryHandle.NO_RECEIPT) {
                opened.leaveReceipt(handle.receipt());
            }
            return opened;
        }
    }

    private void leaveReceipt(long receipt) {
        try {
            file.leaveReceipt(receipt);
        } catch (IOException e) {
            log.debug("The worker will keep the shared array of {} open for a while", file.contents(), e);
        }
    }

    private static Mapping map(SharedMemoryFile file, Mapping.Mapper mapper, boolean isReadOnly) throws IOException {
        boolean isMapped = false;
        try {
            Undisturbed.Action<Mapping> mapIt = () -> mapper.map(
                    file.channel(),
                    SharedMemoryFile.HEADER_BYTES,
                    file.contents().mappedBytes(),
                    isReadOnly);
            Mapping mapping = file.isShared() ? Undisturbed.call(mapIt) : mapIt.run();
            isMapped = true;
            return mapping;
        } finally {
            if (!isMapped) {
                file.release();
            }
        }
    }

    SharedMemoryFile file() {
        return file;
    }

    Mapping mapping() {
        return mapping;
    }

    /**
     * One user less. After the last one it is closed, and unmapped as soon as this Java can; in a worker only when it has
     * not been used for a while, or who passed it has closed it.
     *
     * @throws IllegalStateException if an I/O operation is using one of its buffers; the user still counts
     */
    void leave() {
        synchronized (OPENED) {
            if (users > 1 || wasForgotten) {
                drop();
            } else if (origin != null) {
                users = 0;
                idleSince = System.nanoTime();
                if (idle == null) {
                    idle = new Idle();
                    Keeper.SHARED.keep(idle);
                }
            } else {
                mapping.close();
                drop();
            }
        }
    }

    /** One user less, who has been collected. What buffers are left keep it mapped. */
    void forget() {
        synchronized (OPENED) {
            wasForgotten = true;
            drop();
        }
    }

    private void drop() {
        users = Math.max(0, users - 1);
        if (users == 0) {
            closeFile();
        }
    }

    /** Closes the file, which nobody finds by a handle any more. It stays mapped. Once is enough. */
    void closeFile() {
        synchronized (OPENED) {
            if (isFileClosed) {
                return;
            }
            isFileClosed = true;
            if (key != null) {
                OPENED.remove(key);
            }
            file.release();
        }
    }

    /** Ends it when it has had no user for a while. */
    private final class Idle implements Keeper.Kept {
        @Override
        public boolean isGone(long now) {
            synchronized (OPENED) {
                if (users == 0 && !wasForgotten) { // who has forgotten it has dropped it, too
                    if (now - idleSince < IDLE_NANOS && origin != null && file.isAt(origin)) {
                        return false;
                    }
                    try {
                        mapping.close();
                    } catch (IllegalStateException e) {
                        return false; // one of its buffers is in use
                    }
                    drop();
                }
                idle = null;
                return true;
            }
        }
    }
}
