package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import io.stratagem.processpool.spi.Wire;
import io.stratagem.processpool.spi.Wire.BrokenWireException;
import io.stratagem.spi.AdaptiveSpin;
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
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** One end of the connection between the application and a worker, over which frames of bytes travel. */
/* One thread receives, and one at a time sends. A frame is
 *
 *     0        4      5
 *     | length | kind | contents …          length: of kind and contents, in the byte order of the machine
 *
 * Where there is a Wire, all frames but a worker's first take that, without their lengths. Over the connection then come
 * bytes without meaning, each of which wakes who has parked; and the end, as before. What is beside a frame comes before
 * it: for each a message that says what it is, then its contents in pieces, which are copied from and to where they belong.
 * So the two sides copy at the same time, and what is between them never leaves the caches.
 */
final class Link implements Closeable {
    /** About what the system takes at once. */
    private static final int BUFFER_BYTES = 1 << 17;

    /** As much memory is taken for a frame before its bytes are there. */
    private static final int BELIEVED_BYTES = 1 << 20;

    private static final int HEADER_BYTES = Integer.BYTES;

    private static final int SPINS = 1000;
    private static final long LEAST_PAUSE_NANOS = 20_000;
    private static final long GREATEST_PAUSE_NANOS = 1_000_000;

    private final SocketChannel channel;
    private final int maxFrame;
    private final ByteBuffer incoming = buffer().limit(0);
    private final ByteBuffer outgoing = buffer();
    private final Bytes frame;

    /** For what has come while a frame waited for room; the other buffers belong to who receives. */
    private final ByteBuffer discarded = ByteBuffer.allocateDirect(64);

    /** For waiting while there is nothing to do; most workers have none. */
    private volatile @Nullable Selector selector;

    private @Nullable SelectionKey key;

    private final @Nullable Wire wire;

    /** What is counted, or null if nothing is, as in a worker. */
    private @Nullable Traffic traffic;

    private final AdaptiveSpin spin = new AdaptiveSpin(SPINS);
    private final AdaptiveSpin roomSpin = new AdaptiveSpin(SPINS);
    private final AdaptiveSpin pieceSpin = new AdaptiveSpin(SPINS);

    /** The length of a message of the wire that has been taken out, and not been received. */
    private int taken = Wire.NONE;

    /** Whether the connection has been seen to be at its end. Only where there is a wire. */
    private boolean isAtEnd;

    Link(SocketChannel channel, int maxFrame) {
        this.channel = channel;
        this.maxFrame = maxFrame;
        this.frame = new Bytes(maxFrame);
        this.wire = null;
    }

    /** With a wire if there is one, which is closed with this. */
    Link(SocketChannel channel, int maxFrame, @Nullable Wire wire) throws IOException {
        this.channel = channel;
        this.maxFrame = maxFrame;
        this.frame = new Bytes(maxFrame);
        this.wire = wire;
        if (wire != null) {
            prepareToWait();
            wire.opened(); // by the worker, which connects to say so
        }
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
    }

    /** From now on all that is sent and received is counted. Only who uses the link may call it. */
    void countInto(Traffic counts) {
        traffic = counts;
    }

    /** Whether an interrupt of the thread that sends closes the connection. */
    boolean isClosedByInterrupts() {
        return wire == null && selector == null;
    }

    /** How long a frame may be. */
    int maxFrame() {
        return maxFrame;
    }

    /** Whether what is large may travel beside a frame. */
    boolean canAttach() {
        return wire != null;
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
        if (wire == null) {
            sendFirst(frame);
        } else {
            try {
                send(frame, wire);
            } catch (BrokenWireException | InternalError e) {
                throw broken(e);
            }
        }
        Traffic counts = traffic;
        if (counts != null) {
            Attachments attachments = frame.attachments();
            counts.countSent(frame.size() + (attachments == null ? 0L : attachments.bytes()));
        }
    }

    /** Whether so few bytes can be sent without waiting for the other side; where there is no wire, it is taken for granted. */
    boolean hasRoomFor(int bytes) {
        try {
            return wire == null || wire.reserve(bytes) != null;
        } catch (BrokenWireException | InternalError e) {
            return false; // who sends meets the same
        }
    }

