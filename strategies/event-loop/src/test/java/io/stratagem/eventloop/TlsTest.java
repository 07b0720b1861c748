package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ch.qos.logback.classic.Level;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.stratagem.AsyncFn;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.user.TlsProgram;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tlschannel.ClientTlsChannel;
import tlschannel.TlsChannel;

/** TLS, between tasks, and with the JDK's sockets, client and server as peers. */
final class TlsTest extends NetworkFixture {
    private static Certificates certificates;

    private final LogRecorder recorder = new LogRecorder();

    @TempDir
    Path temporary;

    @BeforeAll
    static void makeCertificates(@TempDir Path directory) throws Exception {
        certificates = Certificates.make(directory);
    }

    // ---------------------------------------------------------------------------------------------- helpers

    /** What a task does with a connection. */
    private interface Use<O> {
        CompletableFuture<O> apply(Network network, Connection connection) throws Exception;
    }

    /** Connects to its input. */
    private static <O> Workload<SocketAddress, O> with(String name, ClientTls tls, Use<O> use) {
        AsyncFn<SocketAddress, O> function = (address, loop) -> {
            Network network = Network.of(loop);
            return network.connect(address, tls, null).thenCompose(connection -> {
                try {
                    return use.apply(network, connection);
                } catch (Exception e) {
                    return CompletableFuture.failedFuture(e);
                }
            });
        };
        return Workload.async(name, function);
    }

    /** Asks for an echo of a line. */
    private static Workload<SocketAddress, String> asking(ClientTls tls) {
        return with(
                "asking",
                tls,
                (network, connection) ->
                        connection.write("question\n").thenCompose(written -> connection.readLine(100)));
    }

    private static ClientTls trusting() throws Exception {
        return ClientTls.verified().context(certificates.context(null));
    }

    private static ClientTls speaking(String version) throws Exception {
        return ClientTls.verified().context(certificates.client(version));
    }

    private static ServerTls showing(String alias) throws Exception {
        return ServerTls.of(certificates.context(alias));
    }

    private static SocketAddress named(String host, Server server) {
        return InetSocketAddress.createUnresolved(host, ((InetSocketAddress) server.localAddress()).getPort());
    }

    private static Server serve(ExecutorStrategy strategy, ServerTls tls, ConnectionHandler handler) throws Exception {
        return serve(strategy, anyPort(), tls, handler);
    }

    /** A server in a task of its own, until the strategy is closed. */
    private static Server serve(
            ExecutorStrategy strategy, SocketAddress where, ServerTls tls, ConnectionHandler handler) throws Exception {
        CompletableFuture<Server> listening = new CompletableFuture<>();
        AsyncFn<Integer, Void> serving =
                (n, loop) -> Network.of(loop).listen(where, tls, handler).thenCompose(server -> {
                    listening.complete(server);
                    return server.closed();
                });
        var unused = strategy.submit(Workload.async("serving", serving), 1);
        return Patience.get(listening);
    }

    /** TLS over a socket, as server, after the handshake. */
    private SSLSocket secured(Socket socket, String alias) throws Exception {
        SSLSocket secured = (SSLSocket) certificates
                .context(alias)
                .getSocketFactory()
                .createSocket(socket, "localhost", socket.getPort(), false);
        peers.add(secured);
        secured.setUseClientMode(false);
        secured.startHandshake();
        return secured;
    }

    private SSLSocket socketTo(Server server, String version) throws Exception {
        SSLSocket socket =
                (SSLSocket) certificates.client(version).getSocketFactory().createSocket();
        peers.add(socket);
        socket.connect(server.localAddress());
        socket.setSoTimeout((int) Patience.LIMIT.toMillis());
        return socket;
    }

    private static byte[] pattern(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** The server still serves others. */
    private static void assertServes(ExecutorStrategy strategy, Server server) throws Exception {
        assertThat(Patience.get(strategy.submit(asking(trusting()), named("localhost", server))))
                .isEqualTo(Result.success("question"));
    }

    // ---------------------------------------------------------------------------------------------- the plain way

    @ParameterizedTest
    @CsvSource({"TLSv1.2, localhost", "TLSv1.3, localhost", "TLSv1.3, 127.0.0.1"})
    void connect_echoServer_answers(String version, String host) throws Exception {
        ExecutorStrategy strategy = strategy(2);
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        Workload<SocketAddress, List<String>> asking = with("asking", speaking(version), (network, connection) -> {
            assertThat(connection.isClosed()).isFalse();
            return connection
                    .write("one\r\ntwothree")
                    .thenCompose(written -> connection.readLine(100))
                    .thenCompose(first -> connection
                            .readExactly(3)
                            .thenCompose(second -> connection
                                    .read()
                                    .thenCompose(third -> connection
                                            .shutdownOutput()
                                            .thenCompose(shut -> connection.read())
                                            .thenApply(end -> List.of(
                                                    Objects.requireNonNull(first),
                                                    new String(second, US_ASCII),
                                                    new String(third, US_ASCII),
                                                    "" + end.length,
                                                    Objects.requireNonNull(connection.tlsSession())
                                                            .getProtocol())))));
        });
        for (int i = 0; i < 20; i++) { // later ones resume the session
            assertThat(Patience.get(strategy.submit(asking, named(host, server)))
                            .orElseThrow())
                    .containsExactly("one", "two", "three", "0", version);
        }
    }

    @Test
    void connect_unixSocket_needsANameToVerify() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(temporary.resolve("socket"));
        serve(strategy, address, showing("server"), connection -> connection.handle(ECHO));
        assertThat(failure(strategy.submit(asking(trusting()), address)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ClientTls.hostName");
        assertThat(Patience.get(strategy.submit(asking(trusting().hostName("localhost")), address)))
                .isEqualTo(Result.success("question"));
    }

    @Test
    void applicationProtocol_offeredByBoth_isTheServersChoice() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(
                strategy,
                showing("server").applicationProtocols("b", "a"),
                connection -> connection.write(connection.applicationProtocol() + "\n"));
        Use<String> comparing = (network, connection) ->
                connection.readLine(100).thenApply(line -> line + "," + connection.applicationProtocol());
        assertThat(Patience.get(strategy.submit(
                        with("asking", trusting().applicationProtocols("a", "b"), comparing),
                        named("localhost", server))))
                .isEqualTo(Result.success("b,b"));
        assertThat(Patience.get(strategy.submit(with("asking", trusting(), comparing), named("localhost", server))))
                .isEqualTo(Result.success(","));
        assertThat(failure(strategy.submit(
                        with("asking", trusting().applicationProtocols("c"), comparing), named("localhost", server))))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("application protocols");
    }

    @Test
    void applicationProtocols_emptyName_isRefused() throws Exception {
        ClientTls client = trusting();
        ServerTls server = showing("server");
        assertThatThrownBy(() -> client.applicationProtocols("a", "")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> server.applicationProtocols("a", "")).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void requireClientCertificate_others_areRefused(String version) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("server").requireClientCertificate(), connection -> {
            try {
                SSLSession session = Objects.requireNonNull(connection.tlsSession());
                return connection.write(session.getPeerPrincipal().getName() + "\n");
            } catch (SSLPeerUnverifiedException e) {
                return CompletableFuture.failedFuture(e);
            }
        });
        SSLContext shown = certificates.context(version, "client", certificates.trustManagers());
        assertThat(Patience.get(
                        strategy.submit(asking(ClientTls.verified().context(shown)), named("localhost", server))))
                .isEqualTo(Result.success("CN=the client"));
        assertThat(failure(strategy.submit(asking(speaking(version)), named("localhost", server))))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("certificate");
    }

