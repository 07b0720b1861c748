package io.stratagem.eventloop;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.Loop;
import io.stratagem.spi.TaskLoop;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The network, for a task on an event loop: TCP and Unix sockets, with TLS or without. Any thread may call any method;
 * none blocks. Futures are completed on the task's loop, so their dependent stages run there and must not block. They, and
 * all handlers, have the task's context: its MDC, context class loader, and what propagators captured.
 *
 * <p>What a task opens here is closed when the task has its result. If that is a success, what was written is sent
 * first, for at most five seconds; else it is closed at once.
 *
 * <pre>{@code
 * Workload<URI, String> status = Workload.named("status").timeout(Duration.ofSeconds(5)).async((uri, loop) ->
 *         Network.of(loop).connect(InetSocketAddress.createUnresolved(uri.getHost(), 80)).thenCompose(connection ->
 *                 connection.write(("HEAD / HTTP/1.0\r\nHost: " + uri.getHost() + "\r\n\r\n").getBytes(US_ASCII))
 *                         .thenCompose(written -> connection.readLine(8192))));
 * }</pre>
 */
public final class Network {
    private final LoopTask task;

    private Network(LoopTask task) {
        this.task = task;
    }

    /**
     * The network of a task's loop.
     *
     * @param loop what the task was given by an {@link EventLoopStrategy}
     * @return the network, for this task
     * @throws IllegalArgumentException if it is the loop of another strategy
     */
    public static Network of(Loop loop) {
        Loop own = TaskLoop.unwrapped(Objects.requireNonNull(loop, "loop"));
        if (own instanceof LoopTask task) {
            return new Network(task);
        }
        throw new IllegalArgumentException(
                "the task was given " + own.getClass().getSimpleName()
                        + ", which is no event loop and has no network: run its workload on an EventLoopStrategy");
    }

    /**
     * Connects, for as long as the system tries. A Unix socket whose backlog is full is tried again every 10 ms, as long
     * as the task lasts.
     *
     * @param address a Unix socket's, or a TCP socket's. If it is unresolved, the name is looked up on another thread, and
     *     all its addresses are tried one after another
     * @return the connection, or an {@link java.io.IOException} such as {@link java.net.ConnectException} or
     *     {@link java.net.UnknownHostException}; cancelling it gives up
     */
    public CompletableFuture<Connection> connect(SocketAddress address) {
        return connect(address, null);
    }

    /**
     * Connects.
     *
     * @param address see {@link #connect(SocketAddress)}
     * @param limit how long it may take with everything, or null for no limit of its own
     * @return the connection, or an {@link java.io.IOException}, after the limit a {@link java.net.SocketTimeoutException},
     *     whose cause says so if it was a full backlog
     */
    public CompletableFuture<Connection> connect(SocketAddress address, @Nullable Duration limit) {
        Connecting connecting = new Connecting(task, Objects.requireNonNull(address, "address"), null);
        return connecting.begin(limit);
    }

    /**
     * Connects with TLS. What it computes runs on the threads for off-loaded work.
     *
     * @param address see {@link #connect(SocketAddress)}; its host is the one that the server's certificate has to be for
     * @param tls whom to trust
     * @param limit how long it may take with everything, also the handshake, or null for no limit of its own
     * @return the connection, after the handshake, or an {@link java.io.IOException}: what is wrong with the handshake or
     *     the certificate, and what can be done, is said by an {@link javax.net.ssl.SSLException}
     * @throws IllegalArgumentException if there is no host to verify
     */
    public CompletableFuture<Connection> connect(SocketAddress address, ClientTls tls, @Nullable Duration limit) {
        String host = tls.hostOf(Objects.requireNonNull(address, "address"));
        checkArgument(!host.isEmpty(), "no host to verify: %s", address);
        return new Connecting(task, address, tls).begin(limit);
    }

