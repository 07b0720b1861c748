package io.stratagem.processpool;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that grow at the end as they are put, and are got from a position on. In the byte order of this machine, since
 * both ends are on it. Nothing that is got is trusted: a length is checked against what is left before any memory is
 * taken for it. Not for several threads at once.
 */
final class Bytes {
    /** As long as an array can be. */
    static final int LARGEST = Integer.MAX_VALUE - 8;

    private static final int INITIAL = 256;
    /** A longer array is given back by {@link #clear}. */
    private static final int RETAINED = 1 << 22;

    /** Apart, since few ever need them, and a worker that starts would take a millisecond for each. */
    private static final class Rare {
        static final VarHandle SHORT = view(short[].class);
        static final VarHandle CHAR = view(char[].class);
    }

    private static final VarHandle INT = view(int[].class);
    private static final VarHandle LONG = view(long[].class);

    private final int maxSize;
    private byte[] array;
    private int position;
    private int size;

    /** What belongs to the bytes and is not among them; or null. */
    private @Nullable Attachments attachments;

    private boolean mayAttach;

    Bytes() {
        this(LARGEST);
    }

    /** At most so many bytes: to put more throws {@link TooLargeException}. */
    Bytes(int maxSize) {
        this(new byte[Math.min(maxSize, INITIAL)], 0, maxSize);
    }

    private Bytes(byte[] array, int size, int maxSize) {
        this.array = array;
        this.size = size;
        this.maxSize = maxSize;
    }

    /** To get from the array itself, not from a copy. */
    static Bytes of(byte[] array) {
        return new Bytes(array, array.length, LARGEST);
    }

    private static VarHandle view(Class<?> arrayType) {
        return MethodHandles.byteArrayViewVarHandle(arrayType, ByteOrder.nativeOrder());
    }

