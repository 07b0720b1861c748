package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.processpool.spi.Wire.BrokenWireException;
import java.nio.ByteBuffer;

/**
 * A ring whose other side writes what it likes into the memory, as a script says, while this side uses both ends. Whatever
 * happens, the only exception is a {@link BrokenWireException}, no message is longer than allowed, and nothing lasts.
 */
final class TamperedRing {
    /** At least one record of eight bytes each, so no more of them are in a ring. */
    private static final int MOST_MESSAGES = RingEnds.CAPACITY / 8;

    private static final int OPERATIONS = 12;

    private final RingEnds ring = new RingEnds();
    private final ByteBuffer script;
    private boolean isBroken;

    private TamperedRing(byte[] script) {
        this.script = ByteBuffer.wrap(script);
    }

    /** Does what the bytes say; true if that was noticed. */
    static boolean endures(byte[] script) {
        TamperedRing tampered = new TamperedRing(script);
        tampered.use();
        while (tampered.script.remaining() > Long.BYTES && !tampered.isBroken) {
            tampered.step();
        }
        return tampered.isBroken;
    }

    /** So that there are valid records to be spoilt, the beginning of a long message among them. */
    private void use() {
        ring.advance(8 * (RingEnds.CAPACITY / 16));
        ring.offer(new byte[20]);
        ring.offer(new byte[300]);
        ring.offer(new byte[2 * RingEnds.MAX_PAYLOAD]);
        ring.producer.publish();
    }

    private void step() {
        switch (Byte.toUnsignedInt(script.get()) % OPERATIONS) {
            case 0 -> ring.producerPosition(ring.producerPosition() + script.getShort());
            case 1 -> ring.producerPosition(script.getLong());
            case 2 -> ring.header(script.getShort() & RingEnds.CAPACITY - 4, script.getInt());
            case 3 -> ring.consumerPosition(ring.consumerPosition() + script.getShort());
            case 4 -> ring.consumerPosition(script.getLong());
            case 5 -> orNotice(this::poll);
            case 6 -> orNotice(this::pollAll);
            case 7 -> orNotice(this::reserve);
            case 8 -> orNotice(this::peek);
            case 9 -> orNotice(ring.producer::commit);
            case 10 -> orNotice(ring.consumer::skip);
            default -> orNotice(this::offerAndPark);
        }
    }

    private void orNotice(Runnable use) {
        try {
            use.run();
        } catch (BrokenWireException e) {
            assertThat(e).hasMessageMatching("(?s).{10,}");
            isBroken = true;
        }
        assertThat(ring.consumer.message()).hasSizeLessThanOrEqualTo(RingEnds.MAX_MESSAGE_BYTES);
    }

    private int poll() {
        int length = ring.consumer.poll();
        assertThat(length).isBetween(RingConsumer.NONE, ring.consumer.message().length);
        return length;
    }

    private void pollAll() {
        int messages = 0;
        while (poll() >= 0) {
            messages++;
        }
        assertThat(messages).isLessThanOrEqualTo(MOST_MESSAGES);
    }

    private void reserve() {
        int length = Short.toUnsignedInt(script.getShort()) % (RingEnds.MAX_PAYLOAD + 1);
        ByteBuffer room = ring.producer.reserve(length);
        if (room != null) {
            assertThat(room.remaining()).isEqualTo(length);
            room.put(new byte[length]);
        }
    }

    private void peek() {
        ByteBuffer message = ring.consumer.peek();
        if (message != null) {
            assertThat(message.position()).isGreaterThanOrEqualTo(Ring.HEADER_BYTES);
            message.get(new byte[message.remaining()]);
        }
    }

    private void offerAndPark() {
        RingProducer other = ring.producer;
        int length = script.get() & 0x7F;
        other.offer(new byte[length], 0, length);
        other.publish();
        other.mustWake();
        ring.memory.putInt(256, script.get());
        ring.consumer.parkIfEmpty();
        ring.consumer.unpark();
        ring.memory.putInt(256, script.get());
        other.mustWake();
    }
}
