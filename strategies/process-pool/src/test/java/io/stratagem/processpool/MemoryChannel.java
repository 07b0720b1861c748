package io.stratagem.processpool;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.function.Consumer;

/** A connection whose other end has sent what it sends, and has gone: it keeps what is sent to it. */
final class MemoryChannel extends SocketChannel {
    private final ByteBuffer incoming;
    private final Consumer<Bytes> listener;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

    /**
     * An open one.
     *
     * @param incoming what the other end has sent
     * @param listener is told what is written, in the pieces that it is written in
     */
    MemoryChannel(ByteBuffer incoming, Consumer<Bytes> listener) {
        super(null);
        this.incoming = incoming;
        this.listener = listener;
    }

    byte[] sent() {
        return sent.toByteArray();
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        int count = Math.min(target.remaining(), incoming.remaining());
        if (count == 0) {
            return target.hasRemaining() ? -1 : 0;
        }
        target.put(incoming.slice().limit(count));
        incoming.position(incoming.position() + count);
        return count;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        byte[] bytes = new byte[source.remaining()];
        source.get(bytes);
        sent.writeBytes(bytes);
        listener.accept(Bytes.of(bytes));
        return bytes.length;
    }

    @Override
    protected void implCloseSelectableChannel() {}

    // ---------------------------------------------------------------------------------------------- nobody calls

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void implConfigureBlocking(boolean block) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel bind(SocketAddress local) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> T getOption(SocketOption<T> name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }

    @Override
    public SocketChannel shutdownInput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel shutdownOutput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket socket() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isConnectionPending() {
        return false;
    }

    @Override
    public boolean connect(SocketAddress remote) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean finishConnect() {
        return true;
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return null;
    }

    @Override
    public SocketAddress getLocalAddress() {
        return null;
    }
}
