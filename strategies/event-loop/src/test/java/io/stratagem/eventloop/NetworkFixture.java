package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;

/** Peers of plain sockets, closed after each test. */
abstract class NetworkFixture extends LoopFixture {
    static final Duration LIMIT = Duration.ofSeconds(1);

    /** More than the system takes from a connection that nobody reads. */
    static final int LARGE = 12_000_000;

    static final BytesHandler ECHO = (connection, bytes) -> {
        var unused = connection.write(bytes);
    };

    final List<AutoCloseable> peers = new ArrayList<>();

    @AfterEach
    final void closePeers() throws Exception {
        for (AutoCloseable peer : peers) {
            peer.close();
        }
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    static <O> Throwable failure(CompletableFuture<Result<O>> future) throws Exception {
        Result<O> result = Patience.get(future);
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<O>) result).cause();
    }

    final ServerSocket peer() throws IOException {
        ServerSocket peer = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        peers.add(peer);
        return peer;
    }

    final Socket accept(ServerSocket peer) throws IOException {
        Socket socket = peer.accept();
        peers.add(socket);
        socket.setSoTimeout((int) Patience.LIMIT.toMillis());
        return socket;
    }

    /** With one loop; its clock stands, so that to close a connection may take as long as the machine needs. */
    final ExecutorStrategy patientStrategy() {
        return strategy(1, options -> options.clock(new FakeClock()));
    }

    /** Writes more and more, although nobody takes it; fails when that is refused. */
    static CompletableFuture<Void> writeUntilRefused(Connection connection) {
        for (int i = 0; i < 10_000; i++) {
            CompletableFuture<Void> written = connection.write(new byte[65_536]);
            if (written.isCompletedExceptionally()) {
                return written;
            }
        }
        return CompletableFuture.completedFuture(null);
    }

    /** Writes {@link #LARGE} bytes; completes when all that waits for them has succeeded. */
    static CompletableFuture<Void> writeMuchAndClose(Connection connection) {
        CompletableFuture<Void> written = connection.write(new byte[LARGE]);
        CompletableFuture<Void> flushed = connection.flush(null);
        CompletableFuture<Void> shut = connection.shutdownOutput();
        var unused = connection.close();
        return written.thenCompose(nothing -> flushed).thenCompose(nothing -> shut);
    }

    static long count(InputStream input) throws IOException {
        long count = 0;
        byte[] some = new byte[65_536];
        for (int n = input.read(some); n >= 0; n = input.read(some)) {
            count += n;
        }
        return count;
    }

    static int openFiles() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    /** To a peer that takes it when the limit has passed, of the write itself or of the flush behind it. */
    static final class LimitedWrite {
        private final boolean isWrite;
        private final CompletableFuture<String> firstFailure = new CompletableFuture<>();

        LimitedWrite(String way) {
            isWrite = way.equals("write");
        }

        CompletableFuture<String> begin(Connection connection) {
            CompletableFuture<Void> written = connection.write(ByteBuffer.allocate(LARGE), isWrite ? LIMIT : null);
            CompletableFuture<Void> limited = isWrite ? written : connection.flush(LIMIT);
            return limited.exceptionallyCompose(failure -> {
                        firstFailure.complete(failure.toString());
                        return connection.flush(null);
                    })
                    .thenCompose(nothing -> connection.write("more\n"))
                    .thenCompose(nothing -> connection.readLine(100));
        }

        void assertIsSentAllTheSame(FakeClock clock, Socket socket, CompletableFuture<Result<String>> future)
                throws Exception {
            Patience.await().until(() -> clock.waiting() == 1);
            clock.advance(LIMIT);
            assertThat(Patience.get(firstFailure))
                    .contains("SocketTimeoutException", "did not take what was written within PT1S");
            assertThat(socket.getInputStream().readNBytes(LARGE)).hasSize(LARGE);
            assertThat(socket.getInputStream().readNBytes(5)).isEqualTo("more\n".getBytes(US_ASCII));
            socket.getOutputStream().write("thanks\n".getBytes(US_ASCII));
            assertThat(Patience.get(future)).isEqualTo(Result.success("thanks"));
            Patience.await().until(() -> clock.waiting() == 0);
        }
    }
}
