package io.stratagem.eventloop;

import io.stratagem.ExecutorStrategy;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;

/** Peers of plain sockets, closed after each test. */
abstract class NetworkFixture extends LoopFixture {
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

    /** 12 MB; completes when all that waits for them has succeeded. */
    static CompletableFuture<Void> writeMuchAndClose(Connection connection) {
        CompletableFuture<Void> written = connection.write(new byte[12_000_000]);
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
}
