package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
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

    private @Nullable SelectionKey key;

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
                if (channel.write(outgoing) == 0) {
                    select(SelectionKey.OP_WRITE, 0);
                }
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

    /**
     * Makes {@link #awaitInput}, {@link #poll} and {@link #wakeup} possible. From then on no thread blocks in the channel
     * itself: so one that is interrupted does not close it.
     */
    void prepareToWait() throws IOException {
        if (selector == null) {
            Selector opened = Selector.open();
            channel.configureBlocking(false);
            key = channel.register(opened, SelectionKey.OP_READ);
            selector = opened;
        }
    }

    /**
     * Waits until something can be received, or its end; or for {@link #wakeup}, or so long.
     *
     * @return whether {@link #receive} is due
     */
    boolean awaitInput(long nanos) throws IOException {
        return incoming.hasRemaining()
                || select(SelectionKey.OP_READ, Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
    }

    private boolean select(int what, long millis) throws IOException {
        SelectionKey mine = Objects.requireNonNull(key);
        if (mine.interestOps() != what) {
            mine.interestOps(what);
        }
        return Objects.requireNonNull(selector, "selector").select(ready -> {}, millis) > 0;
    }

    /**
     * Receives a frame if all of it is there, and fits into the buffer; does not block.
     *
     * @return the frame, as by {@link #receive}, or null if there is none, or a part of one, or the end
     */
    @Nullable
    Bytes poll() throws IOException {
        if (!hasFrame()) {
            read();
        }
        return hasFrame() ? receive() : null;
    }

    private boolean hasFrame() {
        return incoming.remaining() >= HEADER_BYTES
                && incoming.remaining() - HEADER_BYTES >= Integer.toUnsignedLong(incoming.getInt(incoming.position()));
    }

    /** Ends a wait for input, or the next one if there is none; nothing if nobody can wait yet. Any thread may do that. */
    void wakeup() {
        Selector waiting = selector;
        if (waiting != null) {
            waiting.wakeup();
        }
    }

    /** Reads what there is, and waits if there is nothing; false at the end. */
    private boolean fill() throws IOException {
        int count = read();
        while (count == 0) {
            select(SelectionKey.OP_READ, 0);
            if (Thread.currentThread().isInterrupted()) {
                close();
                throw new ClosedByInterruptException();
            }
            count = read();
        }
        return count > 0;
    }

    private int read() throws IOException {
        incoming.compact();
        try {
            return channel.read(incoming);
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
