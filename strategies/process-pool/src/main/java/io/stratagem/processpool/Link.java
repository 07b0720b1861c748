package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One end of the connection between the application and a worker: frames of bytes, each with its length before it. */
/* One thread receives, and one at a time sends. A frame is
 *
 *     0        4      5
 *     | length | kind | contents …          length: of kind and contents, in the byte order of the machine
 */
final class Link implements Closeable {
    /** About what the system takes at once. */
    private static final int BUFFER_BYTES = 1 << 17;

    /** As much memory is taken for a frame before its bytes are there. */
    private static final int BELIEVED_BYTES = 1 << 20;

    private static final int HEADER_BYTES = Integer.BYTES;

    private final SocketChannel channel;
    private final int maxFrame;
    private final ByteBuffer incoming = buffer().limit(0);
    private final ByteBuffer outgoing = buffer();
    private final Bytes frame;

    /** For waiting while there is nothing to do; most workers have none. */
    private volatile @Nullable Selector selector;

    Link(SocketChannel channel, int maxFrame) {
        this.channel = channel;
        this.maxFrame = maxFrame;
        this.frame = new Bytes(maxFrame);
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
    }

    /** How long a frame may be. */
    int maxFrame() {
        return maxFrame;
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
        int sent = 0;
        while (sent < frame.size()) {
            int count = Math.min(outgoing.capacity(), frame.size() - sent);
            outgoing.clear().put(frame.array(), sent, count).flip();
            sent += count;
            while (outgoing.hasRemaining()) {
                channel.write(outgoing);
            }
        }
    }

    /**
     * Blocks until a frame is there.
     *
     * @return the frame from its kind on, to be used before the next is received; or null at the end
     * @throws EOFException if it ends within a frame
     * @throws MalformedException if there cannot be such a frame
     */
    @Nullable
    Bytes receive() throws IOException {
        while (incoming.remaining() < HEADER_BYTES) {
            boolean isEmpty = !incoming.hasRemaining();
            if (!fill()) {
                if (isEmpty) {
                    return null;
                }
                throw endWithinFrame();
            }
        }
        int length = incoming.getInt();
        if (length < 1 || length > maxFrame) {
            throw new MalformedException("a frame of " + Integer.toUnsignedString(length)
                    + " bytes, where there may be from 1 to " + maxFrame);
        }
        frame.clear();
        while (frame.size() < length) {
            // Not all at once: the length is not yet believed.
            int step = Math.min(length - frame.size(), Math.max(BELIEVED_BYTES, frame.size()));
            receive(frame.extend(step), step);
        }
        return frame;
    }

    private void receive(int from, int count) throws IOException {
        int at = from;
        while (at < from + count) {
            if (!incoming.hasRemaining() && !fill()) {
                throw endWithinFrame();
            }
            int part = Math.min(incoming.remaining(), from + count - at);
            incoming.get(frame.array(), at, part);
            at += part;
        }
    }

    private static EOFException endWithinFrame() {
        return new EOFException("the connection ended within a frame");
    }

    /** Makes {@link #awaitInput} and {@link #wakeup} possible. */
    void prepareToWait() throws IOException {
        if (selector == null) {
            selector = Selector.open();
        }
    }

    /**
     * Waits until something can be received, or its end; or for {@link #wakeup}, or so long.
     *
     * @return whether {@link #receive} is due
     */
    boolean awaitInput(long nanos) throws IOException {
        Selector waiting = Objects.requireNonNull(selector, "selector");
        if (incoming.hasRemaining()) {
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

    /** Ends a wait for input, or the next one if there is none. Any thread may do that. */
    void wakeup() {
        Objects.requireNonNull(selector, "selector").wakeup();
    }

    /** Reads what there is, and waits if there is nothing; false at the end. */
    private boolean fill() throws IOException {
        incoming.compact();
        try {
            return channel.read(incoming) >= 0;
        } finally {
            incoming.flip();
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
