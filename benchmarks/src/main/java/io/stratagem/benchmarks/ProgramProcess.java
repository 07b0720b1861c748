package io.stratagem.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One run of a program, from its start to its last metric line. Its output goes to files: no pipe can fill up. */
final class ProgramProcess {

    private static final int ERROR_LINES = 8;

    private final Path output;
    private final Path errors;

    private ProgramProcess(Path output, Path errors) {
        this.output = output;
        this.errors = errors;
    }

    /** Runs the command and gives the samples it printed. */
    static List<Sample> run(List<String> command, Duration limit)
            throws IOException, InterruptedException, ProgramFailedException {
        ProgramProcess run = new ProgramProcess(
                Files.createTempFile("benchmark", ".out"), Files.createTempFile("benchmark", ".err"));
        try {
            int exitCode = run.exitCode(command, limit);
            if (exitCode != 0) {
                throw run.failure("exit code " + exitCode);
            }
            List<Sample> samples = run.samples();
            if (samples.isEmpty()) {
                throw run.failure("printed no figures");
            }
            return samples;
        } finally {
            Files.deleteIfExists(run.output);
            Files.deleteIfExists(run.errors);
        }
    }

    private int exitCode(List<String> command, Duration limit)
            throws IOException, InterruptedException, ProgramFailedException {
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            process.getOutputStream().close();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw failure("did not end within " + limit.toSeconds() + " s; its threads: " + threads(process));
            }
            return process.exitValue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
    }

    /** Makes a JVM print what its threads do, and gives the file, which stays. Other programs end by it. */
    private Path threads(Process process) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid()))
                .start()
                .waitFor();
        process.waitFor(1, TimeUnit.SECONDS);
        return Files.copy(output, Files.createTempFile("benchmark", ".threads"), StandardCopyOption.REPLACE_EXISTING);
    }

    private List<Sample> samples() throws IOException {
        return Files.readAllLines(output).stream()
                .map(Sample::parse)
                .flatMap(Optional::stream)
                .toList();
    }

    private ProgramFailedException failure(String what) throws IOException {
        List<String> lines = Files.readAllLines(errors);
        return new ProgramFailedException(lines.stream()
                .skip(Math.max(0, lines.size() - ERROR_LINES))
                .map(line -> "\n    " + line)
                .collect(Collectors.joining("", what, "")));
    }
}
