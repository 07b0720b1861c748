package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who gets in where a worker is expected, and who does not. */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class EntranceTest {

    @TempDir
    Path temporary;

    private final LogRecorder log = new LogRecorder();
    private final List<SocketChannel> connections = new ArrayList<>();
    private PrivateDirectory directory;
    private Entrance entrance;
    private Thread waiting;
    private CompletableFuture<SocketChannel> arrival;

    @BeforeEach
    void open() throws IOException {
        log.attach(ProcessPoolStrategy.class.getName());
        directory = PrivateDirectory.choose(HostSystem.present(), temporary).create();
        entrance = Entrance.open(directory, "worker-7");
        startWaiting();
    }

    private void startWaiting() {
        arrival = new CompletableFuture<>();
        waiting = new Thread(() -> {
            try {
                arrival.complete(entrance.await(Patience.LIMIT.toNanos()));
            } catch (Throwable e) {
                arrival.completeExceptionally(e);
            }
        });
        waiting.start();
    }

    @AfterEach
    void close() throws Exception {
        entrance.close();
        waiting.join();
        if (!arrival.isCompletedExceptionally()) {
            arrival.join().close();
        }
        for (SocketChannel each : connections) {
            each.close();
        }
        directory.close();
        log.detach();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(directory.socket()));
        connections.add(channel);
        return channel;
    }

    private SocketChannel say(byte[] bytes) throws IOException {
        SocketChannel channel = connect();
        channel.write(ByteBuffer.wrap(bytes));
        return channel;
    }

    private static byte[] hello(String token) {
        Bytes frame = Link.frame(new Bytes(), Frames.HELLO);
        frame.putString(token);
        frame.setInt(0, frame.size() - Integer.BYTES);
        return frame.toByteArray();
    }

    private byte[] hello() {
        return hello(entrance.token());
    }

    /** Sees that the other side has closed it. */
    private static void assertRefused(SocketChannel channel) {
        try {
            assertThat(channel.read(ByteBuffer.allocate(1))).isNegative();
        } catch (IOException e) {
            assertThat(e).as("since what it said was not read").hasMessageContaining("reset");
        }
    }

    /** Sees that what is sent on a connection arrives at who waited for the worker. */
    private void assertArrives(SocketChannel worker) throws Exception {
        SocketChannel here = Patience.get(arrival);
        assertThat(here.isBlocking()).isTrue();
        worker.write(ByteBuffer.wrap(new byte[] {42}));
        ByteBuffer first = ByteBuffer.allocate(2);
        assertThat(here.read(first)).as("the hello is not among it").isEqualTo(1);
        assertThat(first.get(0)).isEqualTo((byte) 42);
    }

    private List<String> warnings() {
        return log.messages(Level.WARN);
    }

    // ---------------------------------------------------------------------------------------------- the worker

    @Test
    void await_worker_getsItAndSaysNothing() throws Exception {
        assertArrives(say(hello()));

        assertThat(warnings()).isEmpty();
    }

    @Test
    void await_workerThatSpeaksByBytes_getsIt() throws Exception {
        SocketChannel worker = connect();
        for (byte each : hello()) {
            worker.write(ByteBuffer.wrap(new byte[] {each}));
        }

        assertArrives(worker);
    }

    @Test
    void token_isLongAndNeverTheSame() throws Exception {
        try (PrivateDirectory other =
                        PrivateDirectory.choose(HostSystem.present(), temporary).create();
                Entrance another = Entrance.open(other, "worker-8")) {
            assertThat(entrance.token()).matches("[0-9a-f]{32}").isNotEqualTo(another.token());
        }
    }

    // ---------------------------------------------------------------------------------------------- strangers

    private void assertRefusedAndWorkerArrives(SocketChannel stranger) throws Exception {
        assertRefused(stranger);
        assertThat(arrival).isNotDone();
        assertThat(warnings())
                .singleElement()
                .asString()
                .contains("worker-7", "refused")
                .doesNotContain(entrance.token());
        assertArrives(say(hello()));
    }

    @Test
    void await_garbage_isRefusedAndLogged() throws Exception {
        assertRefusedAndWorkerArrives(say("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: anything at all\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void await_wrongToken_isRefusedAndLogged() throws Exception {
        char last = entrance.token().charAt(31);
        String wrong = entrance.token().substring(0, 31) + (last == '0' ? '1' : '0');

        assertRefusedAndWorkerArrives(say(hello(wrong)));
    }

    @Test
    void await_rightTokenInAnotherFrame_isRefusedAndLogged() throws Exception {
        byte[] frame = hello();
        frame[Integer.BYTES] = Frames.READY;

        assertRefusedAndWorkerArrives(say(frame));
    }

    @Test
    void await_announcementOfALargeFrame_isRefusedAndLogged() throws Exception {
        byte[] frame = hello();
        ByteBuffer.wrap(frame).order(ByteOrder.nativeOrder()).putInt(0, 1 << 20);

        assertRefusedAndWorkerArrives(say(frame));
    }

    @Test
    void await_connectionThatEnds_isRefusedAndLogged() throws Exception {
        SocketChannel stranger = say(new byte[5]);
        stranger.shutdownOutput();

        assertRefusedAndWorkerArrives(stranger);
    }

    @Test
    void await_connectionThatIsReset_isRefusedAndLogged() throws Exception {
        say(new byte[5]).close();
        Patience.await().until(() -> !warnings().isEmpty());

        assertArrives(say(hello()));
    }

    @Test
    void await_silentConnections_holdNothingUp() throws Exception {
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            silent.add(i % 2 == 0 ? connect() : say(new byte[5]));
        }

        assertArrives(say(hello()));

        silent.forEach(EntranceTest::assertRefused);
        Patience.await().until(() -> warnings().size() == 100);
    }

    @Test
    void token_saidTwice_opensOnce() throws Exception {
        SocketChannel first = say(hello());
        assertArrives(first);

        assertThatThrownBy(() -> say(hello())).isInstanceOf(IOException.class);
    }

    @Test
    void token_saidByTwoAtOnce_opensForOne() throws Exception {
        // Both are there before anybody looks.
        PrivateDirectory other =
                PrivateDirectory.choose(HostSystem.present(), temporary).create();
        try (other;
                Entrance another = Entrance.open(other, "worker-8");
                SocketChannel first = SocketChannel.open(UnixDomainSocketAddress.of(other.socket()));
                SocketChannel second = SocketChannel.open(UnixDomainSocketAddress.of(other.socket()))) {
            first.write(ByteBuffer.wrap(hello(another.token())));
            second.write(ByteBuffer.wrap(hello(another.token())));

            try (SocketChannel here = another.await(Patience.LIMIT.toNanos())) {
                here.write(ByteBuffer.wrap(new byte[] {1}));
            }

            assertThat(List.of(first, second))
                    .filteredOn(channel -> {
                        try {
                            return channel.read(ByteBuffer.allocate(1)) == 1;
                        } catch (IOException e) {
                            return false;
                        }
                    })
                    .hasSize(1);
        }
    }

    @Test
    void await_nobodyComes_endsWhenTimeIsOver() throws Exception {
        PrivateDirectory other =
                PrivateDirectory.choose(HostSystem.present(), temporary).create();
        try (other;
                Entrance another = Entrance.open(other, "worker-8");
                SocketChannel stranger = SocketChannel.open(UnixDomainSocketAddress.of(other.socket()))) {
            assertThatThrownBy(() -> another.await(1_000_000)).isInstanceOf(TimeoutException.class);

            assertRefused(stranger);
        }
    }

    @Test
    void await_processOfAnotherUser_isRefusedAndLogged() throws Exception {
        entrance.close();
        waiting.join();
        directory.close();
        directory = PrivateDirectory.choose(HostSystem.present(), temporary).create();
        entrance = Entrance.open(directory, "worker-7", () -> "somebody else");
        startWaiting();

        assertRefused(connect());

        assertThat(log.await("worker-7").getFormattedMessage()).contains("refused", "user");
        assertThat(arrival).isNotDone();
    }

    // ---------------------------------------------------------------------------------------------- the end

    @Test
    void close_endsTheWait() {
        entrance.close();

        assertThatThrownBy(() -> Patience.get(arrival)).hasCauseInstanceOf(IOException.class);
    }

    @Test
    void close_withASilentConnection_closesThat() throws Exception {
        SocketChannel silent = say(new byte[5]);

        entrance.close();

        assertRefused(silent);
    }

    @Test
    void interrupt_endsTheWait() {
        waiting.interrupt();

        assertThatThrownBy(() -> Patience.get(arrival)).hasCauseInstanceOf(InterruptedException.class);
        assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
    }
}
