package io.stratagem.eventloop.user;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.stratagem.AsyncFn;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.ClientTls;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.eventloop.Network;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;

/** Talks to a peer that speaks plain text, without TLS and with it, and prints what comes of it. In a package of its own, as a user is. */
public final class TlsProgram {
    private TlsProgram() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        System.out.println("in " + ClientTls.class.getModule());
        try (ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                EventLoopStrategy strategy = EventLoopStrategy.create()) {
            Thread speaking = new Thread(() -> {
                try {
                    while (true) {
                        Socket socket = peer.accept();
                        socket.getOutputStream().write("welcome, this is plain text\r\n".getBytes(US_ASCII));
                    }
                } catch (IOException e) {
                    // It is closed.
                }
            });
            speaking.setDaemon(true);
            speaking.start();
            SocketAddress address = InetSocketAddress.createUnresolved("localhost", peer.getLocalPort());
            AsyncFn<SocketAddress, String> plain =
                    (to, loop) -> Network.of(loop).connect(to).thenCompose(connection -> connection.readLine(100));
            System.out.println("plain: " + said(strategy.run(Workload.async("plain", plain), address)));
            AsyncFn<SocketAddress, Connection> secure =
                    (to, loop) -> Network.of(loop).connect(to, ClientTls.verified(), null);
            System.out.println("TLS: " + said(strategy.run(Workload.async("secure", secure), address)));
        }
    }

    private static String said(Result<?> result) {
        return result.fold(String::valueOf, Throwable::toString);
    }
}
