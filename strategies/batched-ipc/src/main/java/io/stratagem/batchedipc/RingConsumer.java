package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.Wire.BrokenWireException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The end of a {@link Ring} that messages are taken out of. For one thread at a time: who hands it to another thread sees
 * to it that what it did happens before what the other does. Nothing blocks. Whatever is in the memory, a call comes to
 * an end, reads nothing but the ring, takes no more memory than was allowed, and twice what has really come, and throws
 * {@link BrokenWireException} if it throws at all. After that no more is to be taken out.
 */
final class RingConsumer {
    /** What {@link #poll} gives when there is no message. */
    static final int NONE = -1;

    /** As long as an array can be. */
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private static final int INITIAL_BYTES = 256;

    /** A longer array is given up when nothing is to be done. */
    private static final int RETAINED_BYTES = 1 << 22;

    private final Ring ring;
    private final ByteBuffer view;
    private final int capacity;
    private final int maxPayload;
    private final int maxMessageBytes;

    /** The last message; a copy, which the other process cannot change. */
    private byte[] message;

    /** How much of a message has been read whose end has not come yet. */
    private int begun;

    /** How many bytes the record takes whose payload was looked at in place. */
    private int peekedBytes;

    /** Before the next record. */
    private long position;

    /** Up to where the producer is told that all has been read. */
    private long released;

    /** Where the producer was when it was last looked at. */
    private long produced;

    /** At most that: from there on the producer's position is looked at again, and ours is made known. */
    private long lookAt;

    /**
     * Of a ring that is new.
     *
     * @param maxMessageBytes a longer message is malformed
     */
    RingConsumer(Ring ring, int maxMessageBytes) {
        if (maxMessageBytes < 0 || maxMessageBytes > LARGEST_ARRAY) {
            throw new IllegalArgumentException(
                    "maxMessageBytes must be from 0 to " + LARGEST_ARRAY + ": " + maxMessageBytes);
        }
        this.ring = ring;
        view = ring.newView();
        this.maxMessageBytes = maxMessageBytes;
        capacity = ring.capacity();
        maxPayload = ring.maxPayload();
        message = new byte[Math.min(maxMessageBytes, INITIAL_BYTES)];
    }

    /**
     * Takes the next message out, into {@link #message()}. What was taken out before is given back to the producer when
     * this finds nothing, or has come a quarter of the ring further; and by {@link #release}.
     *
     * @return the length of the message, or {@link #NONE}
     * @throws BrokenWireException if there is something that cannot be
     */
    int poll() {
        while (position < lookAt || look()) {
            int header = nextHeader();
            int index = ring.index(position);
            int payload = header >>> Ring.KIND_BITS;
            int bytes = Ring.recordBytes(payload);
            int kind = header & Ring.KIND_MASK;
            if (kind == Ring.LAST) {
                int length = append(index, payload);
                position += bytes;
                begun = 0;
                return length;
            }
            // What a producer does not write is refused, so that one which writes only such things cannot keep us here.
            if (kind == Ring.MORE && payload == maxPayload) {
                begun = append(index, payload);
            } else {
                checkPadding(header);
            }
            position += bytes;
        }
        return NONE;
    }

    /** The header of the next record, all of which is published, and within the data. */
    private int nextHeader() {
        int index = ring.index(position);
        int header = ring.header(index);
        int bytes = Ring.recordBytes(header >>> Ring.KIND_BITS);
        if (bytes > capacity - index || bytes > produced - position) {
            throw malformed(header);
        }
        return header;
    }

    private void checkPadding(int header) {
        int payload = header >>> Ring.KIND_BITS;
        boolean isToEnd = Ring.recordBytes(payload) == capacity - ring.index(position);
        if ((header & Ring.KIND_MASK) != Ring.PADDING || !isToEnd || payload >= maxPayload) {
            throw malformed(header);
        }
    }

    /**
     * The next message where it is, in place of {@link #poll}: for what is to be copied to where it belongs at once, and
     * not interpreted before that, since the other process may change it. {@link #skip} has to follow before anything else
     * is taken out.
     *
     * @return the message from its position to its limit, to be read until another method is called; or null if there is
     *     none
     * @throws BrokenWireException if there is something that cannot be, or a message of several records
     */
    @Nullable
    ByteBuffer peek() {
        while (position < lookAt || look()) {
            int header = nextHeader();
            int payload = header >>> Ring.KIND_BITS;
            if ((header & Ring.KIND_MASK) == Ring.LAST && begun == 0) {
                peekedBytes = Ring.recordBytes(payload);
                return ring.place(view, ring.index(position), payload);
            }
            checkPadding(header);
            position += Ring.recordBytes(payload);
        }
        return null;
    }

    /** Takes the message out that was {@linkplain #peek looked at} last. */
    void skip() {
        position += peekedBytes;
        peekedBytes = 0;
    }

    /** The bytes of the last message, from index 0 on, until the next {@link #poll}. */
    byte[] message() {
        return message;
    }

    /** Copies a payload behind what is there of its message; gives the length of that then. */
    private int append(int index, int payload) {
        int length = begun + payload;
        if (length > message.length || length < 0) {
            grow(length);
        }
        ring.getPayload(index, message, begun, payload);
        return length;
    }

    private void grow(int length) {
        if (length < 0 || length > maxMessageBytes) {
            throw new BrokenWireException("a message of more than " + maxMessageBytes + " bytes");
        }
        message = Arrays.copyOf(message, (int) Math.min(maxMessageBytes, Math.max(length, 2L * message.length)));
    }

    /** Gives back what was read, and looks what there is to read. */
    private boolean look() {
        release();
        long seen = ring.producerPositionAcquire();
        if (seen < produced || seen - position > capacity || seen % Ring.ALIGNMENT != 0) {
            throw new BrokenWireException(
                    "the producer is at " + seen + ", having been at " + produced + ", and read is up to " + position);
        }
        produced = seen;
        lookAt = Math.min(seen, position + capacity / 4);
        return position < seen;
    }

    /** Gives back to the producer what was taken out: of use before a pause while messages are left. */
    void release() {
        if (released != position) {
            released = position;
            ring.consumerPositionRelease(position);
        }
    }

    private BrokenWireException malformed(int header) {
        return new BrokenWireException("a record with the header " + Integer.toHexString(header) + " at " + position
                + ", where " + (produced - position) + " bytes are published, in a ring of " + capacity);
    }

    /**
     * To be called before this thread blocks. If it returns true, the ring is empty, and the producer will be told to wake
     * this side once it publishes something; {@link #unpark} has to follow. If false, there is something to
     * {@linkplain #poll() poll}; a wake-up may have been sent all the same.
     */
    boolean parkIfEmpty() {
        release();
        ring.parkVolatile();
        if (ring.producerPositionAcquire() != position) {
            unpark();
            return false;
        }
        if (begun == 0 && message.length > RETAINED_BYTES) {
            message = new byte[Math.min(maxMessageBytes, INITIAL_BYTES)];
        }
        return true;
    }

    /**
     * After this thread has blocked, for whatever reason it goes on.
     *
     * @return false if the producer has been told to send a wake-up, which has come or will come
     */
    boolean unpark() {
        return ring.unparkVolatile();
    }
}