    // ---------------------------------------------------------------------------------------------- much, and slowly

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void transfer_bothWaysAtOnce_comesWhole(String version) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        byte[] up = pattern(LARGE, 1);
        byte[] down = pattern(LARGE, 2);
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        Server server = serve(strategy, showing("server"), connection -> {
            CompletableFuture<Void> written = writeInPieces(down, connection);
            return connection.readExactly(LARGE).thenCompose(all -> {
                received.complete(all);
                return written;
            });
        });
        Workload<SocketAddress, byte[]> exchanging = with("exchanging", speaking(version), (network, connection) -> {
            CompletableFuture<Void> written = writeInPieces(up, connection);
            return connection.readExactly(LARGE).thenCombine(written, (all, nothing) -> all);
        });
        assertThat(Patience.get(strategy.submit(exchanging, named("localhost", server)))
                        .orElseThrow())
                .isEqualTo(down);
        assertThat(Patience.get(received)).isEqualTo(up);
    }

    /** Waits after each piece, as it ought to. */
    private static CompletableFuture<Void> writeInPieces(byte[] bytes, Connection connection) {
        ByteBuffer all = ByteBuffer.wrap(bytes);
        return writeNext(all, connection);
    }

    private static CompletableFuture<Void> writeNext(ByteBuffer all, Connection connection) {
        while (all.hasRemaining()) {
            ByteBuffer piece = all.slice(all.position(), Math.min(50_000, all.remaining()));
            all.position(all.position() + piece.remaining());
            CompletableFuture<Void> written = connection.write(piece);
            if (!written.isDone() || written.isCompletedExceptionally()) {
                return written.thenCompose(nothing -> writeNext(all, connection));
            }
        }
        return CompletableFuture.completedFuture(null);
    }

    @Test
    void handle_peerDoesNotRead_takesInNoMoreAndLosesNothing() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        AtomicLong taken = new AtomicLong();
        Server server = serve(
                strategy,
                showing("server"),
                connection -> connection.handle((same, bytes) -> {
                    taken.addAndGet(bytes.remaining());
                    ECHO.bytes(same, bytes);
                }));
        SSLSocket socket = socketTo(server, "TLSv1.3");
        socket.startHandshake();
        int size = 60_000_000;
        AtomicLong sent = new AtomicLong();
        CompletableFuture<Void> sending = CompletableFuture.runAsync(
                () -> {
                    try {
                        OutputStream output = socket.getOutputStream();
                        for (int i = 0; i < size; i += 10_000) {
                            output.write(new byte[10_000]);
                            sent.addAndGet(10_000);
                        }
                        socket.shutdownOutput();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                action -> new Thread(action).start());
        // Nobody reads the echo: when nothing moves any more, all buffers are full.
        for (long last = -1, still = 0; still < 50; ) {
            long now = taken.get() + sent.get();
            still = now == last && now > 0 ? still + 1 : 0;
            last = now;
            Thread.sleep(2);
        }
        assertThat(taken.get()).as("bounded by the kernel's buffers").isLessThan(size);
        assertThat(sending).isNotDone();
        assertThat(count(socket.getInputStream())).isEqualTo(size);
        Patience.get(sending);
    }

    @Test
    void write_peerDoesNotRead_waitsAndThenIsRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<SocketAddress, Void> writing =
                with("writing", trusting(), (network, connection) -> writeUntilRefused(connection));
        CompletableFuture<Result<Void>> future = strategy.submit(writing, named(peer));
        secured(accept(peer), "server");
        assertThat(failure(future))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("wait for the future");
    }

    /** The first record that does not fit is all that waits, in the library; then comes the end. */
    @Test
    void shutdownOutput_recordIsNotTaken_isSentBefore() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<Integer> stuck = new CompletableFuture<>();
        Workload<SocketAddress, Integer> writing = with("writing", trusting(), (network, connection) -> {
            int count = 0;
            CompletableFuture<Void> flushed;
            do {
                var unused = connection.write(new byte[1000]);
                count++;
                flushed = connection.flush(null);
            } while (flushed.isDone());
            int written = count * 1000;
            CompletableFuture<Void> shut = connection.shutdownOutput();
            stuck.complete(shut.isDone() ? 0 : written);
            return flushed.thenCompose(nothing -> shut).thenApply(nothing -> written);
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(writing, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        int written = Patience.get(stuck);
        assertThat(written).isPositive();
        assertThat(count(socket.getInputStream())).isEqualTo(written);
        assertThat(Patience.get(future)).isEqualTo(Result.success(written));
    }

    private static SocketAddress named(ServerSocket peer) {
        return InetSocketAddress.createUnresolved("localhost", peer.getLocalPort());
    }

    @Test
    void read_limitPasses_keepsWhatCame() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        CompletableFuture<Throwable> first = new CompletableFuture<>();
        Workload<SocketAddress, String> reading = with(
                "reading",
                trusting(),
                (network, connection) -> connection.readLine(100, LIMIT).exceptionallyCompose(failure -> {
                    first.complete(failure);
                    return connection.readLine(100);
                }));
        CompletableFuture<Result<String>> future = strategy.submit(reading, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        socket.getOutputStream().write("half".getBytes(US_ASCII));
        Patience.await().until(() -> clock.waiting() == 1);
        clock.advance(LIMIT);
        assertThat(Patience.get(first)).isInstanceOf(SocketTimeoutException.class);
        socket.getOutputStream().write(" a line\n".getBytes(US_ASCII));
        assertThat(Patience.get(future)).isEqualTo(Result.success("half a line"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"write", "flush"})
    void write_peerStalls_timesOutAndIsSentAllTheSame(String way) throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        LimitedWrite write = new LimitedWrite(way);
        Workload<SocketAddress, String> writing =
                with("writing", trusting(), (network, connection) -> write.begin(connection));
        CompletableFuture<Result<String>> future = strategy.submit(writing, named(peer));
        write.assertIsSentAllTheSame(clock, secured(accept(peer), "server"), future);
    }

    /** Cuts the stream into pieces of a few bytes, so that nothing comes whole. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void transfer_inTinyPieces_comesWhole(String version) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        ServerSocket between = peer();
        byte[] bytes = pattern(3_000, 3);
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Workload<SocketAddress, byte[]> echoing = with(
                "echoing",
                speaking(version),
                (network, connection) ->
                        connection.write(bytes).thenCompose(written -> connection.readExactly(bytes.length)));
        CompletableFuture<Result<byte[]>> future = strategy.submit(echoing, named(between));
        Socket client = accept(between);
        Socket onwards = new Socket();
        peers.add(onwards);
        onwards.connect(server.localAddress());
        crumble(client, onwards, seed);
        crumble(onwards, client, seed + 1);
        assertThat(Patience.get(future).orElseThrow()).as("seed %s", seed).isEqualTo(bytes);
    }

    private static void crumble(Socket from, Socket to, long seed) {
        Thread thread = new Thread(() -> {
            Random random = new Random(seed);
            try {
                to.setTcpNoDelay(true);
                byte[] crumb = new byte[9];
                for (int n = 0; n >= 0; n = from.getInputStream().read(crumb, 0, 1 + random.nextInt(crumb.length))) {
                    to.getOutputStream().write(crumb, 0, n);
                }
                to.shutdownOutput();
            } catch (IOException e) {
                // closed by the other direction, or the test
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    // ---------------------------------------------------------------------------------------------- whom to trust

    @Test
    void connect_strangersCertificate_isRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("stranger"), connection -> connection.handle(ECHO));
        for (ClientTls tls :
                List.of(ClientTls.verified(), trusting(), trusting().insecurelyAcceptCertificatesOfOtherHosts())) {
            assertThat(failure(strategy.submit(asking(tls), named("localhost", server))))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("no TLS connection with localhost (")
                    .hasMessageContaining("not signed by anyone this side trusts")
                    .hasMessageContaining("have the SSLContext trust its issuer");
        }
    }

    @Test
    void connect_expiredCertificate_isRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("expired"), connection -> connection.handle(ECHO));
        assertThat(failure(strategy.submit(asking(trusting()), named("localhost", server))))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("localhost")
                .hasMessageContaining("has expired (NotAfter: ")
                .hasMessageContaining("renewed");
    }

    @Test
    void connect_certificateOfAnotherHost_isRefusedUnlessNamed() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("other"), connection -> connection.handle(ECHO));
        for (String host : List.of("localhost", "127.0.0.1")) {
            assertThat(failure(strategy.submit(asking(trusting()), named(host, server))))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("its certificate is not for " + host)
                    .hasMessageContaining("ClientTls.hostName");
        }
        for (ClientTls tls :
                List.of(trusting().hostName("other.example"), trusting().insecurelyAcceptCertificatesOfOtherHosts())) {
            assertThat(Patience.get(strategy.submit(asking(tls), named("localhost", server))))
                    .isEqualTo(Result.success("question"));
        }
        // A session made without verification is not resumed with it.
        SSLContext shared = certificates.context(null);
        ClientTls careless = ClientTls.verified().context(shared).insecurelyAcceptCertificatesOfOtherHosts();
        assertThat(Patience.get(strategy.submit(asking(careless), named("localhost", server)))
                        .isSuccess())
                .isTrue();
        assertThat(failure(strategy.submit(asking(ClientTls.verified().context(shared)), named("localhost", server))))
                .hasMessageContaining("its certificate is not for localhost");
    }

    /** On one loop, and the servers go on. */
    @ParameterizedTest
    @CsvSource({"stranger, TLSv1.3", "expired, TLSv1.3", "other, TLSv1.3", "expired, TLSv1.2"})
    void connect_certificateIsRefusedOften_nothingStaysOpenAndTheLoopGoesOn(String alias, String version)
            throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server refused = serve(strategy, showing(alias), connection -> connection.handle(ECHO));
        Server good = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        Workload<SocketAddress, String> asking = asking(speaking(version));
        SocketAddress address = named("localhost", refused);
        failure(strategy.submit(asking, address)); // opens what the JVM keeps open
        assertServes(strategy, good);
        int before = openFiles();
        List<CompletableFuture<Result<String>>> refusals = Stream.generate(() -> strategy.submit(asking, address))
                .limit(30)
                .toList();
        for (CompletableFuture<Result<String>> each : refusals) {
            assertThat(failure(each)).isInstanceOf(SSLHandshakeException.class);
        }
        Patience.await().until(() -> openFiles() <= before);
        assertServes(strategy, good);
    }

    @Test
    void listen_clientRefusesTheCertificate_isLoggedAndServesOthers() throws Exception {
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = strategy(1);
            Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
            for (int i = 0; i < 3; i++) {
                failure(strategy.submit(asking(ClientTls.verified()), named("localhost", server)));
            }
            recorder.await("it refuses (");
            assertServes(strategy, server);
            assertThat(recorder.messages(Level.WARN).stream().filter(message -> message.contains("refused a client")))
                    .as("once a minute")
                    .hasSize(1);
        } finally {
            recorder.detach();
        }
    }

    // ---------------------------------------------------------------------------------------------- peers that are
    // none

    @Test
    void connect_peerSpeaksPlainText_saysSo() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<Result<String>> future = strategy.submit(asking(trusting()), named(peer));
        Socket socket = accept(peer);
        socket.getOutputStream().write("220 mail.example ready, and at your service\r\n".getBytes(US_ASCII));
        assertThat(failure(future))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("with localhost (")
                .hasMessageContaining("is not TLS")
                .hasMessageContaining("no TLS option");
        CompletableFuture<Result<String>> second = strategy.submit(asking(trusting()), named(peer));
        Socket closing = accept(peer);
        closing.getInputStream().readNBytes(50);
        closing.close();
        assertThat(failure(second))
                .isInstanceOf(SSLHandshakeException.class)
                .hasMessageContaining("ended the connection during the handshake")
                .hasMessageContaining("may not speak TLS");
    }

    @Test
    void listen_clientSpeaksPlainText_isRefusedAndOthersAreServed() throws Exception {
        recorder.attach(EventLoopStrategy.class.getName());
        try {
            ExecutorStrategy strategy = strategy(1);
            Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
            try (Socket socket = new Socket()) {
                socket.connect(server.localAddress());
                socket.setSoTimeout((int) Patience.LIMIT.toMillis());
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII));
                assertThat(socket.getInputStream().readAllBytes())
                        .as("an alert at most")
                        .hasSizeLessThan(20);
            }
            recorder.await("is not TLS");
            assertServes(strategy, server);
        } finally {
            recorder.detach();
        }
    }

    /** Its end is not authentic, so it must not pass for an answer without bytes. */
    @Test
    void connect_handshakeIsGivenUpByClosing_fails() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        for (String alerts : List.of("15030300020100", "150303000201 5a 15030300020100".replace(" ", ""))) {
            CompletableFuture<Result<String>> future = strategy.submit(asking(trusting()), named(peer));
            Socket socket = accept(peer);
            socket.getInputStream().readNBytes(50);
            socket.getOutputStream().write(new BigInteger(alerts, 16).toByteArray());
            assertThat(failure(future))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("no TLS connection with localhost");
        }
    }

    @Test
    void connect_peerStallsInTheHandshake_timesOut() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        ServerSocket peer = peer();
        ClientTls tls = trusting();
        AsyncFn<SocketAddress, Connection> connecting =
                (address, loop) -> Network.of(loop).connect(address, tls, LIMIT);
        CompletableFuture<Result<Connection>> future =
                strategy.submit(Workload.async("connecting", connecting), named(peer));
        Socket socket = accept(peer);
        socket.getInputStream().readNBytes(50); // the handshake has begun
        clock.advance(LIMIT);
        assertThat(failure(future))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessageContaining("localhost")
                .hasMessageContaining("PT1S")
                .hasMessageContaining("did not complete the handshake");
        assertThat(count(socket.getInputStream())).as("closed").isNotNegative();
    }

    @Test
    void listen_clientStallsInTheHandshake_isClosed() throws Exception {
        FakeClock clock = new FakeClock();
        ExecutorStrategy strategy = strategy(1, options -> options.clock(clock));
        Server server = serve(strategy, showing("server").handshakeLimit(LIMIT), connection -> connection.handle(ECHO));
        try (Socket silent = new Socket();
                Socket slow = new Socket()) {
            silent.connect(server.localAddress());
            slow.connect(server.localAddress());
            slow.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1}); // a ClientHello begins
            Patience.await().until(() -> clock.waiting() == 2);
            assertServes(strategy, server);
            clock.advance(LIMIT);
            for (Socket socket : List.of(silent, slow)) {
                socket.setSoTimeout((int) Patience.LIMIT.toMillis());
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            }
        }
        assertServes(strategy, server);
        Patience.await().until(() -> clock.waiting() == 0);
    }

    @Test
    void read_renegotiation_isRefused() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Throwable> failed = new CompletableFuture<>();
        Server server = serve(
                strategy,
                showing("server"),
                connection -> connection.handle(ECHO).whenComplete((nothing, failure) -> failed.complete(failure)));
        SSLSocket socket = socketTo(server, "TLSv1.2");
        socket.getOutputStream().write('x');
        assertThat(socket.getInputStream().read()).isEqualTo('x');
        assertThatThrownBy(() -> {
                    socket.startHandshake();
                    socket.getInputStream().read();
                })
                .isInstanceOf(IOException.class);
        assertThat(Patience.get(failed)).isInstanceOf(SSLException.class).hasMessageContaining("negotiate TLS anew");
        assertServes(strategy, server);

        ServerSocket peer = peer();
        Workload<SocketAddress, byte[]> reading =
                with("reading", speaking("TLSv1.2"), (network, connection) -> connection.read());
        CompletableFuture<Result<byte[]>> future = strategy.submit(reading, named(peer));
        SSLSocket secured = secured(accept(peer), "server");
        assertThatThrownBy(() -> {
                    secured.startHandshake();
                    secured.getInputStream().read();
                })
                .isInstanceOf(IOException.class);
        assertThat(failure(future)).isInstanceOf(SSLException.class).hasMessageContaining("negotiate TLS anew");
    }

    @Test
    void read_keysAreChangedOnTheWay_goesOn() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        SSLSocket socket = socketTo(server, "TLSv1.3");
        for (int i = 0; i < 20; i++) {
            socket.getOutputStream().write(i);
            socket.startHandshake(); // in TLS 1.3 new keys, and a wish for new ones
            socket.getOutputStream().write(100 + i);
            assertThat(socket.getInputStream().readNBytes(2)).containsExactly(i, 100 + i);
        }
    }

    // ---------------------------------------------------------------------------------------------- hostile peers

    /** A peer whose records are held back, and then sent in one go. */
    private static final class Hoarder implements ByteChannel {
        private final SocketChannel socket;
        private final ByteArrayOutputStream held = new ByteArrayOutputStream();
        private boolean isHolding;

        Hoarder(SocketChannel socket) {
            this.socket = socket;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            return socket.read(target);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (!isHolding) {
                return socket.write(source);
            }
            byte[] bytes = new byte[source.remaining()];
            source.get(bytes);
            held.write(bytes, 0, bytes.length);
            return bytes.length;
        }

        @Override
        public boolean isOpen() {
            return socket.isOpen();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** To decrypt a record of a single byte costs as much as one of hundreds: the loop has others to serve. */
    @Test
    void handle_manyTinyRecords_areNotTakenAllAtOnce() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        Gate gate = gate();
        AtomicBoolean mustWait = new AtomicBoolean();
        AtomicLong all = new AtomicLong();
        List<Integer> taken = new CopyOnWriteArrayList<>();
        Server server = serve(
                strategy,
                showing("server"),
                connection -> connection.handle((same, bytes) -> {
                    all.addAndGet(bytes.remaining());
                    if (mustWait.get()) {
                        taken.add(bytes.remaining());
                        gate.awaitIgnoringInterrupts();
                    }
                    bytes.position(bytes.limit());
                }));
        int records = 20_000;
        try (SocketChannel socket = SocketChannel.open(server.localAddress())) {
            Hoarder hoarder = new Hoarder(socket);
            SSLEngine engine = certificates.client("TLSv1.3").createSSLEngine();
            engine.setUseClientMode(true);
            TlsChannel client = ClientTlsChannel.newBuilder(hoarder, engine).build();
            client.write(ByteBuffer.allocate(LARGE)); // so that the system makes its buffers large
            Patience.await().until(() -> all.get() == LARGE);
            mustWait.set(true);
            client.write(ByteBuffer.allocate(1));
            Patience.await().until(() -> taken.size() == 1);
            hoarder.isHolding = true;
            for (int i = 0; i < records; i++) {
                client.write(ByteBuffer.allocate(1));
            }
            assertThat(socket.write(ByteBuffer.wrap(hoarder.held.toByteArray())))
                    .as("all is in the system's buffers")
                    .isEqualTo(hoarder.held.size());
            gate.open();
            Patience.await().until(() -> all.get() == LARGE + 1 + records);
        }
        assertThat(taken).allMatch(count -> count < 4_000);
    }

    /** The answer to a wish for new keys cannot leave, and more has come: the loop waits for both without turning. */
    @Test
    void read_answerOfTlsCannotLeave_loopRests() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(8_192);
        Workload<Integer, LoopThread> telling = Workload.async(
                "telling", (n, own) -> CompletableFuture.completedFuture((LoopThread) Thread.currentThread()));
        LoopThread loop = strategy.run(telling, 1).orElseThrow();
        int rests = Math.min(stepsOfTenRests(strategy, loop), stepsOfTenRests(strategy, loop));
        int size = LARGE / 2;
        int coming = 100_000;
        Workload<SocketAddress, Integer> writing = with("writing", trusting(), (network, connection) -> {
            CompletableFuture<byte[]> read = connection.readExactly(coming);
            var unused = connection.write(new byte[size]);
            return read.thenApply(all -> all.length);
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(writing, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        Patience.await().until(() -> stepsOfTenRests(strategy, loop) <= rests + 2); // the system takes no more
        for (int i = 0; i < 5_000; i++) { // some answers still find room
            socket.startHandshake(); // new keys, and a wish for new ones
        }
        for (int i = 0; i < coming; i += 1000) {
            socket.getOutputStream().write(new byte[1000]);
        }
        assertThat(stepsOfTenRests(strategy, loop)).isLessThan(200);
        assumeThat(future.isDone()).as("the system had room for all answers").isFalse();
        byte[] room = new byte[65_536];
        while (socket.getInputStream().read(room) >= 0) {
            // until the task has what it waits for, and closes the connection
        }
        assertThat(Patience.get(future)).isEqualTo(Result.success(coming));
    }

    private static int stepsOfTenRests(ExecutorStrategy strategy, LoopThread loop) {
        Workload<Integer, Integer> resting = Workload.async(
                "resting", (n, own) -> own.delay(Duration.ofMillis(20)).thenApply(nothing -> n));
        int before = loop.steps();
        for (int i = 0; i < 10; i++) {
            strategy.run(resting, i);
        }
        return loop.steps() - before;
    }

    /** What has come is in memory that others use for a moment, too. */
    @Test
    void handler_closesMeanwhile_itsBytesStay() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<String> seen = new CompletableFuture<>();
        Server server = serve(
                strategy,
                showing("server"),
                connection -> connection.handle((same, bytes) -> {
                    var unused = same.close();
                    seen.complete(US_ASCII.decode(bytes).toString());
                }));
        SSLSocket socket = socketTo(server, "TLSv1.3");
        socket.getOutputStream().write("question".getBytes(US_ASCII));
        assertThat(Patience.get(seen)).isEqualTo("question");
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }

    /** Called from the selector, and from where TLS had more than one call took. */
    @Test
    void handler_throwsAnError_isNotCalledAgain() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        for (int fatal = 1; fatal <= 8; fatal++) {
            int last = fatal;
            AtomicInteger calls = new AtomicInteger();
            Server server = serve(
                    strategy,
                    showing("server"),
                    connection -> connection.handle((same, bytes) -> {
                        bytes.position(bytes.limit());
                        if (calls.incrementAndGet() == last) {
                            throw new AssertionError("call " + last);
                        }
                    }));
            SSLSocket socket = socketTo(server, "TLSv1.3");
            assertThatThrownBy(() -> {
                        socket.getOutputStream().write(new byte[1_000_000]);
                        int end = socket.getInputStream().read();
                        throw new IOException("the end of the stream: " + end);
                    })
                    .as("call %s", last)
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(SocketTimeoutException.class);
            assertThat(calls).hasValue(last);
        }
    }

    /** The answer cannot be given any more. */
    @Test
    void shutdownOutput_peerWantsNewKeys_isReadOn() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        CompletableFuture<Void> isShut = new CompletableFuture<>();
        Workload<SocketAddress, String> asking = with(
                "asking",
                trusting(),
                (network, connection) -> connection
                        .write("question")
                        .thenCompose(written -> connection.shutdownOutput())
                        .thenCompose(shut -> {
                            isShut.complete(null);
                            return connection.readLine(100);
                        })
                        .thenCompose(first -> connection.readLine(100).thenApply(second -> first + second)));
        CompletableFuture<Result<String>> future = strategy.submit(asking, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        Patience.get(isShut);
        socket.getOutputStream().write("one\n".getBytes(US_ASCII));
        socket.startHandshake(); // it has not read yet that this is too late
        socket.getOutputStream().write("two\n".getBytes(US_ASCII));
        assertThat(Patience.get(future)).isEqualTo(Result.success("onetwo"));
    }

    /** TLS 1.2: the peer's answer to the end is its own end. */
    @Test
    void shutdownOutput_tls12_endsBothWays() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        Workload<SocketAddress, String> asking = with(
                "asking",
                speaking("TLSv1.2"),
                (network, connection) -> connection
                        .write("question")
                        .thenCompose(written -> connection.shutdownOutput())
                        .thenCompose(shut -> readToTheEnd(connection)));
        CompletableFuture<Result<String>> future = strategy.submit(asking, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo("question".getBytes(US_ASCII));
        socket.close();
        assertThat(Patience.get(future)).isEqualTo(Result.success(""));
        Workload<SocketAddress, Integer> next =
                with("next", trusting(), (network, connection) -> CompletableFuture.completedFuture(1));
        CompletableFuture<Result<Integer>> other = strategy.submit(next, named(peer));
        secured(accept(peer), "server");
        assertThat(Patience.get(other)).isEqualTo(Result.success(1));
    }

    @Test
    void listen_taskSucceedsWhileHandlersRead_endIsMarked() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Server> listening = new CompletableFuture<>();
        CompletableFuture<Void> served = new CompletableFuture<>();
        ServerTls tls = showing("server");
        AsyncFn<Integer, Integer> serving = (n, loop) -> Network.of(loop)
                .listen(
                        anyPort(),
                        tls,
                        connection -> connection.write("greeting").thenCompose(written -> {
                            CompletableFuture<byte[]> next = connection.read();
                            served.complete(null);
                            return next;
                        }))
                .thenCompose(server -> {
                    listening.complete(server);
                    return served.thenApply(nothing -> n);
                });
        var unused = strategy.submit(Workload.async("serving", serving), 1);
        Workload<SocketAddress, String> reading =
                with("reading", trusting(), (network, connection) -> readToTheEnd(connection));
        assertThat(Patience.get(strategy.submit(reading, named("localhost", Patience.get(listening)))))
                .isEqualTo(Result.success("greeting"));
    }

    // ---------------------------------------------------------------------------------------------- the end

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void read_connectionIsCutOff_isAFailure(String version) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        AtomicReference<String> ended = new AtomicReference<>("not told");
        BytesHandler telling = new BytesHandler() {
            @Override
            public void bytes(Connection connection, ByteBuffer bytes) {
                bytes.position(bytes.limit());
            }

            @Override
            public void end(Connection connection) {
                ended.set("told of an end");
            }
        };
        List<Use<Object>> ways = List.of(
                (network, connection) -> connection
                        .readExactly(4)
                        .thenCompose(some -> connection.read())
                        .thenApply(end -> end),
                (network, connection) -> connection.readLine(100).thenApply(line -> line),
                (network, connection) -> connection.readExactly(100).thenApply(all -> all),
                (network, connection) -> connection.handle(telling).thenApply(nothing -> null));
        for (Use<Object> way : ways) {
            CompletableFuture<Result<Object>> future =
                    strategy.submit(with("reading", speaking(version), way), named(peer));
            Socket socket = accept(peer);
            SSLSocket secured = secured(socket, "server");
            secured.getOutputStream().write("part".getBytes(US_ASCII));
            socket.shutdownOutput(); // below TLS
            assertThat(failure(future))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("localhost")
                    .hasMessageContaining("cut off")
                    .hasMessageContaining("close_notify");
        }
        assertThat(ended).hasValue("not told");
    }

    @Test
    void shutdownOutput_peerStillSends_isRead() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        byte[] answer = pattern(LARGE, 5);
        Workload<SocketAddress, byte[]> asking = with(
                "asking",
                trusting(),
                (network, connection) -> connection
                        .write("question")
                        .thenCompose(written -> connection.shutdownOutput())
                        .thenCompose(shut -> connection.readExactly(LARGE))
                        .thenCompose(all -> connection.read().thenApply(end -> end.length == 0 ? all : end)));
        CompletableFuture<Result<byte[]>> future = strategy.submit(asking, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo("question".getBytes(US_ASCII));
        socket.getOutputStream().write(answer);
        socket.shutdownOutput();
        assertThat(Patience.get(future).orElseThrow()).isEqualTo(answer);
    }

    @Test
    void read_peerShutsItsOutput_canStillBeAnswered() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        byte[] answer = pattern(LARGE, 6);
        Server server = serve(
                strategy,
                showing("server"),
                connection -> readToTheEnd(connection).thenCompose(all -> connection.write(answer)));
        SSLSocket socket = socketTo(server, "TLSv1.3");
        socket.getOutputStream().write("question".getBytes(US_ASCII));
        socket.shutdownOutput();
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo(answer);
    }

    private static CompletableFuture<String> readToTheEnd(Connection connection) {
        return connection
                .read()
                .thenCompose(some -> some.length == 0
                        ? CompletableFuture.completedFuture("")
                        : readToTheEnd(connection).thenApply(rest -> new String(some, US_ASCII) + rest));
    }

    /** TLS 1.2 has no half-closed connections. */
    @Test
    void write_peerHasEndedTls12_fails() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        CompletableFuture<Throwable> failed = new CompletableFuture<>();
        Server server = serve(
                strategy,
                showing("server"),
                connection -> readToTheEnd(connection)
                        .thenCompose(all -> connection.write("answer"))
                        .whenComplete((nothing, failure) -> failed.complete(failure)));
        SSLSocket socket = socketTo(server, "TLSv1.2");
        socket.getOutputStream().write("question".getBytes(US_ASCII));
        socket.close();
        assertThat(Patience.get(failed))
                .hasRootCauseInstanceOf(SSLException.class)
                .hasMessageContaining("with TLS 1.2 that ends both directions");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void write_taskEndsAtOnceAndStrategyIsClosed_isSentAllTheSame(String version) throws Exception {
        ExecutorStrategy strategy = patientStrategy();
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        Workload<SocketAddress, Integer> leaving = with("leaving", speaking(version), (network, connection) -> {
            var unused = connection.write(new byte[LARGE]);
            return CompletableFuture.completedFuture(1);
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(leaving, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        CompletableFuture<Void> closing =
                CompletableFuture.runAsync(strategy::close, action -> new Thread(action).start());
        assertThat(count(socket.getInputStream())).isEqualTo(LARGE);
        socket.close();
        Patience.get(closing);
    }

    /** The server never gets the end of the handshake, and so sends no tickets: the client waits for them when it closes. */
    @Test
    void handle_strategyIsClosedBeforeTicketsCome_endIsOrderly() throws Exception {
        ExecutorStrategy strategy = patientStrategy();
        ServerSocket between = peer();
        between.setReceiveBufferSize(4096);
        ServerSocket behind = peer();
        CompletableFuture<CompletableFuture<Void>> handled = new CompletableFuture<>();
        Workload<SocketAddress, Integer> leaving = with("leaving", trusting(), (network, connection) -> {
            handled.complete(connection.handle(ECHO));
            var unused = connection.write(new byte[LARGE]);
            return CompletableFuture.completedFuture(1);
        });
        CompletableFuture<Result<Integer>> future = strategy.submit(leaving, named(between));
        Socket client = accept(between);
        Socket onwards = new Socket();
        peers.add(onwards);
        onwards.connect(behind.getLocalSocketAddress());
        Socket server = accept(behind);
        byte[] hello = new byte[16_384];
        onwards.getOutputStream().write(hello, 0, client.getInputStream().read(hello));
        CompletableFuture<Void> refused = CompletableFuture.runAsync(
                () -> assertThatThrownBy(() -> secured(server, "server")).isInstanceOf(IOException.class),
                action -> new Thread(action).start());
        crumble(onwards, client, 1);
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        CompletableFuture<Void> closing =
                CompletableFuture.runAsync(strategy::close, action -> new Thread(action).start());
        Patience.await().until(() -> strategy.snapshot().closed());
        assertThat(count(client.getInputStream())).isGreaterThan(LARGE);
        client.close();
        assertThat(Patience.get(handled)).succeedsWithin(Patience.LIMIT);
        Patience.get(closing);
        onwards.close();
        Patience.get(refused);
    }

    /** More has come than one read takes, so the loop was to read on: but it takes no more work. */
    @Test
    void handle_writesWhileStrategyIsClosed_isSentAllTheSame() throws Exception {
        ExecutorStrategy strategy = closedAfterTest(EventLoopStrategy.builder()
                .loops(1)
                .clock(new FakeClock())
                .outboundMark(LARGE) // else it would not read on
                .build());
        ServerSocket peer = peer();
        Gate hasCome = gate();
        Gate isClosing = gate();
        CompletableFuture<Executor> loopExecutor = new CompletableFuture<>();
        CompletableFuture<Void> isHandling = new CompletableFuture<>();
        CompletableFuture<Integer> end = new CompletableFuture<>();
        AsyncFn<SocketAddress, Integer> function = (address, loop) -> Network.of(loop)
                .connect(address, trusting(), null)
                .thenCompose(connection -> {
                    var unused = connection.handle((same, bytes) -> {
                        bytes.position(bytes.limit());
                        if (isHandling.complete(null)) {
                            isClosing.awaitIgnoringInterrupts();
                            var unusedToo = same.write(new byte[LARGE]);
                        }
                    });
                    loopExecutor.complete(loop.executor());
                    hasCome.awaitIgnoringInterrupts();
                    return end;
                });
        CompletableFuture<Result<Integer>> future = strategy.submit(Workload.async("leaving", function), named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        Executor loop = Patience.get(loopExecutor);
        socket.getOutputStream().write(new byte[100_000]);
        hasCome.open();
        Patience.get(isHandling);
        end.complete(1);
        assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        CompletableFuture<Void> closing =
                CompletableFuture.runAsync(strategy::close, action -> new Thread(action).start());
        Patience.await().until(() -> isRefused(loop));
        isClosing.open();
        assertThat(count(socket.getInputStream())).isEqualTo(LARGE);
        socket.close();
        Patience.get(closing);
    }

    private static boolean isRefused(Executor loop) {
        try {
            loop.execute(() -> {});
            return false;
        } catch (RejectedExecutionException e) {
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void close_muchIsWritten_whoWaitsForItsLeavingHasIt(String version) throws Exception {
        ExecutorStrategy strategy = patientStrategy();
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096);
        Workload<SocketAddress, Void> closing =
                with("closing", speaking(version), (network, connection) -> writeMuchAndClose(connection));
        CompletableFuture<Result<Void>> future = strategy.submit(closing, named(peer));
        SSLSocket socket = secured(accept(peer), "server");
        assertThat(count(socket.getInputStream())).isEqualTo(LARGE);
        socket.close();
        assertThat(Patience.get(future)).isEqualTo(Result.success(null));
    }

    @Test
    void close_littleWasWrittenAndNothingRead_arrives() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ServerSocket peer = peer();
        peer.setReceiveBufferSize(4096); // most of it is still here when this side closes
        Workload<SocketAddress, Integer> leaving = with("leaving", trusting(), (network, connection) -> {
            var unused = connection.write(new byte[100_000]);
            return connection.close().thenApply(closed -> 1);
        });
        for (int i = 0; i < 20; i++) {
            CompletableFuture<Result<Integer>> future = strategy.submit(leaving, named(peer));
            SSLSocket socket = secured(accept(peer), "server");
            assertThat(count(socket.getInputStream())).isEqualTo(100_000);
            socket.close();
            assertThat(Patience.get(future)).isEqualTo(Result.success(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"success", "failure", "cancel", "closeNow"})
    void task_ends_peerSeesWhetherItWasAll(String way) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        ExecutorStrategy other = strategy(1);
        CompletableFuture<Connection> accepted = new CompletableFuture<>();
        Server server = serve(strategy, showing("server"), connection -> {
            accepted.complete(connection);
            return connection.closed();
        });
        CompletableFuture<Integer> end = new CompletableFuture<>();
        CompletableFuture<Connection> opened = new CompletableFuture<>();
        Workload<SocketAddress, Integer> opening = with(
                "opening",
                trusting(),
                (network, connection) -> connection.write("part").thenCompose(written -> {
                    opened.complete(connection);
                    return end;
                }));
        CompletableFuture<Result<Integer>> future = other.submit(opening, named("localhost", server));
        Connection serverSide = Patience.get(accepted);
        assertThat(Patience.get(serverSide.readExactly(4))).hasSize(4);
        Connection clientSide = Patience.get(opened);
        CompletableFuture<byte[]> next = serverSide.read();
        switch (way) {
            case "success" -> end.complete(1);
            case "failure" -> end.completeExceptionally(new IOException("failure"));
            case "cancel" -> future.cancel(true);
            default -> other.closeNow();
        }
        if (way.equals("success")) {
            assertThat(Patience.get(next)).isEmpty();
            var unused = serverSide.close();
        } else {
            assertThat(next)
                    .failsWithin(Patience.LIMIT)
                    .withThrowableThat()
                    .withCauseInstanceOf(IOException.class); // cut off, or reset
        }
        Patience.await().until(clientSide::isClosed);
        assertThat(clientSide.write("late"))
                .failsWithin(Patience.LIMIT)
                .withThrowableThat()
                .satisfies(failure -> assertThat(failure.getCause())
                        .isInstanceOfAny(ClosedChannelException.class, RejectedExecutionException.class));
    }

    // ---------------------------------------------------------------------------------------------- delegated tasks

    /** Asks the test before it trusts. */
    private static final class Asking extends X509ExtendedTrustManager {
        private final Gate gate;
        private final CompletableFuture<Thread> asked = new CompletableFuture<>();

        Asking(Gate gate) {
            this.gate = gate;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            asked.complete(Thread.currentThread());
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new CertificateException("interrupted", e);
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2, trusted", "TLSv1.3, trusted", "TLSv1.3, cancelled", "TLSv1.3, closed"})
    void handshake_trustIsDecidedSlowly_loopGoesOn(String version, String outcome) throws Exception {
        ExecutorStrategy strategy = strategy(1); // one loop for all
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        Gate gate = gate();
        Asking manager = new Asking(gate);
        ClientTls slow =
                ClientTls.verified().context(certificates.context(version, null, new TrustManager[] {manager}));
        int before = openFiles();
        CompletableFuture<Result<String>> future = strategy.submit(asking(slow), named("localhost", server));
        assertThat(Patience.get(manager.asked)).isNotInstanceOf(LoopThread.class);
        assertServes(strategy, server); // while the other waits
        assertThat(future).isNotDone();
        switch (outcome) {
            case "trusted" -> {
                gate.open();
                assertThat(Patience.get(future)).isEqualTo(Result.success("question"));
            }
            case "cancelled" -> {
                future.cancel(true);
                Patience.await().until(() -> openFiles() <= before);
                assertServes(strategy, server);
            }
            default -> {
                strategy.closeNow();
                assertThat(failure(future)) // by core, or by the loop that ends
                        .isInstanceOfAny(CancellationException.class, RejectedExecutionException.class);
                Patience.await().until(() -> openFiles() <= before);
            }
        }
    }

    @Test
    void handshake_keysAreMade_offTheLoop() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        List<Thread> threads = new CopyOnWriteArrayList<>();
        SecureRandom telling = new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                threads.add(Thread.currentThread());
                super.nextBytes(bytes);
            }
        };
        TrustManager[] trusted = certificates.trustManagers();
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        ClientTls tls = ClientTls.verified().context(certificates.context("TLSv1.3", null, trusted, telling));
        threads.clear();
        assertThat(Patience.get(strategy.submit(asking(tls), named("localhost", server))))
                .isEqualTo(Result.success("question"));
        // What is random in single records is little.
        assertThat(threads.get(0)).isNotInstanceOf(LoopThread.class);
    }

    // ---------------------------------------------------------------------------------------------- in numbers

    @Test
    void manyConnections_openedAndDropped_leaveNothing() throws Exception {
        ExecutorStrategy strategy = strategy(2, options -> options.window(50));
        int before = openFiles();
        Server server = serve(strategy, showing("server"), connection -> connection.handle(ECHO));
        SocketAddress address = named("localhost", server);
        ClientTls trusting = trusting();
        ClientTls strange = ClientTls.verified();
        AsyncFn<Integer, String> function = (n, loop) -> {
            Network network = Network.of(loop);
            return switch (n % 6) {
                case 0 ->
                    network.connect(address, trusting, null)
                            .thenCompose(connection ->
                                    connection.write(n + "\n").thenCompose(written -> connection.readLine(100)));
                case 1 ->
                    network.connect(address, trusting, null)
                            .thenCompose(
                                    connection -> connection.write("half a li").thenApply(written -> "" + n));
                case 2 -> network.connect(address, trusting, null).thenApply(connection -> "" + n);
                case 3 -> network.connect(server.localAddress(), null).thenApply(connection -> "" + n);
                case 4 -> {
                    var unused = network.connect(address, trusting, null);
                    yield CompletableFuture.completedFuture("" + n);
                }
                default -> network.connect(address, strange, null).handle((connection, failure) -> "" + n);
            };
        };
        int connections = 600 * Integer.getInteger("stress.rounds", 1);
        try (var results = strategy.map(
                Workload.async("asking", function),
                IntStream.range(0, connections).boxed())) {
            int[] index = {0};
            assertThat(results.map(Result::orElseThrow))
                    .allSatisfy(line -> assertThat(line).isEqualTo("" + index[0]++));
            assertThat(index[0]).isEqualTo(connections);
        }
        assertServes(strategy, server);
        strategy.closeNow();
        Patience.await().until(() -> openFiles() <= before);
    }

    // ---------------------------------------------------------------------------------------------- with the JDK

    @Test
    void listen_httpClientOfTheJdk_isAnswered() throws Exception {
        ExecutorStrategy strategy = strategy(1);
        byte[] body = pattern(1_000_000, 7);
        String head = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n";
        Server server = serve(
                strategy,
                showing("server").applicationProtocols("http/1.1"),
                connection -> connection
                        .readLine(1000)
                        .thenCompose(request -> connection.write(head))
                        .thenCompose(written -> connection.write(body)));
        HttpClient client =
                HttpClient.newBuilder().sslContext(certificates.context(null)).build();
        URI uri = URI.create("https://localhost:" + ((InetSocketAddress) server.localAddress()).getPort() + "/");
        for (int i = 0; i < 3; i++) {
            HttpResponse<byte[]> response =
                    client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray());
            assertThat(response.body()).isEqualTo(body);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void connect_httpsServerOfTheJdk_answers(String version) throws Exception {
        ExecutorStrategy strategy = strategy(1);
        byte[] body = pattern(1_000_000, 8);
        HttpsServer https = HttpsServer.create(anyPort(), 0);
        peers.add(() -> https.stop(0));
        https.setHttpsConfigurator(new HttpsConfigurator(certificates.context("server")));
        https.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        https.start();
        Workload<SocketAddress, byte[]> getting = with(
                "getting",
                speaking(version),
                (network, connection) -> connection
                        .write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                        .thenCompose(written ->
                                network.repeat(() -> connection.readLine(1000).thenApply(line -> !line.isEmpty())))
                        .thenCompose(headers -> connection.readExactly(body.length)));
        SocketAddress address = InetSocketAddress.createUnresolved(
                "localhost", https.getAddress().getPort());
        assertThat(Patience.get(strategy.submit(getting, address)).orElseThrow())
                .isEqualTo(body);
    }

    // ---------------------------------------------------------------------------------------------- modules

    /** The library is no module proper, so a module cannot require it without harm: it may be in either place, or missing. */
    @ParameterizedTest
    @CsvSource({"module path, is not TLS", "class path, is not TLS", "nowhere, --add-modules tls.channel"})
    void verified_inAModule_findsTheLibraryOrSaysWhatIsMissing(String where, String said) throws Exception {
        List<String> present = List.of(System.getProperty("java.class.path").split(File.pathSeparator));
        List<String> modules = new ArrayList<>(present.stream()
                .filter(entry -> entry.matches(".*(/(core|thread-pool|event-loop)/target/(classes|stratagem-.*)"
                        + "|/(guava|failureaccess|jctools-core(-jdk11)?|slf4j-api|jspecify)-[0-9.]+[^/]*)"))
                .toList());
        List<String> library =
                present.stream().filter(entry -> entry.contains("tls-channel-")).toList();
        assertThat(library).hasSize(1);
        List<String> classPath = new ArrayList<>(
                present.stream().filter(entry -> entry.endsWith("test-classes")).toList());
        if (!where.equals("nowhere")) {
            (where.equals("class path") ? classPath : modules).addAll(library);
        }
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--module-path",
                        String.join(File.pathSeparator, modules),
                        "--add-modules",
                        "io.stratagem.eventloop" + (where.equals("module path") ? ",tls.channel" : ""),
                        "--class-path",
                        String.join(File.pathSeparator, classPath),
                        TlsProgram.class.getName())
                .redirectErrorStream(true)
                .start();
        peers.add(process::destroyForcibly);
        String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
        assertThat(output).contains("in module io.stratagem.eventloop", "plain: welcome", said);
        assertThat(process.waitFor()).as(output).isZero();
    }
}
