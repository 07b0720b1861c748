package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemory.Means;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the tests of shared memory have in common. */
final class SharedMemoryFixture {
    private SharedMemoryFixture() {}

    /** All ways in which memory is shared on any system and Java, of those that work on this one. */
    static Stream<Means> allMeans() {
        return Stream.of(Passing.PREFERRED, Passing.BY_NAME)
                .distinct()
                .flatMap(passing -> Stream.of(Mapping.PREFERRED, Mapping.COLLECTED)
                        .distinct()
                        .map(mapper -> new Means(List.of(TestPlace.PATH), passing, mapper)));
    }

    /** Whether what is closed is unmapped at once. */
    static boolean hasArenas() {
        return Runtime.version().feature() >= ArenaMapping.FROM_JAVA;
    }

    static SharedArray array(Means means, SharedArray.Type type, long length) {
        return SharedArray.create(means, type, length, null);
    }

    static byte[] written(Object value) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(value);
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Object read(byte[] bytes) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return in.readObject();
        }
    }

    /** As it would arrive elsewhere. */
    @SuppressWarnings("unchecked")
    static <T> T passed(T value) throws IOException, ClassNotFoundException {
        return (T) read(written(value));
    }

    /** The files of shared memory there that have a name. */
    static List<Path> namedFiles(Path place) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(place, "stratagem-*.shared")) {
            List<Path> found = new ArrayList<>();
            files.forEach(found::add);
            return found;
        }
    }

    /** How many descriptors of shared memory this process has. */
    static long descriptors() {
        return descriptors(ProcessHandle.current().pid(), ".shared");
    }

    /** How many descriptors that process has of shared memory whose file has such a name. */
    static long descriptors(long pid, String name) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            long count = 0;
            for (Path each : all) {
                count += leadsTo(each, name) ? 1 : 0;
            }
            return count;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean leadsTo(Path descriptor, String name) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.contains(".shared") && target.contains(name);
        } catch (IOException e) {
            return false; // the one that reads the directory
        }
    }

    /** How many mappings of shared memory this process has. */
    static long mappings() {
        return mappings(ProcessHandle.current().pid(), ".shared");
    }

    /** How many mappings that process has of shared memory whose file has such a name. */
    static long mappings(long pid, String name) {
        try (Stream<String> maps = Files.lines(Path.of("/proc/" + pid + "/maps"))) {
            return maps.filter(line -> line.contains(".shared") && line.contains(name))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
