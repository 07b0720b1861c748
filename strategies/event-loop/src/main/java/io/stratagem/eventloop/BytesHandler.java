package io.stratagem.eventloop;

import java.nio.ByteBuffer;

/**
 * Takes the bytes of a connection as they come, without a future for each read: see {@link Connection#handle}. Called on
 * the connection's loop; must not block. What it throws ends its connection, and no other.
 */
@FunctionalInterface
public interface BytesHandler {

    /**
     * Bytes have come. Not called while more of the answers than the strategy's {@code outboundMark} waits for the peer to
     * take it.
     *
     * @param connection where they come from
     * @param bytes what has come, good only during this call. What is left in it, at most 65,536 bytes, is shown again
     *     together with what comes next
     * @throws Exception ends the connection
     */
    void bytes(Connection connection, ByteBuffer bytes) throws Exception;

    /**
     * The peer will send no more. Closes the connection unless it is overridden.
     *
     * @param connection which may still be written to
     * @throws Exception ends the connection
     */
    default void end(Connection connection) throws Exception {
        var unused = connection.close();
    }
}
