package io.stratagem.batchedipc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.stratagem.testkit.Patience;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A main class of the tests in a JVM of its own, which is killed at the end if it has not ended. */
final class JavaProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader out;

    private JavaProcess(Process process) {
        this.process = process;
        out = process.inputReader(UTF_8);
    }

    static JavaProcess start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener", // which would print
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return new JavaProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** What it prints next. */
    String readLine() throws Exception {
        String line = Patience.get(CompletableFuture.supplyAsync(this::lineUnchecked));
        if (line == null) {
            throw new AssertionError("it has ended with " + waitFor());
        }
        return line;
    }

    private String lineUnchecked() {
        try {
            return out.readLine();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Its exit code. */
    int waitFor() throws InterruptedException {
        if (!process.waitFor(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("it has not ended");
        }
        return process.exitValue();
    }

    /** By SIGKILL; returns when it is gone. */
    void kill() {
        process.destroyForcibly()
                .onExit()
                .orTimeout(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    @Override
    public void close() {
        kill();
    }
}
