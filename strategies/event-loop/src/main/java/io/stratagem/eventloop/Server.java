package io.stratagem.eventloop;

import java.io.IOException;
import java.net.BindException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.file.Files;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts connections: see {@link Network#listen}. Any thread may call any method; none blocks.
 *
 * <p>If the system has no more file descriptors, or refuses for another reason, that is logged, and accepting goes on
 * after a tenth of a second; who wants to connect waits meanwhile, or is refused by newer Java versions.
 */
public final class Server extends Opened {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

    private static final int BACKLOG = 1024;

    /** So many at once; then other channels have their turn. */
    private static final int MOST_AT_ONCE = 64;

    private static final long BACK_OFF_NANOS = 100_000_000;
    private static final long LOG_AGAIN_NANOS = 60_000_000_000L;

    private final SocketAddress wanted;
    private final @Nullable ServerTls tls;
    private final ConnectionHandler handler;
    private final LoopFuture<Server> listening;
    private final LoopFuture<Void> closed;
    private @Nullable ServerSocketChannel channel;
    private @Nullable SelectionKey key;
    private final OncePerMinute failures = new OncePerMinute();
    private final OncePerMinute refusals = new OncePerMinute();

    /** Written before it is handed out. */
    private SocketAddress address;

    /** What is worth a line in the log, but not thousands. */
    private static final class OncePerMinute {
        private long lastNanos;
        private boolean hasBeen;

        boolean isDue() {
            long now = System.nanoTime();
            boolean isDue = !hasBeen || now - lastNanos > LOG_AGAIN_NANOS;
            if (isDue) {
                hasBeen = true;
                lastNanos = now;
            }
            return isDue;
        }
    }

    Server(LoopTask task, SocketAddress wanted, @Nullable ServerTls tls, ConnectionHandler handler) {
        super(task);
        this.wanted = wanted;
        this.tls = tls;
        this.address = wanted;
        this.handler = handler;
        this.listening = new LoopFuture<>(task.thread());
        this.closed = new LoopFuture<>(task.thread());
    }

    CompletableFuture<Server> begin() {
        try {
            task.runOnLoop(this::bind);
        } catch (RejectedExecutionException e) {
            listening.completeExceptionally(e);
        }
        return listening;
    }

    private void bind() {
        if (!task.tryAdd(this)) {
            listening.completeExceptionally(Connection.ended(task));
            return;
        }
        try {
            ServerSocketChannel opened = wanted instanceof UnixDomainSocketAddress
                    ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                    : ServerSocketChannel.open();
            channel = opened;
            opened.configureBlocking(false);
            opened.bind(wanted, BACKLOG);
            address = opened.getLocalAddress();
            key = task.thread().register(opened, SelectionKey.OP_ACCEPT, this);
            listening.complete(this);
        } catch (IOException | UnresolvedAddressException | UnsupportedAddressTypeException e) {
            BindException explained = new BindException(
                    "cannot listen on " + wanted + ": " + (e.getMessage() == null ? e : e.getMessage()));
            explained.initCause(e);
            abort(explained);
        }
    }

    /**
     * Where it listens.
     *
     * @return the address, with the port that was free
     */
    public SocketAddress localAddress() {
        return address;
    }

    /**
     * Stops listening. The connections it has accepted stay.
     *
     * @return completes when it is closed
     */
    public CompletableFuture<Void> close() {
        try {
            task.runOnLoop(() -> abort(new ClosedChannelException()));
        } catch (RejectedExecutionException e) {
            log.trace("{} is closed with its loop, which says so", this, e);
        }
        return closed;
    }

    /**
     * Completes when it is closed, for whatever reason: so the task of a server can wait for its end.
     *
     * @return the same future as {@link #close}
     */
    public CompletableFuture<Void> closed() {
        return closed;
    }

    // ---------------------------------------------------------------------------------------------- on the loop

    @Override
    void ready(SelectionKey ready) {
        for (int i = 0; i < MOST_AT_ONCE; i++) {
            ServerSocketChannel listener = channel;
            if (listener == null) {
                return;
            }
            SocketChannel accepted;
            try {
                accepted = listener.accept();
            } catch (IOException | Error e) { // no memory is no reason to stop, either
                backOff(ready, e);
                return;
            }
            if (accepted == null) {
                return;
            }
            try {
                begin(accepted);
            } catch (Throwable e) { // one connection is no reason to stop
                closeQuietly(accepted);
                LoopThread.report(() -> log.error("{} lost a connection that it had just accepted", this, e));
            }
        }
    }

    private void backOff(SelectionKey ready, Throwable why) {
        if (failures.isDue()) {
            log.warn("{} could not accept a connection, and tries again every 100 ms", this, why);
        }
        ready.interestOps(0);
        task.thread().schedule(task, this::acceptAgain, BACK_OFF_NANOS);
    }

    private void acceptAgain() {
        SelectionKey mine = key;
        if (mine != null && mine.isValid()) {
            mine.interestOps(SelectionKey.OP_ACCEPT);
        }
    }

    private void begin(SocketChannel accepted) {
        SelectionKey acceptedKey;
        SocketAddress from;
        try {
            accepted.configureBlocking(false);
            from = accepted.getRemoteAddress();
            if (!(from instanceof UnixDomainSocketAddress)) {
                accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
            }
            acceptedKey = task.thread().register(accepted, 0, this);
        } catch (IOException e) {
            log.debug("{} lost a connection that it had just accepted", this, e);
            closeQuietly(accepted);
            return;
        }
        ServerTls options = tls;
        if (options != null) {
            new Handshake(task, accepted, acceptedKey, from, null, this::agreed)
                    .begin(options::newEngine, options.handshakeLimit());
            return;
        }
        Connection connection = Connection.open(task, accepted, acceptedKey, from, null);
        if (connection != null) {
            handle(connection);
        }
    }

    private void agreed(@Nullable Connection connection, @Nullable Throwable failure) {
        if (connection != null) {
            handle(connection);
        } else if (task.isEnded() || !refusals.isDue()) {
            log.debug("{} refused a client", this, failure);
        } else {
            log.warn("{} refused a client, and logs others at the level debug for a minute: {}", this, failure + "");
        }
    }

    private void handle(Connection connection) {
        try {
            CompletionStage<?> handled = handler.handle(connection);
            if (handled == null) {
                throw new NullPointerException("the handler returned no stage");
            }
            handled.whenComplete((value, failure) -> {
                if (failure == null) {
                    var unused = connection.close();
                } else {
                    failed(connection, failure);
                }
            });
        } catch (Throwable e) {
            failed(connection, e);
        }
    }

    private void failed(Connection connection, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        boolean isUsual = cause instanceof IOException || connection.isClosed();
        try {
            task.runOnLoop(() -> connection.handlerFailed(cause));
        } catch (RejectedExecutionException e) {
            log.trace("{} was closed with its loop", connection, e);
        }
        LoopThread.report(() -> {
            if (isUsual) {
                log.debug("{} of workload '{}' failed", connection, task.workload(), cause);
            } else {
                log.warn("The handler of {} in workload '{}' failed; it is closed", connection, task.workload(), cause);
            }
        });
    }

    @Override
    void taskEnded(boolean succeeded) {
        abort(Connection.ended(task));
    }

    @Override
    void abort(Throwable why) {
        ServerSocketChannel open = channel;
        channel = null;
        task.remove(this);
        if (open != null) {
            closeQuietly(open);
            if (key != null && wanted instanceof UnixDomainSocketAddress unix) {
                try {
                    Files.deleteIfExists(unix.getPath());
                } catch (IOException e) {
                    log.warn("{} could not delete its socket", this, e);
                }
            }
        }
        listening.completeExceptionally(why);
        if (!(why instanceof IOException) && !(why instanceof RejectedExecutionException)) {
            LoopThread.report(() -> log.error("{} failed, and listens no more", this, why));
        }
        if (open != null) {
            task.thread().afterSelection(task, () -> closed.complete(null)); // the port is free then
        }
    }

    @Override
    public String toString() {
        return "Server[" + address + "]";
    }
}
