package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.spi.Wire.BrokenWireException;
import io.stratagem.testkit.RacingThreads;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a broken process may leave in the memory of a ring is found out, and does no harm. */
final class RingCorruptionTest {
    private static final int ROUNDS = Integer.getInteger("stress.rounds", 1);
    private static final int CAPACITY = RingEnds.CAPACITY;
    private static final int QUARTER = CAPACITY / 4;

    private final long seed = Long.getLong("stress.seed", System.nanoTime());

    private static int header(int kind, int payload) {
        return payload << Ring.KIND_BITS | kind;
    }

    private static Arguments lie(String what, Consumer<RingEnds> lie) {
        return Arguments.of(what, lie);
    }

    // ---------------------------------------------------------------------------------------------- lies

    /** To the consumer; it has read a record of 64 bytes, and another one of those is published. */
    static Stream<Arguments> liesOfTheProducer() {
        return Stream.of(
                lie("position going back", ring -> ring.producerPosition(56)),
                lie("position before the beginning", ring -> ring.producerPosition(-8)),
                lie("position too far", ring -> ring.producerPosition(64 + CAPACITY + 8)),
                lie("position very far", ring -> ring.producerPosition(Long.MAX_VALUE - 7)),
                lie("position between records", ring -> ring.producerPosition(132)),
                lie("header that was never written", ring -> ring.header(64, 0)),
                lie("kind 0", ring -> ring.header(64, header(0, 60))),
                lie("length of more than is published", ring -> ring.header(64, header(Ring.LAST, 61))),
                lie("the greatest length", ring -> ring.header(64, header(Ring.LAST, -1 >>> Ring.KIND_BITS))),
                lie("all bits", ring -> ring.header(64, -1)),
                lie("part that is too short", ring -> ring.header(64, header(Ring.MORE, 60))),
                lie("empty part", ring -> ring.header(64, header(Ring.MORE, 0))),
                lie("padding before the end", ring -> ring.header(64, header(Ring.PADDING, 60))),
                lie("padding of everything", ring -> {
                    ring.advance(CAPACITY - 64);
                    ring.header(0, header(Ring.PADDING, CAPACITY - 4));
                    ring.producerPosition(2 * CAPACITY);
                }),
                lie("record beyond the end of the data", ring -> {
                    ring.advance(CAPACITY - 64 - 8);
                    ring.header(CAPACITY - 8, header(Ring.LAST, 12));
                    ring.producerPosition(CAPACITY + 8);
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("liesOfTheProducer")
    void poll_ofWhatCannotBe_isMalformed(String what, Consumer<RingEnds> lie) {
        RingEnds ring = new RingEnds();
        ring.advance(64);
        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
        if (!what.startsWith("padding of") && !what.startsWith("record beyond")) {
            ring.offer(new byte[60]);
            ring.producer.publish();
        }
        lie.accept(ring);

        assertThatThrownBy(ring.consumer::poll).isInstanceOf(BrokenWireException.class);
        assertThatThrownBy(ring.consumer::poll).as("a second time").isInstanceOf(BrokenWireException.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("liesOfTheProducer")
    void peek_atWhatCannotBe_isMalformed(String what, Consumer<RingEnds> lie) {
        RingEnds ring = new RingEnds();
        ring.advance(64);
        assertThat(ring.consumer.peek()).isNull();
        if (!what.startsWith("padding of") && !what.startsWith("record beyond")) {
            ring.offer(new byte[60]);
            ring.producer.publish();
        }
        lie.accept(ring);

        assertThatThrownBy(ring.consumer::peek).isInstanceOf(BrokenWireException.class);
        assertThatThrownBy(ring.consumer::peek).as("a second time").isInstanceOf(BrokenWireException.class);
    }

    @Test
    void peek_atAPartOfALongMessage_isMalformed() {
        RingEnds ring = new RingEnds();
        ring.offer(new byte[2 * RingEnds.MAX_PAYLOAD]);
        ring.producer.publish();

        assertThatThrownBy(ring.consumer::peek).isInstanceOf(BrokenWireException.class);
    }

    @Test
    void peek_afterAPartOfALongMessage_isMalformed() {
        RingEnds ring = new RingEnds();
        assertThat(ring.offer(new byte[8 * RingEnds.MAX_PAYLOAD])).isFalse();
        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
        ring.header(0, header(Ring.LAST, 4));
        ring.producerPosition(CAPACITY + 8);

        assertThatThrownBy(ring.consumer::peek).isInstanceOf(BrokenWireException.class);
    }

    /** To the producer; it has filled the ring, and the consumer has given back a quarter of it. */
    static Stream<Arguments> liesOfTheConsumer() {
        return Stream.of(
                lie("position going back", ring -> ring.consumerPosition(QUARTER - 8)),
                lie("position before the beginning", ring -> ring.consumerPosition(-8)),
                lie("position beyond what is published", ring -> ring.consumerPosition(CAPACITY + QUARTER + 8)),
                lie("position very far", ring -> ring.consumerPosition(Long.MAX_VALUE - 7)),
                lie("position between records", ring -> ring.consumerPosition(QUARTER + 4)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("liesOfTheConsumer")
    void offer_afterWhatCannotBe_isMalformed(String what, Consumer<RingEnds> lie) {
        RingEnds ring = new RingEnds();
        byte[] quarter = new byte[RingEnds.MAX_PAYLOAD];
        while (ring.offer(quarter)) {
            // fill it
        }
        ring.producer.publish();
        ring.take();
        ring.consumer.release();
        assertThat(ring.offer(quarter)).isTrue();
        ring.producer.publish();
        lie.accept(ring);

        assertThatThrownBy(() -> ring.offer(quarter)).isInstanceOf(BrokenWireException.class);
        assertThatThrownBy(() -> ring.producer.reserve(quarter.length)).isInstanceOf(BrokenWireException.class);
    }

    @Test
    void parkedFlag_ofAnyValue_wakesAtMostOnce() {
        for (int value : new int[] {-1, 2, Integer.MIN_VALUE, 0}) {
            RingEnds ring = new RingEnds();
            ring.memory.putInt(256, value);
            assertThat(ring.producer.mustWake()).as("with %s", value).isFalse();
        }
    }

    // ---------------------------------------------------------------------------------------------- anything

    @Test
    void memory_thatIsChangedAtRandom_doesNoHarm() {
        Random random = new Random(seed);
        int noticed = 0;
        int scripts = 20_000 * ROUNDS;
        for (int i = 0; i < scripts; i++) {
            byte[] script = new byte[random.nextInt(100)];
            random.nextBytes(script);
            try {
                noticed += TamperedRing.endures(script) ? 1 : 0;
            } catch (Throwable e) {
                throw new AssertionError("script " + i + " with -Dstress.seed=" + seed, e);
            }
        }
        assertThat(noticed).as("with -Dstress.seed=%s", seed).isBetween(scripts / 10, scripts);
    }

    @Test
    @Tag("stress")
    void memory_thatIsChangedAllTheTime_doesNoHarm() {
        RingEnds victim = new RingEnds();
        AtomicBoolean isOver = new AtomicBoolean();
        RacingThreads.run(() -> scribble(victim, isOver), () -> {
            try {
                for (int i = 0; i < 2_000 * ROUNDS; i++) {
                    use(new Ring(victim.memory));
                }
            } catch (Throwable e) {
                throw new AssertionError("with -Dstress.seed=" + seed, e);
            } finally {
                isOver.set(true);
            }
        });
    }

    private void scribble(RingEnds ring, AtomicBoolean isOver) {
        Random random = new Random(seed);
        while (!isOver.get()) {
            switch (random.nextInt(4)) {
                case 0 -> ring.producerPosition(8L * random.nextInt(CAPACITY / 4));
                case 1 -> ring.consumerPosition(8L * random.nextInt(CAPACITY / 8));
                case 2 -> ring.header(8 * random.nextInt(CAPACITY / 8), header(Ring.LAST, random.nextInt(100)));
                default -> ring.header(8 * random.nextInt(CAPACITY / 8), random.nextInt());
            }
        }
    }

    /** Both ends anew, until they find out. */
    private static void use(Ring ring) {
        RingProducer producer = new RingProducer(ring);
        RingConsumer consumer = new RingConsumer(ring, RingEnds.MAX_MESSAGE_BYTES);
        byte[] message = new byte[2 * RingEnds.MAX_PAYLOAD];
        try {
            for (int i = 0; i < 1_000; i++) {
                producer.offer(message, 0, 50);
                producer.publish();
                producer.mustWake();
                assertThat(consumer.poll()).isBetween(RingConsumer.NONE, consumer.message().length);
                if (producer.reserve(60) != null) {
                    producer.commit();
                    producer.publish();
                }
                if (consumer.peek() != null) {
                    consumer.skip();
                }
                if (consumer.parkIfEmpty()) {
                    consumer.unpark();
                }
            }
        } catch (BrokenWireException e) {
            assertThat(consumer.message()).hasSizeLessThanOrEqualTo(RingEnds.MAX_MESSAGE_BYTES);
        }
    }
}
