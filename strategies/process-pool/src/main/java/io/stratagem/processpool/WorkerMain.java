package io.stratagem.processpool;

import io.stratagem.processpool.LifeLine.Connection;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The program of a worker process: {@code WorkerMain DIRECTORY MAX-FRAME}. In the directory are the socket at which the
 * application listens and the page in which the worker notes what it does.
 */
final class WorkerMain {
    private WorkerMain() {}

    /** Runs until the application says that it is over, or is gone. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int maxFrame = Integer.parseInt(arguments[1]);
        LifeLine lifeLine = new LifeLine(Path.of(arguments[0]), maxFrame);
        lifeLine.start();
        System.setIn(InputStream.nullInputStream());
        Codec codec = new Codec(WorkerMain.class.getClassLoader(), Filters.fromApplication());
        codec.prepareToRead(); // while another thread loads what belongs to the connection
        Connection connection = lifeLine.awaitConnection();
        Outbox outbox = Outbox.open(connection.link(), new ThrowableCodec(codec));
        Runtime.getRuntime().addShutdownHook(new Thread(outbox::flushAtExit, "stratagem-exit"));
        outbox.sendHello(connection.token(), ProcessHandle.current().pid());
        try {
            int maxOutcome = maxFrame - PoolSettings.MARGIN_BYTES / 2;
            new TaskRunner(connection.link(), outbox, connection.page(), codec, maxOutcome).run();
            outbox.flush();
        } catch (IOException e) {
            // The application has closed the connection or is gone; the life line is about to say so.
            Runtime.getRuntime().halt(LifeLine.ORPHANED);
        }
        // No exit: that would wait 300 ms for the thread at the life line, being in native code. Threads of the user's
        // that are no daemons, and do not end, are killed with this process.
    }
}
