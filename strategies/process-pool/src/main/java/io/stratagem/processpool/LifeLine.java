package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A worker's thread at its standard input. That brings the token that proves who the worker is, once the application
 * listens, and then nothing more; it ends when the application does, however it ends. Then this JVM is halted, whatever
 * it is doing.
 */
final class LifeLine extends Thread {
    /** The files in the directory that a worker is started with. */
    static final String SOCKET = "s";

    static final String PAGE = "p";
    static final int TOKEN_CHARS = 32;

    /** The exit code of a worker whose application is gone. */
    static final int ORPHANED = 120;

    private final DataInputStream input = new DataInputStream(new FileInputStream(FileDescriptor.in));
    private final Path directory;
    private final int maxFrame;
    private final CountDownLatch hasConnected = new CountDownLatch(1);

    // Written before the latch.
    private @Nullable Connection connection;
    private @Nullable IOException failure;

    LifeLine(Path directory, int maxFrame) {
        super("stratagem-life-line");
        setDaemon(true);
        this.directory = directory;
        this.maxFrame = maxFrame;
    }

    /** What a worker shares with the application. */
    record Connection(Link link, TaskPage page, String token) {}

    /** Waits until the application listens and the worker is connected to it. */
    Connection awaitConnection() throws IOException, InterruptedException {
        hasConnected.await();
        Connection present = connection;
        if (present == null) {
            throw new IOException("worker cannot connect to the application", failure);
        }
        return present;
    }

    @Override
    public void run() {
        try {
            connection = connect();
        } catch (IOException e) {
            failure = e;
        }
        hasConnected.countDown();
        awaitEnd();
        // Normally it is gone since the worker was accepted.
        PrivateDirectory.deleteLeft(directory);
        Runtime.getRuntime().halt(ORPHANED);
    }

    private Connection connect() throws IOException {
        byte[] token = new byte[TOKEN_CHARS];
        input.readFully(token);
        TaskPage page = TaskPage.open(directory.resolve(PAGE));
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(directory.resolve(SOCKET)));
        return new Connection(new Link(channel, maxFrame), page, new String(token, US_ASCII));
    }

    private void awaitEnd() {
        try {
            while (input.read() >= 0) {
                // nothing that means anything
            }
        } catch (IOException e) {
            // cannot be read any more: it has ended
        }
    }
}
