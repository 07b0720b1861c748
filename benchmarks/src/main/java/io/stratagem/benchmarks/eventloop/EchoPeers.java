package io.stratagem.benchmarks.eventloop;

import io.stratagem.benchmarks.VirtualThreads;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.concurrent.ExecutorService;

/** Echo servers other than on an event loop of ours, Netty's or a bare selector. */
final class EchoPeers {

    private EchoPeers() {}

    /** Vert.x 5 on its best transport, with one event loop. */
    static final class OnVertx extends Echo {
        private final Vertx vertx =
                Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setPreferNativeTransport(true));

        @Override
        SocketAddress serve() {
            if (!vertx.isNativeTransportEnabled()) {
                throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
            }
            InetAddress here = InetAddress.getLoopbackAddress();
            NetServerOptions options =
                    new NetServerOptions().setTcpNoDelay(true).setAcceptBacklog(BACKLOG);
            int port = vertx.createNetServer(options)
                    .connectHandler(socket -> socket.handler(socket::write))
                    .listen(0, here.getHostAddress())
                    .await()
                    .actualPort();
            return new InetSocketAddress(here, port);
        }

        @Override
        void stop() {
            vertx.close().await();
        }
    }

    /** A virtual thread for each connection, with blocking reads and writes. */
    static final class OnVirtualThreads extends Echo {
        private final ExecutorService threads = VirtualThreads.perTask();
        private ServerSocket listener;

        @Override
        SocketAddress serve() throws IOException {
            listener = new ServerSocket();
            listener.bind(anyPort(), BACKLOG);
            threads.execute(this::accept);
            return listener.getLocalSocketAddress();
        }

        private void accept() {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    socket.setTcpNoDelay(true);
                    threads.execute(() -> sendBack(socket));
                }
            } catch (IOException e) {
                if (!listener.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }

        private static void sendBack(Socket socket) {
            byte[] bytes = new byte[1024];
            try (socket) {
                InputStream input = socket.getInputStream();
                OutputStream output = socket.getOutputStream();
                for (int count = input.read(bytes); count >= 0; count = input.read(bytes)) {
                    output.write(bytes, 0, count);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        void stop() {
            try {
                listener.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            threads.shutdownNow();
        }
    }

    /** In a process of its own. */
    abstract static class Elsewhere extends Echo {
        private OtherServer server;

        @Override
        final SocketAddress serve() throws Exception {
            server = start();
            return server.address();
        }

        abstract OtherServer start() throws Exception;

        @Override
        final void stop() {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** On epoll, compiled first. */
    static final class InC extends Elsewhere {
        @Override
        OtherServer start() throws Exception {
            return OtherServer.compileAndStart();
        }
    }

    /** On asyncio. */
    static final class InPython extends Elsewhere {
        @Override
        OtherServer start() throws Exception {
            return OtherServer.start();
        }
    }
}
