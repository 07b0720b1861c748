package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own, for what must be so from its start on. */
final class JvmRun {
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> options = new ArrayList<>(List.of("-XX:TieredStopAtLevel=1", "-Xmx64m"));
    private String classPath = System.getProperty("java.class.path");
    private String umask = "077";
    private String limits = "";

    JvmRun environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    JvmRun options(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Of the shell that starts it. */
    JvmRun umask(String mask) {
        umask = mask;
        return this;
    }

    /** At most so much memory may be mapped, stacks of threads included. */
    JvmRun maxAddressKilobytes(long kilobytes) {
        limits = "ulimit -v " + kilobytes + "; ";
        return this;
    }

    /** Before the class path of this JVM. */
    JvmRun classPath(Path first) {
        classPath = first + System.getProperty("path.separator") + classPath;
        return this;
    }

    /** Waits for its end, which must be a good one, and gives the lines that it printed. */
    List<String> lines(Path directory, Class<?> main, String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("sh", "-c", "umask " + umask + "; " + limits + "exec \"$@\"", "sh"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(List.of(arguments));
        Path printed = directory.resolve("printed");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(printed.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            boolean hasEnded = process.waitFor(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            assertThat(hasEnded && process.exitValue() == 0)
                    .as(() -> main.getSimpleName() + " has ended well; it printed " + read(printed))
                    .isTrue();
            return Files.readAllLines(printed);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
