package io.stratagem.eventloop;

import java.util.concurrent.CompletionStage;

/** Handles the connections that a {@link Server} accepts. Called on the server's loop; must not block. */
@FunctionalInterface
public interface ConnectionHandler {

    /**
     * A connection has come in.
     *
     * @param connection to be read and written
     * @return when it completes the connection is closed, after what was written has been sent; if it fails, at once, unless
     *     it is being closed already
     * @throws Exception closes this connection, and harms no other
     */
    CompletionStage<?> handle(Connection connection) throws Exception;
}
