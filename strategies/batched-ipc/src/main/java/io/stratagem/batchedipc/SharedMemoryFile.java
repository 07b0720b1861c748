package io.stratagem.batchedipc;

import io.stratagem.batchedipc.Passing.Location;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file whose pages are shared memory: made in the RAM disk if that has room, with all its pages reserved, and gone with
 * the last process that has it open or mapped. Any thread may use it.
 */
/* Life. The maker creates it for its owner only, locks it, and deletes its name at once (Passing.BY_DESCRIPTOR): the
 * system frees it when nobody has it open or mapped any more, after a kill as well. If the maker is killed in between, or
 * where names stay (BY_NAME), a sweep deletes it: the next process that makes a file in the same directory looks for
 * files of its own user whose lock it can take. The lock decides, not the process id in the name, since containers may
 * share the directory but not the process ids. A sweep that comes between the creation and the lock does no harm: where
 * the name goes anyway, it may; where it stays, the maker sees it and begins again.
 *
 * Locks belong to the process. Closing any channel of a file gives up the lock that the process has on it, so a process
 * never opens a file twice: OPEN has those it has open, with a count of holders, and the sweep passes over files with the
 * process's own mark. That a process has one descriptor for a file also tells which of them to name to others.
 *
 * A thread that is interrupted closes the channel it is at. Nothing is done with the channel of a complete file but
 * mapping it; if others use the file as well, on a thread that nobody can interrupt.
 *
 * Pages are reserved by writing them: on a full RAM disk mapping succeeds, and the first access to a page that cannot be
 * had is an InternalError.
 */
final class SharedMemoryFile {
    /**
     * The first page describes the rest. Whoever opens the file by the word of another process believes only what stands
     * here, since descriptor numbers are used again.
     */
    //  0       8         16       24     28   32       40   64                      4096
    //  | magic | id high | id low | type | 0  | length | 0  | receipts, or 0, of 8 B | elements, in native byte order
    static final int HEADER_BYTES = 4096;

    private static final int MAGIC_OFFSET = 0;
    private static final int ID_OFFSET = 8;
    private static final int TYPE_OFFSET = 24;
    private static final int LENGTH_OFFSET = 32;
    private static final int USED_HEADER_BYTES = 40;
    private static final int RECEIPTS_OFFSET = 64;
    private static final int RECEIPTS = (HEADER_BYTES - RECEIPTS_OFFSET) / Long.BYTES;
    private static final long MAGIC = 0x5374_7261_7461_0001L;

    /** How much is written at once: few system calls, and small enough to stay in a core's cache. */
    private static final int PIECE_BYTES = 256 * 1024;

    private static final Logger log = LoggerFactory.getLogger(SharedArray.class);
    private static final Path RAM_DISK = Path.of("/dev/shm");
    private static final String SUFFIX = ".shared";
    private static final Pattern NAME = Pattern.compile("stratagem-(\\d+-[0-9a-z]+)-[0-9a-f]{32}" + SUFFIX);

    /** In the names of this process's files: its number and start, so that no other process on earth has it. */
    private static final String OWN_MARK = ProcessHandle.current().pid()
            + "-"
            + Long.toString(
                    ProcessHandle.current()
                            .info()
                            .startInstant()
                            .map(Instant::toEpochMilli)
                            .orElse(0L),
                    Character.MAX_RADIX);

    /** The files that this process has open. Guarded by itself, as are their holders, also while one is opened or closed. */
    private static final Map<UUID, SharedMemoryFile> OPEN = new HashMap<>();

    /** Where this process has swept. */
    private static final Set<Path> SWEPT = ConcurrentHashMap.newKeySet();

    /** Writes what a file is to contain at first. */
    @FunctionalInterface
    interface Filler {
        /**
         * Fills the buffer up to its limit.
         *
         * @param piece in native byte order
         * @param at where it belongs, in bytes from the first element
         */
        void fill(ByteBuffer piece, long at);
    }

    /** Takes what a file contains. */
    @FunctionalInterface
    interface Taker {
        /**
         * Takes the buffer up to its limit.
         *
         * @param piece in native byte order
         * @param at where it is from, in bytes from the first element
         */
        void take(ByteBuffer piece, long at);
    }

