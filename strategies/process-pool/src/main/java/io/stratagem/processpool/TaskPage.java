package io.stratagem.processpool;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What a worker is doing, in a page of memory that it shares with the application: so the application knows it also when
 * the worker was killed, and can kill it for one task without hitting the next.
 */
/* One word, changed by compare-and-set on both sides:
 *
 *     63             22 21        2 1     0
 *     | batch          | task      | state |
 *
 * The worker goes IDLE or FINISHED (i - 1) -> RUNNING (i) -> FINISHED (i) -> ... -> IDLE. The application goes RUNNING (i)
 * or FINISHED (i) -> DOOMED (i), and kills it then; the worker, when its own step fails, does nothing more. IDLE keeps the
 * numbers of the last task.
 */
final class TaskPage {
    static final int SIZE = 64;

    enum State {
        IDLE(0),
        RUNNING(1),
        FINISHED(2),
        DOOMED(3);

        private final int bits;

        State(int bits) {
            this.bits = bits;
        }
    }

    private static final int INDEX_BITS = 20;
    private static final State[] STATES = State.values();
    private static final VarHandle WORD = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final MappedByteBuffer memory;

    private TaskPage(MappedByteBuffer memory) {
        this.memory = memory;
    }

    static TaskPage create(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            // Written, not only mapped: so a full disk is an IOException here and not an error at the first access.
            channel.write(ByteBuffer.allocate(SIZE));
            HostSystem.restrictToOwner(file);
            return new TaskPage(channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE));
        }
    }

    static TaskPage open(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new TaskPage(channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE));
        }
    }

    /** What the word says at one moment. */
    record Look(long batch, int index, State state) {
        /** Whether the task, or one after it in its batch, has been started. */
        boolean hasStarted(long aBatch, int anIndex) {
            return batch > aBatch || (batch == aBatch && index >= anIndex);
        }
    }

    Look look() {
        long word = (long) WORD.getVolatile(memory, 0);
        return new Look(
                word >>> (INDEX_BITS + 2), (int) (word >>> 2) & ((1 << INDEX_BITS) - 1), STATES[(int) word & 3]);
    }

    private static long word(long batch, int index, State state) {
        return batch << (INDEX_BITS + 2) | (long) index << 2 | state.bits;
    }

    // ---------------------------------------------------------------------------------------------- the worker

    /** Begins a task; false if the worker is doomed. */
    boolean start(long batch, int index) {
        return step(word(batch, index, State.RUNNING));
    }

    /** Ends it; false if the worker is doomed. */
    boolean finish(long batch, int index) {
        return step(word(batch, index, State.FINISHED));
    }

    /** There is nothing to do; false if the worker is doomed. */
    boolean rest() {
        long now = (long) WORD.getVolatile(memory, 0);
        return step((now & ~3L) | State.IDLE.bits);
    }

    /** Only the worker takes such steps, so nothing but its doom can come between. */
    private boolean step(long next) {
        long now = (long) WORD.getVolatile(memory, 0);
        return ((int) now & 3) != State.DOOMED.bits && WORD.compareAndSet(memory, 0, now, next);
    }

    // ---------------------------------------------------------------------------------------------- the application

    /** Dooms the worker if it is at that task; it does not go on to another one then. */
    boolean doom(long batch, int index, boolean evenIfFinished) {
        for (; ; ) {
            long now = (long) WORD.getVolatile(memory, 0);
            boolean isAtIt = now == word(batch, index, State.RUNNING)
                    || (evenIfFinished && now == word(batch, index, State.FINISHED));
            if (!isAtIt) {
                return false;
            }
            if (WORD.compareAndSet(memory, 0, now, word(batch, index, State.DOOMED))) {
                return true;
            }
        }
    }
}
