package io.stratagem.batchedipc;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The memory of a ring of records between one producer and one consumer, as a rule in two processes: where everything is,
 * and by which access mode it is read and written. {@link RingProducer} and {@link RingConsumer} are its two ends, each
 * for one thread at a time.
 */
/* The bytes of a ring, in the byte order of the machine:
 *
 *     0                    128                  256                 384                      384 + capacity
 *     | producer position  | consumer position  | consumer parked   | data ...               |
 *       long                 long                 int, 0 or 1         a power of two, at least 4 KiB
 *
 * Each word that one side writes while the other reads has two cache lines for itself, since processors fetch lines in
 * pairs. A position counts bytes from the beginning of time, so it never wraps; its lowest bits are the index into the
 * data. What lies between the consumer's and the producer's position belongs to the consumer, the rest to the producer.
 *
 *     0                          4                          multiple of 8
 *     | length << 2 | kind       | payload, length bytes ... | not written |
 *       int
 *
 * A record begins at a multiple of 8 and does not wrap: where it does not fit before the end of the data, a record of the
 * kind PADDING fills the rest. It has at most a quarter of the capacity, so one fits into an empty ring wherever that
 * stands. A longer message is cut: all of its records but one are of the kind MORE and have that greatest length, and it
 * ends with one of the kind LAST, as a short one does which is a record alone. No kind is 0, so that memory which nobody
 * has written is no record.
 *
 * Records are written and read plainly. What publishes them, all at once, is the position behind them:
 *
 *     producer                                              consumer
 *     records          plain                                parked = 1           volatile, and a full fence
 *     producer position  release   ───────────────────────▶ producer position  acquire
 *     full fence                                            records              plain, copied out
 *     parked == 1?                                          consumer position  release
 *     consumer position  acquire   ◀─────────────────────── (its bytes may be overwritten now)
 *
 * Either side keeps its own position in a field and never reads it back, and reads the other's only when what it saw
 * last is used up: as a rule each does that once for many records.
 *
 * Who is about to block says so in `parked` and then looks at the position once more; who has published looks at `parked`
 * afterwards. With a full fence between the two steps of each, at least one of them sees the other (Dekker).
 *
 * Nothing that is read here is trusted. Each shared word is read once, and checked before it is used: a position must be
 * a multiple of 8, may not go back, and is never further than the capacity from ours; a length must be within what is
 * published. Payload is copied before anybody interprets it; what is looked at in place is copied by who does that, and
 * has no meaning but that of a number's bytes. What cannot be guarded against is who cuts the file
 * short: then an access throws InternalError, or crashes the JVM. So both sides close it as soon as they have mapped it.
 *
 * After Lamport's queue with the cached positions of FastForward and the JCTools queues. It differs from Agrona's ring
 * buffers in that positions publish, not each record's length: so nothing has to be zeroed behind the consumer.
 */
final class Ring {
    private static final int PRODUCER_POSITION = 0;
    private static final int CONSUMER_POSITION = 128;
    private static final int PARKED = 256;

    /** What a ring needs besides its data. */
    static final int HEADER_BYTES = 384;

    static final int MIN_CAPACITY = 1 << 12;
    static final int MAX_CAPACITY = 1 << 29;

    /** Every record begins at a multiple of it. */
    static final int ALIGNMENT = 8;

    private static final int RECORD_HEADER_BYTES = 4;

    static final int KIND_BITS = 2;
    static final int KIND_MASK = (1 << KIND_BITS) - 1;

    /** A message, or the end of one. */
    static final int LAST = 1;
    /** A part of a message that goes on in the next record. */
    static final int MORE = 2;
    /** Nothing, up to the end of the data. */
    static final int PADDING = 3;

    /** Up to this, two moves that overlap are faster than the JDK's copy of memory. */
    private static final int SHORT_BYTES = 2 * Long.BYTES;

    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final VarHandle ARRAY_INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final VarHandle ARRAY_LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final ByteBuffer memory;
    private final int capacity;

    /**
     * Over this memory, from its index 0 to its capacity.
     *
     * @param memory direct, at an address that is a multiple of 64; all zero before either end is used
     */
    Ring(ByteBuffer memory) {
        this.memory = memory;
        capacity = checkCapacity(memory.capacity() - HEADER_BYTES);
        if (!memory.isDirect() || memory.alignmentOffset(0, 64) != 0) {
            throw new IllegalArgumentException("not direct, or not aligned: " + memory);
        }
    }

    /** That many bytes of data, if there may be so many. */
    static int checkCapacity(int capacity) {
        if (Integer.bitCount(capacity) != 1 || capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
            throw new IllegalArgumentException("the capacity of a ring must be a power of two from " + MIN_CAPACITY
                    + " to " + MAX_CAPACITY + ": " + capacity);
        }
        return capacity;
    }

    /** How many bytes of data there are: a power of two. */
    int capacity() {
        return capacity;
    }