    /**
     * What is in a file.
     *
     * @param id that no other file has
     * @param type of its elements
     * @param length how many elements
     */
    record Contents(UUID id, SharedArray.Type type, long length) {
        long bytes() {
            return length * type.bytes();
        }

        /** An empty mapping is more trouble than one byte. */
        long mappedBytes() {
            return Math.max(1, bytes());
        }

        private ByteBuffer header() {
            return ByteBuffer.allocate(HEADER_BYTES)
                    .putLong(MAGIC_OFFSET, MAGIC)
                    .putLong(ID_OFFSET, id.getMostSignificantBits())
                    .putLong(ID_OFFSET + Long.BYTES, id.getLeastSignificantBits())
                    .putInt(TYPE_OFFSET, type.code())
                    .putLong(LENGTH_OFFSET, length);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%,d %ss", length, type);
        }
    }

    private final Contents contents;
    private final FileChannel channel;
    private final Passing passing;

    /** What {@link Passing#locate} finds it by. */
    private final String text;

    /** The name, in the process that made it; null in others. */
    private final @Nullable Path made;

    /** Guarded by OPEN. */
    private int holders = 1;

    /** Whether it has been given to more than one; guarded by OPEN. */
    private boolean isShared;

    /** Found when first asked for; guarded by OPEN. */
    private @Nullable Location location;

    private SharedMemoryFile(
            Contents contents, FileChannel channel, Passing passing, String text, @Nullable Path made) {
        this.contents = contents;
        this.channel = channel;
        this.passing = passing;
        this.text = text;
        this.made = made;
    }

    // ---------------------------------------------------------------------------------------------- making

    /** Where files are made: the RAM disk if there is one, else the directory for temporary files. */
    static List<Path> places() {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
        return Files.isDirectory(RAM_DISK) && Files.isWritable(RAM_DISK) && !RAM_DISK.equals(temporary)
                ? List.of(RAM_DISK, temporary)
                : List.of(temporary);
    }

    /**
     * Makes one in the first place that has room, with one holder.
     *
     * @param filler what it is to contain; null for zeros
     * @throws ClosedByInterruptException if the thread is interrupted; nothing is left then
     * @throws NoRoomException if no place has room
     */
    static SharedMemoryFile create(List<Path> places, Passing passing, Contents contents, @Nullable Filler filler)
            throws IOException {
        StringJoiner tried = new StringJoiner("; ");
        List<IOException> causes = new ArrayList<>();
        for (Path place : places) {
            try {
                long room = Files.getFileStore(place).getUsableSpace();
                if (room < HEADER_BYTES + contents.mappedBytes()) {
                    tried.add(String.format("%s has %,d free", place, room));
                } else {
                    return createIn(place, passing, contents, filler);
                }
            } catch (ClosedByInterruptException e) {
                throw e;
            } catch (IOException e) {
                tried.add(place + " says " + e.getMessage());
                causes.add(e);
            }
        }
        NoRoomException failure = new NoRoomException(String.format(
                "No room for a shared array of %s (%,d bytes): %s. Close arrays that are not needed any more, make the"
                        + " RAM disk larger (mount -o remount,size=... /dev/shm; in a container --shm-size=...), or set"
                        + " java.io.tmpdir to a directory with more room",
                contents, contents.bytes(), tried));
        causes.forEach(failure::addSuppressed);
        throw failure;
    }

