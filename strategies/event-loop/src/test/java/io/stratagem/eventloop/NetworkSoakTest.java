package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.AsyncFn;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Requests to a peer that answers, drips, stalls, ends, floods and resets at random. The seed decides; it is fixed, and
 * each round of {@code -Pstress} adds one.
 */
final class NetworkSoakTest extends NetworkFixture {
    private static final long SEED = Long.getLong("stress.seed", 20261122);
    private static final int ROUNDS = Integer.getInteger("stress.rounds", 1);
    private static final int REQUESTS = 1500;
    private static final Duration SHORT = Duration.ofMillis(20);

    /** What a peer does with a request, and what comes of it. */
    private enum Mood {
        ANSWERS("answer"),
        DRIPS("answer"),
        STALLS(".*SocketTimeoutException.*gave no line within .*"),
        STALLS_MIDWAY(".*SocketTimeoutException.*gave no line within .*"),
        ENDS("null"),
        ENDS_MIDWAY("ans"),
        FLOODS(".*IOException.*longer than 100 bytes"),
        RESETS(".*SocketException.*"),
        RESETS_MIDWAY(".*SocketException.*"),
        RESETS_UNREAD(".*(IO|Socket|Connect)Exception.*"), // met while connecting, sending, or reading
        REFUSES(".*ConnectException.*");

        private final String expected;

        Mood(String expected) {
            this.expected = expected;
        }
    }

    /** A peer of plain sockets, with a thread for each. */
    private static final class Peer implements AutoCloseable {
        private final ServerSocket reading = listen();
        private final ServerSocket resetting = listen();
        private final SocketAddress refusing;
        private final Set<Socket> open = ConcurrentHashMap.newKeySet();
        private final ExecutorService threads = Executors.newCachedThreadPool();

        Peer() throws IOException {
            try (ServerSocket closed = listen()) {
                refusing = closed.getLocalSocketAddress();
            }
            threads.execute(() -> acceptAll(reading, this::serve));
            threads.execute(() -> acceptAll(resetting, Peer::reset));
        }

        private static ServerSocket listen() throws IOException {
            return new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        }

        SocketAddress address(Mood mood) {
            return switch (mood) {
                case REFUSES -> refusing;
                case RESETS_UNREAD -> resetting.getLocalSocketAddress();
                default -> reading.getLocalSocketAddress();
            };
        }

        /** How to handle a connection, which is closed afterwards. */
        private interface Serving {
            void serve(Socket socket) throws IOException;
        }

        private void acceptAll(ServerSocket server, Serving serving) {
            try {
                while (true) {
                    Socket socket = server.accept();
                    open.add(socket);
                    threads.execute(() -> {
                        try (socket) {
                            serving.serve(socket);
                        } catch (IOException e) {
                            // The other side has given up, as it should.
                        } finally {
                            open.remove(socket);
                        }
                    });
                }
            } catch (IOException e) {
                // It was closed: the test is over.
            }
        }

        private static void reset(Socket socket) throws IOException {
            socket.setSoLinger(true, 0);
        }

        private void serve(Socket socket) throws IOException {
            BufferedReader input = new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
            OutputStream output = socket.getOutputStream();
            switch (Mood.valueOf(input.readLine())) {
                case ANSWERS -> write(output, "answer\n");
                case DRIPS -> {
                    for (byte each : "answer\r\n".getBytes(US_ASCII)) {
                        output.write(each);
                        Thread.yield();
                    }
                }
                case STALLS -> awaitEnd(input);
                case STALLS_MIDWAY -> {
                    write(output, "ans");
                    awaitEnd(input);
                }
                case ENDS_MIDWAY -> write(output, "ans");
                case FLOODS -> {
                    String much = "x".repeat(1000);
                    while (true) {
                        write(output, much);
                    }
                }
                case RESETS -> reset(socket);
                case RESETS_MIDWAY -> {
                    write(output, "ans");
                    reset(socket);
                }
                default -> {}
            }
        }

        private static void write(OutputStream output, String text) throws IOException {
            output.write(text.getBytes(US_ASCII));
        }

        private static void awaitEnd(BufferedReader input) throws IOException {
            while (input.read() >= 0) {}
        }

        @Override
        public void close() throws IOException {
            reading.close();
            resetting.close();
            for (Socket socket : open) {
                socket.close();
            }
            threads.shutdownNow();
            Patience.await().until(threads::isTerminated);
        }
    }

    @Test
    @Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void requests_toAMoodyPeer_eachHaveExactlyOneResult() throws Exception {
        runRound(SEED, 100); // opens what the JVM keeps open: jars, and what it closes sockets with
        int before = openFiles();
        for (int round = 0; round < ROUNDS; round++) {
            runRound(SEED + round, REQUESTS);
            Patience.await().until(() -> openFiles() <= before);
        }
    }

