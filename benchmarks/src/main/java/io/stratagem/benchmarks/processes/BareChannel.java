package io.stratagem.benchmarks.processes;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * One end of the connection to a {@link BareProcess}: frames with their length before them, sent in one write and, since
 * the two ends take turns, nearly always received in one read. For one thread.
 */
final class BareChannel implements Closeable {

    private static final int CAPACITY = 1 << 16;

    private final SocketChannel channel;
    private final ByteBuffer outgoing = ByteBuffer.allocateDirect(CAPACITY);
    private final ByteBuffer incoming = ByteBuffer.allocateDirect(CAPACITY);

    BareChannel(SocketChannel channel) {
        this.channel = channel;
    }

    /** The buffer for the next frame, at the position behind its length. */
    ByteBuffer newFrame() {
        return outgoing.clear().position(Integer.BYTES);
    }

    /** Sends the new frame up to the position that its buffer has now. */
    void send() throws IOException {
        outgoing.flip().putInt(0, outgoing.limit() - Integer.BYTES);
        while (outgoing.hasRemaining()) {
            channel.write(outgoing);
        }
    }

    /** Waits for a frame and gives its contents, which are valid until the next one. */
    ByteBuffer receive() throws IOException {
        incoming.clear();
        fill(Integer.BYTES);
        fill(Integer.BYTES + incoming.getInt(0));
        return incoming.flip().position(Integer.BYTES);
    }

    private void fill(int bytes) throws IOException {
        while (incoming.position() < bytes) {
            if (channel.read(incoming) < 0) {
                throw new EOFException("the other process has ended");
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
