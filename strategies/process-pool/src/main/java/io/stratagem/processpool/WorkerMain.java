package io.stratagem.processpool;

import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * The program of a worker process: {@code WorkerMain DIRECTORY MAX-FRAME HAS-COPIES}. In the directory are the socket at
 * which the application listens, the page in which the worker notes what it does, and perhaps jars, which will be
 * deleted; the token that proves who it is comes through the environment.
 */
/* The standard input is the life line: it ends when the application does, however it ends. The thread that reads it then
 * halts this JVM. It brings answers about classes, too (ClassExchange). User code that reads System.in finds it empty,
 * and programs that it starts do not get it.
 */
final class WorkerMain {
    static final String SOCKET = "s";
    static final String PAGE = "p";
    static final String TOKEN = "STRATAGEM_WORKER_TOKEN";

    /** The application is gone. */
    private static final int ORPHANED = 120;

    /** The application has sent what cannot be understood. */
    private static final int CONFUSED = 121;

    private WorkerMain() {}

    /** Runs until the application says that it is over, or is gone. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        int maxFrame = Integer.parseInt(arguments[1]);
        boolean hasCopies = Boolean.parseBoolean(arguments[2]);
        ClassExchange classes = new ClassExchange();
        watchLifeLine(directory, classes, maxFrame);
        TaskPage page = TaskPage.open(directory.resolve(PAGE));
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(directory.resolve(SOCKET)));
        Link link = new Link(channel, maxFrame);
        Codec codec = new Codec(WorkerMain.class.getClassLoader(), Filters.fromApplication());
        Outbox outbox = Outbox.open(link, new ThrowableCodec(codec));
        classes.askThrough(outbox);
        Runtime.getRuntime().addShutdownHook(new Thread(outbox::flushAtExit, "stratagem-exit"));
        if (hasCopies) {
            openAllJars();
        }
        outbox.sendHello(System.getenv(TOKEN), ProcessHandle.current().pid());
        try {
            new TaskRunner(link, outbox, page, classes, codec, maxFrame - PoolSettings.MARGIN_BYTES / 2).run();
            outbox.flush();
        } catch (IOException e) {
            // The application has closed the connection or is gone; the life line is about to say so.
            Runtime.getRuntime().halt(ORPHANED);
        }
        // No exit: that would wait 300 ms for the thread at the life line, being in native code. Threads of the user's
        // that are no daemons, and do not end, are killed with this process.
    }

    /** Looks for what is nowhere: the class path's jars stay open from then on, also when their files are deleted. */
    private static void openAllJars() {
        var unused = WorkerMain.class.getClassLoader().getResource("stratagem-opens-all-jars");
    }

    // ---------------------------------------------------------------------------------------------- the life line

    private static void watchLifeLine(Path directory, ClassExchange classes, int maxFrame) throws IOException {
        InputStream lifeLine = takeStandardInput();
        Thread watcher = new Thread(
                () -> {
                    int reason = readToEnd(lifeLine, classes, maxFrame);
                    // Normally it is gone since the worker was accepted.
                    PrivateDirectory.delete(directory);
                    Runtime.getRuntime().halt(reason);
                },
                "stratagem-life-line");
        watcher.setDaemon(true);
        watcher.start();
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

    private static int readToEnd(InputStream lifeLine, ClassExchange classes, int maxFrame) {
        try {
            // Buffered also since a file's own readNBytes wants to know its position, and a pipe has none.
            classes.readAnswers(new BufferedInputStream(lifeLine), maxFrame);
        } catch (Bytes.MalformedException e) {
            System.err.println("the application sent " + e.getMessage());
            return CONFUSED;
        } catch (IOException e) {
            // cannot be read any more: it has ended
        }
        return ORPHANED;
    }
}
