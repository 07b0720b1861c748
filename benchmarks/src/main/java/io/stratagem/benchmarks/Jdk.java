package io.stratagem.benchmarks;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/** An installed JDK or JRE. */
public record Jdk(Path home, Runtime.Version version) {

    private static final String USER_HOME = System.getProperty("user.home");

    /** Where systems and version managers put JDKs: one folder each. */
    private static final List<Path> PARENTS = List.of(
            Path.of("/usr/lib/jvm"),
            Path.of("/usr/java"),
            Path.of("/opt"),
            Path.of("/opt/java"),
            Path.of(USER_HOME, ".jdks"),
            Path.of(USER_HOME, ".sdkman", "candidates", "java"));

    /** The one this process runs on. */
    static Jdk current() {
        return new Jdk(Path.of(System.getProperty("java.home")), Runtime.version());
    }

    /** The newest one to be found. */
    static Jdk newest() {
        return Stream.concat(Stream.of(current()), PARENTS.stream().flatMap(Jdk::in))
                .max(Comparator.comparing(Jdk::version))
                .orElseThrow();
    }

    private static Stream<Jdk> in(Path parent) {
        if (!Files.isDirectory(parent)) {
            return Stream.empty();
        }
        try (Stream<Path> homes = Files.list(parent)) {
            return homes.map(Jdk::at).flatMap(Optional::stream).toList().stream();
        } catch (IOException e) {
            return Stream.empty(); // not for us to read, so not for us to run
        }
    }

    /** The JDK in that folder, by its {@code release} file. */
    static Optional<Jdk> at(Path home) {
        Path release = home.resolve("release");
        if (!Files.isReadable(release) || !Files.isExecutable(java(home))) {
            return Optional.empty();
        }
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(release)) {
            properties.load(reader);
            String version = properties.getProperty("JAVA_VERSION", "").replace("\"", "");
            return Optional.of(new Jdk(home, Runtime.Version.parse(version)));
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // no JDK that we understand
        }
    }

    int feature() {
        return version.feature();
    }

    String java() {
        return java(home).toString();
    }

    private static Path java(Path home) {
        return home.resolve("bin").resolve("java");
    }

    @Override
    public String toString() {
        return "JDK " + version + " (" + home + ")";
    }
}
