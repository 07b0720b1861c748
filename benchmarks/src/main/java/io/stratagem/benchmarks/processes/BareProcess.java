package io.stratagem.benchmarks.processes;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What one writes by hand instead of a pool: another JVM that answers each frame, over a Unix socket with blocking reads
 * and writes. It ends with its connection.
 */
final class BareProcess implements Closeable {

    private final Process process;
    private final BareChannel channel;

    private BareProcess(Process process, BareChannel channel) {
        this.process = process;
        this.channel = channel;
    }

    /** Starts a process and waits for its connection. */
    static BareProcess start(BareFunction function) throws IOException {
        Path directory = Files.createTempDirectory("bare");
        Path socket = directory.resolve("socket");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Process process = launch(function, socket);
            // If it cannot start, nobody will connect.
            var unused = process.onExit().thenRun(() -> closeUnchecked(server));
            return new BareProcess(process, new BareChannel(server.accept()));
        } finally {
            Files.deleteIfExists(socket);
            Files.delete(directory);
        }
    }

    private static Process launch(BareFunction function, Path socket) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                BareProcess.class.getName(),
                function.name(),
                socket.toString());
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** The process itself: {@code BareProcess FUNCTION SOCKET}. */
    public static void main(String[] arguments) throws IOException {
        BareFunction function = BareFunction.valueOf(arguments[0]);
        try (BareChannel channel = new BareChannel(SocketChannel.open(UnixDomainSocketAddress.of(arguments[1])))) {
            while (true) {
                ByteBuffer request = channel.receive();
                function.apply(request, channel.newFrame());
                channel.send();
            }
        } catch (EOFException e) {
            // the other side has closed the connection, or is gone: so ends this process
        }
    }

    BareChannel channel() {
        return channel;
    }

    @Override
    public void close() {
        closeUnchecked(channel);
        process.destroyForcibly();
    }

    private static void closeUnchecked(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
