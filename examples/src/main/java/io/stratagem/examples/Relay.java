package io.stratagem.examples;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static java.util.concurrent.CompletableFuture.failedFuture;

import io.stratagem.Loop;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.Network;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands on what each of its clients sends to a target, and what that answers, over TCP, until both have said that they
 * will send no more. Who sends faster than the other side takes it has to wait. Any thread may use it.
 */
final class Relay implements AutoCloseable {

    /** How long it waits. */
    record Limits(Duration connect, Duration idle) {}

    /** What it has done so far. */
    record Counts(long connections, long open, long failed, long bytesThere, long bytesBack) {}

    private final InetSocketAddress target;
    private final Limits limits;
    private final Consumer<String> log;
    private final LoopServer server;

    // Written on the loop.
    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong bytesThere = new AtomicLong();
    private final AtomicLong bytesBack = new AtomicLong();

    /**
     * Starts one.
     *
     * @param port where it listens; 0 for any port that is free
     * @param log gets a line for each connection that has ended, on the loop: it must not block
     */
    Relay(int port, InetSocketAddress target, Limits limits, Consumer<String> log) throws IOException {
        this.target = target;
        this.limits = limits;
        this.log = log;
        this.server = LoopServer.start("relay", port, this::relay);
    }

    InetSocketAddress address() {
        return server.address();
    }

    Counts counts() {
        return new Counts(connections.get(), open.get(), failed.get(), bytesThere.get(), bytesBack.get());
    }

    /** Takes no more clients, and waits for those that it has; tells whether they were done in time. */
    boolean drain(Duration patience) throws InterruptedException {
        return server.drain(patience);
    }

    @Override
    public void close() {
        server.close();
    }

    private CompletionStage<Void> relay(Connection client, Loop loop) {
        connections.incrementAndGet();
        open.incrementAndGet();
        Network network = Network.of(loop);
        return network.connect(target, limits.connect)
                .thenCompose(other -> new Pair(client, other, network).relay())
                .whenComplete((pair, failure) -> {
                    open.decrementAndGet();
                    if (failure != null) {
                        failed.incrementAndGet();
                    }
                    log.accept(client.remoteAddress() + ": " + (failure == null ? pair : reason(failure)));
                })
                .thenApply(pair -> null);
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    /** A client and its own connection to the target. On the loop only. */
    private final class Pair {
        private final Connection client;
        private final Connection other;
        private final Network network;
        private long there;
        private long back;
        private long activeNanos = System.nanoTime();
        private @Nullable Throwable failure;

        Pair(Connection client, Connection other, Network network) {
            this.client = client;
            this.other = other;
            this.network = network;
        }

        CompletionStage<Pair> relay() {
            CompletableFuture<Void> thereDone = network.repeat(() -> handOn(client, other, this::countThere));
            CompletableFuture<Void> backDone = network.repeat(() -> handOn(other, client, this::countBack));
            return CompletableFuture.allOf(closingBoth(thereDone), closingBoth(backDone))
                    .handle((nothing, either) -> failure)
                    .thenCompose(first -> other.close()
                            .thenCompose(closed -> first == null ? completedFuture(this) : failedFuture(first)));
        }

        /** If one direction fails there is no use in the other. The first failure is the reason. */
        private CompletableFuture<Void> closingBoth(CompletableFuture<Void> direction) {
            return direction.whenComplete((nothing, why) -> {
                if (why != null && failure == null) {
                    failure = why;
                    var unused = CompletableFuture.allOf(client.close(), other.close());
                }
            });
        }

        /** Hands on what comes next, and tells whether there may be more. No more is read before there is room for it. */
        private CompletionStage<Boolean> handOn(Connection from, Connection to, Consumer<byte[]> count) {
            Duration left = limits.idle.minusNanos(System.nanoTime() - activeNanos);
            return from.read(left.compareTo(Duration.ZERO) > 0 ? left : Duration.ofNanos(1))
                    .handle((bytes, why) -> why == null ? Optional.of(bytes) : nothingYet(why))
                    .thenCompose(bytes -> bytes.isEmpty() ? completedFuture(true) : write(bytes.get(), to, count));
        }

        /** One direction may well be silent for long while something goes the other way. */
        private Optional<byte[]> nothingYet(Throwable why) {
            if (why instanceof SocketTimeoutException && System.nanoTime() - activeNanos < limits.idle.toNanos()) {
                return Optional.empty();
            }
            throw new CompletionException(why);
        }

        private CompletionStage<Boolean> write(byte[] bytes, Connection to, Consumer<byte[]> count) {
            if (bytes.length == 0) {
                return to.flush(limits.idle)
                        .thenCompose(flushed -> to.shutdownOutput())
                        .thenApply(shut -> false);
            }
            activeNanos = System.nanoTime();
            count.accept(bytes);
            return to.write(ByteBuffer.wrap(bytes), limits.idle).thenApply(hasRoom -> true);
        }

        private void countThere(byte[] bytes) {
            there += bytes.length;
            bytesThere.addAndGet(bytes.length);
        }

        private void countBack(byte[] bytes) {
            back += bytes.length;
            bytesBack.addAndGet(bytes.length);
        }

        @Override
        public String toString() {
            return Units.bytes(there) + " there, " + Units.bytes(back) + " back";
        }
    }
}
