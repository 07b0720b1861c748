package io.stratagem.processpool;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory that nobody but this user can enter: where the application and a worker that starts find each other. Any
 * thread may delete it.
 */
/* Its path can be seen by all. As long as it is there, nobody else can put something in its place, since
 * directories for temporary files are sticky; once it is gone, they can. So it is deleted by its path only once, and by
 * a worker, which does not know whether it is still there, in such a way that no link is followed.
 */
final class PrivateDirectory implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    /** The name after the process id is at most so long: a number of 63 bits. */
    private static final int SUFFIX_CHARS = 13;

    /** Those that could not be deleted yet. */
    private static final Set<PrivateDirectory> left = ConcurrentHashMap.newKeySet();

    /** The highest number in a name so far. */
    private static final AtomicLong lastTime = new AtomicLong();

    private final HostSystem system;
    private final Path path;

    /** It is there, and nobody is deleting it. */
    private final AtomicBoolean isThere = new AtomicBoolean();

    private volatile boolean mayBeGone;

    private PrivateDirectory(HostSystem system, Path path) {
        this.system = system;
        this.path = path;
    }

    static PrivateDirectory choose(HostSystem system) throws IOException {
        return choose(system, Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath());
    }

    /**
     * Finds a place and a name for one. It is not made yet.
     *
     * @param preferred where, unless the path of a socket would become too long
     */
    static PrivateDirectory choose(HostSystem system, Path preferred) throws IOException {
        String prefix = "stratagem-" + ProcessHandle.current().pid() + "-";
        Path parent = system.temporary(preferred, prefix.length() + SUFFIX_CHARS + LifeLine.SOCKET.length() + 2);
        // The name need not be secret, and a random one would take as long as all the rest.
        long time = System.nanoTime() & Long.MAX_VALUE;
        String suffix = Long.toString(
                lastTime.accumulateAndGet(time, (last, now) -> Math.max(last + 1, now)), Character.MAX_RADIX);
        return new PrivateDirectory(system, parent.resolve(prefix + suffix));
    }

    /**
     * Makes it, if it is not there yet.
     *
     * @return this
     * @throws FileAlreadyExistsException if somebody else has made it
     */
    PrivateDirectory create() throws IOException {
        for (PrivateDirectory each : left) {
            each.close();
        }
        if (!isThere.get()) {
            Files.createDirectory(path, HostSystem.forOwnerOnly(path.getFileSystem()));
            isThere.set(true);
        }
        return this;
    }

    Path socket() {
        return path.resolve(LifeLine.SOCKET);
    }

    Path page() {
        return path.resolve(LifeLine.PAGE);
    }

    Path path() {
        return path;
    }

    /** Deletes it if that can be done while its files are in use. */
    void closeEarly() {
        if (system.canDeleteOpenFiles()) {
            close();
        }
    }

    /** Deletes it, or tries that again when the next one is made. */
    @Override
    public void close() {
        if (!isThere.compareAndSet(true, false)) {
            return;
        }
        try {
            if (mayBeGone) {
                deleteSafely(path);
            } else {
                deleteKnown();
            }
            left.remove(this);
        } catch (IOException | DirectoryIteratorException e) {
            isThere.set(true);
            left.add(this);
            log.debug("{} cannot be deleted yet", path, e);
        }
    }

    /** As {@link #close}, after a worker that may have deleted it: somebody else may have put something in its place. */
    void closeAfterWorker() {
        mayBeGone = true;
        close();
    }

    /** By name, since to list it would load what a starting application otherwise does not need. */
    private void deleteKnown() throws IOException {
        Files.deleteIfExists(socket());
        Files.deleteIfExists(page());
        try {
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException e) {
            deletePlainly(path); // copies of jars
        }
    }

    private static void deletePlainly(Path directory) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            return;
        }
        Files.deleteIfExists(directory);
    }

    /** Deletes one of an application that is gone, if it is still there. */
    static void deleteLeft(Path directory) {
        try {
            deleteSafely(directory);
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("{} cannot be deleted", directory, e); // as a rule it is not there
        }
    }

    private static void deleteSafely(Path directory) throws IOException {
        try (DirectoryStream<Path> parent =
                Files.newDirectoryStream(directory.toAbsolutePath().getParent())) {
            if (parent instanceof SecureDirectoryStream<Path> secure) {
                deleteSecurely(secure, directory.getFileName());
            } else if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                deletePlainly(directory);
            }
        } catch (NoSuchFileException e) {
            log.debug("{} is gone", directory, e);
        }
    }

    private static void deleteSecurely(SecureDirectoryStream<Path> parent, Path name) throws IOException {
        try (SecureDirectoryStream<Path> directory = parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
            for (Path file : directory) {
                directory.deleteFile(file.getFileName());
            }
        }
        parent.deleteDirectory(name);
    }
}
