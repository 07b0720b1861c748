package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One end of the connection between the application and a worker: frames of bytes, each with its length before it. */
/* One thread receives, and one at a time sends. A frame is
 *
 *     0        4      5
 *     | length | kind | contents …          length: of kind and contents, in the byte order of the machine
 */
final class Link implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int HEADER_BYTES = Integer.BYTES;

    private final SocketChannel channel;
    private final int maxFrame;
    private final ByteBuffer received = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);

    /** For waiting while there is nothing to do; most workers have none. */
    private volatile @Nullable Selector selector;

    Link(SocketChannel channel, int maxFrame) {
        this.channel = channel;
        this.maxFrame = maxFrame;
    }

    /** A frame to be filled and sent. */
    static Bytes frame(Bytes reused, byte kind) {
        reused.clear();
        reused.putInt(0);
        reused.putByte(kind);
        return reused;
    }

    /** Blocks until all of it is on its way. */
    void send(Bytes frame) throws IOException {
        frame.setInt(0, frame.size() - HEADER_BYTES);
        ByteBuffer buffer = ByteBuffer.wrap(frame.array(), 0, frame.size());
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /**
     * Blocks until a frame is there.
     *
     * @return the frame from its kind on, or null at the end
     * @throws EOFException if it ends within a frame
     * @throws MalformedException if there cannot be such a frame
     */
    @Nullable
    Bytes receive() throws IOException {
        byte[] header = new byte[HEADER_BYTES];
        if (!read(header, true)) {
            return null;
        }
        int length = Bytes.of(header).getInt();
        if (length < 1 || length > maxFrame) {
            throw new MalformedException("a frame of " + Integer.toUnsignedString(length)
                    + " bytes, where there may be from 1 to " + maxFrame);
        }
        // Not all at once: the length is not yet believed.
        byte[] contents = new byte[Math.min(length, BUFFER_BYTES)];
        read(contents, false);
        while (contents.length < length) {
            int before = contents.length;
            contents = Arrays.copyOf(contents, (int) Math.min(length, 4L * before));
            readInto(contents, before);
        }
        return Bytes.of(contents);
    }

    /**
     * Waits until something can be received, or its end; or for {@link #wakeup}, or so long.
     *
     * @return whether {@link #receive} is due
     */
    boolean awaitInput(long nanos) throws IOException {
        Selector waiting = selector;
        if (waiting == null) {
            waiting = Selector.open();
            selector = waiting;
        }
        if (received.hasRemaining()) {
            return true;
        }
        channel.configureBlocking(false);
        SelectionKey key = channel.register(waiting, SelectionKey.OP_READ);
        try {
            return waiting.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos))) > 0;
        } finally {
            key.cancel();
            waiting.selectNow();
            channel.configureBlocking(true);
        }
    }

    /** Ends a wait for input, or the next one. Any thread may do that. */
    void wakeup() {
        Selector waiting = selector;
        if (waiting != null) {
            waiting.wakeup();
        }
    }

    private boolean read(byte[] target, boolean mayEnd) throws IOException {
        int filled = take(target, 0);
        while (filled < target.length) {
            if (!fill()) {
                if (mayEnd && filled == 0) {
                    return false;
                }
                throw new EOFException("the connection ended within a frame");
            }
            filled += take(target, filled);
        }
        return true;
    }

    /** What is large does not go through the buffer. */
    private void readInto(byte[] target, int from) throws IOException {
        int filled = from + take(target, from);
        ByteBuffer rest = ByteBuffer.wrap(target, filled, target.length - filled);
        while (rest.hasRemaining()) {
            if (channel.read(rest) < 0) {
                throw new EOFException("the connection ended within a frame");
            }
        }
    }

    private int take(byte[] target, int from) {
        int count = Math.min(received.remaining(), target.length - from);
        received.get(target, from, count);
        return count;
    }

    private boolean fill() throws IOException {
        received.clear();
        try {
            return channel.read(received) > 0;
        } finally {
            received.flip(); // also when that failed: what is in the buffer has been taken
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Selector waiting = selector;
        if (waiting != null) {
            waiting.close();
        }
    }
}
