package io.stratagem.eventloop;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tlschannel.BufferAllocator;
import tlschannel.ClientTlsChannel;
import tlschannel.NeedsReadException;
import tlschannel.NeedsTaskException;
import tlschannel.NeedsWriteException;
import tlschannel.ServerTlsChannel;
import tlschannel.TlsChannel;
import tlschannel.TlsChannelBuilder;

/** TLS between a connection and its socket. Only the loop's thread uses it, and not while a delegated task runs. */
/* A delegated task has the engine's lock for as long as it runs, so that even to ask the engine something would hold the
 * loop.
 *
 * The library encrypts and decrypts. What it does not offer is done with its engine, and only when the library has nothing
 * left to send: to end this side's output and go on reading; and to tell the peer by an alert why it was refused.
 *
 * An attempt to negotiate anew, which TLS 1.3 no longer has, is refused: a write meanwhile would not end.
 */
final class TlsLink implements WritableByteChannel {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SocketChannel socket;
    private final SSLEngine engine;
    private final Buffers buffers;
    private final TlsChannel channel;

    /** Bytes of a record that the system has not taken; the library has them. */
    private int unsentRecord;

    /** An alert that is being sent; nothing comes after it. */
    private @Nullable ByteBuffer alert;

    private boolean isOutputClosed;
    private boolean isClosed;
    private boolean isSocketEnded;

    /** The system has given all that it had, in the present read. */
    private boolean isSocketEmpty;

    /** Bytes that the system has given in the present read: records may hold nothing at all. */
    private int taken;

    /** There may be something to read of which the selector does not know. */
    private boolean mayHaveMore = true;

    private boolean isReadWaitingForWrite;
    private boolean hasReceivedSinceHandshake;

    TlsLink(SocketChannel socket, SSLEngine engine, Buffers buffers) {
        this.socket = socket;
        this.engine = engine;
        this.buffers = buffers;
        Socket raw = new Socket();
        this.channel = engine.getUseClientMode()
                ? with(ClientTlsChannel.newBuilder(raw, engine)).build()
                // The context is only handed to the factory, which has its engine.
                : with(ServerTlsChannel.newBuilder(raw, (javax.net.ssl.SSLContext) null)
                                .withEngineFactory(context -> engine))
                        .build();
    }

    private <B extends TlsChannelBuilder<B>> B with(B builder) {
        return builder.withRunTasks(false).withEncryptedBufferAllocator(new Records());
    }

    /** Room for records, of the loop: held only for what is under way. */
    private final class Records implements BufferAllocator {
        @Override
        public ByteBuffer allocate(int size) {
            return size <= Buffers.RECORD_BYTES ? buffers.takeRecord() : ByteBuffer.allocate(size);
        }

        @Override
        public void free(ByteBuffer buffer) {
            buffers.giveRecord(buffer);
        }
    }

    /** What the library has for the socket. */
    private final class Socket implements ByteChannel {
        @Override
        public int read(ByteBuffer target) throws IOException {
            checkOpen();
            if (isSocketEmpty || taken >= Buffers.CAPACITY) {
                return 0; // the selector says so if there is more
            }
            int count = socket.read(target);
            isSocketEnded = count < 0;
            taken += count;
            isSocketEmpty = count >= 0 && target.hasRemaining();
            hasReceivedSinceHandshake |= count > 0;
            return count;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            checkOpen();
            int count = socket.write(source);
            unsentRecord = source.remaining();
            return count;
        }

        private void checkOpen() throws ClosedChannelException {
            if (isClosed) {
                throw new ClosedChannelException();
            }
        }

        @Override
        public boolean isOpen() {
            return !isClosed;
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }

    SSLEngine engine() {
        return engine;
    }

    // ---------------------------------------------------------------------------------------------- the handshake

    /**
     * Goes on with the handshake.
     *
     * @throws NeedsReadException if it is to be called again when there is something to read
     * @throws NeedsWriteException if it is to be called again when something can be written
     * @throws NeedsTaskException if it is to be called again when the task has been run
     */
    void handshake() throws IOException {
        beginTaking();
        channel.handshake();
        if (engine.isOutboundDone()
                || engine.isInboundDone()
                || "NONE".equals(engine.getSession().getProtocol())) {
            // The library takes an end for success.
            throw new SSLHandshakeException("the handshake was given up by the peer");
        }
        hasReceivedSinceHandshake = false;
    }

    boolean isSocketEnded() {
        return isSocketEnded;
    }

    private void beginTaking() {
        isSocketEmpty = false;
        taken = 0;
    }

    // ---------------------------------------------------------------------------------------------- reading

