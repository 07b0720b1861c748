package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.stratagem.processpool.spi.Wire;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A worker's thread at its standard input. That brings the path of the directory in which the application is about to
 * listen, then the token that proves who the worker is, once it listens, and then answers to questions; it ends when the
 * application does, however it ends. Then this JVM is halted, whatever it is doing, and so are the processes that its
 * tasks have started. User code that reads {@code System.in} finds it empty, and programs that it starts do not get it.
 */
final class LifeLine extends Thread {
    /** The files in the directory that a worker is started with. */
    static final String SOCKET = "s";

    static final String PAGE = "p";
    static final int TOKEN_CHARS = 32;

    /** The exit code of a worker whose application is gone. */
    static final int ORPHANED = 120;

    /** The exit code of a worker to which the application has sent what cannot be understood. */
    private static final int CONFUSED = 121;

    /** Buffered also since a file's own readNBytes wants to know its position, and a pipe has none. */
    private final DataInputStream input;

    private final int maxFrame;
    private final Questions questions;
    private final WireOpener wire;
    private final CountDownLatch hasConnected = new CountDownLatch(1);

    /** Where the application listens; null until that is known. Only this thread uses it. */
    private @Nullable Path directory;

    // Written before the latch.
    private @Nullable Connection connection;
    private @Nullable Throwable failure;

    /** Opens the worker's end of the wire, if there is one. */
    @FunctionalInterface
    interface WireOpener {
        @Nullable
        Wire open() throws IOException;
    }

    private LifeLine(InputStream input, int maxFrame, Questions questions, WireOpener wire) {
        super("stratagem-life-line");
        setDaemon(true);
        this.input = new DataInputStream(new BufferedInputStream(input));
        this.maxFrame = maxFrame;
        this.questions = questions;
        this.wire = wire;
    }

    /** Takes the standard input, which is empty for all others from then on. */
    static LifeLine open(int maxFrame, Questions questions, WireOpener wire) throws IOException {
        return new LifeLine(takeStandardInput(), maxFrame, questions, wire);
    }

    /**
     * Opens it anew, where that is possible, and closes what programs would inherit that a task starts: they could read
     * what is meant for this process, and hold the application's end up.
     */
    private static InputStream takeStandardInput() throws IOException {
        InputStream standard = new FileInputStream(FileDescriptor.in);
        System.setIn(InputStream.nullInputStream());
        InputStream own;
        try {
            own = new FileInputStream("/proc/self/fd/0");
        } catch (IOException e) {
            return standard; // no Linux
        }
        standard.close(); // which puts the null device in its place
        return own;
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
        } catch (Throwable e) { // of whatever kind: the main thread waits to hear of it
            failure = e;
            // The main thread ends this JVM as soon as it hears of it, and the application may be gone.
            tidyUp();
        }
        hasConnected.countDown();
        int reason = CONFUSED;
        try {
            reason = readToEnd();
            tidyUp(); // normally there is nothing left since the worker was accepted
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly); // which tasks have started
        } finally {
            Runtime.getRuntime().halt(reason);
        }
    }

    private void tidyUp() {
        Path left = directory;
        if (left != null) {
            PrivateDirectory.deleteLeft(left);
        }
    }

    private Connection connect() throws IOException {
        Path place = Path.of(input.readUTF());
        directory = place;
        byte[] token = new byte[TOKEN_CHARS];
        input.readFully(token);
        TaskPage page = TaskPage.open(place.resolve(PAGE));
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(place.resolve(SOCKET)));
        return new Connection(new Link(channel, maxFrame, wire.open()), page, new String(token, US_ASCII));
    }

    private int readToEnd() {
        try {
            questions.readAnswers(input, maxFrame);
        } catch (IOException e) {
            // cannot be read any more: it has ended
        } catch (RuntimeException | Error e) {
            System.err.println("what the application sends cannot be taken: " + e);
            return CONFUSED;
        }
        return ORPHANED;
    }
}
