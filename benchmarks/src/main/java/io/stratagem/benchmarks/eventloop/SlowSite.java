package io.stratagem.benchmarks.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.stratagem.Loop;
import io.stratagem.Workload;
import io.stratagem.eventloop.BytesHandler;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import io.stratagem.eventloop.Server;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * An HTTP server on an event loop of its own, which answers {@code GET /N} with page N after 10 to 200 milliseconds:
 * after nearly the same mean, however many pages are asked for.
 */
final class SlowSite implements AutoCloseable {
    private static final int PAGE_BYTES = 4_096;
    private static final int LEAST_MILLIS = 10;
    private static final int MILLIS_MORE = 191; // a prime, so that the steps reach every delay
    private static final int STEP = 73;
    private static final String END_OF_HEAD = "\r\n\r\n";
    private static final String METHOD = "GET /";

    private final EventLoopStrategy strategy =
            EventLoopStrategy.builder().name("site").loops(1).build();
    private final List<byte[]> pages;
    private final InetSocketAddress address;

    SlowSite(int count) {
        pages = IntStream.range(0, count).mapToObj(SlowSite::page).toList();
        CompletableFuture<Server> listening = new CompletableFuture<>();
        Workload<SocketAddress, Void> serving = Workload.async(
                "serve",
                (where, loop) -> Network.of(loop)
                        .listen(where, connection -> connection.handle(new Answering(loop)))
                        .thenCompose(server -> {
                            listening.complete(server);
                            return server.closed();
                        }));
        var unused = strategy.submit(serving, Echo.anyPort());
        address = (InetSocketAddress) listening.join().localAddress();
    }

    private static byte[] page(int number) {
        byte[] page = new byte[PAGE_BYTES];
        new Random(number).nextBytes(page);
        return page;
    }

    InetSocketAddress address() {
        return address;
    }

    /** What page N must be. */
    byte[] expected(int number) {
        return pages.get(number);
    }

    /** Finds the requests in what comes. */
    private final class Answering implements BytesHandler {
        private final Loop loop;

        Answering(Loop loop) {
            this.loop = loop;
        }

        @Override
        public void bytes(Connection connection, ByteBuffer bytes) {
            byte[] all = new byte[bytes.remaining()];
            bytes.duplicate().get(all);
            String text = new String(all, US_ASCII);
            int begin = 0;
            for (int end = text.indexOf(END_OF_HEAD); end >= 0; end = text.indexOf(END_OF_HEAD, begin)) {
                answer(text.substring(begin, end), connection);
                begin = end + END_OF_HEAD.length();
            }
            bytes.position(bytes.position() + begin);
        }

        private void answer(String request, Connection connection) {
            int number = Integer.parseInt(request.substring(METHOD.length(), request.indexOf(' ', METHOD.length())));
            Duration delay = Duration.ofMillis(LEAST_MILLIS + (long) number * STEP % MILLIS_MORE);
            var unused = loop.delay(delay).thenCompose(nothing -> connection.write(response(pages.get(number))));
        }
    }

    private static byte[] response(byte[] body) {
        ByteArrayOutputStream response = new ByteArrayOutputStream();
        response.writeBytes(("HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n").getBytes(US_ASCII));
        response.writeBytes(body);
        return response.toByteArray();
    }

    @Override
    public void close() {
        strategy.closeNow();
    }
}
