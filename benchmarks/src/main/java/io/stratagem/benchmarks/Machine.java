package io.stratagem.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What programs can be run with here.
 *
 * @param jdk the JDK for programs that do not ask for another
 * @param newestJdk the newest one installed
 * @param pythons the Python interpreters installed, the preferred one first
 * @param cCompiler the C compiler, if there is one
 * @param classPath our classes and the peers'
 * @param scripts the folder of the Python programs
 */
public record Machine(
        Jdk jdk, Jdk newestJdk, List<Python> pythons, Optional<Path> cCompiler, String classPath, Path scripts) {

    /*
     * The same for every JVM. A heap of fixed size never grows while it is measured. The parallel collector has no
     * threads of its own that would take a core from the contestants between collections, and the cheapest barriers,
     * so that it shows the contestants and not itself; its pauses count for whoever causes them. The young generation
     * is fixed, or its resizing would make the first rounds of a process differ from the later ones.
     */
    static final List<String> JVM_FLAGS = List.of("-Xms2g", "-Xmx2g", "-Xmn1g", "-XX:+UseParallelGC");

    /** This machine, with the class path of this process. */
    static Machine here(Path scripts) {
        return new Machine(
                Jdk.current(),
                Jdk.newest(),
                Python.installed(),
                onPath("cc"),
                System.getProperty("java.class.path"),
                scripts);
    }

    private static Optional<Path> onPath(String command) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.of(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, command))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** The folder of the C programs, next to that of the Python programs. */
    Path cPrograms() {
        return scripts.resolveSibling("c");
    }

    /** The first Python that has these modules. */
    Optional<Python> python(List<String> modules) {
        return pythons.stream().filter(python -> python.has(modules)).findFirst();
    }

    /** Cores, memory, system, and what the programs are run with: one line each. */
    List<String> describe() {
        return List.of(
                "machine: " + cpuModel() + ", " + Runtime.getRuntime().availableProcessors() + " cores, " + memoryGib()
                        + " GiB",
                "system:  " + System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                "java:    " + jdk,
                "newest:  " + newestJdk,
                "python:  " + pythons.stream().findFirst().map(Python::describe).orElse("none"),
                "cc:      " + cCompiler.map(Path::toString).orElse("none"),
                "flags:   " + String.join(" ", JVM_FLAGS));
    }

    private static String cpuModel() {
        return field("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch"));
    }

    private static String memoryGib() {
        return field("/proc/meminfo", "MemTotal")
                .map(text -> Long.parseLong(text.replaceAll("\\D", "")) / 1024.0 / 1024.0)
                .map(gib -> String.format(Locale.ROOT, "%.0f", gib))
                .orElse("?");
    }

    /** The value behind the colon in the first line that begins with that key; none where there is no such file. */
    private static Optional<String> field(String file, String key) {
        try (Stream<String> lines = Files.lines(Path.of(file))) {
            return lines.filter(line -> line.startsWith(key))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
