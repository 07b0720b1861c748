package io.stratagem.processpool.spi;

import java.io.IOException;

/** Makes the ends of {@link Wire}s: in the application, and by {@link java.util.ServiceLoader} in the worker. */
public interface WireProvider {

    /**
     * Makes a wire, and its end in the application.
     *
     * @param maxMessageBytes the longest message
     * @return the end, to be closed
     * @throws IOException if there is no room for it; the message says what to do
     */
    Wire create(int maxMessageBytes) throws IOException;

    /**
     * Opens the end in the worker.
     *
     * @param place {@link Wire#place} of the other end
     * @param maxMessageBytes the longest message
     * @return the end, to be closed
     * @throws IOException if it cannot be opened
     */
    Wire open(String place, int maxMessageBytes) throws IOException;
}
