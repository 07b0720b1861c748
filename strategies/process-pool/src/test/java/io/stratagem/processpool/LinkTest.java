package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.spi.Wire;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Both ends of a connection, in one process. */
@Timeout(30)
final class LinkTest {
    private static final int MAX_FRAME = 1 << 24;
    private static final long LONG = TimeUnit.HOURS.toNanos(1);

    private Link here;
    private Link there;

    @BeforeEach
    void connect(@TempDir Path directory) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
            server.bind(address);
            here = new Link(SocketChannel.open(address), MAX_FRAME);
            there = new Link(server.accept(), MAX_FRAME);
        }
    }

    @AfterEach
    void disconnect() throws IOException {
        here.close();
        there.close();
    }

    private static Bytes frame(int value) {
        Bytes frame = Link.frame(new Bytes(), (byte) 7);
        frame.putInt(value);
        return frame;
    }

    @Test
    void countInto_countsWhatTravelsFromThenOn() throws IOException {
        Traffic traffic = new Traffic();
        here.send(frame(1));
        there.receive();
        here.countInto(traffic);

        here.send(frame(2));
        there.receive();
        there.send(frame(3));
        there.send(frame(4));
        here.receive();
        here.receive();

        int length = Integer.BYTES + 1 + Integer.BYTES;
        assertThat(traffic.sent()).isEqualTo(length);
        assertThat(traffic.received()).isEqualTo(2 * length);
    }

    @Test
    void wakeup_beforeTheWait_endsIt() throws IOException {
        here.prepareToWait();
        here.wakeup();

        assertThat(here.awaitInput(LONG)).isFalse();
    }

    @Test
    void awaitInput_withAFrameInTheBuffer_returns() throws IOException {
        there.send(frame(1));
        there.send(frame(2));
        here.prepareToWait();
        assertThat(here.receive().getByte()).isEqualTo((byte) 7);

        assertThat(here.awaitInput(LONG)).isTrue();

        Bytes second = here.receive();
        assertThat(second.getByte()).isEqualTo((byte) 7);
        assertThat(second.getInt()).isEqualTo(2);
    }

    @Test
    void receive_afterAWait_blocksAgain() throws Exception {
        here.prepareToWait();
        assertThat(here.awaitInput(1)).isFalse();
        Thread sender = new Thread(() -> {
            try {
                there.send(frame(3));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        sender.start();

        Bytes received = here.receive();

        sender.join();
        assertThat(received.getByte()).isEqualTo((byte) 7);
        assertThat(received.getInt()).isEqualTo(3);
    }

    /** One end of a wire into which nothing can be put, and out of which comes what the test says. */
    private static class FullWire implements Wire {
        private final AtomicInteger messages = new AtomicInteger();
        private final AtomicInteger parked = new AtomicInteger();

        @Override
        public String place() {
            return "nowhere";
        }

        @Override
        public void opened() {}

        @Override
        public boolean offer(byte[] from, int start, int count) {
            return false;
        }

        @Override
        public ByteBuffer reserve(int most) {
            return null;
        }

        @Override
        public void commit() {}

        @Override
        public void publish() {}

        @Override
        public boolean mustWake() {
            return false;
        }

        @Override
        public int poll() {
            return messages.getAndUpdate(count -> Math.max(0, count - 1)) > 0 ? 1 : NONE;
        }

        @Override
        public byte[] message() {
            return new byte[] {7};
        }

        @Override
        public ByteBuffer peek() {
            return null;
        }

        @Override
        public void skip() {}

        @Override
        public boolean parkIfEmpty() {
            parked.incrementAndGet();
            return messages.get() == 0;
        }

        @Override
        public void unpark() {}

        @Override
        public void close() {}
    }

    @Test
    void receive_whileAnotherThreadWaitsForRoom_isWokenByWhatThatOneTakes(@TempDir Path other) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(other.resolve("s"));
            server.bind(address);
            FullWire wire = new FullWire();
            try (Link link = new Link(SocketChannel.open(address), MAX_FRAME, wire);
                    SocketChannel peer = server.accept()) {
                Thread sender = new Thread(
                        () -> assertThatThrownBy(() -> link.send(frame(1))).isInstanceOf(IOException.class));
                sender.start();
                for (int i = 0; i < 300; i++) {
                    int parkedBefore = wire.parked.get();
                    CompletableFuture<Bytes> received = CompletableFuture.supplyAsync(() -> receive(link));
                    while (wire.parked.get() == parkedBefore) {
                        Thread.onSpinWait();
                    }
                    wire.messages.incrementAndGet();
                    peer.write(ByteBuffer.allocate(1));

                    assertThat(Patience.get(received).getByte())
                            .as("message %s", i)
                            .isEqualTo((byte) 7);
                }
                peer.shutdownOutput(); // the end, which the sender finds
                sender.join();
            }
        }
    }

    /** Over memory whose file has been cut. */
    private static final class CutWire extends FullWire {
        @Override
        public boolean offer(byte[] from, int start, int count) {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
        }

        @Override
        public ByteBuffer reserve(int most) {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
        }

        @Override
        public int poll() {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
        }
    }

    @Test
    void link_overMemoryThatHasBeenCut_isBroken(@TempDir Path other) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(other.resolve("s"));
            server.bind(address);
            try (Link link = new Link(SocketChannel.open(address), MAX_FRAME, new CutWire())) {
                for (ThrowingCallable use : List.<ThrowingCallable>of(
                        () -> link.send(frame(1)), link::receive, link::poll, () -> link.awaitInput(LONG))) {
                    assertThatThrownBy(use)
                            .isInstanceOf(Bytes.MalformedException.class)
                            .hasMessageContaining("a fault occurred");
                }
            }
        }
    }

    @Test
    void hasRoomFor_isFalseWhereToSendWouldWait(@TempDir Path other) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(other.resolve("s"));
            server.bind(address);
            for (FullWire wire : List.of(new FullWire(), new CutWire())) {
                try (Link link = new Link(SocketChannel.open(address), MAX_FRAME, wire)) {
                    assertThat(link.hasRoomFor(1)).isFalse();
                }
            }
        }
        assertThat(here.hasRoomFor(1)).isTrue();
    }

    private static Bytes receive(Link link) {
        try {
            return link.receive();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void awaitInput_atTheEnd_returns() throws IOException {
        here.prepareToWait();
        there.close();

        assertThat(here.awaitInput(LONG)).isTrue();
        assertThat(here.receive()).isNull();
    }
}