    private static SharedMemoryFile createIn(Path place, Passing passing, Contents contents, @Nullable Filler filler)
            throws IOException {
        while (true) {
            Path path = place.resolve(
                    "stratagem-" + OWN_MARK + "-" + UUID.randomUUID().toString().replace("-", "") + SUFFIX);
            FileChannel channel = FileChannel.open(
                    path,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    forOwnerOnly(path));
            boolean isComplete = false;
            try {
                String text = passing.text(path);
                UserPrincipal owner = Files.getOwner(path, LinkOption.NOFOLLOW_LINKS);
                FileLock lock = channel.tryLock();
                passing.begin(path);
                if (SWEPT.add(place)) {
                    sweep(place, owner);
                }
                if (passing == Passing.BY_NAME && (lock == null || !Files.exists(path))) {
                    continue; // a sweep of another process has found it before it was locked
                }
                fill(channel, contents, filler);
                SharedMemoryFile file = new SharedMemoryFile(contents, channel, passing, text, path);
                synchronized (OPEN) {
                    OPEN.put(contents.id(), file);
                }
                isComplete = true;
                return file;
            } catch (NoSuchFileException e) {
                log.debug("{} was swept before it was locked", path, e); // so again
            } finally {
                if (!isComplete) {
                    Files.deleteIfExists(path);
                    channel.close();
                    passing.end(path);
                }
            }
        }
    }

