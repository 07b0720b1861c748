package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import tlschannel.NeedsReadException;
import tlschannel.NeedsTaskException;
import tlschannel.NeedsWriteException;

/** A connection whose TLS handshake is under way. Only the loop's thread uses it. */
/* What computes, or reads files, is off-loaded. Meanwhile the key is interested in nothing, and the engine is left alone,
 * even if all is given up: then only the socket is closed.
 */
final class Handshake extends Opened {
    private final SocketChannel channel;
    private final SelectionKey key;
    private final SocketAddress remote;

    /** The host to verify, or null on the server's side. */
    private final @Nullable String host;

    private final BiConsumer<@Nullable Connection, @Nullable Throwable> whenDone;
    private @Nullable TlsLink link;
    private @Nullable CompletableFuture<?> offloaded;
    private LoopThread.@Nullable Scheduled timer;
    private boolean isDone;

    /**
     * Of a connection that is there.
     *
     * @param whenDone is called once, with a connection that is listed in the task, or with why there is none
     */
    Handshake(
            LoopTask task,
            SocketChannel channel,
            SelectionKey key,
            SocketAddress remote,
            @Nullable String host,
            BiConsumer<@Nullable Connection, @Nullable Throwable> whenDone) {
        super(task);
        this.channel = channel;
        this.key = key;
        this.remote = remote;
        this.host = host;
        this.whenDone = whenDone;
    }

    void begin(Callable<SSLEngine> engine, @Nullable Duration limit) {
        key.attach(this);
        key.interestOps(0);
        if (!task.tryAdd(this)) {
            abort(Connection.ended(task));
            return;
        }
        try {
            if (limit != null) {
                timer = task.thread()
                        .schedule(
                                task,
                                () -> abort(new SocketTimeoutException(
                                        peer() + " did not complete the TLS handshake within " + limit)),
                                NANOSECONDS.convert(limit));
            }
            CompletableFuture<SSLEngine> made = task.offload(engine);
            offloaded = made;
            var unused = made.whenComplete((value, failure) -> goOn(value, failure));
        } catch (Throwable e) {
            abort(e);
        }
    }

    /** After what was off-loaded: with an engine if it has just been made. */
    private void goOn(@Nullable SSLEngine made, @Nullable Throwable failure) {
        if (!task.thread().isCurrent()) {
            return; // the loop has ended, and has closed everything
        }
        offloaded = null;
        if (isDone) {
            return;
        }
        try {
            if (failure != null) {
                throw failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
            }
            if (made != null) {
                link = new TlsLink(channel, made, task.thread().buffers());
            }
        } catch (Throwable e) {
            abort(e);
            return;
        }
        proceed();
    }

    @Override
    void ready(SelectionKey ready) {
        proceed();
    }

    private void proceed() {
        TlsLink tls = link;
        if (tls == null || offloaded != null || isDone) {
            return;
        }
        try {
            tls.handshake();
            complete(tls);
        } catch (NeedsReadException e) {
            key.interestOps(SelectionKey.OP_READ);
        } catch (NeedsWriteException e) {
            key.interestOps(SelectionKey.OP_WRITE);
        } catch (NeedsTaskException e) {
            key.interestOps(0);
            offload(e.getTask());
        } catch (Throwable e) {
            tls.refuse();
            abort(TlsFailure.ofHandshake(peer(), host, tls.isSocketEnded(), e));
        }
    }

    private void offload(Runnable delegated) {
        CompletableFuture<Object> run = task.offload(Executors.callable(delegated));
        offloaded = run;
        var unused = run.whenComplete((nothing, failure) -> goOn(null, failure));
    }

    private void complete(TlsLink tls) {
        isDone = true;
        release();
        Connection connection = Connection.open(task, channel, key, remote, tls);
        whenDone.accept(connection, connection == null ? Connection.ended(task) : null);
    }

    private String peer() {
        return host == null ? remote.toString() : host + " (" + remote + ")";
    }

    @Override
    void taskEnded(boolean succeeded) {
        abort(Connection.ended(task));
    }

    @Override
    void abort(Throwable why) {
        if (isDone) {
            return;
        }
        isDone = true;
        CompletableFuture<?> running = offloaded;
        release();
        TlsLink tls = link;
        if (tls != null && running == null) {
            tls.discard();
            tls.close();
        }
        closeQuietly(channel);
        whenDone.accept(null, why);
    }

    private void release() {
        task.remove(this);
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        if (offloaded != null) {
            offloaded.cancel(true);
            offloaded = null;
        }
    }
}
