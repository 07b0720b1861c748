package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.stratagem.AsyncFn;
import io.stratagem.ContextPropagator;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.Workload;
import io.stratagem.spi.Clock;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.MDC;

/** Connections, between tasks and with sockets of the JDK as peers. */
final class NetworkTest extends NetworkFixture {
    private final LogRecorder recorder = new LogRecorder();

    @TempDir
    Path temporary;

    // ---------------------------------------------------------------------------------------------- helpers

    /** What a task does with its network. */
    private interface Use<I, O> {
        CompletableFuture<O> apply(I input, Network network) throws Exception;
    }

    private static <I, O> Workload<I, O> using(String name, Use<I, O> use) {
        AsyncFn<I, O> function = (input, loop) -> use.apply(input, Network.of(loop));
        return Workload.async(name, function);
    }

    private static <I, O> Throwable failure(ExecutorStrategy strategy, Workload<I, O> workload, I input)
            throws Exception {
        return failure(strategy.submit(workload, input));
    }

    private Socket socketTo(SocketAddress address) throws IOException {
        Socket socket = new Socket();
        peers.add(socket);
        socket.connect(address);
        socket.setSoTimeout((int) Patience.LIMIT.toMillis());
        return socket;
    }

    /** A server in a task of its own, until the strategy is closed or the task cancelled. */
    private record Serving(Server server, CompletableFuture<Result<Void>> task) {
        SocketAddress address() {
            return server.localAddress();
        }
    }

    private static Serving serve(ExecutorStrategy strategy, SocketAddress address, ConnectionHandler handler)
            throws Exception {
        CompletableFuture<Server> listening = new CompletableFuture<>();
        Workload<SocketAddress, Void> serving = using(
                "serving",
                (where, network) -> network.listen(where, handler).thenCompose(server -> {
                    listening.complete(server);
                    return server.closed();
                }));
        CompletableFuture<Result<Void>> task = strategy.submit(serving, address);
        return new Serving(Patience.get(listening), task);
    }

