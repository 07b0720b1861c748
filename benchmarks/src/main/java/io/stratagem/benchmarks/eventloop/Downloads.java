package io.stratagem.benchmarks.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.VirtualThreads;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Pages from a {@link SlowSite}, all at once but for one thread; the time for one page. */
abstract class Downloads implements Trial {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String LENGTH = "content-length:";
    private static final int MOST_BYTES_OF_A_LINE = 1_024;

    int size;
    SlowSite site;
    private List<byte[]> bodies;

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
        site = new SlowSite(newSize);
    }

    @Override
    public final void pass() throws Exception {
        bodies = fetchAll();
    }

    /** In the order of their numbers. */
    abstract List<byte[]> fetchAll() throws Exception;

    @Override
    public final void verify() throws WrongResultException {
        long right = IntStream.range(0, bodies.size())
                .filter(i -> Arrays.equals(site.expected(i), bodies.get(i)))
                .count();
        WrongResultException.check("pages", size, right);
    }

    @Override
    public final long operations() {
        return size;
    }

    @Override
    public void close() {
        site.close();
    }

    private static String request(int page) {
        return "GET /" + page + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    }

    /** The length in a line of the head, or what it was before. */
    private static int length(String line, int before) {
        return line.toLowerCase(Locale.ROOT).startsWith(LENGTH)
                ? Integer.parseInt(line.substring(LENGTH.length()).strip())
                : before;
    }

    /** Ours: the streams of the network, with a limit of time on every step. */
    static final class OnEventLoop extends Downloads {
        private EventLoopStrategy strategy;

        @Override
        public void prepare(String metric, int newSize) {
            super.prepare(metric, newSize);
            strategy = EventLoopStrategy.builder().loops(1).window(newSize).build();
        }

        @Override
        List<byte[]> fetchAll() {
            Workload<Integer, byte[]> fetch = Workload.async("fetch", this::fetch);
            try (Stream<Result<byte[]>> results =
                    strategy.map(fetch, IntStream.range(0, size).boxed())) {
                return results.map(Result::orElseThrow).toList();
            }
        }

        private CompletionStage<byte[]> fetch(int page, Loop loop) {
            Network network = Network.of(loop);
            return network.connect(site.address(), LIMIT)
                    .thenCompose(connection -> connection
                            .write(request(page))
                            .thenCompose(written -> length(connection, network))
                            .thenCompose(length -> connection.readExactly(length, LIMIT)));
        }

        private static CompletionStage<Integer> length(Connection connection, Network network) {
            int[] length = {-1};
            return network.repeat(() -> connection
                            .readLine(MOST_BYTES_OF_A_LINE, LIMIT)
                            .thenApply(line -> {
                                length[0] = Downloads.length(line, length[0]);
                                return !line.isEmpty();
                            }))
                    .thenApply(nothing -> length[0]);
        }

        @Override
        public void close() {
            strategy.closeNow();
            super.close();
        }
    }

    /** As one writes it for a thread. */
    abstract static class Blocking extends Downloads {
        final byte[] fetch(int page) throws IOException {
            try (Socket socket =
                    new Socket(site.address().getAddress(), site.address().getPort())) {
                socket.setSoTimeout((int) LIMIT.toMillis());
                socket.getOutputStream().write(request(page).getBytes(US_ASCII));
                InputStream input = new BufferedInputStream(socket.getInputStream());
                int length = -1;
                for (String line = readLine(input); !line.isEmpty(); line = readLine(input)) {
                    length = length(line, length);
                }
                return input.readNBytes(length);
            }
        }

        private static String readLine(InputStream input) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int next = input.read(); next != '\n'; next = input.read()) {
                if (next < 0) {
                    throw new EOFException("within the head of an answer");
                }
                if (next != '\r') {
                    line.append((char) next);
                }
            }
            return line.toString();
        }
    }

    static final class OnOneThread extends Blocking {
        @Override
        List<byte[]> fetchAll() throws IOException {
            List<byte[]> all = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                all.add(fetch(i));
            }
            return all;
        }
    }

    static final class OnVirtualThreads extends Blocking {
        private final ExecutorService threads = VirtualThreads.perTask();

        @Override
        List<byte[]> fetchAll() throws Exception {
            List<Future<byte[]>> futures = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                int page = i;
                futures.add(threads.submit(() -> fetch(page)));
            }
            List<byte[]> all = new ArrayList<>();
            for (Future<byte[]> future : futures) {
                all.add(future.get());
            }
            return all;
        }

        @Override
        public void close() {
            threads.shutdownNow();
            super.close();
        }
    }

    /** The JDK's, which keeps connections for the next pass. */
    static final class OnHttpClient extends Downloads {
        private final HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

        @Override
        List<byte[]> fetchAll() {
            String base = "http://127.0.0.1:" + site.address().getPort() + "/";
            List<CompletableFuture<HttpResponse<byte[]>>> responses = IntStream.range(0, size)
                    .mapToObj(page -> HttpRequest.newBuilder(URI.create(base + page))
                            .timeout(LIMIT)
                            .build())
                    .map(request -> client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()))
                    .toList();
            return responses.stream()
                    .map(CompletableFuture::join)
                    .map(HttpResponse::body)
                    .toList();
        }
    }
}
