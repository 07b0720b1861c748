package io.stratagem.processpool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A directory that only this user can read, for as long as a worker starts. */
final class PrivateDirectory implements AutoCloseable {

    private final Path path;

    private PrivateDirectory(Path path) {
        this.path = path;
    }

    static PrivateDirectory create() throws IOException {
        var onlyOurs = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        String prefix = "stratagem-" + ProcessHandle.current().pid() + "-";
        while (true) {
            // The name need not be secret, and a random one would take as long as all the rest.
            String suffix = Long.toString(System.nanoTime() & Long.MAX_VALUE, Character.MAX_RADIX);
            try {
                return new PrivateDirectory(Files.createDirectory(
                        Path.of(System.getProperty("java.io.tmpdir"), prefix + suffix), onlyOurs));
            } catch (FileAlreadyExistsException e) {
                // another thread's, or that of a process with our number in another container
            }
        }
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        delete(path);
    }

    /** Deletes it with the files in it, as far as that is possible. */
    static void delete(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(directory);
        } catch (IOException | UncheckedIOException e) {
            // Somebody else has deleted it, as is the rule in a worker.
            Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);
            log.debug("{} could not be deleted", directory, e);
        }
    }
}
