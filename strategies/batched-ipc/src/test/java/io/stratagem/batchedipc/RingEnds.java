package io.stratagem.batchedipc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** A ring in this process's own memory, with both its ends. */
final class RingEnds {
    static final int CAPACITY = Ring.MIN_CAPACITY;
    static final int MAX_PAYLOAD = CAPACITY / 4 - Integer.BYTES;
    static final int MAX_MESSAGE_BYTES = 100_000;

    /** All of it, to be looked at and tampered with. */
    final ByteBuffer memory;

    final RingProducer producer;
    final RingConsumer consumer;

    RingEnds() {
        this(CAPACITY);
    }

    RingEnds(int capacity) {
        memory = newMemory(capacity);
        Ring ring = new Ring(memory);
        producer = new RingProducer(ring);
        consumer = new RingConsumer(ring, MAX_MESSAGE_BYTES);
    }

    static ByteBuffer newMemory(int capacity) {
        return ByteBuffer.allocateDirect(Ring.HEADER_BYTES + capacity + 64)
                .alignedSlice(64)
                .slice(0, Ring.HEADER_BYTES + capacity)
                .order(ByteOrder.nativeOrder());
    }

    /** Contents that differ from those of other seeds. */
    static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    boolean offer(byte[] message) {
        return producer.offer(message, 0, message.length);
    }

    /** The next message, which must be there. */
    byte[] take() {
        int length = consumer.poll();
        if (length < 0) {
            throw new AssertionError("no message");
        }
        return Arrays.copyOf(consumer.message(), length);
    }

    /** Moves both ends on by so many bytes, a multiple of 8. */
    void advance(int bytes) {
        for (int left = bytes; left > 0; ) {
            int record = Math.min(left, CAPACITY / 8);
            if (!offer(new byte[record - Integer.BYTES])) {
                throw new AssertionError("full");
            }
            producer.publish();
            take();
            left -= record;
        }
        consumer.release();
    }

    long producerPosition() {
        return memory.getLong(0);
    }

    long consumerPosition() {
        return memory.getLong(128);
    }

    void consumerPosition(long position) {
        memory.putLong(128, position);
    }

    void producerPosition(long position) {
        memory.putLong(0, position);
    }

    /** Whether the consumer is parked. */
    int parked() {
        return memory.getInt(256);
    }

    int header(int index) {
        return memory.getInt(Ring.HEADER_BYTES + index);
    }

    void header(int index, int header) {
        memory.putInt(Ring.HEADER_BYTES + index, header);
    }
}
