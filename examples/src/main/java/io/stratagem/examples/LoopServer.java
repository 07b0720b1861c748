package io.stratagem.examples;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.ConnectionHandler;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import io.stratagem.eventloop.Server;
import io.stratagem.eventloop.ServerTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A server on an event loop of its own, which only this machine reaches. One task listens and has all the connections.
 * Any thread may use it.
 */
final class LoopServer implements AutoCloseable {

    /** What it does with a connection, on its loop. */
    interface Service {
        /** When the stage completes the connection is closed; so it is if this fails. */
        CompletionStage<?> serve(Connection connection, Loop loop) throws Exception;
    }

    private final EventLoopStrategy strategy;
    private final Server server;
    private final CompletableFuture<Result<Void>> serving;

    private LoopServer(EventLoopStrategy strategy, Server server, CompletableFuture<Result<Void>> serving) {
        this.strategy = strategy;
        this.server = server;
        this.serving = serving;
    }

    /** Listens on a port, or on any that is free if it is 0. */
    static LoopServer start(String name, int port, Service service) throws IOException {
        return start(name, port, null, service);
    }

    /** With TLS, unless that is null. */
    static LoopServer start(String name, int port, @Nullable ServerTls tls, Service service) throws IOException {
        EventLoopStrategy strategy =
                EventLoopStrategy.builder().name(name).loops(1).build();
        CompletableFuture<Server> listening = new CompletableFuture<>();
        Workload<InetSocketAddress, Void> serve = Workload.async(name, (address, loop) -> {
            Open open = new Open();
            Network network = Network.of(loop);
            ConnectionHandler handler = connection -> open.until(service.serve(connection, loop));
            return (tls == null ? network.listen(address, handler) : network.listen(address, tls, handler))
                    .thenCompose(server -> {
                        listening.complete(server);
                        return server.closed();
                    })
                    .thenCompose(closed -> open.none());
        });
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        CompletableFuture<Result<Void>> serving = strategy.submit(serve, address);
        var unused = serving.thenAccept(
                result -> result.fold(ended -> true, failure -> listening.completeExceptionally(failure)));
        try {
            return new LoopServer(strategy, listening.join(), serving);
        } catch (CompletionException e) {
            strategy.close();
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** How many connections are being served. Used on the loop only. */
    private static final class Open {
        private final CompletableFuture<Void> none = new CompletableFuture<>();
        private int count;
        private boolean isLast;

        CompletionStage<?> until(CompletionStage<?> served) {
            count++;
            return served.whenComplete((value, failure) -> {
                count--;
                check();
            });
        }

        /** Completes when there are none any more; there must be no new ones. */
        CompletionStage<Void> none() {
            isLast = true;
            check();
            return none;
        }

        private void check() {
            if (isLast && count == 0) {
                none.complete(null);
            }
        }
    }

    InetSocketAddress address() {
        return (InetSocketAddress) server.localAddress();
    }

    /** Takes no more connections, and waits until those that it has are done; tells whether they were in time. */
    boolean drain(Duration patience) throws InterruptedException {
        server.close().join();
        try {
            serving.get(NANOSECONDS.convert(patience), NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e); // what fails is in the result
        }
    }

    /** Closes it, and the connections that it still has. */
    @Override
    public void close() {
        serving.cancel(true);
        strategy.close();
    }
}
