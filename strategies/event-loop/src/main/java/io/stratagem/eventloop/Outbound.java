package io.stratagem.eventloop;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** What was written and has not been taken by the system, and who waits for that. Only the loop's thread uses it. */
final class Outbound {
    /** So many times the mark may wait before writes are refused. */
    private static final int FULL_FACTOR = 16;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final WritableByteChannel channel;
    private final LoopThread thread;
    private final int mark;

    /** What encrypts, if anything does: it is the channel then. */
    private final @Nullable TlsLink tls;

    private final Deque<Chunk> chunks = new ArrayDeque<>(0);

    private final Deque<Wait> waits = new ArrayDeque<>(0);
    private long pending;

    /** Bytes of which [start, end) are to be written; more may be put behind the end of the last chunk. */
    private static final class Chunk {
        private final byte[] bytes;
        private int start;
        private int end;

        Chunk(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    /** Someone waits until no more than {@code most} bytes are left. */
    private static final class Wait {
        private final LoopFuture<Void> future;
        private final long most;
        private LoopThread.@Nullable Scheduled timer;
        private boolean isOver;

        Wait(LoopFuture<Void> future, long most) {
            this.future = future;
            this.most = most;
        }

        /** To be called before its future is completed. */
        void end() {
            isOver = true;
            if (timer != null) {
                timer.cancel();
            }
        }
    }

    Outbound(WritableByteChannel socket, @Nullable TlsLink tls, LoopThread thread) {
        this.channel = tls == null ? socket : tls;
        this.tls = tls;
        this.thread = thread;
        this.mark = thread.engine().settings().outboundMarkBytes();
    }

    long pending() {
        return tls == null ? pending : pending + tls.unsent();
    }

    int mark() {
        return mark;
    }

    boolean isAboveMark() {
        return pending > mark;
    }

    boolean isFull() {
        return pending > (long) FULL_FACTOR * mark;
    }

    /** Writes what the system takes, and keeps a copy of the rest. */
    void write(ByteBuffer bytes) throws IOException {
        if (pending == 0) {
            if (bytes.isDirect() || tls != null) {
                channel.write(bytes);
            } else {
                writeHeap(bytes);
            }
        }
        if (bytes.hasRemaining()) {
            keep(bytes);
        }
    }

    /** By our own direct buffer: the JDK would keep one as large as the largest that was ever written. */
    private void writeHeap(ByteBuffer bytes) throws IOException {
        boolean isTaken = true;
        while (bytes.hasRemaining() && isTaken) {
            ByteBuffer direct = thread.buffers().output();
            int count = Math.min(bytes.remaining(), direct.remaining());
            direct.put(bytes.duplicate().limit(bytes.position() + count)).flip();
            int written = channel.write(direct);
            bytes.position(bytes.position() + written);
            isTaken = written == count;
        }
    }

    private void keep(ByteBuffer bytes) {
        pending += bytes.remaining();
        while (bytes.hasRemaining()) {
            Chunk last = chunks.peekLast();
            if (last == null || last.end == last.bytes.length) {
                last = new Chunk(thread.buffers().takeArray());
                chunks.addLast(last);
            }
            int count = Math.min(bytes.remaining(), last.bytes.length - last.end);
            bytes.get(last.bytes, last.end, count);
            last.end += count;
        }
    }

    /** Writes what the system takes now. */
    void flush() throws IOException {
        if (tls != null && tls.unsent() > 0) {
            channel.write(NOTHING);
        }
        while (pending > 0) {
            ByteBuffer direct = thread.buffers().output();
            for (Chunk chunk : chunks) {
                int count = Math.min(chunk.end - chunk.start, direct.remaining());
                if (count == 0) {
                    break;
                }
                direct.put(chunk.bytes, chunk.start, count);
            }
            direct.flip();
            int offered = direct.remaining();
            int written = channel.write(direct);
            pending -= written;
            drop(written);
            if (written < offered) {
                return;
            }
        }
    }

    private void drop(int written) {
        int left = written;
        while (left > 0) {
            Chunk first = chunks.element();
            int count = Math.min(left, first.end - first.start);
            first.start += count;
            left -= count;
            if (first.start == first.end) {
                chunks.removeFirst();
                thread.buffers().giveArray(first.bytes);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- who waits

    CompletableFuture<Void> await(long most, Connection connection, @Nullable Duration limit) {
        LoopFuture<Void> future = new LoopFuture<>(thread);
        await(future, most, connection, limit);
        return future;
    }

    void await(LoopFuture<Void> future, long most, Connection connection, @Nullable Duration limit) {
        Wait wait = new Wait(future, most);
        if (limit != null) {
            wait.timer = thread.schedule(
                    connection.task,
                    () -> {
                        waits.remove(wait);
                        wait.end();
                        future.completeExceptionally(new SocketTimeoutException(
                                connection + " did not take what was written within " + limit));
                    },
                    NANOSECONDS.convert(limit));
        }
        waits.add(wait);
        var unused = future.whenComplete((nothing, failure) -> withdraw(wait, connection.task));
    }

    /** Its future is done: by others, as orTimeout does, if it is not over. Any thread may call it. */
    private void withdraw(Wait wait, LoopTask task) {
        try {
            task.runOnLoop(() -> {
                if (!wait.isOver) {
                    wait.end();
                    waits.remove(wait);
                }
            });
        } catch (RejectedExecutionException e) {
            // The loop ends, and with it all that waits.
        }
    }

    /** Completes those that have waited for what is there now. What they call may write. */
    void completeWaits() {
        for (int i = waits.size(); i > 0; i--) {
            Wait wait = waits.poll();
            if (wait == null) {
                return;
            }
            if (pending() <= wait.most) {
                wait.end();
                wait.future.complete(null);
            } else {
                waits.add(wait);
            }
        }
    }

    void clear(Throwable why) {
        pending = 0;
        for (Chunk chunk = chunks.poll(); chunk != null; chunk = chunks.poll()) {
            thread.buffers().giveArray(chunk.bytes);
        }
        for (Wait wait = waits.poll(); wait != null; wait = waits.poll()) {
            wait.end();
            wait.future.completeExceptionally(why);
        }
    }
}
