package io.stratagem.batchedipc;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How other processes get at the file behind shared memory: all that differs between systems. */
enum Passing {
    /**
     * By a descriptor of a process that has it open. The file has no name any more, so nothing can be left of it. Needs
     * Linux and its {@code /proc}.
     */
    BY_DESCRIPTOR {
        @Override
        void begin(Path file) throws IOException {
            Files.deleteIfExists(file); // a sweep may have been faster
        }

        @Override
        String text(Path file) throws IOException {
            return file.toRealPath() + " (deleted)"; // as the system names it in /proc
        }

        @Override
        Location locate(String text) throws IOException {
            try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(OWN_DESCRIPTORS)) {
                for (Path each : descriptors) {
                    if (text.equals(link(each))) {
                        int descriptor = Integer.parseInt(each.getFileName().toString());
                        return new Location(ProcessHandle.current().pid(), descriptor, "");
                    }
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
            throw new IOException("none of this process's descriptors is " + text);
        }

        @Override
        boolean isAt(Location location, String text) {
            return text.equals(link(location.toOpen()));
        }

        @Override
        void end(Path file) {}
    },

    /** By a name, which the process that made it deletes when it closes it, or ends; the sweep of others if it is killed. */
    BY_NAME {
        @Override
        void begin(Path file) {
            NamesLeft.add(file);
        }

        @Override
        String text(Path file) {
            return file.toAbsolutePath().toString();
        }

        @Override
        Location locate(String text) {
            return new Location(0, -1, text);
        }

        @Override
        boolean isAt(Location location, String text) {
            return Files.exists(location.toOpen());
        }

        @Override
        void end(Path file) {
            NamesLeft.delete(file);
        }
    };

    private static final Path OWN_DESCRIPTORS = Path.of("/proc/self/fd");

    /** What this system has. */
    static final Passing PREFERRED = hasProcesses() ? BY_DESCRIPTOR : BY_NAME;

    /** Also false where {@code /proc} is that of other processes than ours. */
    private static boolean hasProcesses() {
        try {
            String self = Long.toString(ProcessHandle.current().pid());
            return Files.isDirectory(OWN_DESCRIPTORS)
                    && Files.readSymbolicLink(Path.of("/proc/self")).endsWith(self);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /**
     * Where another process finds the file.
     *
     * @param process that has it open
     * @param descriptor its number there; -1 if the file has a name
     * @param path the name, or empty
     */
    record Location(long process, int descriptor, String path) {
        Passing passing() {
            return descriptor < 0 ? BY_NAME : BY_DESCRIPTOR;
        }

        /** What to open. It may be anything, since who made the location may be anybody. */
        Path toOpen() {
            return descriptor < 0 ? Path.of(path) : Path.of("/proc/" + process + "/fd/" + descriptor);
        }

        /** What {@link Passing#locate} of this process needs, once it has opened it. */
        String text() throws IOException {
            return descriptor < 0 ? path : Files.readSymbolicLink(toOpen()).toString();
        }
    }

    /** The file has just been made, and is locked. */
    abstract void begin(Path file) throws IOException;

    /** What {@link #locate} finds a file by that is about to be made. */
    abstract String text(Path file) throws IOException;

    /** Where others find the file, while this process has it open. */
    abstract Location locate(String text) throws IOException;

    /** Whether the file with that text is still where {@link #locate} of another process has found it. */
    abstract boolean isAt(Location location, String text);

    /** The process that made the file has closed it. */
    abstract void end(Path file);

    private static @Nullable String link(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return null; // closed meanwhile, as the one that reads the directory will be
        }
    }

    /** Deletes the files with names when the JVM ends. */
    private static final class NamesLeft {
        private static final Logger log = LoggerFactory.getLogger(SharedArray.class);
        private static final Set<Path> files = ConcurrentHashMap.newKeySet();

        static {
            Runtime.getRuntime()
                    .addShutdownHook(
                            new Thread(() -> files.forEach(NamesLeft::delete), "stratagem-shared-memory-exit"));
        }

        static void add(Path file) {
            files.add(file);
        }

        static void delete(Path file) {
            try {
                Files.deleteIfExists(file);
                files.remove(file);
            } catch (IOException e) {
                log.debug("{} cannot be deleted yet", file, e); // where mapped files cannot: at the end, or by a sweep
            }
        }
    }
}
