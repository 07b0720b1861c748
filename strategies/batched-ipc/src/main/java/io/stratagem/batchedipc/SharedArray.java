package io.stratagem.batchedipc;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import io.stratagem.batchedipc.SharedMemoryFile.Filler;
import io.stratagem.processpool.spi.OutgoingResult;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An array of numbers in memory that processes share. It is passed to a task as a handle of some bytes, and is the
 * same array on the other side: nothing is copied, and each side sees what the other writes. It may be larger
 * than 2 GiB.
 *
 * <pre>{@code
 * try (SharedArray prices = SharedArray.copyOf(values)) {
 *     double sum = strategy.run(total, prices).orElseThrow();      // the task: prices.doubles(0, n)
 * }
 * }</pre>
 *
 * <p>Each task that gets it as its input has a {@code SharedArray} of its own. In a worker all of them lead to the same
 * mapping, so that only the first one takes some 0.1 ms; it is kept until half a second after the last use.
 *
 * <p><b>Threads.</b> Any thread of any process that has the array may use it. Reads and writes are those of a plain array:
 * they are seen elsewhere after something that orders them, as the start of a task and its result do. The methods with
 * {@code Volatile}, {@code compareAndSet} and {@code getAndAdd} order by themselves, also between processes.
 *
 * <p><b>Life.</b> The memory is in the RAM disk ({@code /dev/shm}) or, if that lacks room, in a file in
 * {@code java.io.tmpdir}; all of it is reserved when the array is made. It is freed when each process that has the array has
 * closed it or has ended, however it ended. A handle leads to the array of who passed it: <b>keep the array open until the
 * tasks that use it are done</b>. What a task gets is an array of its own, to be closed by the task. An array that is
 * forgotten is closed some time after the garbage collector has found it; each one open takes a file descriptor.
 *
 * <p><b>As a result.</b> A task may make an array and return it, also within a record or a list. So it gives the array away:
 * the worker keeps it open until the application has it, and closes it then, whatever the worker still has of it. Whoever
 * gets the result closes that. A task must not close what it returns, nor return what it wants to go on with. If the worker
 * dies before the application has rebuilt the result, the array is lost with it. A result that never arrives, since its
 * task was cancelled at the last moment, is freed after some minutes.
 *
 * <p><b>After {@link #close}</b> the methods throw {@link IllegalStateException}, and no use ever crashes the JVM. On Java 22
 * and newer the memory is unmapped at once, and every access through a buffer throws {@code IllegalStateException}, too;
 * buffers of an array that was passed to this process may stay valid as long as others here use the same array. On 17 to 21 buffers that were given out before stay valid, and the memory is unmapped when the garbage collector has found
 * that none can be reached; it is asked to look when memory is short.
 *
 * <p><b>Interrupts</b> do not stop the making or opening of an array; the thread stays interrupted.
 */
/* The elements are read and written through ByteBuffers of up to 1 GiB, on all versions of Java: a loop over a buffer is as
 * fast as one over an array there, and java.lang.foreign is not to be had on 17.
 */
public final class SharedArray implements AutoCloseable, Serializable {
    private static final long serialVersionUID = 1;

    private static final VarHandle INTS = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final VarHandle LONGS = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    /** The most bytes of one buffer: nearly 2 GiB, which is what Java allows, in whole elements of each type. */
    public static final int MAX_BUFFER_BYTES = Integer.MAX_VALUE - 15;

    /** What the elements are. */
    public enum Type {
        /** Of 8 bits. */
        BYTE(1, 0),
        /** Of 32 bits. */
        INT(2, 2),
        /** Of 64 bits. */
        LONG(3, 3),
        /** Of 32 bits, with a fraction. */
        FLOAT(4, 2),
        /** Of 64 bits, with a fraction. */
        DOUBLE(5, 3);

        /** In the header of a file. */
        private final int code;

        private final int shift;

        Type(int code, int shift) {
            this.code = code;
            this.shift = shift;
        }

        /**
         * The size of an element.
         *
         * @return in bytes
         */
        public int bytes() {
            return 1 << shift;
        }

        int code() {
            return code;
        }

        /** How many elements an array may have, so that sizes and file positions are in range. */
        long maxLength() {
            return (Long.MAX_VALUE / 2) >> shift;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final transient SharedMemory memory;
    private final transient Type type;
    private final transient long length;
    private final transient boolean isReadOnly;

    /** All of the memory. */
    SharedArray(SharedMemory memory) {
        this(memory, memory.isReadOnly());
    }

    private SharedArray(SharedMemory memory, boolean isReadOnly) {
        this.memory = memory;
        this.type = memory.contents().type();
        this.length = memory.contents().length();
        this.isReadOnly = isReadOnly;
    }

    // ---------------------------------------------------------------------------------------------- making

    /**
     * Makes an array of bytes, all 0. Blocks while it is reserved.
     *
     * @param length how many elements, from 0
     * @return the array; the caller closes it
     * @throws IllegalArgumentException if the length is negative, or larger than any memory
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray ofBytes(long length) {
        return create(Means.preferred(), Type.BYTE, length, null);
    }

    /**
     * Makes an array of ints, all 0. Blocks while it is reserved.
     *
     * @param length how many elements, from 0
     * @return the array; the caller closes it
     * @throws IllegalArgumentException if the length is negative, or larger than any memory
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray ofInts(long length) {
        return create(Means.preferred(), Type.INT, length, null);
    }

    /**
     * Makes an array of longs, all 0. Blocks while it is reserved.
     *
     * @param length how many elements, from 0
     * @return the array; the caller closes it
     * @throws IllegalArgumentException if the length is negative, or larger than any memory
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray ofLongs(long length) {
        return create(Means.preferred(), Type.LONG, length, null);
    }

    /**
     * Makes an array of floats, all 0. Blocks while it is reserved.
     *
     * @param length how many elements, from 0
     * @return the array; the caller closes it
     * @throws IllegalArgumentException if the length is negative, or larger than any memory
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray ofFloats(long length) {
        return create(Means.preferred(), Type.FLOAT, length, null);
    }

    /**
     * Makes an array of doubles, all 0. Blocks while it is reserved.
     *
     * @param length how many elements, from 0
     * @return the array; the caller closes it
     * @throws IllegalArgumentException if the length is negative, or larger than any memory
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray ofDoubles(long length) {
        return create(Means.preferred(), Type.DOUBLE, length, null);
    }

    /**
     * Makes an array with the same bytes. Blocks while they are copied.
     *
     * @param values what it is to contain
     * @return the array; the caller closes it
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray copyOf(byte[] values) {
        return create(
                Means.preferred(),
                Type.BYTE,
                values.length,
                (piece, at) -> piece.put(values, (int) at, piece.remaining()));
    }

    /**
     * Makes an array with the same ints. Blocks while they are copied.
     *
     * @param values what it is to contain
     * @return the array; the caller closes it
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray copyOf(int[] values) {
        return create(
                Means.preferred(),
                Type.INT,
                values.length,
                (piece, at) -> piece.asIntBuffer().put(values, (int) (at >> 2), piece.remaining() >> 2));
    }

    /**
     * Makes an array with the same longs. Blocks while they are copied.
     *
     * @param values what it is to contain
     * @return the array; the caller closes it
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray copyOf(long[] values) {
        return create(
                Means.preferred(),
                Type.LONG,
                values.length,
                (piece, at) -> piece.asLongBuffer().put(values, (int) (at >> 3), piece.remaining() >> 3));
    }

    /**
     * Makes an array with the same floats. Blocks while they are copied.
     *
     * @param values what it is to contain
     * @return the array; the caller closes it
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray copyOf(float[] values) {
        return create(
                Means.preferred(),
                Type.FLOAT,
                values.length,
                (piece, at) -> piece.asFloatBuffer().put(values, (int) (at >> 2), piece.remaining() >> 2));
    }

    /**
     * Makes an array with the same doubles. Blocks while they are copied.
     *
     * @param values what it is to contain
     * @return the array; the caller closes it
     * @throws UncheckedIOException if there is no room
     */
    public static SharedArray copyOf(double[] values) {
        return create(
                Means.preferred(),
                Type.DOUBLE,
                values.length,
                (piece, at) -> piece.asDoubleBuffer().put(values, (int) (at >> 3), piece.remaining() >> 3));
    }

    /** Makes one by these means. */
    static SharedArray create(Means means, Type type, long length, @Nullable Filler filler) {
        if (length < 0 || length > type.maxLength()) {
            throw new IllegalArgumentException("length must be from 0 to " + type.maxLength() + ": " + length);
        }
        try {
            return new SharedArray(SharedMemory.create(means, new Contents(UUID.randomUUID(), type, length), filler));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    // ---------------------------------------------------------------------------------------------- about it

    /**
     * What the elements are.
     *
     * @return the type, also after the close
     */
    public Type type() {
        return type;
    }

    /**
     * How many elements there are.
     *
     * @return the number, also after the close
     */
    public long length() {
        return length;
    }

    /**
     * What the elements take.
     *
     * @return the size in bytes, also after the close
     */
    public long sizeBytes() {
        return memory.contents().bytes();
    }

    /**
     * Whether writing throws {@link ReadOnlyBufferException}.
     *
     * @return true for what {@link #asReadOnly} gives, here and in other processes
     */
    public boolean isReadOnly() {
        return isReadOnly;
    }

    /**
     * Whether {@link #close} was called.
     *
     * @return true from then on
     */
    public boolean isClosed() {
        return memory.isClosed();
    }

    /**
     * The same array, to be read only. It is passed as such: on the other side the memory is mapped so that it cannot be
     * written. What is written through this array is seen through it, and to close one of both is to close the other.
     *
     * @return the view
     */
    public SharedArray asReadOnly() {
        return isReadOnly ? this : new SharedArray(memory, true);
    }

    // ---------------------------------------------------------------------------------------------- elements

    /**
     * Reads an element of an array of bytes.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public byte getByte(long index) {
        long offset = offset(Type.BYTE, index);
        return memory.chunk(offset).get(SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of bytes.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public void setByte(long index, byte value) {
        long offset = writableOffset(Type.BYTE, index);
        memory.chunk(offset).put(SharedMemory.at(offset), value);
    }

    /**
     * Reads an element of an array of ints.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public int getInt(long index) {
        long offset = offset(Type.INT, index);
        return memory.chunk(offset).getInt(SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of ints.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void setInt(long index, int value) {
        long offset = writableOffset(Type.INT, index);
        memory.chunk(offset).putInt(SharedMemory.at(offset), value);
    }

    /**
     * Reads an element of an array of longs.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public long getLong(long index) {
        long offset = offset(Type.LONG, index);
        return memory.chunk(offset).getLong(SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of longs.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void setLong(long index, long value) {
        long offset = writableOffset(Type.LONG, index);
        memory.chunk(offset).putLong(SharedMemory.at(offset), value);
    }

    /**
     * Reads an element of an array of floats.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public float getFloat(long index) {
        long offset = offset(Type.FLOAT, index);
        return memory.chunk(offset).getFloat(SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of floats.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public void setFloat(long index, float value) {
        long offset = writableOffset(Type.FLOAT, index);
        memory.chunk(offset).putFloat(SharedMemory.at(offset), value);
    }

    /**
     * Reads an element of an array of doubles.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public double getDouble(long index) {
        long offset = offset(Type.DOUBLE, index);
        return memory.chunk(offset).getDouble(SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of doubles.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public void setDouble(long index, double value) {
        long offset = writableOffset(Type.DOUBLE, index);
        memory.chunk(offset).putDouble(SharedMemory.at(offset), value);
    }

    // ---------------------------------------------------------------------------------------------- many elements

    /**
     * Copies bytes from here into an array.
     *
     * @param from index of the first element
     * @param into is filled
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public void get(long from, byte[] into) {
        get(from, into, 0, into.length);
    }

    /**
     * Copies bytes from here into a part of an array.
     *
     * @param from index of the first element
     * @param into is written
     * @param start index of the first element written
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public void get(long from, byte[] into, int start, int count) {
        checkRange(Type.BYTE, from, count);
        Objects.checkFromIndexSize(start, count, into.length);
        for (int done = 0; done < count; ) {
            long offset = from + done;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).get(SharedMemory.at(offset), into, at, now);
            done += now;
        }
    }

    /**
     * Copies an array of bytes to here.
     *
     * @param from index of the first element written
     * @param values to be written
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public void set(long from, byte[] values) {
        set(from, values, 0, values.length);
    }

    /**
     * Copies a part of an array of bytes to here.
     *
     * @param from index of the first element written
     * @param values with what is to be written
     * @param start index of the first element read
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not bytes
     */
    public void set(long from, byte[] values, int start, int count) {
        checkRange(Type.BYTE, from, count);
        checkWritable();
        Objects.checkFromIndexSize(start, count, values.length);
        for (int done = 0; done < count; ) {
            long offset = from + done;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).put(SharedMemory.at(offset), values, at, now);
            done += now;
        }
    }

    /**
     * Copies ints from here into an array.
     *
     * @param from index of the first element
     * @param into is filled
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void get(long from, int[] into) {
        get(from, into, 0, into.length);
    }

    /**
     * Copies ints from here into a part of an array.
     *
     * @param from index of the first element
     * @param into is written
     * @param start index of the first element written
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void get(long from, int[] into, int start, int count) {
        checkRange(Type.INT, from, count);
        Objects.checkFromIndexSize(start, count, into.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 2;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asIntBuffer().get(SharedMemory.at(offset) >> 2, into, at, now);
            done += now;
        }
    }

    /**
     * Copies an array of ints to here.
     *
     * @param from index of the first element written
     * @param values to be written
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void set(long from, int[] values) {
        set(from, values, 0, values.length);
    }

    /**
     * Copies a part of an array of ints to here.
     *
     * @param from index of the first element written
     * @param values with what is to be written
     * @param start index of the first element read
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void set(long from, int[] values, int start, int count) {
        checkRange(Type.INT, from, count);
        checkWritable();
        Objects.checkFromIndexSize(start, count, values.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 2;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asIntBuffer().put(SharedMemory.at(offset) >> 2, values, at, now);
            done += now;
        }
    }

    /**
     * Copies longs from here into an array.
     *
     * @param from index of the first element
     * @param into is filled
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void get(long from, long[] into) {
        get(from, into, 0, into.length);
    }

    /**
     * Copies longs from here into a part of an array.
     *
     * @param from index of the first element
     * @param into is written
     * @param start index of the first element written
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void get(long from, long[] into, int start, int count) {
        checkRange(Type.LONG, from, count);
        Objects.checkFromIndexSize(start, count, into.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 3;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asLongBuffer().get(SharedMemory.at(offset) >> 3, into, at, now);
            done += now;
        }
    }

    /**
     * Copies an array of longs to here.
     *
     * @param from index of the first element written
     * @param values to be written
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void set(long from, long[] values) {
        set(from, values, 0, values.length);
    }

    /**
     * Copies a part of an array of longs to here.
     *
     * @param from index of the first element written
     * @param values with what is to be written
     * @param start index of the first element read
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void set(long from, long[] values, int start, int count) {
        checkRange(Type.LONG, from, count);
        checkWritable();
        Objects.checkFromIndexSize(start, count, values.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 3;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asLongBuffer().put(SharedMemory.at(offset) >> 3, values, at, now);
            done += now;
        }
    }

    /**
     * Copies floats from here into an array.
     *
     * @param from index of the first element
     * @param into is filled
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public void get(long from, float[] into) {
        get(from, into, 0, into.length);
    }

    /**
     * Copies floats from here into a part of an array.
     *
     * @param from index of the first element
     * @param into is written
     * @param start index of the first element written
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public void get(long from, float[] into, int start, int count) {
        checkRange(Type.FLOAT, from, count);
        Objects.checkFromIndexSize(start, count, into.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 2;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asFloatBuffer().get(SharedMemory.at(offset) >> 2, into, at, now);
            done += now;
        }
    }

    /**
     * Copies an array of floats to here.
     *
     * @param from index of the first element written
     * @param values to be written
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public void set(long from, float[] values) {
        set(from, values, 0, values.length);
    }

    /**
     * Copies a part of an array of floats to here.
     *
     * @param from index of the first element written
     * @param values with what is to be written
     * @param start index of the first element read
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public void set(long from, float[] values, int start, int count) {
        checkRange(Type.FLOAT, from, count);
        checkWritable();
        Objects.checkFromIndexSize(start, count, values.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 2;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asFloatBuffer().put(SharedMemory.at(offset) >> 2, values, at, now);
            done += now;
        }
    }

    /**
     * Copies doubles from here into an array.
     *
     * @param from index of the first element
     * @param into is filled
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public void get(long from, double[] into) {
        get(from, into, 0, into.length);
    }

    /**
     * Copies doubles from here into a part of an array.
     *
     * @param from index of the first element
     * @param into is written
     * @param start index of the first element written
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public void get(long from, double[] into, int start, int count) {
        checkRange(Type.DOUBLE, from, count);
        Objects.checkFromIndexSize(start, count, into.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 3;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asDoubleBuffer().get(SharedMemory.at(offset) >> 3, into, at, now);
            done += now;
        }
    }

    /**
     * Copies an array of doubles to here.
     *
     * @param from index of the first element written
     * @param values to be written
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public void set(long from, double[] values) {
        set(from, values, 0, values.length);
    }

    /**
     * Copies a part of an array of doubles to here.
     *
     * @param from index of the first element written
     * @param values with what is to be written
     * @param start index of the first element read
     * @param count how many
     * @throws IndexOutOfBoundsException if there are not so many elements here or there
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public void set(long from, double[] values, int start, int count) {
        checkRange(Type.DOUBLE, from, count);
        checkWritable();
        Objects.checkFromIndexSize(start, count, values.length);
        for (int done = 0; done < count; ) {
            long offset = (from + done) << 3;
            int at = start + done;
            int now = within(offset, count - done);
            memory.chunk(offset).asDoubleBuffer().put(SharedMemory.at(offset) >> 3, values, at, now);
            done += now;
        }
    }

    // ---------------------------------------------------------------------------------------------- buffers

    /**
     * The bytes of some elements of any type, as a buffer in native byte order: for channels, codecs and other libraries.
     * The memory stays mapped as long as the buffer can be reached, or until the array is closed.
     *
     * @param from index of the first element
     * @param count how many elements
     * @return a buffer, read-only if the array is
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalArgumentException if they have more than {@value #MAX_BUFFER_BYTES} bytes
     * @throws IllegalStateException if the array is closed
     */
    public ByteBuffer bytes(long from, int count) {
        Objects.checkFromIndexSize(from, count, length);
        long bytes = (long) count << type.shift;
        if (bytes > MAX_BUFFER_BYTES) {
            throw new IllegalArgumentException("a buffer has at most " + MAX_BUFFER_BYTES + " bytes, and " + count + " "
                    + type + "s have " + bytes);
        }
        ByteBuffer view = memory.view(from << type.shift, (int) bytes);
        return isReadOnly ? view.asReadOnlyBuffer().order(ByteOrder.nativeOrder()) : view;
    }

    /**
     * Some elements of an array of ints, as a buffer. A loop over it is the fastest way to read or write them.
     *
     * @param from index of the first element
     * @param count how many
     * @return a buffer, read-only if the array is
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalArgumentException if they have more than {@value #MAX_BUFFER_BYTES} bytes
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public IntBuffer ints(long from, int count) {
        checkType(Type.INT);
        return bytes(from, count).asIntBuffer();
    }

    /**
     * Some elements of an array of longs, as a buffer. A loop over it is the fastest way to read or write them.
     *
     * @param from index of the first element
     * @param count how many
     * @return a buffer, read-only if the array is
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalArgumentException if they have more than {@value #MAX_BUFFER_BYTES} bytes
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public LongBuffer longs(long from, int count) {
        checkType(Type.LONG);
        return bytes(from, count).asLongBuffer();
    }

    /**
     * Some elements of an array of floats, as a buffer. A loop over it is the fastest way to read or write them.
     *
     * @param from index of the first element
     * @param count how many
     * @return a buffer, read-only if the array is
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalArgumentException if they have more than {@value #MAX_BUFFER_BYTES} bytes
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not floats
     */
    public FloatBuffer floats(long from, int count) {
        checkType(Type.FLOAT);
        return bytes(from, count).asFloatBuffer();
    }

    /**
     * Some elements of an array of doubles, as a buffer. A loop over it is the fastest way to read or write them.
     *
     * @param from index of the first element
     * @param count how many
     * @return a buffer, read-only if the array is
     * @throws IndexOutOfBoundsException if there are not so many elements
     * @throws IllegalArgumentException if they have more than {@value #MAX_BUFFER_BYTES} bytes
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not doubles
     */
    public DoubleBuffer doubles(long from, int count) {
        checkType(Type.DOUBLE);
        return bytes(from, count).asDoubleBuffer();
    }

    // ---------------------------------------------------------------------------------------------- across threads

    /**
     * Reads an element of an array of ints, with the effect of a volatile read.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public int getVolatileInt(long index) {
        long offset = offset(Type.INT, index);
        return (int) INTS.getVolatile(memory.chunk(offset), SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of ints, with the effect of a volatile write.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public void setVolatileInt(long index, int value) {
        long offset = writableOffset(Type.INT, index);
        INTS.setVolatile(memory.chunk(offset), SharedMemory.at(offset), value);
    }

    /**
     * Adds to an element of an array of ints, in one step for all threads of all processes.
     *
     * @param index of the element
     * @param delta to be added
     * @return the value before
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public int getAndAddInt(long index, int delta) {
        long offset = writableOffset(Type.INT, index);
        return (int) INTS.getAndAdd(memory.chunk(offset), SharedMemory.at(offset), delta);
    }

    /**
     * Replaces an element of an array of ints if it has a certain value, in one step for all threads of all processes.
     *
     * @param index of the element
     * @param expected the value it must have
     * @param value to be written
     * @return whether it was replaced
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not ints
     */
    public boolean compareAndSetInt(long index, int expected, int value) {
        long offset = writableOffset(Type.INT, index);
        return INTS.compareAndSet(memory.chunk(offset), SharedMemory.at(offset), expected, value);
    }

    /**
     * Reads an element of an array of longs, with the effect of a volatile read.
     *
     * @param index of the element
     * @return its value
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public long getVolatileLong(long index) {
        long offset = offset(Type.LONG, index);
        return (long) LONGS.getVolatile(memory.chunk(offset), SharedMemory.at(offset));
    }

    /**
     * Writes an element of an array of longs, with the effect of a volatile write.
     *
     * @param index of the element
     * @param value to be written
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public void setVolatileLong(long index, long value) {
        long offset = writableOffset(Type.LONG, index);
        LONGS.setVolatile(memory.chunk(offset), SharedMemory.at(offset), value);
    }

    /**
     * Adds to an element of an array of longs, in one step for all threads of all processes.
     *
     * @param index of the element
     * @param delta to be added
     * @return the value before
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public long getAndAddLong(long index, long delta) {
        long offset = writableOffset(Type.LONG, index);
        return (long) LONGS.getAndAdd(memory.chunk(offset), SharedMemory.at(offset), delta);
    }

    /**
     * Replaces an element of an array of longs if it has a certain value, in one step for all threads of all processes.
     *
     * @param index of the element
     * @param expected the value it must have
     * @param value to be written
     * @return whether it was replaced
     * @throws IndexOutOfBoundsException if there is no such element
     * @throws ReadOnlyBufferException if the array is read-only
     * @throws IllegalStateException if the array is closed
     * @throws UnsupportedOperationException if its elements are not longs
     */
    public boolean compareAndSetLong(long index, long expected, long value) {
        long offset = writableOffset(Type.LONG, index);
        return LONGS.compareAndSet(memory.chunk(offset), SharedMemory.at(offset), expected, value);
    }

    // ---------------------------------------------------------------------------------------------- the end

    /**
     * Closes it in this process, with all its read-only views. What else was passed to this process stays open, even if it
     * is the same memory. Others that have it keep it. May be called again.
     *
     * @throws IllegalStateException if another thread is at an I/O operation on one of its buffers, on Java 22 and newer; the
     *     array stays open then
     */
    @Override
    public void close() {
        memory.close();
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "SharedArray[%,d %ss%s%s]",
                length,
                type,
                isReadOnly ? ", read-only" : "",
                isClosed() ? ", closed" : "");
    }

    // ---------------------------------------------------------------------------------------------- inside

    SharedMemory memory() {
        return memory;
    }

    private long offset(Type asked, long index) {
        checkType(asked);
        return Objects.checkIndex(index, length) << asked.shift;
    }

    private long writableOffset(Type asked, long index) {
        checkWritable();
        return offset(asked, index);
    }

    private void checkRange(Type asked, long from, int count) {
        checkType(asked);
        Objects.checkFromIndexSize(from, count, length);
        memory.requireOpen();
    }

    private void checkType(Type asked) {
        if (type != asked) {
            throw new UnsupportedOperationException("This array has " + type + "s, not " + asked + "s");
        }
    }

    private void checkWritable() {
        if (isReadOnly) {
            throw new ReadOnlyBufferException();
        }
    }

    /** How many of so many elements are in the chunk with this byte. */
    private int within(long offset, int count) {
        return (int) Math.min(count, (Mapping.CHUNK_BYTES - SharedMemory.at(offset)) >> type.shift);
    }

    /**
     * What travels is a handle.
     *
     * @return the handle
     */
    private Object writeReplace() {
        OutgoingResult result = OutgoingResult.present();
        return result == null ? memory.handle(isReadOnly) : memory.giveAway(isReadOnly, result);
    }

    /**
     * Refuses a stream in which there is no handle.
     *
     * @param in the stream
     * @throws InvalidObjectException always
     */
    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("only the handle of a shared array can be read");
    }
}