    private void send(Bytes frame, Wire present) throws IOException {
        Attachments attachments = frame.attachments();
        int count = attachments == null ? 0 : attachments.size();
        for (int i = 0; i < count; i++) {
            send(Objects.requireNonNull(attachments).get(i), present);
        }
        put(present, () -> present.offer(frame.array(), HEADER_BYTES, frame.size() - HEADER_BYTES));
    }

    private void send(Attachment attachment, Wire present) throws IOException {
        Bytes head = frame(new Bytes(), Frames.ATTACHMENT);
        attachment.form().put(head);
        head.putInt(attachment.bytes());
        put(present, () -> present.offer(head.array(), HEADER_BYTES, head.size() - HEADER_BYTES));
        for (int sent = 0; sent < attachment.bytes(); ) {
            int left = attachment.bytes() - sent;
            put(present, () -> present.reserve(left) != null); // and meanwhile the other side sees the piece before
            ByteBuffer room = Objects.requireNonNull(present.reserve(left));
            int count = room.remaining();
            attachment.put(sent, room);
            present.commit();
            sent += count;
        }
    }

    /** Puts something into the wire as soon as there is room for it. */
    private void put(Wire present, BooleanSupplier attempt) throws IOException {
        boolean wasInterrupted = false;
        long pause = LEAST_PAUSE_NANOS;
        try {
            while (!attempt.getAsBoolean()) {
                announce(present);
                if (roomSpin.until(attempt)) {
                    break;
                }
                // The other side takes out what is there as soon as it can: nothing wakes this one.
                LockSupport.parkNanos(this, pause);
                pause = Math.min(2 * pause, GREATEST_PAUSE_NANOS);
                wasInterrupted |= Thread.interrupted();
                if (hasEndedMeanwhile()) {
                    throw new EOFException("the connection ended before a frame could be sent");
                }
            }
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
        announce(present);
    }

    /** The error is that of memory whose file has been cut: not a fault of this JVM, but of the other side. */
    private static MalformedException broken(Throwable cause) {
        return new MalformedException(String.valueOf(cause.getMessage()));
    }

    private void announce(Wire present) throws IOException {
        present.publish();
        if (present.mustWake()) {
            channel.write(outgoing.clear().put((byte) 0).flip()); // if there is no room, others are on their way
        }
    }

    /** Takes what has come over the connection to wake this side; whether it has come to its end. */
    private boolean hasEnded() throws IOException {
        int count;
        do {
            count = channel.read(incoming.clear());
        } while (count > 0);
        incoming.flip();
        isAtEnd |= count < 0;
        return isAtEnd;
    }

    /**
     * The same for who sends. What it takes may be what was to wake another thread, which receives and is parked: so that
     * is woken here.
     */
    private boolean hasEndedMeanwhile() throws IOException {
        int count;
        boolean hasTaken = false;
        do {
            count = channel.read(discarded.clear());
            hasTaken |= count > 0;
        } while (count > 0);
        if (hasTaken) {
            wakeup();
        }
        return count < 0;
    }

    /** Over the connection itself, also where there is a wire. Blocks until all of it is on its way. */
    void sendFirst(Bytes frame) throws IOException {
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
        if (wire != null) {
            try {
                return receive(wire);
            } catch (BrokenWireException | InternalError e) {
                throw broken(e);
            }
        }
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
        countReceived(HEADER_BYTES + length);
        return frame;
    }

    private @Nullable Bytes receive(Wire present) throws IOException {
        Attachments received = null;
        while (true) {
            while (!isTaken(present) && !isAtEnd) {
                awaitWire(present, 0);
            }
            if (!isTaken(present)) {
                if (received != null) {
                    throw endWithinFrame();
                }
                channel.close(); // so that the other side notices, whichever has ended it
                return null;
            }
            boolean isAttachment = isAttachmentTaken(present);
            Bytes message = take(present);
            if (!isAttachment) {
                checkTotal(received, message.size());
                message.attach(received);
                return message;
            }
            if (received == null) {
                received = new Attachments();
            }
            received.add(receiveAttachment(present, message, received), 0);
        }
    }

    /** Whether the message that has been taken out says that an attachment comes. */
    private boolean isAttachmentTaken(Wire present) {
        return present.message()[0] == Frames.ATTACHMENT;
    }

    private void checkTotal(@Nullable Attachments received, int more) {
        if (received != null && more > maxFrame - received.bytes()) {
            throw new MalformedException("a frame of more than " + maxFrame + " bytes with what is beside it");
        }
    }

    private Attachment receiveAttachment(Wire present, Bytes head, Attachments before) throws IOException {
        head.getByte();
        Tag form = Tag.get(head);
        int total = head.getInt();
        int elementBytes = Attachment.elementBytes(form);
        if (elementBytes == 0 || total < Attachment.LEAST_BYTES || total % elementBytes != 0) {
            throw new MalformedException(total + " bytes of " + form + " beside a frame");
        }
        checkTotal(before, total);
        Attachment attachment = Attachment.empty(form, total);
        for (int received = 0; received < total; ) {
            ByteBuffer piece = awaitPiece(present);
            int count = piece.remaining();
            if (count == 0 || count > total - received || count % elementBytes != 0) {
                throw new MalformedException(
                        "a piece of " + count + " bytes where " + (total - received) + " are missing of " + form);
            }
            attachment.take(received, piece);
            present.skip();
            received += count;
        }
        countReceived(total);
        return attachment;
    }

    private ByteBuffer awaitPiece(Wire present) throws IOException {
        while (true) {
            boolean wasAtEnd = isAtEnd;
            ByteBuffer piece = present.peek();
            if (piece != null) {
                return piece;
            }
            if (wasAtEnd) {
                throw endWithinFrame();
            }
            await(present, pieceSpin, () -> present.peek() != null, 0);
        }
    }

    /** Whether a message has been taken out of the wire; takes one if there is one. */
    private boolean isTaken(Wire present) {
        if (taken == Wire.NONE) {
            taken = present.poll();
        }
        if (taken == 0) {
            throw new MalformedException("a frame of 0 bytes");
        }
        return taken != Wire.NONE;
    }

    private Bytes take(Wire present) {
        countReceived(taken);
        frame.wrap(present.message(), taken);
        taken = Wire.NONE;
        return frame;
    }

    private void countReceived(int bytes) {
        Traffic counts = traffic;
        if (counts != null) {
            counts.countReceived(bytes);
        }
    }

    /** Waits for a message, the end, a wake-up, or so many milliseconds; 0 is for ever. */
    private void awaitWire(Wire present, long millis) throws IOException {
        await(present, spin, () -> isTaken(present), millis);
    }

    /** The same for what the condition says. */
    private void await(Wire present, AdaptiveSpin looking, BooleanSupplier isThere, long millis) throws IOException {
        if (looking.until(isThere) || !present.parkIfEmpty()) {
            return;
        }
        try {
            if (select(SelectionKey.OP_READ, millis)) {
                hasEnded();
            }
        } finally {
            present.unpark();
        }
        if (millis == 0) {
            endIfInterrupted();
        }
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
        if (wire != null) {
            try {
                if (!isTaken(wire) && !isAtEnd) {
                    awaitWire(wire, Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
                }
                return isTaken(wire) || isAtEnd;
            } catch (BrokenWireException | InternalError e) {
                throw broken(e);
            }
        }
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
     * @return the frame, as by {@link #receive}, or null if there is none, or a part of one (as what is beside it), or the
     *     end
     */
    @Nullable
    Bytes poll() throws IOException {
        if (wire != null) {
            try {
                return isTaken(wire) && !isAttachmentTaken(wire) ? take(wire) : null;
            } catch (BrokenWireException | InternalError e) {
                throw broken(e);
            }
        }
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
            endIfInterrupted();
            count = read();
        }
        return count > 0;
    }

    /** As a channel does in which a thread blocks. */
    private void endIfInterrupted() throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            close();
            throw new ClosedByInterruptException();
        }
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
        try (wire) {
            channel.close();
            Selector waiting = selector;
            if (waiting != null) {
                waiting.close();
            }
        }
    }
}
