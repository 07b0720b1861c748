package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** What has come over a connection and has not been read, and who waits for more. Only the loop's thread uses it. */
final class Inbound {
    private static final byte[] NONE = {};

    private final LoopThread thread;
    private byte[] bytes = NONE;
    private int start;
    private int end;

    /** What was shown to the handler last. */
    private @Nullable ByteBuffer view;

    private @Nullable Reading<?> reading;

    Inbound(LoopThread thread) {
        this.thread = thread;
    }

    /** A read that has not got what it wants. Others may complete it, too: whoever claims it does. */
    abstract static class Reading<T> extends LoopFuture<T> {
        final Connection connection;
        LoopThread.@Nullable Scheduled timer;
        private final AtomicBoolean isClaimed = new AtomicBoolean();

        Reading(Connection connection) {
            super(connection.task.thread());
            this.connection = connection;
        }

        /**
         * Completes this if there is enough, or the end.
         *
         * @throws IOException if there will never be
         */
        abstract void tryComplete(Inbound inbound, boolean isEnd) throws IOException;

        abstract String wanted();

        final boolean claim() {
            return isClaimed.compareAndSet(false, true);
        }

        final void completeClaimed(T value) {
            super.complete(value);
        }

        @Override
        public final boolean complete(T value) {
            return claim() && super.complete(value);
        }

        @Override
        public final boolean completeExceptionally(Throwable failure) {
            return claim() && super.completeExceptionally(failure);
        }

        @Override
        public final boolean cancel(boolean mayInterruptIfRunning) {
            if (!claim()) {
                return isCancelled();
            }
            boolean isCancelled = super.cancel(mayInterruptIfRunning);
            connection.withdraw(this);
            return isCancelled;
        }
    }

    // ---------------------------------------------------------------------------------------------- who reads

    @Nullable
    Reading<?> reading() {
        Reading<?> present = reading;
        if (present != null && present.isDone()) {
            withdraw(present); // by others, as orTimeout does: it is to take nothing
        }
        return reading;
    }

    void begin(Reading<?> next) {
        reading = next;
    }

    void withdraw(Reading<?> cancelled) {
        if (reading == cancelled) {
            reading = null;
            disarm(cancelled);
        }
    }

    /** Completes the present read, if it can be. It may begin the next one at once. */
    void satisfy(boolean isEnd) throws IOException {
        Reading<?> present = reading();
        if (present != null) {
            present.tryComplete(this, isEnd);
        }
    }

    /** Fails the present read, if there is one. */
    void fail(Throwable why) {
        Reading<?> present = reading;
        if (present != null) {
            reading = null;
            disarm(present);
            present.completeExceptionally(why);
        }
    }

    /** Completes the read with so many of the bytes, and takes them off. */
    private <T> void done(Reading<T> present, T value, int count) {
        reading = null;
        disarm(present);
        if (!present.claim()) {
            return; // others complete it just now: it takes nothing
        }
        start += count; // before, since what depends on it may read on
        present.completeClaimed(value);
        if (!hasBytes()) {
            clear();
        }
    }

    private void takeFor(Reading<byte[]> present, int count) {
        done(present, Arrays.copyOfRange(bytes, start, start + count), count);
    }

    private static void disarm(Reading<?> done) {
        LoopThread.Scheduled armed = done.timer;
        if (armed != null) {
            done.timer = null;
            armed.cancel();
        }
    }

    // ---------------------------------------------------------------------------------------------- the bytes

    boolean hasBytes() {
        return start < end;
    }

    int size() {
        return end - start;
    }

    /** Copies all of it. */
    void add(ByteBuffer fresh) {
        int count = fresh.remaining();
        if (bytes.length - end < count) {
            makeRoom(count);
        }
        fresh.get(bytes, end, count);
        end += count;
    }

    private void makeRoom(int count) {
        int needed = Math.addExact(size(), count);
        byte[] target = bytes;
        if (bytes.length < needed) {
            target = needed <= Buffers.ARRAY_BYTES
                    ? thread.buffers().takeArray()
                    : new byte[(int) Math.min(Integer.MAX_VALUE - 8, Math.max(needed, 2L * bytes.length))];
        }
        System.arraycopy(bytes, start, target, 0, size());
        end -= start;
        start = 0;
        if (target != bytes) {
            thread.buffers().giveArray(bytes);
            bytes = target;
        }
    }

    private void skip(int count) {
        start += count;
        if (start == end) {
            clear();
        }
    }

    /** All of it, for a handler. */
    ByteBuffer view() {
        ByteBuffer all = ByteBuffer.wrap(bytes, start, size());
        view = all;
        return all;
    }

    /** Takes off what the handler has taken from the view. */
    void consumeView() {
        ByteBuffer shown = view;
        view = null;
        if (shown != null) {
            skip(shown.position() - start);
        }
    }

    void clear() {
        if (view == null) { // else the handler closes its connection, and may still be reading
            thread.buffers().giveArray(bytes);
        }
        bytes = NONE;
        start = 0;
        end = 0;
        view = null;
    }

    // ---------------------------------------------------------------------------------------------- ways to read

    /** Whatever there is. */
    static final class Some extends Reading<byte[]> {
        Some(Connection connection) {
            super(connection);
        }

        @Override
        void tryComplete(Inbound inbound, boolean isEnd) {
            if (inbound.hasBytes() || isEnd) {
                inbound.takeFor(this, Math.min(inbound.size(), Buffers.CAPACITY));
            }
        }

        @Override
        String wanted() {
            return "byte";
        }
    }

    /** So many. */
    static final class Exactly extends Reading<byte[]> {
        private final int count;

        Exactly(Connection connection, int count) {
            super(connection);
            this.count = count;
        }

        @Override
        void tryComplete(Inbound inbound, boolean isEnd) throws IOException {
            if (inbound.size() >= count) {
                inbound.takeFor(this, count);
            } else if (isEnd) {
                throw new EOFException(connection + " ended after " + inbound.size() + " of " + wanted());
            }
        }

        @Override
        String wanted() {
            return count + " bytes";
        }
    }

    /** Up to the end of the line. */
    static final class Line extends Reading<@Nullable String> {
        private final int maxBytes;
        private int searched;

        Line(Connection connection, int maxBytes) {
            super(connection);
            this.maxBytes = maxBytes;
        }

        @Override
        @SuppressWarnings("NullAway") // the future may hold null
        void tryComplete(Inbound inbound, boolean isEnd) throws IOException {
            byte[] bytes = inbound.bytes;
            int start = inbound.start;
            for (int i = start + searched; i < inbound.end; i++) {
                if (bytes[i] == '\n') {
                    int length = i > start && bytes[i - 1] == '\r' ? i - start - 1 : i - start;
                    check(length);
                    String line = new String(bytes, start, length, UTF_8);
                    inbound.done(this, line, i + 1 - start);
                    return;
                }
            }
            searched = inbound.size();
            // The last byte may be the first of a CRLF.
            check(isEnd ? searched : searched - 1);
            if (isEnd) {
                String last = searched == 0 ? null : new String(bytes, start, searched, UTF_8);
                inbound.done(this, last, searched);
            }
        }

        private void check(int length) throws IOException {
            if (length > maxBytes) {
                throw new IOException(connection + " sent a line longer than " + maxBytes + " bytes");
            }
        }

        @Override
        String wanted() {
            return "line";
        }
    }
}
