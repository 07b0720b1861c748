package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.base.Stopwatch;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A relay between plain sockets. */
@Timeout(60)
final class RelayTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private final BlockingQueue<String> log = new LinkedBlockingQueue<>();
    private final ServerSocket target;
    private final Relay relay;
    private final Socket client;
    private final Socket peer;

    RelayTest() throws IOException {
        target = new ServerSocket(0, 50, HERE);
        relay = relay(Duration.ofMinutes(10)); // longer than a test may take
        client = connect(relay);
        peer = target.accept();
    }

    private Relay relay(Duration idle) throws IOException {
        InetSocketAddress address = InetSocketAddress.createUnresolved(HERE.getHostAddress(), target.getLocalPort());
        return new Relay(0, address, new Relay.Limits(LONG, idle), log::add);
    }

    private static Socket connect(Relay relay) throws IOException {
        return new Socket(HERE, relay.address().getPort());
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        peer.close();
        relay.close();
        target.close();
    }

    @Test
    void clientEndsFirst_targetStillAnswers() throws Exception {
        endsFirst(client, peer);

        assertThat(log.take()).endsWith(": 8 B there, 6 B back");
        assertThat(relay.counts()).isEqualTo(new Relay.Counts(1, 0, 0, 8, 6));
    }

    @Test
    void targetEndsFirst_clientStillSends() throws Exception {
        endsFirst(peer, client);

        assertThat(log.take()).endsWith(": 6 B there, 8 B back");
    }

    private static void endsFirst(Socket first, Socket second) throws IOException {
        first.getOutputStream().write("question".getBytes(UTF_8));
        first.shutdownOutput();
        assertThat(second.getInputStream().readAllBytes()).asString(UTF_8).isEqualTo("question");
        second.getOutputStream().write("answer".getBytes(UTF_8));
        second.shutdownOutput();
        assertThat(first.getInputStream().readAllBytes()).asString(UTF_8).isEqualTo("answer");
    }

    /** Without back-pressure, what waits would soon be too much for a write, which then fails. */
    @Test
    void slowReader_getsEverything_andTheSenderWaits() throws Exception {
        byte[] much = new byte[64 << 20];
        new Random(1).nextBytes(much);
        CompletableFuture<Void> sent = CompletableFuture.runAsync(
                () -> {
                    try {
                        client.getOutputStream().write(much);
                        client.shutdownOutput();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> new Thread(task, "sender").start());
        long before;
        do { // until all buffers are full, or so it seems
            before = relay.counts().bytesThere();
            TimeUnit.MILLISECONDS.sleep(100);
        } while (before == 0 || relay.counts().bytesThere() != before);
        assertThat(sent).isNotDone();
        assertThat(before).isLessThan(much.length);

        byte[] received = peer.getInputStream().readAllBytes();
        assertThat(Hashing.sha256().hashBytes(received))
                .isEqualTo(Hashing.sha256().hashBytes(much));
        sent.join();
        assertThat(log).isEmpty(); // the peer has not ended its side yet
        peer.shutdownOutput();
        assertThat(log.take()).endsWith(": 67 MB there, 0 B back");
    }

    @Test
    void idlePair_isClosed() throws Exception {
        try (Relay impatient = relay(Duration.ofMillis(200));
                Socket silent = connect(impatient);
                Socket other = target.accept()) {
            assertThat(silent.getInputStream().read()).isEqualTo(-1);
            assertThat(other.getInputStream().read()).isEqualTo(-1);
            assertThat(log.take()).contains("gave no");
            assertThat(impatient.counts().failed()).isOne();
        }
    }

    /** The client is silent for longer than the limit, which leaves room for a machine that is slow. */
    @Test
    void oneWay_isNotIdle() throws Exception {
        Duration idle = Duration.ofSeconds(4);
        try (Relay impatient = relay(idle);
                Socket silent = connect(impatient);
                Socket busy = target.accept()) {
            InputStream received = silent.getInputStream();
            Stopwatch watch = Stopwatch.createStarted();
            while (watch.elapsed().compareTo(idle.plusMillis(500)) < 0) {
                busy.getOutputStream().write(1);
                assertThat(received.read()).isEqualTo(1);
                TimeUnit.MILLISECONDS.sleep(100);
            }
            busy.shutdownOutput();
            silent.shutdownOutput();
            assertThat(log.take()).contains(": 0 B there, ").endsWith(" B back");
        }
    }

    @Test
    void noTarget_isSaid_andTheClientHasItsEnd() throws Exception {
        target.close();
        try (Socket late = connect(relay)) {
            assertThat(late.getInputStream().read()).isEqualTo(-1);
            assertThat(log.take())
                    .startsWith("/127.0.0.1:" + late.getLocalPort())
                    .containsIgnoringCase("refused");
        }
        assertThat(relay.counts().failed()).isOne();
    }

    @Test
    void resetByThePeer_endsThePair() throws Exception {
        peer.setSoLinger(true, 0);
        peer.close();

        assertThat(client.getInputStream().read()).isEqualTo(-1);
        assertThat(log.take()).containsIgnoringCase("reset");
    }

    @Test
    void drain_waitsForWhatIsOpen_andTakesNoMore() throws Exception {
        assertThat(relay.drain(Duration.ofMillis(50))).isFalse();
        assertThat(relay.counts().open()).isOne();
        assertThatThrownBy(() -> connect(relay).close()).isInstanceOf(ConnectException.class);

        endsFirst(client, peer); // the pair still works

        assertThat(relay.drain(LONG)).isTrue();
        assertThat(relay.counts().open()).isZero();
    }
}
