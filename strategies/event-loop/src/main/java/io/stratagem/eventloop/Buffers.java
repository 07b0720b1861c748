package io.stratagem.eventloop;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The memory of one loop: a buffer that everything is read into, one that everything is written from that is not in a
 * direct buffer, and some arrays for what has to wait. Only the loop's thread uses it.
 */
final class Buffers {
    /** What one read takes at most, and one write of bytes that are on the heap. */
    static final int CAPACITY = 64 << 10;

    static final int ARRAY_BYTES = 16 << 10;

    /** A record of TLS, with what encryption adds. */
    static final int RECORD_BYTES = 17 << 10;

    /** So many free arrays are kept: 4 MiB. */
    private static final int MOST_FREE = 256;

    /** So many free buffers for records are kept: 1 MiB. */
    private static final int MOST_FREE_RECORDS = 64;

    private final ByteBuffer input = ByteBuffer.allocateDirect(CAPACITY);
    private final ByteBuffer output = ByteBuffer.allocateDirect(CAPACITY);
    private final Deque<byte[]> free = new ArrayDeque<>();
    private final Deque<ByteBuffer> freeRecords = new ArrayDeque<>(0);

    /** Empty, for one read. Its content must be used or copied before the next. */
    ByteBuffer input() {
        return input.clear();
    }

    /** Empty, for one write. */
    ByteBuffer output() {
        return output.clear();
    }

    byte[] takeArray() {
        byte[] array = free.pollLast();
        return array != null ? array : new byte[ARRAY_BYTES];
    }

    /** Takes back an array; one of another size is left to the collector. */
    void giveArray(byte[] array) {
        if (array.length == ARRAY_BYTES && free.size() < MOST_FREE) {
            free.addLast(array);
        }
    }

    /** Empty, on the heap: there the JDK encrypts fastest. */
    ByteBuffer takeRecord() {
        ByteBuffer record = freeRecords.pollLast();
        return record != null ? record.clear() : ByteBuffer.allocate(RECORD_BYTES);
    }

    void giveRecord(ByteBuffer record) {
        if (record.capacity() == RECORD_BYTES && freeRecords.size() < MOST_FREE_RECORDS) {
            freeRecords.addLast(record);
        }
    }
}
