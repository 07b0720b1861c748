package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
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

    @Test
    void awaitInput_atTheEnd_returns() throws IOException {
        here.prepareToWait();
        there.close();

        assertThat(here.awaitInput(LONG)).isTrue();
        assertThat(here.receive()).isNull();
    }
}
