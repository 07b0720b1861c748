package io.stratagem.benchmarks.eventloop;

import io.stratagem.benchmarks.JavaWithServer;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server in a process of its own, which prints its port, and ends with its standard input. */
final class OtherServer implements Closeable {

    private final Process process;
    private final SocketAddress address;

    private OtherServer(Process process, SocketAddress address) {
        this.process = process;
        this.address = address;
    }

    /** Starts what the words of {@link JavaWithServer} say. */
    static OtherServer start() throws IOException {
        return start(JavaWithServer.words());
    }

    /** Compiles it first: the words are the compiler and the source. */
    static OtherServer compileAndStart() throws IOException, InterruptedException {
        List<String> words = JavaWithServer.words();
        Path directory = Files.createTempDirectory("stratagem-benchmark");
        Path program = directory.resolve("server");
        try {
            Process compiler = new ProcessBuilder(words.get(0), "-O2", "-o", program.toString(), words.get(1))
                    .inheritIO()
                    .start();
            if (compiler.waitFor() != 0) {
                throw new IOException(words.get(1) + " cannot be compiled");
            }
            return start(List.of(program.toString()));
        } finally {
            Files.deleteIfExists(program); // a program may run on without its file
            Files.delete(directory);
        }
    }

    private static OtherServer start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader output = process.inputReader(StandardCharsets.US_ASCII);
        String port = output.readLine();
        if (port == null) {
            throw new IOException(command + " has ended without a word");
        }
        return new OtherServer(
                process, new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port)));
    }

    SocketAddress address() {
        return address;
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(1, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
