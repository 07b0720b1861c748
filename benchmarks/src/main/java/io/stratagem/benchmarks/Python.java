package io.stratagem.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** An installed Python interpreter. */
public record Python(Path executable) {

    /** The system's own, which has the distribution's packages, and then those on the {@code PATH}. */
    static List<Python> installed() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.concat(Stream.of("/usr/bin"), Stream.of(path.split(File.pathSeparator)))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, "python3"))
                .distinct()
                .filter(Files::isExecutable)
                .map(Python::new)
                .toList();
    }

    /** Whether it can import all of these. */
    boolean has(List<String> modules) {
        return modules.isEmpty()
                || output("-c", "import " + String.join(", ", modules)).isPresent();
    }

    /** Its version in words; its path if it does not say. */
    String describe() {
        return output("--version").orElse("Python") + " (" + executable + ")";
    }

    private Optional<String> output(String... arguments) {
        List<String> command = new ArrayList<>(List.of(executable.toString()));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? Optional.of(text) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
