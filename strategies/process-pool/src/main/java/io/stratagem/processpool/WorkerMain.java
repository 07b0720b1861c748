package io.stratagem.processpool;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * The program of a worker process: {@code WorkerMain DIRECTORY MAX-FRAME}. In the directory are the socket at which the
 * application listens and the page in which the worker notes what it does; the token that proves who it is comes
 * through the environment.
 */
/* The standard input is the life line: nothing is ever written to it, and it ends when the application does, however it
 * ends. The thread that reads it then halts this JVM. User code that reads System.in finds it empty.
 */
final class WorkerMain {
    static final String SOCKET = "s";
    static final String PAGE = "p";
    static final String TOKEN = "STRATAGEM_WORKER_TOKEN";

    /** The application is gone. */
    private static final int ORPHANED = 120;

    private WorkerMain() {}

    /** Runs until the application says that it is over, or is gone. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        watchLifeLine(directory);
        System.setIn(InputStream.nullInputStream());
        TaskPage page = TaskPage.open(directory.resolve(PAGE));
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(directory.resolve(SOCKET)));
        int maxFrame = Integer.parseInt(arguments[1]);
        Link link = new Link(channel, maxFrame);
        Codec codec = new Codec(WorkerMain.class.getClassLoader(), Filters.fromApplication());
        Outbox outbox = Outbox.open(link, new ThrowableCodec(codec));
        Runtime.getRuntime().addShutdownHook(new Thread(outbox::flushAtExit, "stratagem-exit"));
        outbox.sendHello(System.getenv(TOKEN), ProcessHandle.current().pid());
        try {
            new TaskRunner(link, outbox, page, codec, maxFrame - PoolSettings.MARGIN_BYTES / 2).run();
            outbox.flush();
        } catch (IOException e) {
            // The application has closed the connection or is gone; the life line is about to say so.
            Runtime.getRuntime().halt(ORPHANED);
        }
        // No exit: that would wait 300 ms for the thread at the life line, being in native code. Threads of the user's
        // that are no daemons, and do not end, are killed with this process.
    }

    private static void watchLifeLine(Path directory) {
        InputStream lifeLine = new FileInputStream(FileDescriptor.in);
        Thread watcher = new Thread(
                () -> {
                    awaitEnd(lifeLine);
                    // Normally it is gone since the worker was accepted.
                    PrivateDirectory.deleteLeft(directory);
                    Runtime.getRuntime().halt(ORPHANED);
                },
                "stratagem-life-line");
        watcher.setDaemon(true);
        watcher.start();
    }

    private static void awaitEnd(InputStream lifeLine) {
        try {
            while (lifeLine.read() >= 0) {
                // nobody writes to it
            }
        } catch (IOException e) {
            // cannot be read any more: it has ended
        }
    }
}
