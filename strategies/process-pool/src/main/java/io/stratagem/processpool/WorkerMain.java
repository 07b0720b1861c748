package io.stratagem.processpool;

import io.stratagem.processpool.LifeLine.Connection;
import io.stratagem.processpool.spi.Wire;
import io.stratagem.processpool.spi.WireProvider;
import java.io.IOException;
import java.util.ServiceLoader;

/**
 * The program of a worker process: {@code WorkerMain DIRECTORY MAX-FRAME HAS-COPIES [WIRE-PROVIDER
 * PLACE]}. In the directory are the socket at
 * which the application listens, the page in which the worker notes what it does, and perhaps jars, which will be deleted.
 */
final class WorkerMain {
    /** As of a JVM whose main thread has thrown something. */
    private static final int FAILED = 1;

    private static final long FAREWELL_MILLIS = 2000;

    private WorkerMain() {}

    /** Runs until the application says that it is over, or is gone. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        int maxFrame = Integer.parseInt(arguments[0]);
        boolean hasCopies = Boolean.parseBoolean(arguments[1]);
        Questions questions = new Questions();
        ClassExchange classes = new ClassExchange(questions);
        LifeLine lifeLine = LifeLine.open(
                maxFrame,
                questions,
                () -> arguments.length > 2 ? openWire(arguments[2], arguments[3], maxFrame) : null);
        lifeLine.start();
        Codec codec = new Codec(WorkerMain.class.getClassLoader(), Filters.fromApplication());
        codec.prepareToRead(); // while another thread loads what belongs to the connection
        Connection connection = lifeLine.awaitConnection();
        Outbox outbox = Outbox.open(connection.link(), new ThrowableCodec(codec));
        questions.askThrough(outbox);
        Runtime.getRuntime().addShutdownHook(new Thread("stratagem-exit") {
            @Override
            public void run() {
                outbox.flushAtExit();
            }
        });
        if (hasCopies) {
            openAllJars();
        }
        try {
            outbox.sendHello(connection.token());
        } catch (IOException e) {
            awaitEnd(lifeLine); // the application is gone: that thread tidies up, and ends this JVM
            throw e;
        }
        int maxOutcome = maxFrame - PoolSettings.MARGIN_BYTES / 2;
        new TaskThread(() -> runTasks(connection, outbox, classes, codec, maxOutcome, lifeLine)).start();
        // No exit: that would wait 300 ms for the thread at the life line, being in native code. Threads of the user's
        // that are no daemons, and do not end, are killed with this process.
    }

    private static Wire openWire(String provider, String place, int maxFrame) throws IOException {
        for (WireProvider each : ServiceLoader.load(WireProvider.class, WorkerMain.class.getClassLoader())) {
            if (each.getClass().getName().equals(provider)) {
                return each.open(place, maxFrame);
            }
        }
        throw new IOException("no " + provider + " is present in the worker");
    }

    private static void runTasks(
            Connection connection,
            Outbox outbox,
            ClassExchange classes,
            Codec codec,
            int maxOutcome,
            LifeLine lifeLine) {
        boolean isDismissed = false;
        try {
            isDismissed =
                    new TaskRunner(connection.link(), outbox, connection.page(), classes, codec, maxOutcome).run();
            outbox.flush();
        } catch (IOException e) {
            // as if it had ended
        } catch (Throwable e) {
            e.printStackTrace();
            System.exit(FAILED);
        }
        if (!isDismissed) {
            // The application has closed the connection or is gone. In that case the life line tidies up, and halts.
            awaitEnd(lifeLine);
            Runtime.getRuntime().halt(LifeLine.ORPHANED);
        }
    }

    private static void awaitEnd(Thread thread) {
        try {
            thread.join(FAREWELL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Looks for what is nowhere: the class path's jars stay open from then on, also when their files are deleted. */
    private static void openAllJars() {
        var unused = WorkerMain.class.getClassLoader().getResource("stratagem-opens-all-jars");
    }
}
