package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import io.stratagem.eventloop.Server;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A server that sends back what it is sent, and many clients that look whether it does. */
public final class Echo {
    private static final String HELP = """
            usage: examples/run echo [--connections N] [--requests N]

            Starts an echo server on one event loop and N clients (1,000 by default) on another, which each send N
            messages (100 by default) over a TCP connection of their own, one after another, and compare what comes
            back. Prints how many requests a second that were.

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
        cli.end();

        try (EventLoopStrategy servers =
                        EventLoopStrategy.builder().name("servers").loops(1).build();
                EventLoopStrategy clients = EventLoopStrategy.builder()
                        .name("clients")
                        .loops(1)
                        .window(connections)
                        .build()) {
            CompletableFuture<Server> listening = new CompletableFuture<>();
            var serving =
                    servers.submit(serving(listening), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            var unused = serving.thenAccept(
                    result -> result.fold(ended -> true, failure -> listening.completeExceptionally(failure)));
            SocketAddress address = listening.join().localAddress();

            Stopwatch watch = Stopwatch.createStarted();
            try (Stream<Result<Integer>> results = clients.map(
                    asking(address, requests), IntStream.range(0, connections).boxed())) {
                long answered = Progress.of(results, "echo", connections)
                        .mapToLong(result -> result.fold(count -> (long) count, failure -> {
                            cli.problem(failure);
                            return 0L;
                        }))
                        .sum();
                double perSecond = answered * 1e9 / watch.elapsed().toNanos();
                cli.println(Units.count(answered, "message") + " over " + Units.count(connections, "connection")
                        + " came back in " + Units.time(watch.elapsed()) + ": " + Units.count(Math.round(perSecond))
                        + " a second");
            }
            serving.cancel(true); // closes the server, and what is left of its connections
        }
    }

    private static Workload<SocketAddress, Void> serving(CompletableFuture<Server> listening) {
        return Workload.async(
                "serve",
                (address, loop) -> Network.of(loop)
                        .listen(
                                address,
                                connection -> connection.handle((same, bytes) -> {
                                    var unused = same.write(bytes);
                                }))
                        .thenCompose(server -> {
                            listening.complete(server);
                            return server.closed();
                        }));
    }

    /** Gives how many messages came back. */
    private static Workload<Integer, Integer> asking(SocketAddress server, int requests) {
        return Workload.async(
                "ask",
                (client, loop) -> Network.of(loop)
                        .connect(server, PATIENCE)
                        .thenCompose(connection -> ask(client, requests, loop, connection)));
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
