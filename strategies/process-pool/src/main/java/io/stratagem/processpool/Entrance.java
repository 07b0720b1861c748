package io.stratagem.processpool;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a worker that starts meets the application: a socket, and a token that opens it once. Whoever else comes is
 * refused, and holds nothing up. One thread waits; any thread may close it.
 */
/* Of who has connected no more is read than a hello is long, and nothing of it is interpreted: it is compared as a whole.
 */
final class Entrance implements Closeable {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int TOKEN_BYTES = 16;

    /** When there is one more, the one that came first must go. */
    private static final int MAX_STRANGERS = 16;

    private static final String SILENT = "did not say who it is";

    private final String worker;
    private final UserPrincipal user;
    private final ServerSocketChannel server;
    private final Selector selector;
    private final String token;
    private final byte[] hello;

    /** Those that have connected and proved nothing. Of the thread that waits. */
    private final Deque<Stranger> strangers = new ArrayDeque<>();

    private Entrance(String worker, UserPrincipal user, ServerSocketChannel server, Selector selector) {
        this.worker = worker;
        this.user = user;
        this.server = server;
        this.selector = selector;
        byte[] secret = new byte[TOKEN_BYTES];
        RANDOM.nextBytes(secret);
        this.token = HexFormat.of().formatHex(secret);
        this.hello = hello(token);
    }

    /** All that a worker says. */
    private static byte[] hello(String token) {
        Bytes frame = Link.frame(new Bytes(), Frames.HELLO);
        frame.putString(token);
        frame.setInt(0, frame.size() - Integer.BYTES);
        return frame.toByteArray();
    }

    /**
     * Opens one.
     *
     * @param directory where the socket is to be
     * @param worker names in the log who is expected
     */
    static Entrance open(PrivateDirectory directory, String worker) throws IOException {
        return open(directory, worker, Files.getOwner(directory.path()));
    }

    /** For a process of that user. */
    static Entrance open(PrivateDirectory directory, String worker, UserPrincipal user) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(directory.socket()));
            HostSystem.restrictToOwner(directory.socket());
            server.configureBlocking(false);
            Selector selector = Selector.open();
            server.register(selector, SelectionKey.OP_ACCEPT);
            return new Entrance(worker, user, server, selector);
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /** What the worker must say. */
    String token() {
        return token;
    }

    /**
     * Blocks until the worker has come. Then it is closed.
     *
     * @param limitNanos how long, in real time; a thousandth of a second at least
     * @return the connection, of which the hello has been read
     * @throws TimeoutException if the worker has not come by then
     * @throws IOException if it is closed before that
     */
    SocketChannel await(long limitNanos) throws IOException, InterruptedException, TimeoutException {
        long begin = System.nanoTime();
        try {
            Stranger known = null;
            while (known == null) {
                long left = limitNanos - (System.nanoTime() - begin);
                if (left <= 0) {
                    throw new TimeoutException();
                }
                selector.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                known = look();
            }
            close(); // before the connection is made to block, which it cannot as long as it is registered
            known.channel.configureBlocking(true);
            return known.channel;
        } catch (ClosedSelectorException e) {
            throw new AsynchronousCloseException();
        } finally {
            close();
            while (!strangers.isEmpty()) {
                strangers.getFirst().refuse(SILENT);
            }
        }
    }

    /** Sees who has come and who has said something; gives the one that is the worker, or null. */
    private @Nullable Stranger look() throws IOException {
        for (SelectionKey key : selector.selectedKeys()) {
            if (!(key.attachment() instanceof Stranger stranger)) {
                accept();
            } else if (key.isValid() && stranger.hasProved()) {
                strangers.remove(stranger);
                return stranger;
            }
        }
        selector.selectedKeys().clear();
        return null;
    }

    private void accept() throws IOException {
        SocketChannel channel = server.accept();
        if (channel == null) {
            return;
        }
        Stranger stranger = new Stranger(channel);
        strangers.addLast(stranger);
        String other = otherUser(channel);
        if (other != null) {
            stranger.refuse("is of user " + other);
            return;
        }
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, stranger);
        if (strangers.size() > MAX_STRANGERS) {
            strangers.getFirst().refuse(SILENT);
        }
    }

    /** Whose process is at the other end if it is not the right user's; null also where the system cannot tell. */
    private @Nullable String otherUser(SocketChannel channel) throws IOException {
        if (!channel.supportedOptions().contains(ExtendedSocketOptions.SO_PEERCRED)) {
            return null;
        }
        UserPrincipal other =
                channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
        return other.equals(user) ? null : other.getName();
    }

    /** From here on nobody can come, and who waits for a worker no longer does. */
    @Override
    public void close() {
        try {
            selector.close();
            server.close();
        } catch (IOException e) {
            log.debug("The socket at which {} was expected could not be closed", worker, e);
        }
    }

    /** Who has connected. */
    private final class Stranger {
        private final SocketChannel channel;
        private final ByteBuffer said = ByteBuffer.allocate(hello.length);

        Stranger(SocketChannel channel) {
            this.channel = channel;
        }

        /** Takes what it says; true when that proves that it is the worker. Refuses it when it proves the contrary. */
        boolean hasProved() {
            try {
                if (channel.read(said) < 0) {
                    refuse(SILENT);
                }
            } catch (IOException e) {
                refuse("broke off: " + e);
            }
            if (said.hasRemaining()) {
                return false;
            }
            boolean isProof = MessageDigest.isEqual(said.array(), hello);
            if (!isProof) {
                refuse("did not say what the worker would");
            }
            return isProof;
        }

        void refuse(String why) {
            strangers.remove(this);
            log.warn("A connection to the socket at which {} is expected was refused: it {}", worker, why);
            try {
                channel.close();
            } catch (IOException e) {
                log.debug("It could not be closed", e);
            }
        }
    }
}
