package io.stratagem.eventloop;

import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;

/**
 * Uses up its file descriptors while it has a server, then gives them back. Ends with 0 if the server goes on and keeps
 * none.
 */
public final class ExhaustedProgram {
    private ExhaustedProgram() {}

    /**
     * Runs it.
     *
     * @param arguments none
     * @throws Exception if anything goes wrong
     */
    public static void main(String[] arguments) throws Exception {
        LogRecorder recorder = new LogRecorder();
        recorder.attach(EventLoopStrategy.class.getName());
        // What is needed later is loaded as long as files can be opened: classes in directories are files.
        LoggerFactory.getLogger(EventLoopStrategy.class).warn("{} first", "a", new IOException("example"));
        recorder.await("first");
        try (EventLoopStrategy strategy = EventLoopStrategy.builder().loops(1).build()) {
            AtomicInteger ended = new AtomicInteger();
            CompletableFuture<Server> listening = new CompletableFuture<>();
            Workload<Integer, Void> serving = Workload.async(
                    "serving",
                    (n, loop) -> Network.of(loop)
                            .listen(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                    connection -> connection
                                            .handle(NetworkFixture.ECHO)
                                            .whenComplete((nothing, failure) -> ended.incrementAndGet()))
                            .thenCompose(server -> {
                                listening.complete(server);
                                return server.closed();
                            }));
            var task = strategy.submit(serving, 1);
            Workload<Integer, Void> sleeping =
                    Workload.async("sleeping", (n, loop) -> loop.delay(Duration.ofMillis(n)));
            strategy.run(sleeping, 1).orElseThrow();
            SocketAddress address = Patience.get(listening).localAddress();
            try (SocketChannel first = SocketChannel.open(address)) {
                echo(first); // opens what the JVM keeps open
            }
            Patience.await().until(() -> ended.get() == 1);
            strategy.run(sleeping, 1).orElseThrow(); // and so the loop has told the system
            int idle = NetworkFixture.openFiles();
            SocketChannel last = SocketChannel.open();
            last.setOption(StandardSocketOptions.TCP_NODELAY, true);
            List<FileInputStream> files = new ArrayList<>();
            try {
                while (true) {
                    files.add(new FileInputStream("/dev/null"));
                }
            } catch (IOException e) {
                System.out.println("opened " + files.size() + ", then " + e.getMessage());
            }
            last.connect(address);
            while (recorder.find("could not accept").isEmpty()) {
                Thread.onSpinWait();
            }
            for (FileInputStream file : files) {
                file.close();
            }
            last.close(); // newer JVMs refuse it, older ones leave it waiting
            try (SocketChannel next = SocketChannel.open(address)) {
                echo(next);
            }
            System.out.println(recorder.find("could not accept").orElseThrow().getFormattedMessage());
            Patience.get(Patience.get(listening).close());
            Patience.get(task);
            Patience.await().until(() -> NetworkFixture.openFiles() < idle); // the server's own is closed, too
        }
    }

    private static void echo(SocketChannel channel) throws IOException {
        channel.write(ByteBuffer.wrap(new byte[] {7}));
        ByteBuffer answer = ByteBuffer.allocate(1);
        if (channel.read(answer) != 1 || answer.get(0) != 7) {
            throw new IllegalStateException("no echo: " + answer);
        }
    }
}
