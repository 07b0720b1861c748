package io.stratagem.examples;

import static java.util.Locale.ROOT;

import io.stratagem.eventloop.Connection;
import io.stratagem.eventloop.Network;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** What comes before the body of an HTTP/1.1 message, request or response. The names of fields are in lower case. */
record HttpHead(String firstLine, Map<String, String> fields) {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final int MOST_BYTES_OF_A_LINE = 8_192;
    private static final int MOST_LINES = 100;

    /** Reads one from a connection; none if that ends before. */
    static CompletableFuture<Optional<HttpHead>> read(Connection connection, Network network) {
        List<String> lines = new ArrayList<>();
        return network.repeat(() -> connection
                        .readLine(MOST_BYTES_OF_A_LINE, PATIENCE)
                        .thenApply(line -> line != null && isBeforeTheEnd(line, lines)))
                .thenApply(nothing -> parse(lines));
    }

    /** Takes a line in, and tells whether there is another. */
    private static boolean isBeforeTheEnd(String line, List<String> lines) {
        if (lines.size() == MOST_LINES) {
            throw new CompletionException(new IOException("more than " + MOST_LINES + " lines before a body"));
        }
        lines.add(line);
        return !line.isEmpty();
    }

    private static Optional<HttpHead> parse(List<String> lines) {
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        if (!lines.get(lines.size() - 1).isEmpty()) {
            throw new CompletionException(new EOFException("the connection ended within the head of a message"));
        }
        Map<String, String> fields = new HashMap<>();
        for (String line : lines.subList(1, lines.size() - 1)) {
            int colon = line.indexOf(':');
            if (colon < 0) {
                throw new CompletionException(new IOException("not a field of a message: " + line));
            }
            fields.put(
                    line.substring(0, colon).toLowerCase(ROOT),
                    line.substring(colon + 1).strip());
        }
        return Optional.of(new HttpHead(lines.get(0), fields));
    }

    /** A part of the first line: of a request the method, the path and the version; of a response that comes first. */
    String word(int index) throws IOException {
        String[] words = firstLine.split(" ", 3);
        if (words.length < 2) {
            throw new IOException("not the first line of a message: " + firstLine);
        }
        return words[index];
    }

    int contentLength() throws IOException {
        String length = fields.getOrDefault("content-length", "none");
        try {
            return Integer.parseUnsignedInt(length);
        } catch (NumberFormatException e) {
            throw new IOException("no length that can be read: " + length, e);
        }
    }

    boolean isLast() {
        return fields.getOrDefault("connection", "").equalsIgnoreCase("close");
    }
}
