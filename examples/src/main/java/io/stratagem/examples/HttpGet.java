package io.stratagem.examples;

import static java.util.concurrent.CompletableFuture.failedFuture;

import io.stratagem.Loop;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.Network;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/*
 * Over our own streams, not the JDK's HttpClient: with these a task's connection is on the task's loop, is closed with
 * the task whatever happens, and costs no other thread. HttpClient waits on a selector thread of its own, and hands each
 * step to an executor. It is the better choice where one needs HTTP/2, redirects or proxies.
 */
/** GET by a task of an event loop, over a connection of its own. */
final class HttpGet {
    private HttpGet() {}

    /** The body of a page. Anything but "200 OK" is an {@link IOException}. */
    static CompletionStage<byte[]> body(URI page, Loop loop) {
        Network network = Network.of(loop);
        String request = "GET " + page.getRawPath() + " HTTP/1.1\r\nHost: " + page.getAuthority()
                + "\r\nConnection: close\r\n\r\n";
        InetSocketAddress server = InetSocketAddress.createUnresolved(page.getHost(), page.getPort());
        return network.connect(server, HttpHead.PATIENCE)
                .thenCompose(connection -> connection
                        .write(request)
                        .thenCompose(written -> HttpHead.read(connection, network))
                        .thenCompose(head -> readBody(head, page, connection)));
    }

    private static CompletionStage<byte[]> readBody(Optional<HttpHead> response, URI page, Connection connection) {
        try {
            HttpHead head = response.orElseThrow(() -> new EOFException("no answer from " + page));
            if (!head.word(1).equals("200")) {
                throw new IOException(page + ": " + head.firstLine());
            }
            return connection.readExactly(head.contentLength(), HttpHead.PATIENCE);
        } catch (IOException e) {
            return failedFuture(e);
        }
    }
}