    private static FileAttribute<?>[] forOwnerOnly(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0]; // the directory for temporary files is the user's own there
    }

    private static void fill(FileChannel channel, Contents contents, @Nullable Filler filler) throws IOException {
        write(channel, contents.header(), 0);
        long bytes = contents.mappedBytes();
        ByteBuffer piece =
                ByteBuffer.allocateDirect((int) Math.min(bytes, PIECE_BYTES)).order(ByteOrder.nativeOrder());
        for (long at = 0; at < bytes; at += piece.limit()) {
            piece.clear().limit((int) Math.min(bytes - at, piece.capacity()));
            if (filler != null && contents.bytes() > 0) {
                filler.fill(piece, at);
                piece.rewind();
            }
            write(channel, piece, HEADER_BYTES + at);
        }
    }

    private static void write(FileChannel channel, ByteBuffer buffer, long at) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer, at + buffer.position());
        }
    }

    /** Deletes what processes have left that are gone. */
    static void sweep(Path place, UserPrincipal owner) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(place, "stratagem-*" + SUFFIX)) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches() && !name.group(1).equals(OWN_MARK)) {
                    sweepOne(file, owner);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("Nothing could be swept in {}", place, e);
        }
    }

    private static void sweepOne(Path file, UserPrincipal owner) {
        try {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    || !Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).equals(owner)) {
                return;
            }
            try (FileChannel channel = FileChannel.open(
                            file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                    FileLock lock = channel.tryLock()) {
                if (lock != null) {
                    Files.deleteIfExists(file);
                    log.info("Deleted {}, left by a process that is gone", file);
                }
            }
        } catch (NoSuchFileException e) {
            // its maker has deleted it
        } catch (IOException | OverlappingFileLockException e) {
            log.debug("{} cannot be swept", file, e);
        }
    }

    // ---------------------------------------------------------------------------------------------- opening

    /**
     * Opens the file that a handle leads to, or gives the one that this process has open, with one holder more.
     *
     * @throws ClosedByInterruptException if the thread is interrupted
     * @throws IOException with the reason, if it leads to nothing, or to anything but what it describes
     */
    static SharedMemoryFile open(SharedMemoryHandle handle) throws IOException {
        synchronized (OPEN) {
            SharedMemoryFile open = OPEN.get(handle.contents().id());
            if (open == null) {
                open = openAnew(handle);
                OPEN.put(open.contents.id(), open);
            } else {
                open.requireContents(handle.contents());
                open.holders++;
                open.isShared = true;
            }
            return open;
        }
    }

    /** Throws an exception with the reason if it is not what a handle describes. */
    void requireContents(Contents described) throws IOException {
        if (!contents.equals(described)) {
            throw new IOException("it contains " + contents);
        }
    }

    private static SharedMemoryFile openAnew(SharedMemoryHandle handle) throws IOException {
        Contents contents = handle.contents();
        Location location = handle.location();
        Path path = location.toOpen();
        String text;
        FileChannel channel;
        try {
            text = location.text();
            // A pipe would block, a device do who knows what; and a named file must be ours.
            if (!Files.isRegularFile(path) || !NAME.matcher(nameIn(text)).matches()) {
                throw new IOException("it is not there any more");
            }
            channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (NoSuchFileException e) {
            throw explained("it is closed there, or the process is gone", e);
        } catch (AccessDeniedException e) {
            throw explained("that process may not be looked into", e);
        }
        boolean isGood = false;
        try {
            verify(channel, contents);
            SharedMemoryFile file = new SharedMemoryFile(contents, channel, location.passing(), text, null);
            isGood = true;
            return file;
        } finally {
            if (!isGood) {
                channel.close();
            }
        }
    }

    private static IOException explained(String message, IOException cause) {
        return new IOException(message, cause);
    }

    private static String nameIn(String text) {
        int end = text.endsWith(" (deleted)") ? text.length() - " (deleted)".length() : text.length();
        return text.substring(text.lastIndexOf('/', end) + 1, end);
    }

    private static void verify(FileChannel channel, Contents contents) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(USED_HEADER_BYTES);
        while (header.hasRemaining() && channel.read(header, header.position()) >= 0) {
            // until it is full
        }
        ByteBuffer expected = contents.header().limit(USED_HEADER_BYTES);
        if (header.hasRemaining() || !header.flip().equals(expected)) {
            throw new IOException("it is closed there, and another file is in its place");
        }
        if (channel.size() < HEADER_BYTES + contents.mappedBytes()) {
            throw new FileNotFoundException("its file has been cut to " + channel.size() + " bytes");
        }
    }

    // ---------------------------------------------------------------------------------------------- use

    /** How many this process has open. */
    static int openCount() {
        synchronized (OPEN) {
            return OPEN.size();
        }
    }

    Contents contents() {
        return contents;
    }

    /** Only for mapping. */
    FileChannel channel() {
        return channel;
    }

    /** Whether an interrupt of who maps it would harm others. */
    boolean isShared() {
        synchronized (OPEN) {
            return isShared;
        }
    }

    /** Whether another process still has it open there. */
    boolean isAt(Location other) {
        return other.passing().isAt(other, text);
    }

    /** Where others find it. Only while there is a holder. */
    Location location() throws IOException {
        synchronized (OPEN) {
            if (location == null) {
                location = passing.locate(text);
            }
            return location;
        }
    }

    /** Reads all elements in pieces, without mapping them. Not for threads that may be interrupted. */
    void read(Taker taker) throws IOException {
        long bytes = contents.bytes();
        ByteBuffer piece =
                ByteBuffer.allocateDirect((int) Math.min(bytes, PIECE_BYTES)).order(ByteOrder.nativeOrder());
        for (long at = 0; at < bytes; at += piece.limit()) {
            piece.clear().limit((int) Math.min(bytes - at, piece.capacity()));
            while (piece.hasRemaining()) {
                if (channel.read(piece, HEADER_BYTES + at + piece.position()) < 0) {
                    throw new FileNotFoundException("its file has been cut to " + channel.size() + " bytes");
                }
            }
            taker.take(piece.flip(), at);
        }
    }

    /**
     * Tells the process that has given it away that it has arrived.
     *
     * @param receipt to be left in the first page
     */
    void leaveReceipt(long receipt) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).putLong(receipt).flip();
        Undisturbed.call(() -> channel.write(bytes, receiptAt(receipt)));
    }

    /** Whether {@link #leaveReceipt} was called, in whatever process. Not for threads that may be interrupted. */
    boolean hasReceipt(long receipt) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
        return channel.read(bytes, receiptAt(receipt)) == Long.BYTES && bytes.getLong(0) == receipt;
    }

    /** Two that are under way may be given the same place: then one is not seen, which {@link GivenAway} can bear. */
    private static long receiptAt(long receipt) {
        return RECEIPTS_OFFSET + Long.BYTES * (long) Math.floorMod(receipt, RECEIPTS);
    }

    /** One holder less; the last one closes it. */
    void release() {
        synchronized (OPEN) {
            holders--;
            if (holders > 0) {
                return;
            }
            OPEN.remove(contents.id());
            try {
                channel.close();
            } catch (IOException e) {
                log.debug("The file of a shared array could not be closed", e);
            }
        }
        if (made != null) {
            passing.end(made);
        }
    }

    /** No place has room for a file. The message says what to do. */
    static final class NoRoomException extends IOException {
        private static final long serialVersionUID = 1;

        private NoRoomException(String message) {
            super(message);
        }
    }
}
