package io.stratagem.eventloop;

import static com.google.common.base.Preconditions.checkArgument;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.stratagem.eventloop.Inbound.Reading;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of a task, over TCP or a Unix socket: see {@link Network}. It is read either with futures, as a stream, or
 * by a {@link BytesHandler}.
 *
 * <p>Any thread may call any method; none blocks. Futures are completed on the connection's loop. A future that fails
 * because of the connection has an {@link IOException}: {@link ClosedChannelException} if this side has closed it. One
 * that was not completed within its limit has a {@link SocketTimeoutException}; the connection stays as it is, and what
 * has come so far is there for the next read. With TLS ({@link ClientTls}, {@link ServerTls}) whatever is wrong with that
 * is an {@link SSLException}: also when the connection ends without the end that TLS marks, which may be an attack.
 *
 * <p>Memory: a read takes in no more than it needs and 65,536 bytes; nothing is read unless it is asked for. What is
 * written and not taken by the peer is kept; {@link #write} completes when that is little.
 */
/* Only the loop's thread touches the fields. `interest` is what the key has, so as not to ask it. The interest in reading
 * stays when a read is done, since mostly another follows; if bytes come and nobody reads, it is given up.
 */
public final class Connection extends Opened {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

    /** How long what was written may take to leave when it is closed. */
    private static final Duration LINGER = Duration.ofSeconds(5);

    private final SocketChannel channel;
    private final SelectionKey key;
    private final SocketAddress remote;
    private final @Nullable TlsLink tls;
    private final @Nullable SSLSession session;
    private final String applicationProtocol;
    private final LoopThread thread;
    private final Inbound inbound;
    private final Outbound outbound;
    private final LoopFuture<Void> closed;
    private int interest;

    /** A read is queued for what TLS has. */
    private boolean isReadingOn;

    private boolean isInputEnded;
    private boolean isOutputShut;

    /** Being closed, when what was written is sent. */
    private boolean isClosing;

    private LoopThread.@Nullable Scheduled linger;

    /** Why it is closed, or null as long as it is not. Read by other threads for its message only. */
    private volatile @Nullable Throwable end;

    private @Nullable BytesHandler handler;
    private @Nullable LoopFuture<Void> handled;

    /** A connection that is listed in the task; null if that has ended, and the channel is closed. On the loop's thread. */
    static @Nullable Connection open(
            LoopTask task, SocketChannel channel, SelectionKey key, SocketAddress remote, @Nullable TlsLink tls) {
        Connection connection = new Connection(task, channel, key, remote, tls);
        if (task.tryAdd(connection)) {
            return connection;
        }
        connection.abort(ended(task));
        return null;
    }

    private Connection(
            LoopTask task, SocketChannel channel, SelectionKey key, SocketAddress remote, @Nullable TlsLink tls) {
        super(task);
        this.channel = channel;
        this.key = key;
        this.remote = remote;
        this.tls = tls;
        this.session = tls == null ? null : tls.engine().getSession();
        this.applicationProtocol =
                tls == null ? "" : Objects.requireNonNullElse(tls.engine().getApplicationProtocol(), "");
        this.thread = task.thread();
        this.inbound = new Inbound(thread);
        this.outbound = new Outbound(channel, tls, thread);
        this.closed = new LoopFuture<>(thread);
        key.attach(this);
        key.interestOps(0);
    }

    /** Closed by this side: says why. */
    private static final class Closed extends ClosedChannelException {
        private static final long serialVersionUID = 1;

        private final String message;

        Closed(String message) {
            this.message = message;
        }

        @Override
        public String getMessage() {
            return message;
        }
    }

    static IOException ended(LoopTask task) {
        return new Closed("the task of workload '" + task.workload() + "' has ended, and what it opened is closed");
    }

    /**
     * The peer.
     *
     * @return its address; that of a client on a Unix socket is empty
     */
    public SocketAddress remoteAddress() {
        return remote;
    }

    /**
     * Whether it is closed, by whatever.
     *
     * @return true if nothing can be read or written any more
     */
    public boolean isClosed() {
        return end != null;
    }

    /**
     * What TLS has agreed on: version, cipher suite, and the peer's certificates, which have been verified.
     *
     * @return the session, or null without TLS
     */
    public @Nullable SSLSession tlsSession() {
        return session;
    }

    /**
     * What is spoken over TLS, chosen by ALPN.
     *
     * @return one of the offered names; empty if none was agreed on, or without TLS
     */
    public String applicationProtocol() {
        return applicationProtocol;
    }

    // ---------------------------------------------------------------------------------------------- reading

    /**
     * Reads what comes next.
     *
     * @return at least one byte, at most 65,536; none if the peer will send no more
     */
    public CompletableFuture<byte[]> read() {
        return read(null);
    }

    /**
     * Reads what comes next.
     *
     * @param limit how long to wait for it, or null for as long as the task lasts
     * @return see {@link #read()}
     */
    public CompletableFuture<byte[]> read(@Nullable Duration limit) {
        return begin(new Inbound.Some(this), limit);
    }

    /**
     * Reads so many bytes.
     *
     * @param bytes how many, from 0
     * @return just as many; {@link java.io.EOFException} if the peer stops before
     */
    public CompletableFuture<byte[]> readExactly(int bytes) {
        return readExactly(bytes, null);
    }

    /**
     * Reads so many bytes.
     *
     * @param bytes how many, from 0
     * @param limit how long to wait for all of them, or null for as long as the task lasts
     * @return see {@link #readExactly(int)}
     */
    public CompletableFuture<byte[]> readExactly(int bytes, @Nullable Duration limit) {
        checkArgument(bytes >= 0, "bytes must not be negative: %s", bytes);
        return begin(new Inbound.Exactly(this, bytes), limit);
    }

    /**
     * Reads a line of UTF-8 that ends with LF or CRLF.
     *
     * @param maxBytes how long it may be, from 1. A longer one is an {@link IOException}, and stays to be read
     * @return the line without its end. The last one may lack its end; null if there is none any more
     */
    public CompletableFuture<@Nullable String> readLine(int maxBytes) {
        return readLine(maxBytes, null);
    }

    /**
     * Reads a line of UTF-8 that ends with LF or CRLF.
     *
     * @param maxBytes see {@link #readLine(int)}
     * @param limit how long to wait for the whole line, or null for as long as the task lasts
     * @return see {@link #readLine(int)}
     */
    public CompletableFuture<@Nullable String> readLine(int maxBytes, @Nullable Duration limit) {
        checkArgument(maxBytes > 0, "maxBytes must be positive: %s", maxBytes);
        return begin(new Inbound.Line(this, maxBytes), limit);
    }

    private <T> CompletableFuture<T> begin(Reading<T> reading, @Nullable Duration limit) {
        onLoop(reading, () -> beginReading(reading, limit));
        return reading;
    }

    private void beginReading(Reading<?> reading, @Nullable Duration limit) {
        if (inbound.reading() != null || handler != null) {
            reading.completeExceptionally(new IllegalStateException(this
                    + (handler != null
                            ? " is read by a handler"
                            : " is being read already: wait for that future first")));
            return;
        }
        if (end != null || isClosing) {
            reading.completeExceptionally(closedFailure());
            return;
        }
        inbound.begin(reading);
        if (!thread.mayCompleteInline() && inbound.hasBytes()) {
            task.execute(this::satisfy);
        } else {
            satisfy();
        }
        if (reading.isDone()) {
            return;
        }
        want(SelectionKey.OP_READ, !isInputEnded);
        if (limit != null) {
            reading.timer = thread.schedule(task, () -> withdraw(reading, limit), NANOSECONDS.convert(limit));
        }
        if (tls != null) {
            readOn(tls);
        }
    }

    private void satisfy() {
        try {
            inbound.satisfy(isInputEnded);
        } catch (IOException e) {
            inbound.fail(e);
        }
    }

    private void withdraw(Reading<?> reading, Duration limit) {
        if (inbound.reading() == reading) {
            inbound.fail(new SocketTimeoutException(this + " gave no " + reading.wanted() + " within " + limit));
        }
    }

    /** The future was cancelled. */
    void withdraw(Reading<?> reading) {
        onLoop(reading, () -> inbound.withdraw(reading));
    }

    /**
     * Has all input handled as it comes, instead of reading it. May be called once, when nothing is being read.
     *
     * @param bytes what handles it
     * @return completes when the connection is closed by either side, and fails if that was because of a failure
     */
    public CompletableFuture<Void> handle(BytesHandler bytes) {
        Objects.requireNonNull(bytes, "bytes");
        LoopFuture<Void> future = new LoopFuture<>(thread);
        onLoop(future, () -> {
            if (handler != null || inbound.reading() != null) {
                future.completeExceptionally(new IllegalStateException(this + " is being read already"));
            } else if (end != null || isClosing) {
                future.completeExceptionally(closedFailure());
            } else {
                handler = bytes;
                handled = future;
                try {
                    if (inbound.hasBytes()) {
                        bytes.bytes(this, inbound.view());
                        inbound.consumeView();
                    }
                    if (isInputEnded) {
                        bytes.end(this);
                    }
                } catch (Throwable e) {
                    abort(e);
                }
                want(SelectionKey.OP_READ, !isInputEnded && !outbound.isAboveMark());
                if (tls != null) {
                    readOn(tls);
                }
            }
        });
        return future;
    }

    // ---------------------------------------------------------------------------------------------- writing

    /**
     * Writes bytes. They are sent in the order of the calls; the buffer may be used again when this returns.
     *
     * @param bytes all that remains in it is taken
     * @return completes when no more than the strategy's {@code outboundMark} is left to be sent: who writes much waits for
     *     it before the next write. To write when sixteen times as much is left fails with
     *     {@link IllegalStateException}, and nothing of it is sent
     */
    public CompletableFuture<Void> write(ByteBuffer bytes) {
        return write(bytes, null);
    }

    /**
     * Writes bytes.
     *
     * @param bytes see {@link #write(ByteBuffer)}
     * @param limit how long to wait for room, or null for as long as the task lasts. They are sent all the same
     * @return see {@link #write(ByteBuffer)}
     */
    public CompletableFuture<Void> write(ByteBuffer bytes, @Nullable Duration limit) {
        if (thread.isCurrent()) {
            return writeOnLoop(bytes, limit);
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        LoopFuture<Void> future = new LoopFuture<>(thread);
        onLoop(future, () -> {
            CompletableFuture<Void> written = writeOnLoop(ByteBuffer.wrap(copy), limit);
            var unused = written.whenComplete((value, failure) -> {
                if (failure == null) {
                    future.complete(null);
                } else {
                    future.completeExceptionally(failure);
                }
            });
            unused = future.whenComplete((value, failure) -> written.cancel(false)); // if by others
        });
        return future;
    }

    /**
     * Writes bytes.
     *
     * @param bytes see {@link #write(ByteBuffer)}
     * @return see {@link #write(ByteBuffer)}
     */
    public CompletableFuture<Void> write(byte[] bytes) {
        return write(ByteBuffer.wrap(bytes), null);
    }

    /**
     * Writes text in UTF-8.
     *
     * @param text what to write
     * @return see {@link #write(ByteBuffer)}
     */
    public CompletableFuture<Void> write(String text) {
        return write(text.getBytes(UTF_8));
    }

    private CompletableFuture<Void> writeOnLoop(ByteBuffer bytes, @Nullable Duration limit) {
        if (end != null || isClosing) {
            return CompletableFuture.failedFuture(closedFailure());
        }
        if (isOutputShut) {
            return CompletableFuture.failedFuture(new Closed(this + ": this side has shut its output"));
        }
        if (outbound.isFull()) {
            return CompletableFuture.failedFuture(new IllegalStateException(outbound.pending()
                    + " bytes wait for the peer of " + this + ": wait for the future of a write before the next"));
        }
        try {
            outbound.write(bytes);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(broken(e));
        }
        if (outbound.pending() == 0) {
            return thread.done();
        }
        want(SelectionKey.OP_WRITE, true);
        if (!outbound.isAboveMark()) {
            return thread.done();
        }
        if (handler != null) {
            want(SelectionKey.OP_READ, false);
        }
        return outbound.await(outbound.mark(), this, limit);
    }

    /**
     * Waits until all that was written has been handed to the system.
     *
     * @param limit how long to wait, or null for as long as the task lasts
     * @return completes when nothing is left
     */
    public CompletableFuture<Void> flush(@Nullable Duration limit) {
        LoopFuture<Void> future = new LoopFuture<>(thread);
        onLoop(future, () -> {
            if (end != null) {
                future.completeExceptionally(closedFailure());
            } else if (outbound.pending() == 0) {
                future.complete(null);
            } else {
                outbound.await(future, 0, this, limit);
            }
        });
        return future;
    }

    /**
     * Says that nothing more will be written; what the peer sends can still be read. With TLS 1.2 the peer then ends its
     * side, too.
     *
     * @return completes when all that was written, and this, has been handed to the system
     */
    public CompletableFuture<Void> shutdownOutput() {
        LoopFuture<Void> future = new LoopFuture<>(thread);
        onLoop(future, () -> {
            if (end != null) {
                future.completeExceptionally(closedFailure());
                return;
            }
            isOutputShut = true;
            if (outbound.pending() > 0) {
                outbound.await(future, 0, this, null);
                return; // drained() goes on
            }
            drained();
            if (end != null) {
                future.completeExceptionally(closedFailure());
            } else if (outbound.pending() == 0) {
                future.complete(null);
            } else {
                outbound.await(future, 0, this, null);
            }
        });
        return future;
    }

    /**
     * Closes the connection when what was written has been sent, after five seconds at the latest. What waits for input
     * fails at once. To close it again does nothing. With TLS the peer is told that this was all; a client that has
     * received nothing yet waits as long for the first that comes, without which what was written could be lost.
     *
     * @return completes when it is closed
     */
    public CompletableFuture<Void> close() {
        try {
            task.runOnLoop(this::closeOrderly);
        } catch (RejectedExecutionException e) {
            log.trace("{} is closed with its loop, which says so", this, e);
        }
        return closed;
    }

    /**
     * Completes when it is closed, for whatever reason.
     *
     * @return the same future as {@link #close}
     */
    public CompletableFuture<Void> closed() {
        return closed;
    }

    private void closeOrderly() {
        if (end != null || isClosing) {
            return;
        }
        if (outbound.pending() == 0) {
            outbound.completeWaits(); // what they call may write, or close
            if (end != null || isClosing) {
                return;
            }
        }
        if (outbound.pending() == 0 && tls == null) {
            closeNow(new Closed("by this side"));
            return;
        }
        isClosing = true;
        inbound.fail(closedFailure());
        want(SelectionKey.OP_READ, false);
        thread.beginLinger();
        linger = thread.schedule(task, this::lingered, NANOSECONDS.convert(LINGER));
        if (outbound.pending() == 0) {
            drained();
        }
    }

    private void lingered() {
        if (outbound.pending() == 0) {
            closeSent();
        } else {
            closeNow(new SocketTimeoutException(
                    this + " was closed, and its peer did not take what was written within " + LINGER));
        }
    }

    /** Closes it when all has been sent: who waits for that has it. */
    private void closeSent() {
        outbound.completeWaits();
        closeNow(new Closed("by this side"));
    }

    /** Runs it on the loop, or fails the future if that has ended. */
    private void onLoop(CompletableFuture<?> future, Runnable action) {
        try {
            task.runOnLoop(action);
        } catch (RejectedExecutionException e) {
            future.completeExceptionally(e);
        }
    }

    // ---------------------------------------------------------------------------------------------- on the loop

    private void want(int operation, boolean isWanted) {
        int next = isWanted ? interest | operation : interest & ~operation;
        if (next != interest && end == null && key.isValid()) {
            interest = next;
            key.interestOps(next);
        }
    }

    @Override
    void ready(SelectionKey ready) {
        int operations = ready.readyOps();
        if ((operations & SelectionKey.OP_WRITE) != 0) {
            writeReady();
        }
        if ((operations & SelectionKey.OP_READ) != 0 && end == null) {
            readReady();
        }
    }

    private void readReady() {
        BytesHandler handling = handler;
        if ((handling == null && inbound.reading() == null) || isClosing) {
            if (isClosing && tls != null && tls.discard() && tls.awaitsTickets()) {
                return;
            }
            want(SelectionKey.OP_READ, false);
            if (isClosing && outbound.pending() == 0) {
                closeSent();
            }
            return;
        }
        ByteBuffer fresh = thread.buffers().input();
        int count;
        try {
            count = tls == null ? channel.read(fresh) : tls.read(fresh);
        } catch (IOException e) {
            broken(e);
            return;
        }
        if (count != 0) {
            take(count, fresh, handling);
        }
        if (tls != null) {
            readOn(tls);
        }
    }

    private void take(int count, ByteBuffer fresh, @Nullable BytesHandler handling) {
        try {
            if (count < 0) {
                isInputEnded = true;
                want(SelectionKey.OP_READ, false);
                if (handling != null) {
                    handling.end(this);
                } else {
                    inbound.satisfy(true);
                }
                return;
            }
            fresh.flip();
            if (handling == null) {
                inbound.add(fresh);
                inbound.satisfy(false);
            } else {
                deliver(handling, fresh);
            }
        } catch (Throwable e) {
            if (handling == null && e instanceof Exception) {
                inbound.fail(e);
            } else {
                abort(e);
            }
        }
    }

    /** Reads on if it is wanted and the selector will not say that there is something: it has been taken from the system. */
    private void readOn(TlsLink link) {
        if (end != null) {
            return;
        }
        if (link.unsent() > 0) {
            want(SelectionKey.OP_WRITE, true); // an answer of TLS itself
        }
        if (link.mustWriteFirst()) {
            // Until writeReady(): the selector would say again and again what has come.
            want(SelectionKey.OP_READ, false);
        }
        // While it is closed, what comes is dropped as it is; and the loop may take no more work.
        boolean isWanted =
                !isClosing && (interest & SelectionKey.OP_READ) != 0 && (handler != null || inbound.reading() != null);
        if (isWanted && link.mayReadOn() && !isReadingOn) {
            isReadingOn = true;
            try {
                task.execute(() -> {
                    isReadingOn = false;
                    if (end == null && (interest & SelectionKey.OP_READ) != 0) {
                        try {
                            readReady();
                        } catch (Throwable e) {
                            abort(e); // as the loop does when the selector has called
                        }
                    }
                });
            } catch (RejectedExecutionException e) {
                isReadingOn = false;
                log.trace("{} reads no more, since it is closed with its strategy", this, e);
            }
        }
    }

    private void deliver(BytesHandler handling, ByteBuffer fresh) throws Exception {
        if (!inbound.hasBytes()) {
            handling.bytes(this, fresh);
            if (fresh.hasRemaining() && end == null) {
                inbound.add(fresh);
            }
        } else {
            inbound.add(fresh);
            handling.bytes(this, inbound.view());
            if (end == null) {
                inbound.consumeView();
            }
        }
        if (end == null && inbound.size() > Buffers.CAPACITY) {
            throw new IOException("the handler of " + this + " leaves " + inbound.size() + " bytes, more than "
                    + Buffers.CAPACITY + ": keep them elsewhere");
        }
    }

    private void writeReady() {
        try {
            outbound.flush();
        } catch (IOException e) {
            broken(e);
            return;
        }
        if (outbound.pending() == 0) {
            want(SelectionKey.OP_WRITE, false);
            drained();
            if (end != null) {
                return;
            }
        }
        boolean isReadOn = handler != null ? !outbound.isAboveMark() : inbound.reading() != null;
        if (isReadOn && !isInputEnded && !isClosing) {
            want(SelectionKey.OP_READ, true);
        }
        outbound.completeWaits();
        if (tls != null) {
            readOn(tls);
        }
    }

    /** Everything has been written. */
    private void drained() {
        if (tls != null) {
            drained(tls);
        } else if (isClosing) {
            closeSent();
        } else if (isOutputShut) {
            try {
                channel.shutdownOutput();
            } catch (IOException e) {
                broken(e);
            }
        }
    }

    private void drained(TlsLink link) {
        if (!isClosing && !isOutputShut) {
            return;
        }
        try {
            link.closeOutput();
            if (link.unsent() > 0) {
                want(SelectionKey.OP_WRITE, true);
                return; // and comes back when that is sent
            }
            if (!isClosing) {
                return;
            }
            if (link.discard() && link.awaitsTickets()) {
                channel.shutdownOutput();
                want(SelectionKey.OP_READ, true);
                return;
            }
            closeSent();
        } catch (IOException e) {
            broken(e);
        }
    }

    /** The channel failed: closes it. */
    private IOException broken(IOException failure) {
        String message = this + ": " + failure.getMessage();
        IOException explained;
        if (tls != null && failure instanceof SSLException) {
            explained = new SSLException(message, failure);
            tls.refuse();
        } else {
            explained = new SocketException(message);
            explained.initCause(failure);
        }
        closeNow(explained);
        return explained;
    }

    private Throwable closedFailure() {
        Throwable why = end;
        if (why instanceof IOException && !(why instanceof Closed)) {
            return why;
        }
        Closed failure = new Closed(this + " is closed" + (why == null ? "" : ": " + messageOf(why)));
        if (why != null) {
            failure.initCause(why);
        }
        return failure;
    }

    private static @Nullable String messageOf(Throwable why) {
        try {
            return why.getMessage();
        } catch (Throwable e) { // the handler's own
            return why.getClass().getName();
        }
    }

    @Override
    void taskEnded(boolean succeeded) {
        if (succeeded) {
            closeOrderly();
        } else {
            closeNow(ended(task));
        }
    }

    @Override
    void abort(Throwable why) {
        boolean isReported =
                end == null && !(why instanceof IOException) && !(why instanceof RejectedExecutionException);
        closeNow(why);
        if (isReported) {
            LoopThread.report(() ->
                    log.warn("The handler of {} in workload '{}' failed; it is closed", this, task.workload(), why));
        }
    }

    /** The server's handler failed, maybe because it is being closed: then what was written is sent all the same. */
    void handlerFailed(Throwable why) {
        if (!isClosing) {
            closeNow(why);
        }
    }

    /** Closes it, whatever has not been written, and fails all that waits for it. */
    void closeNow(Throwable why) {
        if (end != null) {
            return;
        }
        end = why;
        if (isClosing) {
            thread.endLinger();
        }
        if (linger != null) {
            linger.cancel();
            linger = null;
        }
        if (tls != null) {
            tls.close();
        }
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("{} could not be closed", this, e);
        }
        task.remove(this);
        inbound.fail(closedFailure());
        inbound.clear();
        outbound.clear(closedFailure());
        LoopFuture<Void> handling = handled;
        if (handling != null) {
            if (why instanceof Closed) {
                handling.complete(null);
            } else {
                handling.completeExceptionally(why);
            }
        }
        closed.complete(null);
    }

    @Override
    public String toString() {
        return "Connection[" + remote + "]";
    }
}