    /**
     * Reads what has come.
     *
     * @param target with room for several records
     * @return how many bytes; none if nothing has come that is whole; -1 if the peer has said that nothing will come any more
     * @throws SSLException if it ended without having said so
     */
    int read(ByteBuffer target) throws IOException {
        int before = target.position();
        beginTaking();
        mayHaveMore = true;
        isReadWaitingForWrite = false;
        try {
            while (target.remaining() >= Buffers.RECORD_BYTES) {
                if (channel.read(target) < 0) {
                    if (target.position() > before) {
                        break; // what has come first, its end the next time
                    }
                    if (!channel.shutdownReceived()) {
                        throw new SSLException("the connection was cut off: it ended without the end that TLS marks "
                                + "(close_notify), so what has come may not be all. Someone on the way may have done that, "
                                + "or the peer has failed, or does not close as TLS demands");
                    }
                    return -1;
                }
            }
        } catch (NeedsReadException e) {
            mayHaveMore = false;
            checkNotNegotiating();
        } catch (NeedsWriteException e) {
            isReadWaitingForWrite = true;
        } catch (NeedsTaskException e) {
            throw renegotiation();
        } catch (IllegalStateException e) { // a record for which the library has no room
            throw new SSLException("what has come is not TLS: " + e.getMessage(), e);
        }
        return target.position() - before;
    }

    /** Whether a read may give something, though the selector says nothing. */
    boolean mayReadOn() {
        return mayHaveMore && !mustWriteFirst();
    }

    /** Whether nothing can be read before an answer of TLS itself, or what is ahead of it, has left. */
    boolean mustWriteFirst() {
        return isReadWaitingForWrite && unsentRecord > 0;
    }

    private void checkNotNegotiating() throws SSLException {
        HandshakeStatus status = engine.getHandshakeStatus();
        if (status == HandshakeStatus.NEED_TASK || (status == HandshakeStatus.NEED_UNWRAP && !isOutputClosed)) {
            throw renegotiation();
        }
    }

    private static SSLException renegotiation() {
        return new SSLException(
                "the peer wants to negotiate TLS anew, which is refused: TLS 1.3 does not have it any more");
    }

    // ---------------------------------------------------------------------------------------------- writing

    /** How many bytes are encrypted that the system has not taken. */
    int unsent() {
        return unsentRecord + (alert == null ? 0 : alert.remaining());
    }

    /** Encrypts what can be sent, and up to a record more; an empty buffer just has that sent. */
    @Override
    public int write(ByteBuffer bytes) throws IOException {
        if (alert != null) {
            sendAlert();
            return 0;
        }
        checkNotNegotiating();
        int before = bytes.position();
        try {
            channel.write(bytes);
            if (bytes.hasRemaining()) {
                throw new SSLException("the peer has ended the connection; with TLS 1.2 that ends both directions");
            }
        } catch (NeedsWriteException e) {
            assert unsentRecord > 0;
        } catch (NeedsReadException | NeedsTaskException e) {
            throw renegotiation();
        }
        return bytes.position() - before;
    }

    /** Says that nothing more will be written. To be called when nothing is unsent; then {@link #unsent} says how far it is. */
    void closeOutput() throws IOException {
        if (!isOutputClosed) {
            isOutputClosed = true;
            engine.closeOutbound();
            wrapAlert();
        }
    }

    /** Tells the peer why it is refused, if it takes that at once. */
    void refuse() {
        try {
            if (unsent() == 0 && !isClosed && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                wrapAlert();
            }
        } catch (IOException e) {
            log.trace("The peer was not told why it is refused", e);
        }
    }

    private void wrapAlert() throws IOException {
        ByteBuffer wrapped = buffers.takeRecord();
        SSLEngineResult result;
        do {
            result = engine.wrap(NOTHING, wrapped);
        } while (result.bytesProduced() > 0 && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP);
        alert = wrapped.flip();
        sendAlert();
    }

    private void sendAlert() throws IOException {
        ByteBuffer wrapped = alert;
        if (wrapped != null) {
            socket.write(wrapped);
            if (!wrapped.hasRemaining()) {
                alert = null;
                buffers.giveRecord(wrapped);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- the end

    /** Whether the server's tickets are still to come: if this side is gone by then, that resets what it has written. */
    boolean awaitsTickets() {
        return engine.getUseClientMode()
                && !hasReceivedSinceHandshake
                && "TLSv1.3".equals(engine.getSession().getProtocol());
    }

    /**
     * Drops what has come. A socket that is closed with input resets the connection, and destroys what is on its way.
     *
     * @return whether there is more to come
     */
    boolean discard() {
        try {
            ByteBuffer dropped = buffers.output(); // a handler that closes may still be reading the other one
            int count = socket.read(dropped);
            hasReceivedSinceHandshake |= count > 0;
            for (int i = 0; count > 0 && i < 16; i++) {
                count = socket.read(dropped.clear());
            }
            return count >= 0;
        } catch (IOException e) {
            log.trace("The connection was reset when it was closed", e);
            return false;
        }
    }

    @Override
    public boolean isOpen() {
        return !isClosed;
    }

    /** Gives back the memory. Sends nothing, and leaves the socket open. */
    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        if (alert != null) {
            buffers.giveRecord(alert);
            alert = null;
        }
        try {
            channel.close();
        } catch (IOException e) {
            log.trace("TLS was not closed properly", e);
        }
    }
}
