package io.stratagem.benchmarks.eventloop;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.stratagem.Loop;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.eventloop.BytesHandler;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.ConnectionHandler;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import io.stratagem.eventloop.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A server with one loop that sends back what comes, under load from another thread; the time for one request. */
abstract class Echo implements Trial {
    static final int BACKLOG = 1024;

    private int requests;
    private long answered;
    private EchoClient client;

    @Override
    public final void prepare(String metric, int size) throws Exception {
        requests = size;
        int connections = Integer.parseInt(metric.substring(metric.lastIndexOf('-') + 1));
        client = new EchoClient(serve(), connections);
    }

    /** Starts the server. */
    abstract SocketAddress serve() throws Exception;

    @Override
    public final void pass() throws IOException {
        answered = client.run(requests);
    }

    @Override
    public final void verify() throws WrongResultException {
        WrongResultException.check("answers", requests, answered);
    }

    @Override
    public final long operations() {
        return requests;
    }

    @Override
    public final void close() {
        client.close();
        stop();
    }

    abstract void stop();

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    // ---------------------------------------------------------------------------------------------- ours

    /** Ours, with the defaults but for the number of loops, and with limits of time on a handler's connections. */
    abstract static class OnEventLoop extends Echo {
        private final EventLoopStrategy strategy =
                EventLoopStrategy.builder().loops(1).build();

        @Override
        final SocketAddress serve() {
            CompletableFuture<SocketAddress> address = new CompletableFuture<>();
            Workload<SocketAddress, Void> echo = Workload.async("echo", (where, loop) -> {
                Network network = Network.of(loop);
                return network.listen(where, handler(network, loop)).thenCompose((Server server) -> {
                    address.complete(server.localAddress());
                    return server.closed();
                });
            });
            var unused = strategy.submit(echo, anyPort());
            return address.join();
        }

        abstract ConnectionHandler handler(Network network, Loop loop);

        @Override
        final void stop() {
            strategy.closeNow();
        }
    }

    /** Closes a connection that is idle for too long, which the peers do not. */
    static final class OnHandler extends OnEventLoop {
        private static final Duration LIMIT = Duration.ofSeconds(30);

        @Override
        ConnectionHandler handler(Network network, Loop loop) {
            return connection -> {
                Limited limited = new Limited(connection, loop);
                limited.watch();
                return connection.handle(limited);
            };
        }

        private static final class Limited implements BytesHandler {
            private final Connection connection;
            private final Loop loop;
            private long activeNanos = System.nanoTime();

            Limited(Connection connection, Loop loop) {
                this.connection = connection;
                this.loop = loop;
            }

            @Override
            public void bytes(Connection same, ByteBuffer bytes) {
                activeNanos = System.nanoTime();
                var unused = same.write(bytes, LIMIT);
            }

            void watch() {
                Duration left = LIMIT.minusNanos(System.nanoTime() - activeNanos);
                if (left.isNegative() || left.isZero()) {
                    var unused = connection.close();
                } else if (!connection.isClosed()) {
                    var unused = loop.delay(left).thenRun(this::watch);
                }
            }
        }
    }

    /** As one writes it for asyncio's streams: reads, then writes and waits for that. */
    static final class OnStreams extends OnEventLoop {
        @Override
        ConnectionHandler handler(Network network, Loop loop) {
            return connection -> network.repeat(() -> connection
                    .read()
                    .thenCompose(bytes -> bytes.length == 0
                            ? CompletableFuture.completedFuture(false)
                            : connection.write(bytes).thenApply(done -> true)));
        }
    }

    // ---------------------------------------------------------------------------------------------- peers

    /** Netty 4.2 with one event loop. */
    abstract static class OnNetty extends Echo {
        private final EventLoopGroup group;
        private final Class<? extends ServerChannel> channel;

        OnNetty(IoHandlerFactory transport, Class<? extends ServerChannel> channel) {
            this.group = new MultiThreadIoEventLoopGroup(1, transport);
            this.channel = channel;
        }

        @Override
        final SocketAddress serve() throws InterruptedException {
            return new ServerBootstrap()
                    .group(group)
                    .channel(channel)
                    .option(ChannelOption.SO_BACKLOG, BACKLOG)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childHandler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel child) {
                            child.pipeline().addLast(new Back());
                        }
                    })
                    .bind(anyPort())
                    .sync()
                    .channel()
                    .localAddress();
        }

        private static final class Back extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                var unused = context.write(message, context.voidPromise());
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext context) {
                context.flush();
            }
        }

        @Override
        final void stop() {
            var unused = group.shutdownGracefully();
        }
    }

    static final class OnNettyEpoll extends OnNetty {
        OnNettyEpoll() {
            super(EpollIoHandler.newFactory(), EpollServerSocketChannel.class);
        }
    }

    static final class OnNettyNio extends OnNetty {
        OnNettyNio() {
            super(NioIoHandler.newFactory(), NioServerSocketChannel.class);
        }
    }

    /** What the JDK can do: a selector, a buffer, and nothing for errors, limits or slow peers. */
    static final class OnBareSelector extends Echo {
        private final ByteBuffer bytes = ByteBuffer.allocateDirect(65_536);
        private Selector selector;
        private ServerSocketChannel listener;

        @Override
        SocketAddress serve() throws IOException {
            selector = Selector.open();
            listener = ServerSocketChannel.open().bind(anyPort(), BACKLOG);
            listener.configureBlocking(false);
            listener.register(selector, SelectionKey.OP_ACCEPT);
            Thread thread = new Thread(this::loop, "bare-selector");
            thread.setDaemon(true);
            thread.start();
            return listener.getLocalAddress();
        }

        private void loop() {
            try {
                while (selector.isOpen()) {
                    selector.select(this::ready);
                }
            } catch (IOException | ClosedSelectorException e) {
                if (selector.isOpen()) {
                    throw new IllegalStateException(e);
                }
            }
        }

        private void ready(SelectionKey key) {
            try {
                if (key.isAcceptable()) {
                    var accepted = listener.accept();
                    accepted.configureBlocking(false);
                    accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    accepted.register(selector, SelectionKey.OP_READ);
                    return;
                }
                var channel = (java.nio.channels.SocketChannel) key.channel();
                if (channel.read(bytes.clear()) < 0) {
                    channel.close();
                } else {
                    channel.write(bytes.flip());
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        void stop() {
            try {
                selector.close();
                listener.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
