package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.Wire.BrokenWireException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The end of a {@link Ring} that messages are put into. For one thread at a time: who hands it to another thread sees to
 * it that what it did happens before what the other does. Nothing blocks.
 */
final class RingProducer {
    /** In place of an index: there is no room. */
    private static final int FULL = -1;

    private final Ring ring;
    private final ByteBuffer view;
    private final int capacity;
    private final int maxPayload;

    /** Behind the last record, published or not. */
    private long position;

    private long published;

    /** Where the consumer was when it was last looked at. */
    private long consumed;

    /** How many bytes of a long message are in the ring, while the rest waits for room. */
    private int begun;

    /** Where a message is being written in place, and how long it is. */
    private int reservedIndex;

    private int reservedBytes;

    /** Of a ring that is new. */
    RingProducer(Ring ring) {
        this.ring = ring;
        view = ring.newView();
        capacity = ring.capacity();
        maxPayload = ring.maxPayload();
    }

    /**
     * Puts a message into the ring, if there is room. The consumer sees it after {@link #publish}.
     *
     * <p>A message that is longer than a record may be goes in piece by piece, as there is room, and its pieces are
     * published by that: after false it must be offered again before any other.
     *
     * @return false if the ring is full: {@link #publish}, look whether the consumer {@linkplain #mustWake must be woken},
     *     and try again later
     * @throws BrokenWireException if the consumer's position cannot be
     */
    boolean offer(byte[] from, int start, int count) {
        Objects.checkFromIndexSize(start, count, from.length);
        if (count > maxPayload) {
            return offerInPieces(from, start, count);
        }
        assert begun == 0 : "a long message is not complete";
        return put(Ring.LAST, from, start, count);
    }

    private boolean offerInPieces(byte[] from, int start, int count) {
        assert begun < count : begun + " of " + count + " bytes: not the message that was begun";
        for (; count - begun > maxPayload; begun += maxPayload) {
            if (!put(Ring.MORE, from, start + begun, maxPayload)) {
                return false;
            }
            publish(); // so that the consumer takes it out while the next one is put in
        }
        boolean isComplete = put(Ring.LAST, from, start + begun, count - begun);
        if (isComplete) {
            begun = 0;
        }
        return isComplete;
    }

    private boolean put(int kind, byte[] from, int start, int count) {
        int bytes = Ring.recordBytes(count);
        int index = findRoom(bytes);
        if (index == FULL) {
            return false;
        }
        ring.putPayload(index, from, start, count);
        ring.putHeader(index, kind, count);
        position += bytes;
        return true;
    }

    /** The index at which a record of so many bytes can begin now, or {@link #FULL}. */
    private int findRoom(int bytes) {
        int index = ring.index(position);
        int toEnd = capacity - index;
        int padding = bytes <= toEnd ? 0 : toEnd;
        long end = position + padding + bytes;
        if (end - consumed > capacity && end - look() > capacity) {
            return FULL;
        }
        if (padding > 0) {
            ring.putPadding(index, padding);
            position += padding;
            index = 0;
        }
        return index;
    }

    /**
     * Room for a message that is written in place, if there is so much. It is put in by {@link #commit}, or not at all.
     *
     * @param count its length, at most {@link Ring#maxPayload}
     * @return the room from its position to its limit, to be used until another method is called; or null if the ring is
     *     full, as of {@link #offer}
     * @throws BrokenWireException if the consumer's position cannot be
     */
    @Nullable
    ByteBuffer reserve(int count) {
        Objects.checkIndex(count, maxPayload + 1);
        assert begun == 0 : "a long message is not complete";
        int index = findRoom(Ring.recordBytes(count));
        if (index == FULL) {
            return null;
        }
        reservedIndex = index;
        reservedBytes = count;
        return ring.place(view, index, count);
    }

    /** Puts the message in that was written where room was {@linkplain #reserve reserved}, which must be the last call. */
    void commit() {
        ring.putHeader(reservedIndex, Ring.LAST, reservedBytes);
        position += Ring.recordBytes(reservedBytes);
    }

    /** Where the consumer is. */
    private long look() {
        long seen = ring.consumerPositionAcquire();
        if (seen < consumed || seen > published || seen % Ring.ALIGNMENT != 0) {
            throw new BrokenWireException("the consumer is at " + seen + ", having been at " + consumed
                    + ", and published is up to " + published);
        }
        consumed = seen;
        return seen;
    }

    /** Lets the consumer see all messages that were put in. */
    void publish() {
        published = position;
        ring.producerPositionRelease(position);
    }

    /**
     * Whether the consumer is parked and has to be woken, for which the caller is responsible if this returns true: there
     * is one true for each time that it parks. To be asked after {@link #publish} and before this thread waits for
     * anything: a consumer that parks meanwhile is told by one of the two. Costs a full fence.
     */
    boolean mustWake() {
        return ring.claimParkAfterFullFence();
    }
}
