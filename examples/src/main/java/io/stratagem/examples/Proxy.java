package io.stratagem.examples;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP relay. */
public final class Proxy {
    private static final String HELP = """
            usage: examples/run proxy [--idle SECONDS] PORT HOST:PORT

            Listens on PORT of this machine (0: any that is free; only programs on this machine can connect), and hands
            on what comes to HOST:PORT, and back what that answers: HTTP, TLS, whatever is spoken over TCP. Each side
            may stop sending while the other goes on; who sends too fast has to wait. A pair of connections over which
            nothing has gone for SECONDS (300 by default) is closed. Prints a line for each that has ended.

            Ctrl-C ends it: it takes no more connections, gives those that are open 5 seconds, and prints what there was.

            exit code  1  it could not listen
                       2  bad arguments
                     130  it was ended by Ctrl-C (143: by kill)
            """;

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(5);
    private static final int IDLE_SECONDS = 300;
    private static final int MOST_LINES_WAITING = 1_000;
    private static final int MOST_PORT = 65_535;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("proxy", HELP, args, out, err, Proxy::relay);
    }

    /** The short form of it, with a client and a target. */
    static void show(Cli cli) throws Exception {
        cli.println("");
        cli.println("A relay on a third event loop between the two:");
        Relay.Limits limits = new Relay.Limits(CONNECT_LIMIT, Duration.ofSeconds(30));
        try (LoopServer target = LoopServer.start("target", 0, (connection, loop) -> Echo.sendBack(connection))) {
            Relay.Counts counts;
            try (Relay relay = new Relay(0, target.address(), limits, line -> {})) {
                Echo.ask(relay.address(), 500, 50, null, cli);
                if (!relay.drain(DRAIN_LIMIT)) {
                    cli.problem(new IOException("some connections were not done within " + Units.time(DRAIN_LIMIT)));
                }
                counts = relay.counts();
            }
            cli.println("  " + describe(counts));
            if (counts.failed() > 0 || counts.bytesThere() != counts.bytesBack()) {
                cli.problem(new IOException("the relay has lost something"));
            }
        }
    }

    private static void relay(Cli cli) throws Exception {
        Duration idle = Duration.ofSeconds(cli.number("--idle", IDLE_SECONDS));
        String port = cli.operand().orElseThrow(() -> cli.usage("PORT is missing"));
        String target = cli.operand().orElseThrow(() -> cli.usage("HOST:PORT is missing"));
        cli.end();
        int listenPort = port(port, 0, cli);
        InetSocketAddress address = address(target, cli);

        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> endAndWait(end, ended), "end of the relay"));
        Log log = new Log();
        try (Relay relay = new Relay(listenPort, address, new Relay.Limits(CONNECT_LIMIT, idle), log::add)) {
            cli.println("relaying from " + relay.address() + " to " + target + "; Ctrl-C ends it");
            while (!end.await(100, MILLISECONDS)) {
                log.print(cli);
            }
            cli.println("ends, and waits for " + Units.count(relay.counts().open(), "connection"));
            boolean areDone = relay.drain(DRAIN_LIMIT);
            log.print(cli);
            Relay.Counts counts = relay.counts();
            cli.println(describe(counts) + (areDone ? "" : ", " + Units.count(counts.open()) + " cut off"));
        } finally {
            ended.countDown();
        }
    }

    /** In the shutdown hook: the JVM waits for it, and so for what the main thread prints. */
    private static void endAndWait(CountDownLatch end, CountDownLatch ended) {
        end.countDown();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String describe(Relay.Counts counts) {
        return Units.count(counts.connections(), "connection") + ", " + Units.count(counts.failed()) + " failed, "
                + Units.bytes(counts.bytesThere()) + " there, " + Units.bytes(counts.bytesBack()) + " back";
    }

    private static InetSocketAddress address(String target, Cli cli) throws Cli.Refused {
        int colon = target.lastIndexOf(':');
        if (colon <= 0) {
            throw cli.usage("the target is HOST:PORT, not " + target);
        }
        String host = target.substring(0, colon);
        boolean isInBrackets =
                host.startsWith("[") && host.endsWith("]"); // as one writes an IPv6 address before a port
        // Its name is looked up for each connection, so that it may move.
        return InetSocketAddress.createUnresolved(
                isInBrackets ? host.substring(1, host.length() - 1) : host, port(target.substring(colon + 1), 1, cli));
    }

    private static int port(String text, int least, Cli cli) throws Cli.Refused {
        try {
            int port = Integer.parseInt(text);
            if (port >= least && port <= MOST_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            // refused below, like one that is too high
        }
        throw cli.usage("a port is a number from " + least + " to " + MOST_PORT + ", not " + text);
    }

    /** Lines on their way from the loop, which must not wait for a slow terminal, to the main thread. */
    private static final class Log {
        private final BlockingQueue<String> lines = new ArrayBlockingQueue<>(MOST_LINES_WAITING);
        private final AtomicLong lost = new AtomicLong();

        void add(String line) {
            if (!lines.offer(line)) {
                lost.incrementAndGet();
            }
        }

        void print(Cli cli) {
            for (String line = lines.poll(); line != null; line = lines.poll()) {
                cli.println(line);
            }
            long some = lost.getAndSet(0);
            if (some > 0) {
                cli.println("and " + Units.count(some, "connection") + " more");
            }
        }
    }
}
