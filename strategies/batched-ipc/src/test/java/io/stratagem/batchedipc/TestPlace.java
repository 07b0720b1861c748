package io.stratagem.batchedipc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the files of the tests of this JVM are made: in the best place, and not among those of others. */
final class TestPlace {
    static final Path PATH = make();

    private TestPlace() {}

    private static Path make() {
        try {
            Path place = Files.createTempDirectory(SharedMemoryFile.places().get(0), "stratagem-tests-");
            place.toFile().deleteOnExit();
            return place;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
