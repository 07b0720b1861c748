package io.stratagem.examples;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A directory that is gone when it is closed, or when the JVM ends, by Ctrl-C too; unless it is kept. Any thread may
 * use it.
 */
final class TemporaryDirectory implements AutoCloseable {
    private static final int ATTEMPTS = 10;

    private final Path path;
    private boolean isKept;
    private boolean isClosed;

    private TemporaryDirectory(Path path) {
        this.path = path;
    }

    static TemporaryDirectory create(String prefix) throws IOException {
        String name = prefix + ProcessHandle.current().pid() + "-";
        TemporaryDirectory directory = new TemporaryDirectory(Files.createTempDirectory(name));
        Runtime.getRuntime().addShutdownHook(new Thread(directory::close, "delete " + directory.path));
        return directory;
    }

    Path path() {
        return path;
    }

    /** The place for something, with the directories above it made. */
    synchronized Path place(Path relative) throws IOException {
        if (isClosed) {
            throw new IOException("the program ends");
        }
        Path place = path.resolve(relative);
        Files.createDirectories(place.getParent());
        return place;
    }

    /** Leaves it for the user. */
    synchronized void keep() {
        isKept = true;
    }

    /** Deletes it, unless it is kept. Tries more than once: after Ctrl-C, tasks may still be writing. */
    @Override
    public synchronized void close() {
        isClosed = true;
        for (int attempt = 1; !isKept && Files.exists(path); attempt++) {
            try {
                MoreFiles.deleteRecursively(path, RecursiveDeleteOption.ALLOW_INSECURE);
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw new UncheckedIOException("left behind: " + path, e);
                }
            }
        }
    }
}
