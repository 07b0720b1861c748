package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.spi.ServiceThread;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection that is being made: looks up the name, and tries its addresses one after another. */
final class Connecting extends Opened {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

    /** What Linux says of a Unix socket whose backlog is full; there is nothing else to know it by. */
    private static final String BACKLOG_IS_FULL = "Resource temporarily unavailable";

    private static final long AGAIN_NANOS = 10_000_000;

    private final SocketAddress wanted;
    private final @Nullable ClientTls tls;
    private final Result result;
    private final Deque<SocketAddress> left = new ArrayDeque<>(1);
    private @Nullable SocketAddress address;
    private @Nullable SocketChannel channel;
    private @Nullable CompletableFuture<?> lookup;
    private @Nullable Handshake handshake;
    private LoopThread.@Nullable Scheduled timer;
    private LoopThread.@Nullable Scheduled again;

    /** That the backlog was full, the last time. */
    private @Nullable IOException full;

    Connecting(LoopTask task, SocketAddress wanted, @Nullable ClientTls tls) {
        super(task);
        this.wanted = wanted;
        this.tls = tls;
        this.result = new Result();
    }

    private final class Result extends LoopFuture<Connection> {
        Result() {
            super(task.thread());
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean isCancelled = super.cancel(mayInterruptIfRunning);
            if (isCancelled) {
                try {
                    task.runOnLoop(Connecting.this::release);
                } catch (RejectedExecutionException e) {
                    log.trace("A connection was given up when its loop ended", e);
                }
            }
            return isCancelled;
        }
    }

    CompletableFuture<Connection> begin(@Nullable Duration limit) {
        try {
            task.runOnLoop(() -> beginOnLoop(limit));
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(e);
        }
        return result;
    }

    private void beginOnLoop(@Nullable Duration limit) {
        if (!task.tryAdd(this)) {
            result.completeExceptionally(Connection.ended(task));
            return;
        }
        try {
            if (limit != null) {
                timer = task.thread().schedule(task, () -> timedOut(limit), NANOSECONDS.convert(limit));
            }
            if (wanted instanceof InetSocketAddress inet && inet.isUnresolved()) {
                lookUp(inet.getHostString(), inet.getPort());
            } else {
                left.add(wanted);
                tryNext(null);
            }
        } catch (RejectedExecutionException e) {
            abort(e);
        }
    }

    private void lookUp(String host, int port) {
        CompletableFuture<InetAddress[]> names = task.offload(() -> InetAddress.getAllByName(host));
        lookup = names;
        var unused = names.whenComplete((addresses, failure) -> {
            if (lookup != names) {
                return; // given up by this side, which says why
            }
            if (!task.thread().isCurrent() || task.thread().isEnding()) { // it closes what is open now, and no more
                result.completeExceptionally(failure == null ? Connection.ended(task) : failure);
                return;
            }
            if (failure != null) {
                abort(failure);
                return;
            }
            for (InetAddress each : addresses) {
                left.add(new InetSocketAddress(each, port));
            }
            tryNext(null);
        });
    }

    private void tryNext(@Nullable IOException last) {
        IOException failure = last;
        for (SocketAddress next = left.poll(); next != null && !result.isDone(); next = left.poll()) {
            address = next;
            boolean isUnix = next instanceof UnixDomainSocketAddress;
            try {
                SocketChannel opened = isUnix ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open();
                channel = opened;
                opened.configureBlocking(false);
                if (!isUnix) {
                    opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
                }
                boolean isConnected = opened.connect(next);
                SelectionKey key = task.thread().register(opened, isConnected ? 0 : SelectionKey.OP_CONNECT, this);
                if (isConnected) {
                    connected(opened, key, next);
                }
                return;
            } catch (IOException | UnresolvedAddressException | UnsupportedAddressTypeException e) {
                failure = explained(e);
                closeChannel();
                if (isUnix && BACKLOG_IS_FULL.equals(e.getMessage())) { // TCP would wait, too
                    full = failure;
                    left.addFirst(next);
                    again = task.thread().schedule(task, new Again(), AGAIN_NANOS);
                    return;
                }
            }
        }
        if (result.isDone()) {
            release(); // by others, as orTimeout does
        } else if (failure != null) {
            abort(failure);
        }
    }

    private final class Again implements Runnable, LoopThread.Abortable {
        @Override
        public void run() {
            try {
                tryNext(null);
            } catch (RejectedExecutionException e) {
                Connecting.this.abort(e);
            }
        }

        @Override
        public void abort(Throwable why) {
            ServiceThread.callbacks().execute(() -> result.completeExceptionally(why));
        }
    }

    private IOException explained(Exception failure) {
        ConnectException explained = new ConnectException("no connection to " + (address == null ? wanted : address)
                + ": " + (failure.getMessage() == null ? failure : failure.getMessage()));
        explained.initCause(failure);
        return explained;
    }

    @Override
    void ready(SelectionKey key) {
        SocketChannel opened = channel;
        SocketAddress to = address;
        if (opened == null || to == null) {
            return;
        }
        try {
            if (opened.finishConnect()) {
                connected(opened, key, to);
            }
        } catch (IOException e) {
            closeChannel();
            tryNext(explained(e));
        }
    }

    private void connected(SocketChannel opened, SelectionKey key, SocketAddress to) {
        channel = null;
        ClientTls options = tls;
        if (options != null) {
            Handshake started = new Handshake(task, opened, key, to, options.hostOf(wanted), this::agreed);
            handshake = started;
            started.begin(() -> options.newEngine(wanted), null);
            return;
        }
        release();
        Connection connection = Connection.open(task, opened, key, to, null);
        if (connection != null) {
            complete(connection);
        } else {
            result.completeExceptionally(Connection.ended(task));
        }
    }

    private void agreed(@Nullable Connection connection, @Nullable Throwable failure) {
        if (handshake == null) {
            return; // given up by this side
        }
        handshake = null;
        if (connection != null) {
            release();
            complete(connection);
        } else if (failure != null) {
            abort(failure);
        }
    }

    private void complete(Connection connection) {
        if (!result.complete(connection)) {
            connection.abort(new IOException("nobody waits for the connection any more"));
        }
    }

    private void timedOut(Duration limit) {
        SocketTimeoutException failure = new SocketTimeoutException(
                handshake == null
                        ? "no connection to " + wanted + " within " + limit
                        : "no TLS connection to " + wanted + " within " + limit
                                + ": it did not complete the handshake, and may not speak TLS there");
        if (handshake == null && full != null) {
            failure.initCause(full);
        }
        abort(failure);
    }

    @Override
    void taskEnded(boolean succeeded) {
        abort(Connection.ended(task));
    }

    @Override
    void abort(Throwable why) {
        release();
        result.completeExceptionally(why);
    }

    private void release() {
        task.remove(this);
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        if (again != null) {
            again.cancel();
            again = null;
        }
        CompletableFuture<?> asked = lookup;
        lookup = null;
        if (asked != null) {
            asked.cancel(true);
        }
        left.clear();
        closeChannel();
        Handshake pending = handshake;
        handshake = null;
        if (pending != null) {
            pending.abort(new IOException("nobody waits for the connection any more"));
        }
    }

    private void closeChannel() {
        SocketChannel opened = channel;
        channel = null;
        if (opened != null) {
            closeQuietly(opened);
        }
    }
}
