package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The contents of a large array or buffer, which travel beside the frame that refers to them: copied from the object
 * itself into the memory that both processes have, and from there into a new object. Not for several threads at once.
 */
final class Attachment {
    /**
     * What is smaller travels in the frame. Beside it, it would take a message more, which costs as much as to copy so
     * many bytes twice.
     */
    static final int LEAST_BYTES = 1 << 14;

    /** What it is of: the tag of an array, or {@link Tag#BUFFER} of a buffer, which is received as a direct one. */
    private final Tag form;

    private final Object data;
    private final int bytes;

    private Attachment(Tag form, Object data, int bytes) {
        this.form = form;
        this.data = data;
        this.bytes = bytes;
    }

    /** Of an array that can be one, which has so many bytes. It is not copied. */
    static Attachment of(Tag form, Object array, int bytes) {
        return new Attachment(form, array, bytes);
    }

    /** Of all of a buffer, from index 0 on. It is not copied. */
    static Attachment of(ByteBuffer buffer) {
        return new Attachment(buffer.isDirect() ? Tag.BUFFER : Tag.BYTES, buffer, buffer.capacity());
    }

    /** To be filled by {@link #take}. Takes as much memory at once. */
    static Attachment empty(Tag form, int bytes) {
        int count = bytes / elementBytes(form);
        Object data = switch (form) {
            case BYTES -> new byte[count];
            case SHORTS -> new short[count];
            case CHARS -> new char[count];
            case INTS -> new int[count];
            case LONGS -> new long[count];
            case FLOATS -> new float[count];
            case DOUBLES -> new double[count];
            case BUFFER -> ByteBuffer.allocateDirect(count);
            default -> throw new MalformedException("what is beside a frame cannot be " + form);
        };
        return new Attachment(form, data, bytes);
    }

    /** How many bytes an element has, or 0 if such a value never travels beside a frame. */
    static int elementBytes(Tag form) {
        return switch (form) {
            case BYTES, BUFFER -> Byte.BYTES;
            case SHORTS -> Short.BYTES;
            case CHARS -> Character.BYTES;
            case INTS -> Integer.BYTES;
            case LONGS -> Long.BYTES;
            case FLOATS -> Float.BYTES;
            case DOUBLES -> Double.BYTES;
            default -> 0;
        };
    }

    Tag form() {
        return form;
    }

    /** How many bytes of contents it has. */
    int bytes() {
        return bytes;
    }

    /** The array or the buffer itself. */
    Object data() {
        return data;
    }

    /** Fills the room with the contents from a byte on, which is the first of an element. */
    void put(int from, ByteBuffer room) {
        room.order(ByteOrder.nativeOrder());
        int count = room.remaining() / elementBytes(form);
        int start = from / elementBytes(form);
        if (data instanceof ByteBuffer buffer) {
            room.put(room.position(), buffer, start, count);
            return;
        }
        switch (form) {
            case BYTES -> room.put((byte[]) data, start, count);
            case SHORTS -> room.asShortBuffer().put((short[]) data, start, count);
            case CHARS -> room.asCharBuffer().put((char[]) data, start, count);
            case INTS -> room.asIntBuffer().put((int[]) data, start, count);
            case LONGS -> room.asLongBuffer().put((long[]) data, start, count);
            case FLOATS -> room.asFloatBuffer().put((float[]) data, start, count);
            case DOUBLES -> room.asDoubleBuffer().put((double[]) data, start, count);
            default -> throw new AssertionError(form);
        }
    }

    /** Takes the next of the contents, for a byte on, which is the first of an element; there is room for them. */
    void take(int to, ByteBuffer piece) {
        piece.order(ByteOrder.nativeOrder());
        int count = piece.remaining() / elementBytes(form);
        int start = to / elementBytes(form);
        switch (form) {
            case BUFFER -> ((ByteBuffer) data).put(start, piece, piece.position(), count);
            case BYTES -> piece.get((byte[]) data, start, count);
            case SHORTS -> piece.asShortBuffer().get((short[]) data, start, count);
            case CHARS -> piece.asCharBuffer().get((char[]) data, start, count);
            case INTS -> piece.asIntBuffer().get((int[]) data, start, count);
            case LONGS -> piece.asLongBuffer().get((long[]) data, start, count);
            case FLOATS -> piece.asFloatBuffer().get((float[]) data, start, count);
            case DOUBLES -> piece.asDoubleBuffer().get((double[]) data, start, count);
            default -> throw new AssertionError(form);
        }
    }
}