    /** The most bytes of a record's payload, and how many each but the last record of a longer message has. */
    int maxPayload() {
        return capacity / 4 - RECORD_HEADER_BYTES;
    }

    /** How many bytes the record with so many bytes of payload takes. */
    static int recordBytes(int payload) {
        return (payload + RECORD_HEADER_BYTES + ALIGNMENT - 1) & -ALIGNMENT;
    }

    // ---------------------------------------------------------------------------------------------- positions

    /** Publishes all records before it; pairs with {@link #producerPositionAcquire}. */
    void producerPositionRelease(long position) {
        LONG.setRelease(memory, PRODUCER_POSITION, position);
    }

    /** The records before it can be read then; pairs with {@link #producerPositionRelease}. */
    long producerPositionAcquire() {
        return (long) LONG.getAcquire(memory, PRODUCER_POSITION);
    }

    /** Gives all bytes before it back, which have been read; pairs with {@link #consumerPositionAcquire}. */
    void consumerPositionRelease(long position) {
        LONG.setRelease(memory, CONSUMER_POSITION, position);
    }

    /** The bytes before it can be overwritten then; pairs with {@link #consumerPositionRelease}. */
    long consumerPositionAcquire() {
        return (long) LONG.getAcquire(memory, CONSUMER_POSITION);
    }

    // ---------------------------------------------------------------------------------------------- the parked flag

    /** Of the consumer, before it looks at the producer's position for the last time; a full fence follows. */
    void parkVolatile() {
        INT.setVolatile(memory, PARKED, 1);
        VarHandle.fullFence();
    }

    /** Takes the flag back; false if the producer has done so, and sends a wake-up. */
    boolean unparkVolatile() {
        return (int) INT.getAndSet(memory, PARKED, 0) == 1;
    }

    /** Of the producer, after it has published: clears the flag, and says whether it was set. Each park has one answer. */
    boolean claimParkAfterFullFence() {
        VarHandle.fullFence();
        return (int) INT.getOpaque(memory, PARKED) == 1 && INT.compareAndSet(memory, PARKED, 1, 0);
    }

    // ---------------------------------------------------------------------------------------------- records

    /** Where in the data that position is. */
    int index(long position) {
        return (int) position & capacity - 1;
    }

    /** Plain: published by the producer's position. */
    void putHeader(int index, int kind, int payload) {
        INT.set(memory, HEADER_BYTES + index, payload << KIND_BITS | kind);
    }

    /** A record without meaning, that many bytes long. */
    void putPadding(int index, int bytes) {
        putHeader(index, PADDING, bytes - RECORD_HEADER_BYTES);
    }

    /** Plain, and to be read once: the other process may change it at any time. */
    int header(int index) {
        return (int) INT.get(memory, HEADER_BYTES + index);
    }

    /** All of the memory, for one end to {@linkplain #place look} at payloads in place. */
    ByteBuffer newView() {
        return memory.duplicate().order(ByteOrder.nativeOrder());
    }

    /** Makes a view one of the payload of the record at that index. */
    ByteBuffer place(ByteBuffer view, int index, int payload) {
        int at = HEADER_BYTES + index + RECORD_HEADER_BYTES;
        return view.limit(at + payload).position(at);
    }

    /** Copies the payload of the record at that index in. */
    void putPayload(int index, byte[] from, int start, int count) {
        int at = HEADER_BYTES + index + RECORD_HEADER_BYTES;
        if (count > SHORT_BYTES) {
            memory.put(at, from, start, count);
        } else if (count >= Long.BYTES) {
            int last = count - Long.BYTES;
            LONG.set(memory, at, (long) ARRAY_LONG.get(from, start));
            LONG.set(memory, at + last, (long) ARRAY_LONG.get(from, start + last));
        } else if (count >= Integer.BYTES) {
            int last = count - Integer.BYTES;
            INT.set(memory, at, (int) ARRAY_INT.get(from, start));
            INT.set(memory, at + last, (int) ARRAY_INT.get(from, start + last));
        } else {
            for (int i = 0; i < count; i++) {
                memory.put(at + i, from[start + i]);
            }
        }
    }

    /** Copies the payload of the record at that index out. */
    void getPayload(int index, byte[] to, int start, int count) {
        int at = HEADER_BYTES + index + RECORD_HEADER_BYTES;
        if (count > SHORT_BYTES) {
            memory.get(at, to, start, count);
        } else if (count >= Long.BYTES) {
            int last = count - Long.BYTES;
            ARRAY_LONG.set(to, start, (long) LONG.get(memory, at));
            ARRAY_LONG.set(to, start + last, (long) LONG.get(memory, at + last));
        } else if (count >= Integer.BYTES) {
            int last = count - Integer.BYTES;
            ARRAY_INT.set(to, start, (int) INT.get(memory, at));
            ARRAY_INT.set(to, start + last, (int) INT.get(memory, at + last));
        } else {
            for (int i = 0; i < count; i++) {
                to[start + i] = memory.get(at + i);
            }
        }
    }
}
