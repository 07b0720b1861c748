package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.ClientTls;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import io.stratagem.eventloop.ServerTls;
import java.io.IOException;
import java.io.PrintStream;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A server that sends back what it is sent, and many clients that look whether it does. */
public final class Echo {
    private static final String HELP = """
            usage: examples/run echo [--connections N] [--requests N] [--tls]

            Starts an echo server on one event loop and N clients (1,000 by default) on another, which each send N
            messages (100 by default) over a TCP connection of their own, one after another, and compare what comes
            back. Prints how many requests a second that were.

              --tls  encrypt them, with a certificate that is made for this run and that the clients verify

            exit code  0  every message came back
                       1  some did not
                       2  bad arguments
            """;

    private static final int MESSAGE_BYTES = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("echo", HELP, args, out, err, Echo::serveAndAsk);
    }

    private static void serveAndAsk(Cli cli) throws Exception {
        int connections = cli.number("--connections", 1_000);
        int requests = cli.number("--requests", 100);
        boolean isEncrypted = cli.flag("--tls");
        cli.end();
        serveAndAsk(connections, requests, isEncrypted ? OwnCertificate.make() : null, cli);
    }

    /** The short form of it. */
    static void show(Cli cli) throws Exception {
        cli.println("");
        cli.println("An echo server on one event loop, and its clients on another:");
        serveAndAsk(500, 50, null, cli);
    }

    private static void serveAndAsk(int connections, int requests, @Nullable SSLContext context, Cli cli)
            throws Exception {
        // All clients come at once, and it takes a while to agree with each.
        ServerTls serverTls = context == null ? null : ServerTls.of(context).handshakeLimit(PATIENCE);
        ClientTls clientTls = context == null ? null : ClientTls.verified().context(context);
        try (LoopServer server =
                LoopServer.start("servers", 0, serverTls, (connection, loop) -> sendBack(connection))) {
            ask(server.address(), connections, requests, clientTls, cli);
        }
    }

    /** Asks a server that sends back what it gets; with TLS, unless that is null. */
    static void ask(SocketAddress server, int connections, int requests, @Nullable ClientTls tls, Cli cli) {
        try (EventLoopStrategy clients = EventLoopStrategy.builder()
                .name("clients")
                .loops(1)
                .window(connections)
                .build()) {
            Workload<Integer, Integer> ask = asking(server, requests, tls);
            List<Integer> numbers = IntStream.range(0, connections).boxed().toList();
            Stopwatch watch = Stopwatch.createStarted();
            try (Stream<Result<Integer>> results = Progress.of(clients.map(ask, numbers), "echo", connections)) {
                long answered = results.mapToLong(result -> result.fold(count -> (long) count, failure -> {
                            cli.problem(failure);
                            return 0L;
                        }))
                        .sum();
                double perSecond = answered * 1e9 / watch.elapsed().toNanos();
                cli.println(Units.count(answered, "message") + " over " + Units.count(connections, "connection")
                        + " came back in " + Units.time(watch.elapsed()) + ": " + Units.count(Math.round(perSecond))
                        + " a second");
            }
        }
    }

    /** Without a future for each message. */
    static CompletionStage<Void> sendBack(Connection connection) {
        return connection.handle((same, bytes) -> {
            var unused = same.write(bytes);
        });
    }

    /** Gives how many messages came back. */
    static Workload<Integer, Integer> asking(SocketAddress server, int requests, @Nullable ClientTls tls) {
        return Workload.async("ask", (client, loop) -> {
            Network network = Network.of(loop);
            return (tls == null ? network.connect(server, PATIENCE) : network.connect(server, tls, PATIENCE))
                    .thenCompose(connection -> ask(client, requests, loop, connection));
        });
    }

    private static CompletionStage<Integer> ask(int client, int requests, Loop loop, Connection connection) {
        byte[] message = new byte[MESSAGE_BYTES];
        Arrays.fill(message, (byte) client);
        int[] asked = {0};
        return Network.of(loop)
                .repeat(() -> {
                    message[0] = (byte) asked[0]++;
                    return connection
                            .write(message)
                            .thenCompose(written -> connection.readExactly(MESSAGE_BYTES, PATIENCE))
                            .thenCompose(answer -> Arrays.equals(message, answer)
                                    ? CompletableFuture.completedFuture(asked[0] < requests)
                                    : CompletableFuture.failedFuture(
                                            new IOException("another message came back over " + connection)));
                })
                .thenApply(nothing -> asked[0]);
    }
}
