package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.stratagem.Loop;
import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.Network;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * A small HTTP/1.1 server on an event loop of its own: it answers GET, and keeps connections open for the next. Any
 * thread may use it.
 */
final class LocalSite implements AutoCloseable {

    /** What it has to tell. */
    interface Content {
        /** The body for a path, on the loop. {@link NoSuchFileException}, thrown here or later, is "not found". */
        CompletionStage<byte[]> at(String path, Loop loop) throws Exception;
    }

    @SuppressWarnings("ArrayRecordComponent") // nobody compares answers
    private record Answer(String status, byte[] body) {
        static Answer of(byte[] body) {
            return new Answer("200 OK", body);
        }

        static Answer of(Throwable failure) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            String status = cause instanceof NoSuchFileException ? "404 Not Found" : "500 Internal Server Error";
            return new Answer(status, (cause + "\n").getBytes(UTF_8));
        }

        String head() {
            return "HTTP/1.1 " + status + "\r\nContent-Length: " + body.length + "\r\n\r\n";
        }
    }

    private final LoopServer server;

    private LocalSite(LoopServer server) {
        this.server = server;
    }

    static LocalSite start(Content content) throws IOException {
        return new LocalSite(LoopServer.start("site", 0, (connection, loop) -> serve(connection, loop, content)));
    }

    InetSocketAddress address() {
        return server.address();
    }

    /** Where a path is, as a URI, in which characters beyond ASCII are encoded. */
    URI uri(String path) {
        try {
            String host = address().getAddress().getHostAddress();
            URI readable = new URI("http", null, host, address().getPort(), path, null, null);
            return URI.create(readable.toASCIIString());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(path, e);
        }
    }

    private static CompletionStage<?> serve(Connection connection, Loop loop, Content content) {
        Network network = Network.of(loop);
        return network.repeat(() -> HttpHead.read(connection, network).thenCompose(request -> {
            if (request.isEmpty()) {
                return CompletableFuture.completedFuture(false);
            }
            boolean goesOn = !request.get().isLast();
            return answer(request.get(), loop, content)
                    .thenCompose(answer -> send(answer, connection))
                    .thenApply(sent -> goesOn);
        }));
    }

    private static CompletionStage<Answer> answer(HttpHead request, Loop loop, Content content) {
        try {
            if (!request.word(0).equals("GET")) {
                return CompletableFuture.completedFuture(new Answer("405 Method Not Allowed", new byte[0]));
            }
            String path = URI.create(request.word(1)).getPath();
            return content.at(path, loop)
                    .handle((body, failure) -> failure == null ? Answer.of(body) : Answer.of(failure));
        } catch (Exception e) {
            return CompletableFuture.completedFuture(Answer.of(e));
        }
    }

    private static CompletionStage<Void> send(Answer answer, Connection connection) {
        return connection.write(answer.head()).thenCompose(written -> connection.write(answer.body()));
    }

    @Override
    public void close() {
        server.close();
    }
}
