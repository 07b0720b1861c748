package io.stratagem.batchedipc;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/** A ring for a test's actors. */
final class RingStage {
    static final int QUARTER = Ring.MIN_CAPACITY / 4;

    /** The bytes of a message whose record is a quarter of the ring. */
    static final int GREATEST = QUARTER - Integer.BYTES;

    private static final int RING_BYTES = Ring.HEADER_BYTES + Ring.MIN_CAPACITY;

    /** Some times as many as there are states at once: memory that is allocated for each would be slow to get. */
    private static final int RINGS = 1 << 14;

    private static final ByteBuffer MEMORY =
            ByteBuffer.allocateDirect(RINGS * RING_BYTES + 64).alignedSlice(64);
    private static final byte[] ZEROS = new byte[RING_BYTES];
    private static final AtomicInteger last = new AtomicInteger();

    final RingProducer producer;
    final RingConsumer consumer;

    /** With both ends so many bytes after the beginning: a multiple of 8. */
    RingStage(int position) {
        int number = last.getAndIncrement() & RINGS - 1;
        ByteBuffer memory = MEMORY.slice(number * RING_BYTES, RING_BYTES);
        memory.put(0, ZEROS);
        Ring ring = new Ring(memory);
        producer = new RingProducer(ring);
        consumer = new RingConsumer(ring, Ring.MIN_CAPACITY);
        for (int left = position; left > 0; left -= QUARTER) {
            send(Math.min(left, QUARTER) - Integer.BYTES, 1);
            receive();
        }
        consumer.release();
    }

    /** A message of that byte only; whether there was room. */
    boolean send(int length, int value) {
        byte[] message = new byte[length];
        Arrays.fill(message, (byte) value);
        boolean isAccepted = producer.offer(message, 0, length);
        producer.publish();
        return isAccepted;
    }

    /** The same, written in place. */
    boolean sendInPlace(int length, int value) {
        ByteBuffer room = producer.reserve(length);
        if (room == null) {
            return false;
        }
        while (room.hasRemaining()) {
            room.put((byte) value);
        }
        producer.commit();
        producer.publish();
        return true;
    }

    /** The same as {@link #receive}, read in place; gives back at once what is taken out. */
    int receiveInPlace() {
        ByteBuffer message = consumer.peek();
        if (message == null) {
            return 0;
        }
        byte first = message.get();
        boolean isWhole = true;
        while (message.hasRemaining()) {
            isWhole &= message.get() == first;
        }
        consumer.skip();
        consumer.release();
        return isWhole ? first : -1;
    }

    /** The byte of which the next message is made; 0 if there is none, -1 if it is made of several. */
    int receive() {
        int length = consumer.poll();
        byte[] message = consumer.message();
        for (int i = 1; i < length; i++) {
            if (message[i] != message[0]) {
                return -1;
            }
        }
        return length > 0 ? message[0] : 0;
    }
}