    /**
     * Listens, and has each connection handled, until the server or the task is ended. So a task that is to last as long as
     * the server completes with {@link Server#closed()}. That it could not listen is told by the future given here, and so by
     * that of the task.
     *
     * @param address where; for TCP port 0 means any that is free, for Unix a path where nothing is yet. What is created
     *     there is deleted when the server is closed
     * @param handler handles each connection, on this loop
     * @return the server, or an {@link java.io.IOException} such as {@link java.net.BindException}
     */
    public CompletableFuture<Server> listen(SocketAddress address, ConnectionHandler handler) {
        return new Server(task, Objects.requireNonNull(address, "address"), null, Objects.requireNonNull(handler))
                .begin();
    }

    /**
     * Listens with TLS. A client with which the handshake fails, or is not done in time, is refused and logged; nobody else
     * notices.
     *
     * @param address see {@link #listen(SocketAddress, ConnectionHandler)}
     * @param tls which certificate to show
     * @param handler handles each connection after its handshake, on this loop
     * @return see {@link #listen(SocketAddress, ConnectionHandler)}
     */
    public CompletableFuture<Server> listen(SocketAddress address, ServerTls tls, ConnectionHandler handler) {
        return new Server(
                        task,
                        Objects.requireNonNull(address, "address"),
                        Objects.requireNonNull(tls, "tls"),
                        Objects.requireNonNull(handler, "handler"))
                .begin();
    }

    /**
     * Does something again and again, as a loop that waits does: to read a connection to its end, say. Neither the stack nor
     * a chain of futures grows with the rounds.
     *
     * @param round does it once, on this loop; its stage says whether to go on
     * @return completes when a round says no, or fails as a round fails; cancelling it ends it after the present round
     */
    public CompletableFuture<Void> repeat(Callable<? extends CompletionStage<Boolean>> round) {
        Repetition repetition = new Repetition(task, Objects.requireNonNull(round, "round"));
        try {
            task.execute(repetition);
        } catch (RejectedExecutionException e) {
            repetition.completeExceptionally(e);
        }
        return repetition;
    }

    /** A round that is over at once is followed by the next in the same call, others by one of their own. */
    private static final class Repetition extends LoopFuture<Void> implements Runnable {
        /** So many rounds in one call; then others have their turn. */
        private static final int MOST_ROUNDS = 64;

        private final LoopTask task;
        private final Callable<? extends CompletionStage<Boolean>> round;

        Repetition(LoopTask task, Callable<? extends CompletionStage<Boolean>> round) {
            super(task.thread());
            this.task = task;
            this.round = round;
        }

        @Override
        public void run() {
            for (int i = 0; i < MOST_ROUNDS; i++) {
                if (isDone()) {
                    return;
                }
                CompletableFuture<Boolean> stage;
                try {
                    stage = round.call().toCompletableFuture();
                } catch (Throwable e) {
                    completeExceptionally(e);
                    return;
                }
                if (!stage.isDone()) {
                    var unused = stage.whenComplete((goesOn, failure) -> {
                        if (isLast(goesOn, failure)) {
                            return;
                        }
                        if (task.thread().isCurrent()) {
                            run();
                        } else {
                            again();
                        }
                    });
                    return;
                }
                Throwable failure = stage.isCompletedExceptionally() ? failureOf(stage) : null;
                if (isLast(failure == null ? stage.join() : null, failure)) {
                    return;
                }
            }
            again();
        }

        private static Throwable failureOf(CompletableFuture<?> failed) {
            return failed.handle((value, failure) -> failure).join();
        }

        private boolean isLast(@Nullable Boolean goesOn, @Nullable Throwable failure) {
            if (failure != null) {
                completeExceptionally(failure);
            } else if (goesOn == null || !goesOn) {
                complete(null);
            }
            return isDone();
        }

        private void again() {
            try {
                task.execute(this);
            } catch (RejectedExecutionException e) {
                completeExceptionally(e);
            }
        }
    }
}
