package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.testkit.Patience;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another JVM that shares memory with the test, and does what it is told. */
final class ArrayProcess implements AutoCloseable {
    private final Process process;
    private final PrintStream commands;
    private final BufferedReader answers;

    private ArrayProcess(Process process) {
        this.process = process;
        this.commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        this.answers = process.inputReader(StandardCharsets.UTF_8);
    }

    static ArrayProcess start(String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx64m"));
        command.addAll(List.of(options));
        command.add("-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener"); // which would print
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ArrayMain.class.getName()));
        return new ArrayProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** Says one line and waits for the line that answers. */
    String ask(String line) throws IOException {
        commands.println(line);
        String answer = answers.readLine();
        assertThat(answer).as("the answer to %.40s", line).isNotNull();
        return answer;
    }

    /** Passes it there; what is asked next concerns it. */
    String open(Object shared) throws IOException {
        return ask("open " + Base64.getEncoder().encodeToString(SharedMemoryFixture.written(shared)));
    }

    /** What it has, as it is passed. */
    byte[] handle() throws IOException {
        return Base64.getDecoder().decode(ask("handle"));
    }

    long pid() {
        return process.pid();
    }

    /** By SIGKILL; it is gone afterwards. */
    void kill() {
        process.destroyForcibly();
        process.onExit()
                .orTimeout(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    @Override
    public void close() {
        kill();
    }
}
