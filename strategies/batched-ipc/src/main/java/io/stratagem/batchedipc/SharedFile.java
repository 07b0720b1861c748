package io.stratagem.batchedipc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file to be mapped by two processes, in memory if there is room, and nobody else's to read. Its space is there before
 * it is used. Any thread may call its methods; they block as long as the file system takes.
 */
/* Who owns a file says an exclusive lock that its creator holds until it has deleted it: the system gives the lock back
 * when that process ends, however it ends. A pid would not do, since containers may share the directory and not the pids.
 *
 * A process that closes any channel of a file loses all its locks on that file (POSIX). So a sweep does not open what
 * belongs to its own process, and recognises that by the name: besides the pid it has a number that this process has
 * drawn, kept as a system property, since there may be several copies of this class in several class loaders.
 *
 * A sweep of another process may come between the creation of a file and its lock. Either it holds the lock at that
 * moment, or the file has been deleted when the creator has the lock: both are seen, and another file is made.
 */
final class SharedFile implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SharedFile.class);

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final Pattern NAME = Pattern.compile("stratagem-[0-9]+-[0-9a-z]+-[0-9a-z]+\\.shared");
    private static final String PROCESS_PROPERTY = "io.stratagem.batchedipc.process";
    private static final AtomicLong lastNumber = new AtomicLong();

    private static final int CHUNK_BYTES = 1 << 16;
    private static final int ATTEMPTS = 100;

    private final Path path;
    private final FileChannel channel;
    private final long bytes;

    private SharedFile(Path path, FileChannel channel, long bytes) {
        this.path = path;
        this.channel = channel;
        this.bytes = bytes;
    }

    /** Where files go, best first: the RAM disk, where the system has one, and the directory for temporary files. */
    static List<Path> places() {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
        return Files.isDirectory(MEMORY) && Files.isWritable(MEMORY) ? List.of(MEMORY, temporary) : List.of(temporary);
    }

    /**
     * Makes one in the first place that has room for it.
     *
     * @throws IOException if none has; it says what each has, and what to do
     */
    static SharedFile create(List<Path> places, long bytes) throws IOException {
        List<IOException> failures = new ArrayList<>();
        List<String> lacks = new ArrayList<>();
        for (Path place : places) {
            try {
                long free = Files.getFileStore(place).getUsableSpace();
                if (free < bytes) { // looked at first, so as not to fill a disk that others use, too, for nothing
                    throw new IOException("not enough space");
                }
                return createIn(place, bytes);
            } catch (ClosedByInterruptException e) {
                throw e;
            } catch (IOException e) {
                failures.add(e);
                lacks.add(place + " (" + freeBytes(place) + "; " + e.getMessage() + ")");
            }
        }
        IOException failure = new IOException("no place for " + bytes + " bytes of shared memory: "
                + String.join(", ", lacks) + ". Free some there, enlarge the RAM disk (of a container: --shm-size),"
                + " or name another directory for temporary files by -Djava.io.tmpdir=…");
        failures.forEach(failure::addSuppressed);
        throw failure;
    }

    private static String freeBytes(Path place) {
        try {
            return Files.getFileStore(place).getUsableSpace() + " bytes free";
        } catch (IOException e) {
            return "free space unknown";
        }
    }

    private static SharedFile createIn(Path directory, long bytes) throws IOException {
        for (int i = 0; i < ATTEMPTS; i++) {
            Path path = directory.resolve(ownPrefix() + Long.toString(lastNumber.incrementAndGet(), 36) + ".shared");
            SharedFile file;
            try {
                file = new SharedFile(path, openNew(path), bytes);
            } catch (FileAlreadyExistsException e) {
                continue; // of another copy of this class
            }
            try {
                if (file.own()) {
                    file.reserve();
                    return file;
                }
                file.channel.close(); // and the sweep deletes it
            } catch (IOException | RuntimeException e) {
                file.close();
                throw e;
            }
        }
        throw new IOException("new files were swept away again and again");
    }

    private static FileChannel openNew(Path path) throws IOException {
        Set<OpenOption> options =
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileAttribute<?>[] attributes =
                path.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                        }
                        : new FileAttribute<?>[0]; // there the directory's access list is inherited
        return FileChannel.open(path, options, attributes);
    }

    /** Takes the lock for good; false if a sweep was faster. */
    private boolean own() throws IOException {
        FileLock lock = channel.tryLock();
        return lock != null && Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    /** Writes every page: on a full RAM disk mapping succeeds, and the first access to the memory is an error. */
    private void reserve() throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(bytes, CHUNK_BYTES));
        for (long at = 0; at < bytes; ) {
            zeros.clear().limit((int) Math.min(bytes - at, zeros.capacity()));
            at += channel.write(zeros, at);
        }
    }

    Path path() {
        return path;
    }

    /** Open as long as this is; to close it gives the file up. */
    FileChannel channel() {
        return channel;
    }

    /** All of it, if that is less than 2 GiB. It stays mapped until nobody can reach the buffer any more. */
    MappedByteBuffer map() throws IOException {
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
    }

    /** Removes its name; who has opened or mapped it keeps it. Nothing if that has been done. */
    void unlink() throws IOException {
        Files.deleteIfExists(path); // no other file gets this name
    }

    /** Gives it up, and removes its name if that has not been done. */
    @Override
    public void close() throws IOException {
        try (channel) {
            unlink(); // before the lock is given back, so that it is never a file without an owner
        }
    }

    // ---------------------------------------------------------------------------------------------- the sweep

    /** Deletes the files of this user in that directory whose creators have ended without doing so. */
    static void sweep(Path directory) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, SharedFile::isOfOthers)) {
            UserPrincipal user = null;
            for (Path file : files) {
                user = user == null ? currentUser(directory) : user;
                sweep(file, user);
            }
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("{} cannot be swept", directory, e);
        }
    }

    private static boolean isOfOthers(Path file) {
        String name = file.getFileName().toString();
        return NAME.matcher(name).matches() && !name.startsWith(ownPrefix());
    }

    private static void sweep(Path file, UserPrincipal user) {
        try {
            boolean isOurs = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                            .isRegularFile()
                    && Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).equals(user);
            if (isOurs) {
                deleteIfOrphan(file);
            }
        } catch (IOException e) {
            log.debug("{} cannot be swept", file, e); // as a rule it has just been deleted by its owner
        }
    }

    private static void deleteIfOrphan(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.delete(file);
                log.debug("{} was left behind, and is deleted", file);
            }
        }
    }

    /** The names of all files of this process begin so, and those of no other. */
    private static String ownPrefix() {
        Object process = System.getProperties()
                .computeIfAbsent(PROCESS_PROPERTY, key -> Long.toString(new SplittableRandom().nextLong() >>> 1, 36));
        return "stratagem-" + ProcessHandle.current().pid() + "-" + process + "-";
    }

    private static UserPrincipal currentUser(Path directory) throws IOException {
        Path self = Path.of("/proc/self");
        return Files.isDirectory(self)
                ? Files.getOwner(self)
                : directory
                        .getFileSystem()
                        .getUserPrincipalLookupService()
                        .lookupPrincipalByName(System.getProperty("user.name"));
    }
}
