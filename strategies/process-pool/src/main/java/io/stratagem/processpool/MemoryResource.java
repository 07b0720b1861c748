package io.stratagem.processpool;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;

/** A resource that came from the application as bytes. Its URL opens it, but cannot be made from a string anew. */
final class MemoryResource extends URLStreamHandler {
    private static final String SCHEME = "stratagem:";

    private final String location;
    private final byte[] bytes;

    private MemoryResource(String location, byte[] bytes) {
        this.location = location;
        this.bytes = bytes;
    }

    /**
     * The URL of a resource.
     *
     * @param original its URL in the application
     */
    static URL url(String original, byte[] bytes) throws MalformedURLException {
        String location = SCHEME + original;
        return new URL(null, location, new MemoryResource(location, bytes));
    }

    @Override
    protected URLConnection openConnection(URL url) throws IOException {
        if (!url.toString().equals(location)) { // relative to this one
            throw new FileNotFoundException(url + " can be had from its class loader only");
        }
        return new URLConnection(url) {
            @Override
            public void connect() {}

            @Override
            public InputStream getInputStream() {
                return new ByteArrayInputStream(bytes);
            }

            @Override
            public long getContentLengthLong() {
                return bytes.length;
            }
        };
    }
}