    /** One that nobody has accepted yet is reset. */
    private static void assertEnds(Socket socket) throws IOException {
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    /** Each line back, until there is none. */
    private static CompletableFuture<Void> echoLines(Network network, Connection connection) {
        return network.repeat(() -> connection
                .readLine(1000)
                .thenCompose(line -> line == null
                        ? CompletableFuture.completedFuture(false)
                        : connection.write(line + "\n").thenApply(nothing -> true)));
    }

    // ---------------------------------------------------------------------------------------------- the plain way

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix", "name"})
    void connect_echoServer_answers(String kind) throws Exception {
        ExecutorStrategy strategy = strategy(2);
        Path socket = temporary.resolve("echo");
        SocketAddress where = kind.equals("unix") ? UnixDomainSocketAddress.of(socket) : anyPort();
        Serving serving = serve(strategy, where, connection -> connection.handle(ECHO));
        SocketAddress to = kind.equals("name")
                ? InetSocketAddress.createUnresolved("localhost", ((InetSocketAddress) serving.address()).getPort())
                : serving.address();
        Workload<String, List<String>> asking = using(
                "asking",
                (text, network) -> network.connect(to)
                        .thenCompose(connection -> connection
                                .write(text + "\r\n" + text + text)
                                .thenCompose(nothing -> connection.readLine(100))
                                .thenCompose(first -> connection
                                        .readExactly(2 * text.length())
                                        .thenCompose(second -> connection
                                                .shutdownOutput()
                                                .thenCompose(nothing -> connection.read())
                                                .thenApply(end -> List.of(
                                                        Objects.requireNonNull(first),
                                                        new String(second, US_ASCII),
                                                        "" + end.length))))));
        try (var results = strategy.map(asking, IntStream.range(0, 200).mapToObj(i -> "text " + i))) {
            int[] index = {0};
            assertThat(results.map(Result::orElseThrow)).allSatisfy(answer -> {
                String text = "text " + index[0]++;
                assertThat(answer).containsExactly(text, text + text, "0");
            });
        }
        Patience.get(serving.server().close());
        assertThat(Patience.get(serving.task()).isSuccess()).isTrue();
        assertThat(socket).doesNotExist();
    }

    @Test
    void of_loopOfAnotherStrategy_isRefused() throws Exception {
        ExecutorStrategy threads = closedAfterTest(ThreadPoolStrategy.create());
        assertThat(failure(threads, using("astray", (Integer n, Network network) -> null), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("EventLoopStrategy");
    }

    private static final ThreadLocal<String> TRACE = new ThreadLocal<>();

    private static ContextPropagator.Captured captureTrace() {
        String captured = TRACE.get();
        return captured == null
                ? null
                : () -> {
                    String former = TRACE.get();
                    TRACE.set(captured);
                    return () -> TRACE.set(former);
                };
    }

    private static String contextHere() {
        return MDC.get("who") + ", " + TRACE.get() + ", "
                + Thread.currentThread().getContextClassLoader().getName();
    }

    /** Submits in a context of its own, all three parts of it. */
    private static <O> CompletableFuture<Result<O>> submitAs(
            String who, ExecutorStrategy strategy, Workload<String, O> workload) {
        ClassLoader former = Thread.currentThread().getContextClassLoader();
        Thread.currentThread().setContextClassLoader(new URLClassLoader(who, new URL[0], former));
        MDC.put("who", who);
        TRACE.set(who);
        try {
            return strategy.submit(workload, who);
        } finally {
            MDC.remove("who");
            TRACE.remove();
            Thread.currentThread().setContextClassLoader(former);
        }
    }

    @Test
    void callbacks_ofEachTask_haveItsContextOnly() throws Exception {
        ExecutorStrategy strategy = strategy(1, options -> options.propagator(NetworkTest::captureTrace));
        int lines = 100; // more than are completed in the call that asks for them
        Queue<String> atServer = new ConcurrentLinkedQueue<>();
        Queue<String> atClient = new ConcurrentLinkedQueue<>();
        Runnable inServer = () -> atServer.add(contextHere());
        Runnable inClient = () -> atClient.add(contextHere());
        CompletableFuture<SocketAddress> address = new CompletableFuture<>();
        Workload<String, Void> serving = using(
                "serving",
                (who, network) -> network.listen(anyPort(), connection -> {
                            inServer.run();
                            return connection.handle((same, bytes) -> {
                                bytes.position(bytes.limit());
                                inServer.run();
                                var unused = same.write("line\n".repeat(lines))
                                        .thenRun(inServer)
                                        .thenCompose(nothing -> same.shutdownOutput())
                                        .thenRun(inServer);
                            });
                        })
                        .thenCompose(server -> {
                            inServer.run();
                            address.complete(server.localAddress());
                            return server.closed();
                        }));
        CompletableFuture<Result<Void>> server = submitAs("server", strategy, serving);
        SocketAddress where = Patience.get(address);
        AsyncFn<String, Void> ask =
                (who, loop) -> Network.of(loop).connect(where).thenCompose(connection -> {
                    inClient.run();
                    return connection
                            .write("hello")
                            .thenCompose(nothing -> loop.delay(Duration.ofMillis(1)))
                            .thenRun(inClient)
                            .thenCompose(nothing -> loop.offload(() -> 1))
                            .thenRun(inClient)
                            .thenRunAsync(inClient, loop.executor())
                            .thenCompose(nothing -> Network.of(loop)
                                    .repeat(() -> connection.readLine(100).thenApply(line -> {
                                        inClient.run();
                                        return line != null;
                                    })))
                            .thenCompose(nothing -> connection.close())
                            .thenRun(inClient);
                });
        assertThat(Patience.get(submitAs("client", strategy, Workload.async("asking", ask)))
                        .isSuccess())
                .isTrue();
        Workload<Integer, String> plain = Workload.async(
                "plain", (n, loop) -> loop.delay(Duration.ofMillis(1)).thenApply(nothing -> contextHere()));
        assertThat(strategy.run(plain, 1).orElseThrow()).startsWith("null, null, ");
        server.cancel(true);
        assertThat(atServer).hasSize(5).containsOnly("server, server, server");
        assertThat(atClient).hasSize(lines + 6).containsOnly("client, client, client");
    }

    /** What the callbacks of one task ran on. */
    private record Trace(Set<String> threads, CompletableFuture<Result<Void>> task) {}

    /** As many tasks with a server as with connections to all the servers; none hears of the other's thread. */
    @Test
    void tasks_withServersOrConnections_stayEachOnOneLoopAndUseBoth() throws Exception {
        int each = 6;
        ExecutorStrategy strategy = strategy(2);
        List<SocketAddress> addresses = new ArrayList<>();
        List<Trace> serving = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            boolean isHandled = i % 2 == 0;
            CompletableFuture<Server> listening = new CompletableFuture<>();
            serving.add(traced(
                    strategy,
                    (note, network) -> network.listen(anyPort(), connection -> {
                                note.run();
                                if (isHandled) {
                                    return connection.handle((same, bytes) -> {
                                        note.run();
                                        ECHO.bytes(same, bytes);
                                    });
                                }
                                return echoLines(network, connection).thenRun(note);
                            })
                            .thenCompose(server -> {
                                note.run();
                                listening.complete(server);
                                return server.closed();
                            })));
            addresses.add(Patience.get(listening).localAddress());
        }
        List<Trace> asking = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            asking.add(traced(strategy, (note, network) -> {
                CompletableFuture<?>[] all = addresses.stream()
                        .map(address -> network.connect(address).thenCompose(connection -> {
                            note.run();
                            return connection
                                    .write("line\n")
                                    .thenRun(note)
                                    .thenCompose(written -> connection.readLine(100))
                                    .thenRun(note)
                                    .thenCompose(nothing -> connection.close())
                                    .thenRun(note);
                        }))
                        .toArray(CompletableFuture[]::new);
                return CompletableFuture.allOf(all).thenRun(note);
            }));
        }
        for (Trace trace : asking) {
            assertThat(Patience.get(trace.task())).isEqualTo(Result.success(null));
        }
        for (List<Trace> traces : List.of(serving, asking)) {
            assertThat(traces).allSatisfy(trace -> assertThat(trace.threads()).hasSize(1));
            assertThat(traces.stream()
                            .flatMap(trace -> trace.threads().stream())
                            .distinct())
                    .hasSize(2)
                    .allMatch(thread -> thread.contains("-loop-"));
        }
    }

    private static Trace traced(ExecutorStrategy strategy, Use<Runnable, Void> use) {
        Set<String> threads = ConcurrentHashMap.newKeySet();
        Runnable note = () -> threads.add(Thread.currentThread().getName());
        Workload<Runnable, Void> tracing = using("tracing", (same, network) -> {
            same.run();
            return use.apply(same, network);
        });
        return new Trace(threads, strategy.submit(tracing, note));
    }

    @Test
    void read_largeAnswer_comesWhole() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        byte[] large = new byte[3_000_000];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31);
        }
        Serving serving = serve(
                strategy,
                anyPort(),
                connection -> connection.readExactly(1).thenCompose(asked -> connection.write(large)));
        Workload<Integer, byte[]> asking = using(
                "asking",
                (n, network) -> network.connect(serving.address())
                        .thenCompose(connection ->
                                connection.write("?").thenCompose(done -> connection.readExactly(large.length))));
        assertThat(strategy.run(asking, 1).orElseThrow()).isEqualTo(large);
    }

    @Test
    void shutdownOutput_peerStillSends_isRead() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, String> asking = using(
                "asking",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection
                                .write("question")
                                .thenCompose(done -> connection.shutdownOutput())
                                .thenCompose(done -> connection.readLine(100))));
        CompletableFuture<Result<String>> future = strategy.submit(asking, 1);
        Socket socket = accept(peer);
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo("question".getBytes(US_ASCII));
        socket.getOutputStream().write("answer".getBytes(US_ASCII));
        socket.close();
        assertThat(Patience.get(future)).isEqualTo(Result.success("answer"));
    }

    @Test
    void write_afterShutdownOutput_isRefusedAndSaysSo() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, Void> writing = using(
                "writing",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection ->
                                connection.shutdownOutput().thenCompose(nothing -> connection.write("late"))));
        assertThat(failure(strategy, writing, 1))
                .isInstanceOf(ClosedChannelException.class)
                .hasMessageContaining("has shut its output")
                .hasMessageContaining(peer.getLocalSocketAddress().toString());
    }

    @Test
    void readLine_longerThanAllowed_staysToBeRead() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection ->
                                connection.readLine(3).exceptionallyCompose(failure -> connection.readLine(100))));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        socket.getOutputStream().write("a line\n".getBytes(US_ASCII));
        assertThat(Patience.get(future)).isEqualTo(Result.success("a line"));
    }

    @Test
    void readLine_manyInTheBuffer_neitherOverflowsNorStarves() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        int lines = 20_000;
        Workload<Integer, Long> recursive = using(
                "recursive",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(NetworkTest::countLines));
        Workload<Integer, Long> repeating = using(
                "repeating",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                    AtomicLong count = new AtomicLong();
                    return network.repeat(() -> connection.readLine(100).thenApply(line -> {
                                if (line != null) {
                                    count.incrementAndGet();
                                }
                                return line != null;
                            }))
                            .thenApply(nothing -> count.get());
                }));
        for (Workload<Integer, Long> workload : List.of(recursive, repeating)) {
            CompletableFuture<Result<Long>> future = strategy.submit(workload, 1);
            Socket socket = accept(peer);
            socket.getOutputStream().write("x\n".repeat(lines).getBytes(US_ASCII));
            socket.close();
            assertThat(Patience.get(future)).isEqualTo(Result.success((long) lines));
        }
    }

    private static CompletableFuture<Long> countLines(Connection connection) {
        return connection
                .readLine(100)
                .thenCompose(line -> line == null
                        ? CompletableFuture.completedFuture(0L)
                        : countLines(connection).thenApply(rest -> rest + 1));
    }

    @Test
    void write_taskEndsAtOnceAndStrategyIsClosed_isSentAllTheSame() throws Exception {
        ExecutorStrategy strategy = patientStrategy();
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        int size = 12_000_000;
        Workload<Integer, Integer> leaving = using(
                "leaving",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenApply(connection -> {
                    var unused = connection.write(new byte[size]);
                    return n;
                }));
        CompletableFuture<Result<Integer>> future = strategy.submit(leaving, 1);
        Socket socket = accept(peer);
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        CompletableFuture<Void> closing =
                CompletableFuture.runAsync(strategy::close, action -> new Thread(action).start());
        assertThat(count(socket.getInputStream())).isEqualTo(size);
        Patience.get(closing);
    }

    @Test
    void close_muchIsWritten_whoWaitsForItsLeavingHasIt() throws Exception {
        ExecutorStrategy strategy = patientStrategy();
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        int size = 12_000_000;
        Workload<Integer, Void> closing = using(
                "closing",
                (n, network) ->
                        network.connect(peer.getLocalSocketAddress()).thenCompose(NetworkFixture::writeMuchAndClose));
        CompletableFuture<Result<Void>> future = strategy.submit(closing, 1);
        Socket socket = accept(peer);
        assertThat(count(socket.getInputStream())).isEqualTo(size);
        assertThat(Patience.get(future)).isEqualTo(Result.success(null));
    }

    // ---------------------------------------------------------------------------------------------- what goes wrong

    @Test
    void connect_nobodyListens_isRefusedAndSaysWhere() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        SocketAddress closed;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = free.getLocalSocketAddress();
        }
        Workload<SocketAddress, Connection> connecting = using("connecting", (to, network) -> network.connect(to));
        int before = openFiles();
        assertThat(failure(strategy, connecting, closed))
                .isInstanceOf(ConnectException.class)
                .hasMessageContaining(closed.toString());
        Path nothing = temporary.resolve("nothing");
        assertThat(failure(strategy, connecting, UnixDomainSocketAddress.of(nothing)))
                .isInstanceOf(ConnectException.class)
                .hasMessageContaining(nothing.toString());
        assertThat(failure(strategy, connecting, InetSocketAddress.createUnresolved("nosuch.invalid", 80)))
                .isInstanceOf(UnknownHostException.class)
                .hasMessageContaining("nosuch.invalid");
        awaitOpenFiles(before);
    }

    private static void awaitOpenFiles(int most) {
        // The loop itself has three, which it opens when it starts.
        Patience.await().until(() -> openFiles() <= most + 4);
    }

    @Test
    void listen_addressInUse_saysWhich() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<SocketAddress, Server> listening =
                using("listening", (where, network) -> network.listen(where, Connection::closed));
        assertThat(failure(strategy, listening, peer.getLocalSocketAddress()))
                .isInstanceOf(BindException.class)
                .hasMessageContaining(peer.getLocalSocketAddress().toString());
        Path file = Files.createFile(temporary.resolve("file"));
        assertThat(failure(strategy, listening, UnixDomainSocketAddress.of(file)))
                .isInstanceOf(BindException.class)
                .hasMessageContaining(file.toString());
        assertThat(file).as("not ours").exists();
    }

    @Test
    void close_serversAddress_isFreeWhenItCompletes() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Workload<Integer, Integer> listening = using(
                "listening",
                (n, network) -> network.listen(anyPort(), Connection::closed)
                        .thenCompose(server -> server.close()
                                .thenCompose(nothing -> network.listen(server.localAddress(), Connection::closed)))
                        .thenApply(again -> n));
        for (int i = 0; i < 20; i++) {
            assertThat(Patience.get(strategy.submit(listening, i))).isEqualTo(Result.success(i));
        }
    }

    @Test
    void close_whileTheLoopStillHasToEnd_completesWhenItIsClosed() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Connection> accepted = new CompletableFuture<>();
        Serving serving = serve(strategy, anyPort(), connection -> {
            accepted.complete(connection);
            return connection.closed();
        });
        Socket client = socketTo(serving.address());
        Connection connection = Patience.get(accepted);
        Gate gate = gate();
        CompletableFuture<Void> isHeld = new CompletableFuture<>();
        Workload<Integer, Integer> holding = Workload.async("holding", (n, loop) -> {
            isHeld.complete(null);
            gate.awaitIgnoringInterrupts();
            return CompletableFuture.completedFuture(n);
        });
        var held = strategy.submit(holding, 1);
        Patience.get(isHeld);
        strategy.closeNow();
        CompletableFuture<Void> connectionIsClosed = connection.close();
        CompletableFuture<Void> serverIsClosed = serving.server().close();
        assertThat(connectionIsClosed).isNotDone();
        assertThat(serverIsClosed).isNotDone();
        gate.open();
        Patience.get(connectionIsClosed);
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        client.close();
        Patience.get(serverIsClosed);
        new ServerSocket(((InetSocketAddress) serving.address()).getPort(), 1, InetAddress.getLoopbackAddress())
                .close();
        Patience.await().until(held::isDone);
    }

    @Test
    void accept_noDescriptorIsLeft_goesOnWhenThereIsOne() throws Exception {
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -n 200 && exec \"$0\" \"$@\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        ExhaustedProgram.class.getName())
                .redirectErrorStream(true)
                .start();
        peers.add(process::destroyForcibly);
        String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
        assertThat(output).contains("Too many open files", "could not accept a connection");
        assertThat(process.waitFor()).as(output).isZero();
    }

    @Test
    void connect_limitPasses_givesUp() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        // A backlog of one that is full: further ones are not answered.
        ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        peers.add(full);
        List<SocketChannel> filling = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SocketChannel one = SocketChannel.open();
            peers.add(one);
            one.configureBlocking(false);
            one.connect(full.getLocalSocketAddress());
            filling.add(one);
        }
        Workload<SocketAddress, Connection> connecting =
                using("connecting", (to, network) -> network.connect(to, LIMIT));
        CompletableFuture<Result<Connection>> future = strategy.submit(connecting, full.getLocalSocketAddress());
        Patience.await().until(() -> clock.waiting() > 0);
        clock.advance(LIMIT);
        Result<Connection> result = Patience.get(future);
        assertThat(result).isInstanceOf(Result.Failure.class);
        assertThat(((Result.Failure<Connection>) result).cause())
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("PT1S");
        assertThat(filling).isNotEmpty();
    }

    @Test
    void connect_unixBacklogIsFull_isTriedAgainUntilTheLimit() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(temporary.resolve("full"));
        ServerSocketChannel full = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        peers.add(full);
        full.bind(address, 1);
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 8; i++) {
                        SocketChannel one = SocketChannel.open(StandardProtocolFamily.UNIX);
                        peers.add(one);
                        one.configureBlocking(false);
                        one.connect(address);
                    }
                })
                .isInstanceOf(SocketException.class);
        Workload<SocketAddress, Boolean> connecting =
                using("connecting", (to, network) -> network.connect(to, LIMIT).thenApply(connection -> true));
        CompletableFuture<Result<Boolean>> late = strategy.submit(connecting, address);
        Patience.await().until(() -> clock.waiting() == 2); // the limit, and the next try
        clock.advance(LIMIT);
        assertThat(failure(late))
                .isInstanceOf(SocketTimeoutException.class)
                .cause()
                .isInstanceOf(ConnectException.class)
                .hasMessageContaining(address.toString());
        Patience.await().until(() -> clock.waiting() == 0);
        CompletableFuture<Result<Boolean>> future = strategy.submit(connecting, address);
        Patience.await().until(() -> clock.waiting() == 2);
        peers.add(full.accept());
        clock.advance(LIMIT.dividedBy(2));
        assertThat(Patience.get(future)).isEqualTo(Result.success(true));
        assertThat(clock.waiting()).isZero();
    }

    /** The name waits for a thread that is busy. */
    @Test
    void connect_limitPassesDuringTheLookup_timesOut() throws Exception {
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        ExecutorStrategy strategy = closedAfterTest(EventLoopStrategy.builder()
                .loops(1)
                .blockingThreads(1)
                .clock(clock)
                .build());
        Workload<SocketAddress, Connection> connecting = Workload.async("connecting", (to, loop) -> {
            var unused = loop.offload(() -> {
                gate.awaitIgnoringInterrupts();
                return null;
            });
            return Network.of(loop).connect(to, LIMIT);
        });
        CompletableFuture<Result<Connection>> future =
                strategy.submit(connecting, InetSocketAddress.createUnresolved("localhost", 1));
        Patience.await().until(() -> clock.waiting() > 0);
        clock.advance(LIMIT);
        assertThat(failure(future)).isInstanceOf(SocketTimeoutException.class).hasMessageContaining("PT1S");
        gate.open();
    }

    @Test
    void connect_futureIsCompletedByOthersDuringTheLookup_isForgotten() throws Exception {
        FakeClock clock = new FakeClock();
        Gate gate = gate();
        ExecutorStrategy strategy = closedAfterTest(EventLoopStrategy.builder()
                .loops(1)
                .blockingThreads(1)
                .clock(clock)
                .build());
        CompletableFuture<CompletableFuture<Connection>> begun = new CompletableFuture<>();
        Workload<SocketAddress, Connection> connecting = Workload.async("connecting", (to, loop) -> {
            var unused = loop.offload(() -> {
                gate.awaitIgnoringInterrupts();
                return null;
            });
            begun.complete(Network.of(loop).connect(to, Duration.ofHours(1)));
            return new CompletableFuture<>();
        });
        var unused = strategy.submit(connecting, InetSocketAddress.createUnresolved("localhost", 1));
        Patience.get(begun).completeExceptionally(new TimeoutException("orTimeout does so"));
        assertThat(clock.waiting()).isEqualTo(1);
        gate.open();
        Patience.await().until(() -> clock.waiting() == 0);
    }

    @Test
    void read_peerResets_failsAndNamesThePeer() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, byte[]> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection.readExactly(10)));
        CompletableFuture<Result<byte[]>> reset = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        socket.getOutputStream().write(new byte[3]);
        socket.setSoLinger(true, 0);
        socket.close();
        assertThat(failure(reset))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining(peer.getLocalSocketAddress().toString());
        CompletableFuture<Result<byte[]>> ended = strategy.submit(reading, 1);
        Socket second = accept(peer);
        second.getOutputStream().write(new byte[3]);
        second.close();
        assertThat(failure(ended)).isInstanceOf(EOFException.class).hasMessageContaining("3 of 10 bytes");
    }

    @Test
    void readLine_peerDrips_timesOutAndKeepsWhatCame() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        CompletableFuture<String> firstFailure = new CompletableFuture<>();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection
                                .readLine(100, LIMIT)
                                .exceptionally(failure -> {
                                    firstFailure.complete(failure.toString());
                                    return null;
                                })
                                .thenCompose(nothing -> connection.readLine(100, LIMIT))));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        OutputStream output = socket.getOutputStream();
        Patience.await().until(() -> clock.waiting() == 1);
        for (int i = 0; i < 10; i++) {
            output.write('x');
            clock.advance(LIMIT.dividedBy(10));
        }
        assertThat(Patience.get(firstFailure)).contains("SocketTimeoutException", "gave no line within PT1S");
        output.write("y\n".getBytes(US_ASCII));
        assertThat(Patience.get(future)).isEqualTo(Result.success("xxxxxxxxxxy"));
        Patience.await().until(() -> clock.waiting() == 0);
    }

    @ParameterizedTest
    @CsvSource({
        "read, 'gave no byte within PT1S', ''",
        "readLine, 'gave no line within PT1S', 'half '",
        "readExactly, 'gave no 10 bytes within PT1S', 'half '"
    })
    void read_peerStalls_timesOutAndTheConnectionStays(String way, String said, String before) throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        CompletableFuture<String> firstFailure = new CompletableFuture<>();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> read(way, connection, LIMIT)
                                .exceptionallyCompose(failure -> {
                                    firstFailure.complete(failure.toString());
                                    return read(way, connection, LIMIT);
                                })
                                .thenCompose(text -> connection
                                        .write(text)
                                        .thenApply(written -> text + (connection.isClosed() ? ", closed" : "")))));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        socket.getOutputStream().write(before.getBytes(US_ASCII));
        Patience.await().until(() -> clock.waiting() == 1);
        clock.advance(LIMIT);
        assertThat(Patience.get(firstFailure)).contains("SocketTimeoutException", said);
        Patience.await().until(() -> clock.waiting() == 1);
        String rest = "a line here\n".substring(before.length());
        socket.getOutputStream().write(rest.getBytes(US_ASCII));
        String expected = before + rest;
        expected = way.equals("readExactly") ? expected.substring(0, 10) : expected.trim();
        Result<String> result = Patience.get(future);
        assertThat(result.orElseThrow().trim()).isEqualTo(expected);
        assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII).trim())
                .isEqualTo(expected);
        Patience.await().until(() -> clock.waiting() == 0);
    }

    private static CompletableFuture<String> read(String way, Connection connection, Duration limit) {
        return switch (way) {
            case "read" -> connection.read(limit).thenApply(bytes -> new String(bytes, US_ASCII));
            case "readExactly" -> connection.readExactly(10, limit).thenApply(bytes -> new String(bytes, US_ASCII));
            default -> connection.readLine(100, limit).thenApply(String::valueOf);
        };
    }

    @Test
    void slowPeers_many_areDroppedInTimeAndHoldUpNobody() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Serving serving = serve(
                strategy,
                anyPort(),
                connection -> connection.readLine(100, LIMIT).thenCompose(line -> connection.write(line + "\n")));
        int slow = 100;
        List<Socket> dripping = new ArrayList<>();
        for (int i = 0; i < slow; i++) {
            dripping.add(socketTo(serving.address()));
        }
        Patience.await().until(() -> clock.waiting() == slow);
        for (int i = 1; i <= 10; i++) {
            for (Socket each : dripping) {
                each.getOutputStream().write('x');
            }
            Socket quick = socketTo(serving.address());
            quick.getOutputStream().write(("quick " + i + "\n").getBytes(US_ASCII));
            assertThat(new String(quick.getInputStream().readAllBytes(), US_ASCII))
                    .isEqualTo("quick " + i + "\n");
            clock.advance(LIMIT.dividedBy(10));
        }
        for (Socket each : dripping) {
            assertEnds(each); // however often it has sent something
        }
        Patience.await().until(() -> clock.waiting() == 0);
    }

    @Test
    void readLine_endless_failsAndTakesInNoMore() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection.readLine(1000)));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        byte[] line = "x".repeat(4096).getBytes(US_ASCII);
        try {
            for (int i = 0; i < 100_000; i++) {
                socket.getOutputStream().write(line);
            }
            throw new AssertionError("somebody took 400 MB");
        } catch (IOException e) {
            assertThat(e).isInstanceOf(SocketException.class); // the task has ended, and its connection is closed
        }
        assertThat(failure(future)).isInstanceOf(IOException.class).hasMessageContaining("longer than 1000 bytes");
    }

    @Test
    void read_whileReading_isRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, byte[]> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                    CompletableFuture<byte[]> first = connection.read();
                    CompletableFuture<byte[]> second = connection.read();
                    first.cancel(true);
                    return second.exceptionallyCompose(
                            failure -> failure.getMessage().contains("being read already")
                                    ? connection.read()
                                    : CompletableFuture.failedFuture(failure));
                }));
        CompletableFuture<Result<byte[]>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        socket.getOutputStream().write(7);
        assertThat(Patience.get(future).orElseThrow()).containsExactly(7);
    }

    // ---------------------------------------------------------------------------------------------- handlers

    /** A limit from outside: the read is over for whoever waits, and must not take what comes. */
    @Test
    void read_futureIsCompletedByOthers_losesNothing() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<CompletableFuture<byte[]>> begun = new CompletableFuture<>();
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                    CompletableFuture<byte[]> first = connection.read();
                    begun.complete(first);
                    return goOn.thenCompose(nothing -> connection.readLine(100));
                }));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        Patience.get(begun).completeExceptionally(new TimeoutException("orTimeout does so"));
        socket.getOutputStream().write("a ".getBytes(US_ASCII));
        Workload<Integer, Integer> quick = Workload.async(
                "quick", (n, loop) -> loop.delay(Duration.ofMillis(1)).thenApply(nothing -> n));
        for (int i = 0; i < 20; i++) {
            strategy.run(quick, i); // the loop has seen what has come
        }
        socket.getOutputStream().write("line\n".getBytes(US_ASCII));
        goOn.complete(null);
        assertThat(Patience.get(future)).isEqualTo(Result.success("a line"));
    }

    /** The future is completed from outside while the bytes are taken for it, which takes a while. */
    @Test
    void readExactly_futureIsCompletedByOthersAtThatMoment_losesNothing() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        int size = 8_000_000;
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 40; i++) {
            CompletableFuture<CompletableFuture<byte[]>> begun = new CompletableFuture<>();
            Workload<Integer, Integer> reading = using(
                    "reading",
                    (n, network) -> network.connect(peer.getLocalSocketAddress())
                            .thenCompose(connection -> {
                                CompletableFuture<byte[]> first = connection.readExactly(size);
                                begun.complete(first);
                                return first.exceptionallyCompose(failure -> connection.readExactly(size));
                            })
                            .thenApply(bytes -> bytes.length));
            CompletableFuture<Result<Integer>> future = strategy.submit(reading, i);
            try (Socket socket = accept(peer)) {
                CompletableFuture<byte[]> first = Patience.get(begun);
                socket.getOutputStream().write(new byte[size]);
                long until = System.nanoTime() + random.nextInt(5_000_000);
                while (System.nanoTime() < until) {
                    Thread.onSpinWait();
                }
                first.completeExceptionally(new TimeoutException("orTimeout does so"));
                assertThat(Patience.get(future))
                        .as("seed %s, round %s", seed, i)
                        .isEqualTo(Result.success(size));
            }
        }
    }

    /** Others complete it when its timer is disarmed, and are still at it: its loop must not do the rest in between. */
    @Test
    void readExactly_othersAreAboutToCompleteIt_takesNothing() throws Exception {
        FakeClock time = new FakeClock();
        AtomicReference<Runnable> onDisarm = new AtomicReference<>(() -> {});
        Clock clock = new Clock() {
            @Override
            public long nanoTime() {
                return time.nanoTime();
            }

            @Override
            public Timer schedule(Runnable action, long delayNanos) {
                Timer timer = time.schedule(action, delayNanos);
                return () -> {
                    onDisarm.getAndSet(() -> {}).run();
                    timer.cancel();
                };
            }
        };
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        Gate gate = gate();
        CompletableFuture<Void> isBegun = new CompletableFuture<>();
        CompletableFuture<Void> isDisarmed = new CompletableFuture<>();
        Workload<Integer, String> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                    CompletableFuture<byte[]> first = connection.readExactly(2, LIMIT);
                    CompletableFuture<byte[]> next = first.exceptionallyCompose(failure -> connection.readExactly(2));
                    CompletableFuture<Void> isCompleted = new CompletableFuture<>();
                    var unused = first.whenComplete((bytes, failure) -> { // before `next`: the last is the first
                        isCompleted.complete(null);
                        gate.awaitIgnoringInterrupts();
                    });
                    onDisarm.set(() -> {
                        new Thread(() -> first.completeExceptionally(new TimeoutException("orTimeout does so")))
                                .start();
                        Patience.await().until(isCompleted::isDone);
                        isDisarmed.complete(null);
                    });
                    isBegun.complete(null);
                    return next.thenApply(bytes -> new String(bytes, US_ASCII));
                }));
        CompletableFuture<Result<String>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        Patience.get(isBegun);
        socket.getOutputStream().write("abcdef".getBytes(US_ASCII));
        Patience.get(isDisarmed);
        strategy.run(Workload.async("quick", (Integer n, Loop loop) -> CompletableFuture.completedFuture(n)), 1);
        gate.open();
        assertThat(Patience.get(future)).isEqualTo(Result.success("ab"));
    }

    @Test
    void read_muchIsLeftOfAnotherRead_givesItInPieces() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        int size = 500_000;
        List<Integer> pieces = new ArrayList<>();
        Workload<Integer, List<Integer>> reading = using(
                "reading",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection
                                .readExactly(size + 1, LIMIT)
                                .exceptionallyCompose(failure -> network.repeat(() -> connection
                                                .read()
                                                .thenApply(some -> some.length > 0 && pieces.add(some.length)))
                                        .thenApply(nothing -> new byte[0])))
                        .thenApply(nothing -> pieces));
        CompletableFuture<Result<List<Integer>>> future = strategy.submit(reading, 1);
        Socket socket = accept(peer);
        Patience.await().until(() -> clock.waiting() == 1);
        socket.getOutputStream().write(new byte[size]);
        // When nothing more can be in the system's buffers, the loop has taken it.
        Workload<Integer, Integer> quick = Workload.async("quick", (n, loop) -> CompletableFuture.completedFuture(n));
        for (int i = 0; i < 200; i++) {
            strategy.run(quick, i);
        }
        clock.advance(LIMIT);
        socket.shutdownOutput();
        assertThat(Patience.get(future).orElseThrow()).allMatch(piece -> piece <= 65_536);
        assertThat(pieces.stream().mapToInt(piece -> piece).sum()).isEqualTo(size);
    }

    @Test
    void handler_throws_endsItsConnectionOnly() throws Exception {
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = strategy(1);
            BytesHandler failing = (connection, bytes) -> {
                if (bytes.get(bytes.position()) == '!') {
                    throw new IllegalStateException("in the bytes");
                }
                var unused = connection.write(bytes);
            };
            Serving serving = serve(strategy, anyPort(), connection -> connection.handle(failing));
            Serving refusing = serve(strategy, anyPort(), connection -> {
                throw new IllegalStateException("in the handler");
            });
            Socket well = socketTo(serving.address());
            Socket ill = socketTo(serving.address());
            ill.getOutputStream().write('!');
            assertThat(ill.getInputStream().read()).isEqualTo(-1);
            assertThat(socketTo(refusing.address()).getInputStream().read()).isEqualTo(-1);
            well.getOutputStream().write('?');
            assertThat(well.getInputStream().read()).isEqualTo('?');
            recorder.await("'serving' failed");
            assertThat(recorder.messages(Level.WARN)).hasSize(2);
            assertThat(serving.task()).isNotDone();
        } finally {
            recorder.detach();
        }
    }

    @Test
    void handler_throwsWhatCannotBeLogged_endsItsConnectionOnly() throws Exception {
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = strategy(1);
            CompletableFuture<Connection> first = new CompletableFuture<>();
            Serving serving = serve(strategy, anyPort(), connection -> {
                if (first.complete(connection)) {
                    throw new UnspeakableException();
                }
                return connection.handle(ECHO);
            });
            assertEnds(socketTo(serving.address()));
            Patience.get(Patience.get(first).closed());
            Socket next = socketTo(serving.address());
            next.getOutputStream().write('?');
            assertThat(next.getInputStream().read()).isEqualTo('?');
            assertThat(serving.task()).isNotDone();
        } finally {
            recorder.detach();
        }
    }

    /** A stage of somebody's own making. */
    @Test
    void handler_stageCannotBeWaitedFor_endsItsConnectionOnly() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Void> unwilling = new CompletableFuture<>() {
            @Override
            public CompletableFuture<Void> whenComplete(BiConsumer<? super Void, ? super Throwable> action) {
                throw new UnsupportedOperationException("not this one");
            }
        };
        Serving serving = serve(strategy, anyPort(), connection -> unwilling);
        for (int i = 0; i < 3; i++) {
            assertEnds(socketTo(serving.address()));
        }
        assertThat(serving.task()).isNotDone();
    }

    @Test
    void handler_leavesBytes_seesThemAgain() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        BytesHandler pairs = (connection, bytes) -> {
            while (bytes.remaining() >= 2) {
                byte first = bytes.get();
                byte second = bytes.get();
                var unused = connection.write(new byte[] {second, first});
            }
        };
        Serving serving = serve(strategy, anyPort(), connection -> connection.handle(pairs));
        Socket socket = socketTo(serving.address());
        socket.setTcpNoDelay(true);
        for (byte each : "badcfe".getBytes(US_ASCII)) {
            socket.getOutputStream().write(each);
        }
        assertThat(socket.getInputStream().readNBytes(6)).isEqualTo("abcdef".getBytes(US_ASCII));
        Serving hoarding = serve(strategy, anyPort(), connection -> connection.handle((same, bytes) -> {}));
        Socket endless = socketTo(hoarding.address());
        assertThat(sendUntilClosed(endless)).isLessThan(100_000_000L);
    }

    private static long sendUntilClosed(Socket socket) {
        long sent = 0;
        try {
            while (sent < 200_000_000) {
                socket.getOutputStream().write(new byte[65_536]);
                sent += 65_536;
            }
        } catch (IOException e) {
            assertThat(e).isInstanceOf(SocketException.class);
        }
        return sent;
    }

    // ---------------------------------------------------------------------------------------------- back-pressure

    @Test
    void handle_peerDoesNotRead_takesInNoMoreAndLosesNothing() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        AtomicLong taken = new AtomicLong();
        Serving serving = serve(
                strategy,
                anyPort(),
                connection -> connection.handle((same, bytes) -> {
                    taken.addAndGet(bytes.remaining());
                    ECHO.bytes(same, bytes);
                }));
        SocketChannel channel = SocketChannel.open(serving.address());
        peers.add(channel);
        channel.configureBlocking(false);
        long sent = 0;
        ByteBuffer some = ByteBuffer.allocateDirect(65_536);
        long blocked = 0;
        // When nothing could be sent for so long, and nothing was taken in, the kernel's buffers are full.
        for (long last = -1; blocked < 1000 || taken.get() != last; ) {
            last = taken.get();
            some.clear();
            int count = channel.write(some);
            sent += count;
            blocked = count == 0 ? blocked + 1 : 0;
            if (count == 0) {
                Thread.yield();
            }
            assertThat(sent).as("bounded by the kernel's buffers").isLessThan(100_000_000L);
        }
        assertThat(taken.get()).isLessThan(sent);
        channel.configureBlocking(true);
        channel.shutdownOutput();
        long back = 0;
        for (int n = 0; n >= 0; n = channel.read(some.clear())) {
            back += n;
        }
        assertThat(back).isEqualTo(sent);
        assertThat(taken.get()).isEqualTo(sent);
    }

    @Test
    void write_peerDoesNotRead_waitsAndThenIsRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<Integer, Void> writing = using(
                "writing",
                (n, network) ->
                        network.connect(peer.getLocalSocketAddress()).thenCompose(NetworkFixture::writeUntilRefused));
        CompletableFuture<Result<Void>> future = strategy.submit(writing, 1);
        accept(peer);
        assertThat(failure(future))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("wait for the future");
    }

    @Test
    void write_limitPasses_timesOut() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        Workload<Integer, Void> writing = using(
                "writing",
                (n, network) -> network.connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> connection.write(ByteBuffer.allocate(50_000_000), LIMIT)));
        CompletableFuture<Result<Void>> future = strategy.submit(writing, 1);
        accept(peer);
        Patience.await().until(() -> clock.waiting() == 1);
        clock.advance(LIMIT);
        assertThat(failure(future)).isInstanceOf(SocketTimeoutException.class).hasMessageContaining("PT1S");
    }

    @ParameterizedTest
    @ValueSource(strings = {"write", "flush"})
    void write_peerStalls_timesOutAndIsSentAllTheSame(String way) throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        LimitedWrite write = new LimitedWrite(way);
        Workload<Integer, String> writing = using(
                "writing",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(write::begin));
        CompletableFuture<Result<String>> future = strategy.submit(writing, 1);
        write.assertIsSentAllTheSame(clock, accept(peer), future);
    }

    /** As orTimeout does. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void write_futuresAreCompletedByOthers_areForgotten(boolean isOnLoop) throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        Function<Connection, List<CompletableFuture<Void>>> begin = connection -> List.of(
                connection.write(ByteBuffer.allocate(LARGE), Duration.ofHours(1)),
                connection.flush(Duration.ofHours(1)));
        CompletableFuture<Connection> opened = new CompletableFuture<>();
        CompletableFuture<List<CompletableFuture<Void>>> begun = new CompletableFuture<>();
        Workload<Integer, Integer> writing = using(
                "writing",
                (n, network) -> network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                    if (isOnLoop) {
                        begun.complete(begin.apply(connection));
                    }
                    opened.complete(connection);
                    return begun.thenCompose(nothing -> connection.flush(null)).thenApply(nothing -> n);
                }));
        CompletableFuture<Result<Integer>> future = strategy.submit(writing, 1);
        Socket socket = accept(peer);
        Connection connection = Patience.get(opened);
        if (!isOnLoop) {
            begun.complete(begin.apply(connection));
        }
        Patience.await().until(() -> clock.waiting() == 2);
        assertThat(Patience.get(begun).get(0).cancel(true)).isTrue();
        assertThat(Patience.get(begun).get(1).completeExceptionally(new TimeoutException()))
                .isTrue();
        Patience.await().until(() -> clock.waiting() == 0);
        assertThat(socket.getInputStream().readNBytes(LARGE)).hasSize(LARGE);
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
    }

    @Test
    void delays_manyAreDueAtOnce_doNotHoldUpConnections() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Serving serving = serve(strategy, anyPort(), connection -> connection.handle(ECHO));
        int delays = 20_000;
        AtomicLong passed = new AtomicLong();
        AsyncFn<Integer, Long> function =
                (n, loop) -> Network.of(loop).connect(serving.address()).thenCompose(connection -> {
                    List<CompletableFuture<Void>> all = new ArrayList<>();
                    long begin = System.nanoTime();
                    all.add(loop.delay(LIMIT.dividedBy(1000))
                            .thenCompose(nothing -> connection.write("?").thenRun(passed::incrementAndGet)));
                    for (int i = 1; i < delays; i++) {
                        all.add(loop.delay(LIMIT.dividedBy(1000)).thenRun(passed::incrementAndGet));
                    }
                    while (System.nanoTime() - begin < 2 * LIMIT.toNanos() / 1000) {
                        Thread.onSpinWait(); // all are due
                    }
                    CompletableFuture<Long> answered = connection.read().thenApply(bytes -> passed.get());
                    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                            .thenCompose(nothing -> answered);
                });
        Workload<Integer, Long> delaying = Workload.async("delaying", function);
        assertThat(Patience.get(strategy.submit(delaying, 1)).orElseThrow()).isLessThan(delays);
    }

    // ---------------------------------------------------------------------------------------------- the task's end

    @ParameterizedTest
    @ValueSource(strings = {"success", "failure", "cancel", "timeout", "closeNow"})
    void task_ends_whatItOpenedIsClosed(String way) throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        CompletableFuture<CompletableFuture<byte[]>> read = new CompletableFuture<>();
        CompletableFuture<SocketAddress> listening = new CompletableFuture<>();
        CompletableFuture<Integer> end = new CompletableFuture<>();
        Workload<Integer, Integer> opening = Workload.named("opening")
                .timeout(LIMIT)
                .async((n, loop) -> Network.of(loop)
                        .connect(peer.getLocalSocketAddress())
                        .thenCompose(connection -> Network.of(loop)
                                .listen(anyPort(), Connection::closed)
                                .thenCompose(server -> {
                                    listening.complete(server.localAddress());
                                    read.complete(connection.read());
                                    return end;
                                })));
        CompletableFuture<Result<Integer>> future = strategy.submit(opening, 1);
        Socket socket = accept(peer);
        Socket client = socketTo(Patience.get(listening));
        CompletableFuture<byte[]> reading = Patience.get(read);
        switch (way) {
            case "success" -> end.complete(1);
            case "failure" -> end.completeExceptionally(new IOException("failure"));
            case "cancel" -> future.cancel(true);
            case "timeout" -> clock.advance(LIMIT);
            default -> strategy.closeNow();
        }
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
        assertEnds(client);
        Patience.await().until(reading::isCompletedExceptionally);
        assertThat(reading).failsWithin(Patience.LIMIT).withThrowableOfType(ExecutionException.class);
        Patience.await().until(() -> {
            try (Socket refused = new Socket()) {
                refused.connect(Patience.get(listening));
                return false;
            } catch (ConnectException e) {
                return true;
            }
        });
        switch (way) {
            case "success" -> assertThat(Patience.get(future)).isEqualTo(Result.success(1));
            case "timeout" -> assertThat(failure(future)).isInstanceOf(TaskTimeoutException.class);
            case "closeNow" -> assertThat(failure(future)).isInstanceOf(CancellationException.class);
            default -> Patience.await().until(future::isDone); // by a callback thread, later
        }
    }

    /** To be closed fails the handler's read, and so the handler; that must not cut off what is being sent. */
    @Test
    void task_succeedsWhileAHandlerReads_whatWasWrittenIsSent() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        int size = 30_000_000;
        CompletableFuture<SocketAddress> listening = new CompletableFuture<>();
        CompletableFuture<Void> served = new CompletableFuture<>();
        Workload<Integer, Integer> serving = using(
                "serving",
                (n, network) -> network.listen(anyPort(), connection -> {
                            var unused = connection.write(new byte[size]);
                            CompletableFuture<byte[]> next = connection.read();
                            served.complete(null);
                            return next;
                        })
                        .thenCompose(server -> {
                            listening.complete(server.localAddress());
                            return served.thenApply(nothing -> n);
                        }));
        CompletableFuture<Result<Integer>> future = strategy.submit(serving, 1);
        Socket socket = socketTo(Patience.get(listening));
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        assertThat(count(socket.getInputStream())).isEqualTo(size);
    }

    /** What depends on a connection begins something when that ends with its loop: it is refused, and nothing stays open. */
    @Test
    void closeNow_whatBeginsMeanwhile_fails() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<Void> reading = new CompletableFuture<>();
        CompletableFuture<CompletableFuture<Void>> delayed = new CompletableFuture<>();
        CompletableFuture<CompletableFuture<Connection>> connected = new CompletableFuture<>();
        CompletableFuture<CompletableFuture<Server>> listened = new CompletableFuture<>();
        AsyncFn<Integer, Integer> leaving = (n, loop) -> {
            Network network = Network.of(loop);
            return network.connect(peer.getLocalSocketAddress()).thenCompose(connection -> {
                var unused = connection.read().whenComplete((bytes, failure) -> {
                    connected.complete(begin(() -> network.connect(peer.getLocalSocketAddress())));
                    listened.complete(begin(() -> network.listen(anyPort(), Connection::closed)));
                    delayed.complete(begin(() -> loop.delay(Duration.ofHours(1))));
                });
                reading.complete(null);
                return new CompletableFuture<>();
            });
        };
        Gate gate = gate();
        Workload<Integer, Integer> holding = Workload.async("holding", (n, loop) -> {
            gate.awaitIgnoringInterrupts();
            return CompletableFuture.completedFuture(n);
        });
        int before = openFiles();
        var unused = strategy.submit(Workload.async("leaving", leaving), 1);
        try (Socket accepted = accept(peer)) {
            Patience.get(reading);
            var held = strategy.submit(holding, 1);
            Patience.await().until(() -> strategy.snapshot().queued() == 0);
            // The loop ends before its tasks are told.
            var queued = strategy.submit(holding, 2).whenComplete((result, failure) -> {
                gate.open();
                Patience.await().until(connected::isDone);
            });
            strategy.closeNow();
            assertThat(accepted.getInputStream().read()).isEqualTo(-1);
            Patience.await().until(() -> held.isDone() && queued.isDone());
        }
        for (CompletableFuture<? extends CompletableFuture<?>> each : List.of(connected, listened, delayed)) {
            CompletableFuture<?> begun = Patience.get(each);
            Patience.await().until(begun::isCompletedExceptionally);
        }
        awaitOpenFiles(before);
    }

    private static <T> CompletableFuture<T> begin(Callable<CompletableFuture<T>> action) {
        try {
            return action.call();
        } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Test
    void open_taskHasEnded_isRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<Network> left = new CompletableFuture<>();
        Workload<Integer, Connection> leaving = using("leaving", (n, network) -> {
            left.complete(network);
            return network.connect(peer.getLocalSocketAddress());
        });
        Connection connection = strategy.run(leaving, 1).orElseThrow();
        accept(peer);
        assertThat(connection.write("late"))
                .failsWithin(Patience.LIMIT)
                .withThrowableThat()
                .withCauseInstanceOf(ClosedChannelException.class);
        assertThat(Patience.get(left).connect(peer.getLocalSocketAddress()))
                .failsWithin(Patience.LIMIT)
                .withThrowableThat()
                .withMessageContaining("'leaving' has ended");
        assertThat(Patience.get(left).listen(anyPort(), Connection::closed))
                .failsWithin(Patience.LIMIT)
                .withThrowableThat()
                .withMessageContaining("'leaving' has ended");
    }

    /** In each way; the server and its task go on. */
    @Test
    void shutdownOutput_many_leaveNothingOpen() throws Exception {
        ExecutorStrategy strategy = strategy(2, options -> options.window(50));
        CompletableFuture<Network> begun = new CompletableFuture<>();
        Workload<Integer, Void> serving = using("serving", (n, own) -> {
            begun.complete(own);
            return new CompletableFuture<>();
        });
        var task = strategy.submit(serving, 1);
        Network serverSide = Patience.get(begun);
        Server server = Patience.get(serverSide.listen(
                anyPort(),
                connection -> serverSide.repeat(() -> connection.readLine(100).thenCompose(line -> {
                    CompletableFuture<Void> answered =
                            "end".equals(line) ? connection.shutdownOutput() : connection.write(line + "\n");
                    return answered.thenApply(nothing -> line != null);
                }))));
        Workload<Integer, String> halfClosing = using(
                "half-closing",
                (n, own) -> own.connect(server.localAddress()).thenCompose(connection -> switch (n % 4) {
                    case 0 -> // this side first, and reads on
                        connection
                                .write("" + n)
                                .thenCompose(nothing -> connection.shutdownOutput())
                                .thenCompose(nothing -> connection.readLine(100));
                    case 1 -> // the other side first, and reads on
                        connection
                                .write("end\n")
                                .thenCompose(nothing -> connection.readLine(100))
                                .thenCompose(end -> connection.write("more"))
                                .thenApply(nothing -> "" + n);
                    case 2 -> // and leaves
                        connection.shutdownOutput().thenApply(nothing -> "" + n);
                    default -> // and fails
                        connection
                                .shutdownOutput()
                                .thenCompose(nothing -> CompletableFuture.failedFuture(new IOException("" + n)));
                }));
        for (int i = 0; i < 4; i++) {
            strategy.run(halfClosing, i); // opens what the JVM keeps open
        }
        int before = openFiles();
        try (var results = strategy.map(halfClosing, IntStream.range(0, 1000).boxed())) {
            int[] index = {0};
            assertThat(results.map(result -> result.fold(text -> text, Throwable::getMessage)))
                    .allSatisfy(text -> assertThat(text).isEqualTo("" + index[0]++));
        }
        Patience.await().until(() -> openFiles() <= before);
        assertThat(task).isNotDone();
        assertThat(strategy.run(halfClosing, 0)).isEqualTo(Result.success("0"));
    }

    @Test
    void manyConnections_openedAndDropped_leaveNothing() throws Exception {
        ExecutorStrategy strategy = strategy(2, options -> options.window(200));
        int before = openFiles();
        CompletableFuture<Network> network = new CompletableFuture<>();
        Workload<Integer, Void> serving = using("serving", (n, own) -> {
            network.complete(own);
            return new CompletableFuture<>();
        });
        CompletableFuture<Result<Void>> task = strategy.submit(serving, 1);
        Network serverSide = Patience.get(network);
        Server server = Patience.get(serverSide.listen(anyPort(), connection -> echoLines(serverSide, connection)));
        Workload<Integer, String> asking = using(
                "asking",
                (n, own) -> own.connect(server.localAddress()).thenCompose(connection -> switch (n % 4) {
                    case 0 -> connection.write(n + "\n").thenCompose(done -> connection.readLine(100));
                    case 1 -> connection.write("half a li").thenApply(done -> "" + n);
                    case 2 -> CompletableFuture.completedFuture("" + n);
                    default -> connection.close().thenApply(done -> "" + n);
                }));
        // One after another, at most 200 at once: they show that nothing is left behind, not how many can be open.
        int connections = Math.max(10_000, 4000 * Integer.getInteger("stress.rounds", 1));
        try (var results = strategy.map(asking, IntStream.range(0, connections).boxed())) {
            int[] index = {0};
            assertThat(results.map(Result::orElseThrow))
                    .allSatisfy(line -> assertThat(line).isEqualTo("" + index[0]++));
        }
        task.cancel(true);
        Patience.await().until(() -> strategy.snapshot().running() == 0);
        strategy.close();
        Patience.await().until(() -> openFiles() <= before);
    }

    /** What a server does with a request. */
    private enum Conduct {
        ANSWERS,
        ANSWERS_LATER,
        ENDS_EARLY,
        FAILS,
        STALLS
    }

    private static CompletableFuture<Void> conduct(Network network, Loop loop, Connection connection) {
        return network.repeat(() -> connection.readLine(100).thenCompose(line -> {
            if (line == null) {
                return CompletableFuture.completedFuture(false);
            }
            CompletableFuture<Void> answered = switch (Conduct.valueOf(line)) {
                case ANSWERS -> connection.write(line + "\n");
                case ANSWERS_LATER ->
                    loop.delay(Duration.ofMillis(5)).thenCompose(nothing -> connection.write(line + "\n"));
                case ENDS_EARLY -> connection.write("half").thenCompose(nothing -> connection.close());
                case FAILS -> CompletableFuture.failedFuture(new IOException("as asked"));
                case STALLS -> new CompletableFuture<>();
            };
            return answered.thenApply(nothing -> true);
        }));
    }

    @Test
    void requests_toAMoodyServer_eachHaveExactlyOneResult() throws Exception {
        ExecutorStrategy strategy = strategy(2, options -> options.window(100));
        int before = openFiles();
        CompletableFuture<Server> listening = new CompletableFuture<>();
        Workload<Integer, Void> serving = Workload.async(
                "serving",
                (n, loop) -> Network.of(loop)
                        .listen(anyPort(), connection -> conduct(Network.of(loop), loop, connection))
                        .thenCompose(server -> {
                            listening.complete(server);
                            return server.closed();
                        }));
        CompletableFuture<Result<Void>> task = strategy.submit(serving, 1);
        SocketAddress address = Patience.get(listening).localAddress();
        Workload<Conduct, String> asking = using(
                "asking",
                (conduct, network) -> network.connect(address)
                        .thenCompose(connection -> connection
                                .write(conduct + "\n")
                                .thenCompose(written -> connection.readLine(
                                        100, conduct == Conduct.STALLS ? Duration.ofMillis(10) : Patience.LIMIT))
                                .thenApply(String::valueOf)));
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        List<Conduct> wanted = Stream.generate(() -> Conduct.values()[random.nextInt(Conduct.values().length)])
                .limit(3000L * Integer.getInteger("stress.rounds", 1))
                .toList();
        int[] index = {0};
        try (Stream<Result<String>> results = strategy.map(asking, wanted)) {
            results.forEachOrdered(result -> {
                Conduct conduct = wanted.get(index[0]++);
                String said = result.fold(line -> line, Throwable::toString);
                assertThat(said)
                        .as("seed %s, request %s", seed, index[0])
                        .matches(
                                switch (conduct) {
                                    case ANSWERS, ANSWERS_LATER -> conduct.name();
                                    case ENDS_EARLY -> "half";
                                    case FAILS -> "null|.*SocketException.*"; // its end, or a reset
                                    case STALLS -> ".*SocketTimeoutException.*gave no line within PT0.01S";
                                });
            });
        }
        assertThat(index[0]).isEqualTo(wanted.size());
        assertThat(task).isNotDone();
        strategy.closeNow();
        Patience.await().until(() -> openFiles() <= before);
    }
}