    /** More was put than may be. */
    static final class TooLargeException extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooLargeException(int maxSize) {
            super("more than the limit of " + maxSize + " bytes (see maxMessageBytes)", null, false, false);
        }
    }

    /** What was got is not what was put. */
    static final class MalformedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        MalformedException(String message) {
            super(message, null, false, false);
        }
    }

    /** The bytes; another array after more was put. */
    byte[] array() {
        return array;
    }

    /** How many bytes there are. */
    int size() {
        return size;
    }

    /** How many there may be. */
    int maxSize() {
        return maxSize;
    }

    /** Where the next is got. */
    int position() {
        return position;
    }

    int remaining() {
        return size - position;
    }

    void position(int newPosition) {
        position = Objects.checkIndex(newPosition, size + 1);
    }

    /** The next bytes, to get from; they are not copied, and are got from here, too. */
    Bytes slice(int length) {
        if (length < 0 || length > remaining()) {
            throw new MalformedException("a length of " + length + " where " + remaining() + " bytes are left");
        }
        Bytes part = new Bytes(array, position + length, LARGEST);
        part.position = position;
        part.attachments = attachments;
        position += length;
        return part;
    }

    /** A copy of the bytes that are left, which are got by that. */
    Bytes copyRest() {
        byte[] rest = Arrays.copyOfRange(array, position, size);
        position = size;
        return of(rest);
    }

    /** Takes back what was put last. */
    void truncate(int newSize) {
        size = Objects.checkIndex(newSize, size + 1);
        position = Math.min(position, size);
        if (attachments != null) {
            attachments.truncate(size);
        }
    }

    /** From now on these are the bytes; nothing can be put. */
    void wrap(byte[] bytes, int count) {
        array = bytes;
        position = 0;
        size = count;
        attachments = null;
    }

    /** Empties it for other use. */
    void clear() {
        position = 0;
        size = 0;
        attachments = null;
        mayAttach = false;
        if (array.length > RETAINED) {
            array = new byte[Math.min(maxSize, INITIAL)];
        }
    }

    /** A copy of all the bytes. */
    byte[] toByteArray() {
        return Arrays.copyOf(array, size);
    }

    /** Makes room for more bytes, and gives the index of the first. */
    int extend(int count) {
        int start = size;
        int end = checkRoom(count);
        if (end > array.length) {
            array = Arrays.copyOf(array, (int) Math.min(maxSize, Math.max(end, 2L * array.length)));
        }
        size = end;
        return start;
    }

    /** Throws if so many bytes more are too many; else gives the size with them. */
    int checkRoom(long count) {
        if (count < 0 || weight() + count > maxSize) {
            throw new TooLargeException(maxSize);
        }
        return (int) (size + count);
    }

    // ---------------------------------------------------------------------------------------------- what is beside

    /** From now on, and until it is cleared, what is large may travel beside it. */
    void beginAttaching() {
        mayAttach = true;
    }

    /** Whether so many bytes of contents are to travel beside it. */
    boolean attaches(long bytes) {
        return mayAttach && bytes >= Attachment.LEAST_BYTES;
    }

    /** Puts a reference to what travels beside it, which takes as much of the room as if it was in it. */
    void putAttachment(Attachment attachment) {
        int place = size;
        checkRoom(attachment.bytes());
        Attachments present = attachments;
        if (present == null) {
            present = new Attachments();
            attachments = present;
        }
        putVarInt(present.add(attachment, place));
    }

    /** What is referred to next, which can be got once. */
    Attachment getAttachment() {
        int index = getVarInt();
        if (attachments == null) {
            throw new MalformedException("there is nothing beside the frame, and number " + index + " of it is wanted");
        }
        return attachments.take(index);
    }

    /** What travels beside it; null if nothing does. */
    @Nullable
    Attachments attachments() {
        return attachments;
    }

    /** From now on that is what travels beside it. */
    void attach(@Nullable Attachments newAttachments) {
        attachments = newAttachments;
    }

    /** How many bytes there are, in it and beside it. */
    int weight() {
        return attachments == null ? size : size + attachments.bytes();
    }

    private int extend(int count, int elementBytes) {
        checkRoom((long) count * elementBytes);
        return extend(count * elementBytes);
    }

    /** Goes over the next bytes, and gives the index of the first. */
    int advance(int count) {
        if (count < 0 || count > size - position) {
            throw new MalformedException(count + " bytes wanted, " + remaining() + " left");
        }
        int start = position;
        position += count;
        return start;
    }

    void putByte(int value) {
        int at = extend(1);
        array[at] = (byte) value;
    }

    byte getByte() {
        int at = advance(1);
        return array[at];
    }

    /** What {@link #getByte} will give. */
    byte peekByte() {
        int at = advance(1);
        position = at;
        return array[at];
    }

    void putShort(short value) {
        int at = extend(Short.BYTES);
        Rare.SHORT.set(array, at, value);
    }

    short getShort() {
        return (short) Rare.SHORT.get(array, advance(Short.BYTES));
    }

    void putChar(char value) {
        int at = extend(Character.BYTES);
        Rare.CHAR.set(array, at, value);
    }

    char getChar() {
        return (char) Rare.CHAR.get(array, advance(Character.BYTES));
    }

    void putInt(int value) {
        int at = extend(Integer.BYTES);
        INT.set(array, at, value);
    }

    int getInt() {
        return (int) INT.get(array, advance(Integer.BYTES));
    }

    /** Replaces an int that was put before. */
    void setInt(int index, int value) {
        Objects.checkFromIndexSize(index, Integer.BYTES, size);
        INT.set(array, index, value);
    }

    /** Leaves room for the length of what is put next. */
    int beginLength() {
        int at = size;
        putInt(0);
        return at;
    }

    /** Puts in the length of what was put since it began, in bytes. */
    void endLength(int at) {
        setInt(at, size - at - Integer.BYTES);
    }

    void setLong(int index, long value) {
        LONG.set(array, Objects.checkFromIndexSize(index, Long.BYTES, size), value);
    }

    void putLong(long value) {
        int at = extend(Long.BYTES);
        LONG.set(array, at, value);
    }

    long getLong() {
        return (long) LONG.get(array, advance(Long.BYTES));
    }

    void putFloat(float value) {
        putInt(Float.floatToRawIntBits(value));
    }

    float getFloat() {
        return Float.intBitsToFloat(getInt());
    }

    void putDouble(double value) {
        putLong(Double.doubleToRawLongBits(value));
    }

    double getDouble() {
        return Double.longBitsToDouble(getLong());
    }

    /** One byte for small values of either sign, up to ten for large ones. */
    void putVarLong(long value) {
        long rest = (value << 1) ^ (value >> 63);
        while ((rest & ~0x7FL) != 0) {
            putByte((int) rest | 0x80);
            rest >>>= 7;
        }
        putByte((int) rest);
    }

    long getVarLong() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = getByte();
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                return (value >>> 1) ^ -(value & 1);
            }
        }
        throw new MalformedException("a number of more than ten bytes");
    }

    void putVarInt(int value) {
        putVarLong(value);
    }

    int getVarInt() {
        long value = getVarLong();
        if (value != (int) value) {
            throw new MalformedException(value + " is not an int");
        }
        return (int) value;
    }

    /** How many elements of at least so many bytes each follow: never more than can be there. */
    int getCount(int elementBytes) {
        int count = getVarInt();
        if (count < 0 || (long) count * elementBytes > remaining()) {
            throw new MalformedException(count + " elements announced, " + remaining() + " bytes left");
        }
        return count;
    }

    void putBytes(byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        int at = extend(length);
        System.arraycopy(source, offset, array, at, length);
    }

    void getBytes(byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.length);
        System.arraycopy(array, advance(length), target, offset, length);
    }

    /**
     * One byte for each char if all are Latin-1, else two: as it is in memory, so that nothing is lost, not even half a
     * surrogate pair.
     */
    void putString(String value) {
        int length = value.length();
        int start = size;
        putVarInt(length);
        int at = extend(length);
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            if (c > 0xFF) {
                size = start;
                putChars(value);
                return;
            }
            array[at + i] = (byte) c;
        }
    }

    private void putChars(String value) {
        int length = value.length();
        putVarInt(~length); // negative, which tells the two forms apart
        int at = extend(length, Character.BYTES);
        for (int i = 0; i < length; i++) {
            Rare.CHAR.set(array, at + Character.BYTES * i, value.charAt(i));
        }
    }

    String getString() {
        int length = getVarInt();
        if (length >= 0) {
            int at = advance(length);
            return new String(array, at, length, StandardCharsets.ISO_8859_1);
        }
        return new String(getChars(~length));
    }

    private char[] getChars(int length) {
        ByteBuffer elements = next(length, Character.BYTES);
        char[] chars = new char[length];
        elements.asCharBuffer().get(chars);
        return chars;
    }

    /** Room for the elements of an array, to be filled through a view. */
    ByteBuffer putArray(int length, int elementBytes) {
        putVarInt(length);
        int at = extend(length, elementBytes);
        return ByteBuffer.wrap(array, at, length * elementBytes).order(ByteOrder.nativeOrder());
    }

    /** The elements of an array, to be got through a view. */
    ByteBuffer getArray(int elementBytes) {
        return next(getCount(elementBytes), elementBytes);
    }

    private ByteBuffer next(int count, int elementBytes) {
        if ((long) count * elementBytes > remaining()) {
            throw new MalformedException(count + " elements wanted, " + remaining() + " bytes left");
        }
        int bytes = count * elementBytes;
        return ByteBuffer.wrap(array, advance(bytes), bytes).order(ByteOrder.nativeOrder());
    }

    /** A stream that puts here what is written to it. It has nothing to close. */
    OutputStream asOutput() {
        return new OutputStream() {
            @Override
            public void write(int value) {
                putByte(value);
            }

            @Override
            public void write(byte[] source, int offset, int length) {
                putBytes(source, offset, length);
            }
        };
    }

    /** A stream that gets from here what is read of it. It has nothing to close. */
    InputStream asInput() {
        return new InputStream() {
            @Override
            public int read() {
                return remaining() == 0 ? -1 : getByte() & 0xFF;
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                if (remaining() == 0 && length > 0) {
                    return -1;
                }
                int count = Math.min(length, remaining());
                getBytes(target, offset, count);
                return count;
            }

            @Override
            public int available() {
                return remaining();
            }
        };
    }
}
