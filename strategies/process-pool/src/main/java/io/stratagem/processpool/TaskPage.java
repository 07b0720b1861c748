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
 * the worker was killed, can kill it for one task without hitting the next, and can take back what it has not begun.
 */
/* First a word that is changed by compare-and-set on both sides:
 *
 *     63             22 21        2 1     0
 *     | batch          | task      | state |
 *
 * The worker goes IDLE or FINISHED (i - 1) -> RUNNING (i) -> FINISHED (i) -> ... -> IDLE. It leaves out FINISHED (i) where
 * the next step follows in an instant: that is, where the result is a number, and others are not just being sent. The
 * application goes RUNNING (i) or FINISHED (i) -> DOOMED (i), and kills it then; the worker, when its own step fails, does
 * nothing more. IDLE keeps the numbers of the last task.
 *
 * Then, for each of the few batches that may be at the worker at once, a bit for each task, which the application sets to
 * take it back. It sets the bit and then looks at the word, and the worker makes its step to RUNNING and then looks at
 * the bit: so at least one of them sees the other.
 */
final class TaskPage {
    /** The most tasks of a batch. */
    static final int MAX_BATCH = 4096;

    /** The most batches at the worker at once. */
    static final int MAX_BATCHES = 4;

    private static final int REVOKED_OFFSET = 64;
    private static final int SLOT_BYTES = MAX_BATCH / Byte.SIZE;
    static final int SIZE = REVOKED_OFFSET + MAX_BATCHES * SLOT_BYTES;

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

    /** In the application: which batch has each slot of bits; guarded by itself. */
    private final long[] slots = new long[MAX_BATCHES];

    private final boolean[] isDirty = new boolean[MAX_BATCHES];

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

        /** The first task of a batch that has not been started; the size if all have. */
        int firstUnstarted(long aBatch, int size) {
            if (batch != aBatch) {
                return batch > aBatch ? size : 0;
            }
            return Math.min(index + 1, size);
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

    /** Whether a task that has just been begun has been taken back. */
    boolean isRevoked(long batch, int index) {
        long bits = (long) WORD.getVolatile(memory, revokedOffset(batch, index));
        return (bits & 1L << index) != 0;
    }

    private static int revokedOffset(long batch, int index) {
        return REVOKED_OFFSET + slot(batch) * SLOT_BYTES + index / Long.SIZE * Long.BYTES;
    }

    private static int slot(long batch) {
        return (int) (batch & MAX_BATCHES - 1);
    }

    /** Only the worker takes such steps, so nothing but its doom can come between. */
    private boolean step(long next) {
        long now = (long) WORD.getVolatile(memory, 0);
        return ((int) now & 3) != State.DOOMED.bits && WORD.compareAndSet(memory, 0, now, next);
    }

    // ---------------------------------------------------------------------------------------------- the application

    /** Whether the tasks of two batches have the same bits: they must not both be at the worker. */
    static boolean havePlaceInCommon(long batch, long other) {
        return slot(batch) == slot(other);
    }

    /** Before a batch is sent. Its number is greater than that of the last one. */
    void prepare(long batch) {
        int slot = slot(batch);
        synchronized (slots) {
            slots[slot] = batch;
            if (isDirty[slot]) {
                isDirty[slot] = false;
                for (int index = 0; index < MAX_BATCH; index += Long.SIZE) {
                    memory.putLong(revokedOffset(batch, index), 0);
                }
            }
        }
    }

    /** Takes a task back, if the batch is still at the worker: it is not begun any more. */
    void revoke(long batch, int index) {
        revoke(batch, index, index + 1);
    }

    /**
     * Takes back tasks of a batch that is still at the worker, the last of them first: so, whenever the worker finds one of
     * them taken back, all behind it are.
     */
    void revoke(long batch, int from, int to) {
        int slot = slot(batch);
        synchronized (slots) {
            if (slots[slot] != batch) {
                return;
            }
            isDirty[slot] = true;
            int start;
            for (int end = to; end > from; end = start) {
                start = Math.max(from, (end - 1) / Long.SIZE * Long.SIZE);
                long bits = -1L << start & -1L >>> -end;
                WORD.getAndBitwiseOr(memory, revokedOffset(batch, start), bits);
            }
        }
    }

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