    private void runRound(long seed, int requests) throws Exception {
        Random random = new Random(seed);
        List<Mood> moods = Stream.generate(() -> Mood.values()[random.nextInt(Mood.values().length)])
                .limit(requests)
                .toList();
        Map<Long, AtomicInteger> ends = new ConcurrentHashMap<>();
        ExecutorStrategy strategy = strategy(2, options -> options.window(64).listener(counting(ends)));
        try (Peer peer = new Peer()) {
            AsyncFn<Mood, String> ask = (mood, loop) -> {
                boolean isStalled = mood == Mood.STALLS || mood == Mood.STALLS_MIDWAY;
                return ask(Network.of(loop), peer.address(mood), mood, isStalled ? SHORT : Patience.LIMIT);
            };
            int[] count = {0};
            try (Stream<Result<String>> results = strategy.map(Workload.async("asking", ask), moods)) {
                results.forEachOrdered(result -> {
                    Mood mood = moods.get(count[0]++);
                    String said = result.fold(line -> line, Throwable::toString);
                    assertThat(said)
                            .as("seed %s, request %s, %s", seed, count[0], mood)
                            .matches(mood.expected);
                });
            }
            assertThat(count[0]).as("seed %s", seed).isEqualTo(requests);
            strategy.close(); // and so all listeners have heard what there is to hear
            Patience.await()
                    .untilAsserted(() -> assertThat(ends).as("seed %s", seed).hasSize(requests));
            assertThat(ends.values()).as("seed %s", seed).allMatch(times -> times.get() == 1);
        }
    }

    /** One request of the second kind, and what came of it. */
    private static final class Request {
        private final Mood mood;
        private final AtomicInteger completions = new AtomicInteger();
        private CompletableFuture<Result<String>> future;
        private boolean isCancelled;

        Request(Mood mood) {
            this.mood = mood;
        }

        boolean isStalled() {
            return mood == Mood.STALLS || mood == Mood.STALLS_MIDWAY;
        }

        void cancel() {
            isCancelled |= future.cancel(true);
        }

        String outcome() throws Exception {
            try {
                return Patience.get(future).fold(line -> line, Throwable::toString);
            } catch (CancellationException e) {
                return "cancelled";
            }
        }

        String expected() {
            return isCancelled ? "cancelled" : isStalled() ? ".*TaskTimeoutException.*" : mood.expected;
        }
    }

    /** Those that stall are cancelled, or time out as tasks; others are cancelled before, while or after they are run. */
    @Test
    @Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void requests_cancelledAtRandom_eachHaveExactlyOneResult() throws Exception {
        runCancelling(SEED, 100); // opens what the JVM keeps open
        int before = openFiles();
        for (int round = 0; round < ROUNDS; round++) {
            runCancelling(SEED + round, REQUESTS);
            Patience.await().until(() -> openFiles() <= before);
        }
    }

    private void runCancelling(long seed, int count) throws Exception {
        Random random = new Random(seed);
        Map<Long, AtomicInteger> ends = new ConcurrentHashMap<>();
        ExecutorStrategy strategy = strategy(2, options -> options.window(64).listener(counting(ends)));
        try (Peer peer = new Peer()) {
            AsyncFn<Mood, String> ask = (mood, loop) -> ask(Network.of(loop), peer.address(mood), mood, null);
            Workload<Mood, String> asking = Workload.async("asking", ask);
            Workload<Mood, String> limited =
                    Workload.named("limited").timeout(SHORT).async(ask);
            List<Request> all = new ArrayList<>();
            List<Request> waiting = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Request request = new Request(Mood.values()[random.nextInt(Mood.values().length)]);
                request.future = strategy.submit(request.isStalled() ? limited : asking, request.mood);
                var unused = request.future.whenComplete((result, failure) -> request.completions.incrementAndGet());
                all.add(request);
                waiting.add(request);
                while (random.nextInt(3) == 0 || waiting.size() > 40) {
                    Request one = waiting.remove(random.nextInt(waiting.size()));
                    if (random.nextBoolean()) {
                        one.cancel();
                    }
                    if (waiting.isEmpty()) {
                        break;
                    }
                }
            }
            for (Request request : all) {
                assertThat(request.outcome())
                        .as("seed %s, request %s, %s", seed, all.indexOf(request), request.mood)
                        .matches(request.expected());
            }
            assertThat(all).as("seed %s", seed).anyMatch(request -> request.isCancelled);
            Patience.await().until(peer.open::isEmpty); // what a cancelled task has opened is closed
            strategy.close(); // and so all listeners have heard what there is to hear
            Patience.await()
                    .untilAsserted(() -> assertThat(ends).as("seed %s", seed).hasSize(count));
            assertThat(ends.values()).as("seed %s", seed).allMatch(times -> times.get() == 1);
            assertThat(all).as("seed %s", seed).allMatch(request -> request.completions.get() == 1);
        }
    }

    private static TaskListener counting(Map<Long, AtomicInteger> ends) {
        return new TaskListener() {
            @Override
            public void finished(TaskInfo task, Result<?> result) {
                ends.computeIfAbsent(task.id(), id -> new AtomicInteger()).incrementAndGet();
            }
        };
    }

    private static CompletableFuture<String> ask(
            Network network, SocketAddress address, Mood mood, @Nullable Duration limit) {
        return network.connect(address)
                .thenCompose(connection -> connection
                        .write(mood + "\n")
                        .thenCompose(written -> connection.readLine(100, limit))
                        .thenApply(String::valueOf));
    }
}
