package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.spi.Wire.BrokenWireException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes in comes out, in order and once, wherever in the ring it stands. */
final class RingTest {
    private static final int CAPACITY = RingEnds.CAPACITY;
    private static final int MAX_PAYLOAD = RingEnds.MAX_PAYLOAD;
    /** The greatest record. */
    private static final int QUARTER = CAPACITY / 4;

    private final RingEnds ring = new RingEnds();

    private void send(byte[] message) {
        assertThat(ring.offer(message)).isTrue();
        ring.producer.publish();
    }

    // ---------------------------------------------------------------------------------------------- one record

    static IntStream shortLengths() {
        return IntStream.concat(IntStream.rangeClosed(0, 270), IntStream.rangeClosed(MAX_PAYLOAD - 9, MAX_PAYLOAD));
    }

    @ParameterizedTest
    @MethodSource("shortLengths")
    void message_ofAnyLength_comesOutAsItWas(int length) {
        byte[] around = RingEnds.bytes(length + 20, length);

        assertThat(ring.producer.offer(around, 7, length)).isTrue();
        assertThat(ring.offer(new byte[] {42})).isTrue();
        ring.producer.publish();

        assertThat(ring.take()).isEqualTo(Arrays.copyOfRange(around, 7, 7 + length));
        assertThat(ring.take()).as("what lies behind it").containsExactly(42);
    }

    @Test
    void message_thatIsChangedAfterPoll_isACopy() {
        send(new byte[] {1, 2, 3, 4});
        byte[] taken = ring.take();
        ring.memory.putInt(Ring.HEADER_BYTES + Integer.BYTES, -1);

        assertThat(ring.consumer.message()).startsWith(1, 2, 3, 4);
        assertThat(taken).containsExactly(1, 2, 3, 4);
    }

    @Test
    void offer_outsideTheArray_isRefusedAndPutsNothing() {
        assertThatThrownBy(() -> ring.producer.offer(new byte[10], 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
        ring.producer.publish();

        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
    }

    @Test
    void poll_ofWhatIsNotPublished_givesNothing() {
        assertThat(ring.offer(new byte[] {1})).isTrue();
        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
        ring.producer.publish();

        assertThat(ring.take()).containsExactly(1);
        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
    }

    // ---------------------------------------------------------------------------------------------- in place

    private void sendInPlace(byte[] message) {
        ByteBuffer room = ring.producer.reserve(message.length);
        assertThat(room.remaining()).isEqualTo(message.length);
        room.put(message);
        ring.producer.commit();
        ring.producer.publish();
    }

    private byte[] takeInPlace() {
        ByteBuffer message = ring.consumer.peek();
        byte[] copy = new byte[message.remaining()];
        message.get(copy);
        ring.consumer.skip();
        return copy;
    }

    @ParameterizedTest
    @MethodSource("shortLengths")
    void message_thatIsWrittenAndReadInPlace_isAsEveryOther(int length) {
        byte[] message = RingEnds.bytes(length, length);
        byte[] next = RingEnds.bytes(length, ~length);

        sendInPlace(message);
        send(next);
        assertThat(ring.take()).isEqualTo(message);
        assertThat(takeInPlace()).isEqualTo(next);
        assertThat(ring.consumer.peek()).isNull();
    }

    @Test
    void peek_asOftenAsOneLikes_takesNothingOut() {
        send(new byte[] {1});
        assertThat(ring.consumer.peek().get()).isEqualTo((byte) 1);
        assertThat(ring.consumer.peek().get()).isEqualTo((byte) 1);

        assertThat(ring.take()).containsExactly(1);
    }

    @Test
    void skip_withoutALook_takesNothingOut() {
        send(new byte[] {1});
        send(new byte[] {2});
        assertThat(takeInPlace()).containsExactly(1);
        ring.consumer.skip();

        assertThat(ring.take()).containsExactly(2);
    }

    @Test
    void reserve_withoutCommit_putsNothingIn() {
        ring.producer.reserve(100).put(new byte[100]);
        ring.producer.publish();
        assertThat(ring.consumer.peek()).isNull();
        send(new byte[] {1});

        assertThat(ring.take()).containsExactly(1);
    }

    @Test
    void commit_isSeenAfterPublish() {
        ring.producer.reserve(1).put((byte) 5);
        ring.producer.commit();
        assertThat(ring.consumer.peek()).isNull();
        ring.producer.publish();

        assertThat(takeInPlace()).containsExactly(5);
    }

    @Test
    void reserve_inAFullRing_isPossibleWhenSomethingWasTakenOut() {
        for (int i = 0; i < 4; i++) {
            sendInPlace(RingEnds.bytes(MAX_PAYLOAD, i));
        }
        assertThat(ring.producer.reserve(1)).isNull();
        assertThat(takeInPlace()).isEqualTo(RingEnds.bytes(MAX_PAYLOAD, 0));
        assertThat(ring.producer.reserve(1)).as("before it is given back").isNull();
        ring.consumer.release();

        sendInPlace(RingEnds.bytes(MAX_PAYLOAD, 4));
        for (int i = 1; i < 5; i++) {
            assertThat(takeInPlace()).isEqualTo(RingEnds.bytes(MAX_PAYLOAD, i));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 64, CAPACITY / 4 - 8})
    void reserve_ofWhatDoesNotFitBeforeTheEnd_isBehindPadding(int toEnd) {
        ring.advance(CAPACITY - toEnd);
        byte[] message = RingEnds.bytes(MAX_PAYLOAD, 2);
        assertThat(ring.producer.reserve(MAX_PAYLOAD)).isNotNull();
        sendInPlace(message);

        assertThat(ring.header(CAPACITY - toEnd) & Ring.KIND_MASK).isEqualTo(Ring.PADDING);
        assertThat(ring.producerPosition()).isEqualTo(CAPACITY + QUARTER);
        assertThat(takeInPlace()).isEqualTo(message);
        assertThat(ring.consumer.peek()).isNull();
        assertThat(ring.consumerPosition()).isEqualTo(CAPACITY + QUARTER);
    }

    @Test
    void reserve_ofMoreThanARecordHas_isRefused() {
        assertThatThrownBy(() -> ring.producer.reserve(MAX_PAYLOAD + 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ring.producer.reserve(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    // ---------------------------------------------------------------------------------------------- the end of the
    // data

    @Test
    void record_thatEndsWithTheData_needsNoPadding() {
        ring.advance(CAPACITY - 64);
        byte[] message = RingEnds.bytes(60, 1);
        send(message);

        assertThat(ring.producerPosition()).isEqualTo(CAPACITY);
        assertThat(ring.take()).isEqualTo(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 64, CAPACITY / 4 - 8})
    void record_thatDoesNotFitBeforeTheEnd_goesBehindPadding(int toEnd) {
        ring.advance(CAPACITY - toEnd);
        byte[] message = RingEnds.bytes(MAX_PAYLOAD, 2);
        send(message);

        assertThat(ring.header(CAPACITY - toEnd) & Ring.KIND_MASK).isEqualTo(Ring.PADDING);
        assertThat(ring.producerPosition()).isEqualTo(CAPACITY + QUARTER);
        assertThat(ring.take()).isEqualTo(message);
        assertThat(ring.consumer.poll()).isEqualTo(RingConsumer.NONE);
        assertThat(ring.consumerPosition()).isEqualTo(CAPACITY + QUARTER);
    }

    @Test
    void padding_forWhichThereIsNoRoom_isNotWritten() {
        ring.advance(CAPACITY - 16);
        // All but 16 + 1024 - 8 bytes: the record alone would fit, but not with what must lie before it.
        for (int i = 0; i < 2; i++) {
            send(new byte[4]); // up to the end
        }
        byte[] message = RingEnds.bytes(MAX_PAYLOAD, 3);
        for (int i = 0; i < 3; i++) {
            send(message);
        }
        assertThat(ring.offer(message)).as("room for a quarter less 16 bytes").isFalse();
        assertThat(ring.offer(new byte[QUARTER - 16 - Integer.BYTES])).isTrue();
        ring.producer.publish();

        assertThat(ring.take()).hasSize(4);
    }

    @Test
    void messages_ofAllLengthsForManyRounds_comeOutInOrder() {
        int sent = 0;
        int taken = 0;
        while (taken < 5_000) {
            while (sent < 5_000 && ring.offer(RingEnds.bytes(sent % 301, sent))) {
                sent++;
            }
            ring.producer.publish();
            for (int length = ring.consumer.poll(); length >= 0; length = ring.consumer.poll(), taken++) {
                assertThat(Arrays.copyOf(ring.consumer.message(), length))
                        .as("message %s", taken)
                        .isEqualTo(RingEnds.bytes(taken % 301, taken));
            }
        }
        assertThat(taken).isEqualTo(sent);
        assertThat(ring.consumerPosition()).isEqualTo(ring.producerPosition()).isGreaterThan(100L * CAPACITY);
    }

    // ---------------------------------------------------------------------------------------------- full and empty

    @Test
    void offer_toAFullRing_isRefusedUntilTheConsumerGivesBack() {
        byte[] message = new byte[60];
        int count = 0;
        while (ring.offer(message)) {
            count++;
        }
        assertThat(count).as("all of the ring is used").isEqualTo(CAPACITY / 64);
        assertThat(ring.offer(new byte[0])).isFalse();
        ring.producer.publish();

        ring.take();
        assertThat(ring.offer(message)).as("taken, not given back yet").isFalse();
        ring.consumer.release();
        assertThat(ring.offer(message)).isTrue();
        assertThat(ring.offer(message)).isFalse();
    }

    @Test
    void consumer_thatFindsNothing_hasGivenBackAll() {
        while (ring.offer(new byte[60])) {
            // fill it
        }
        ring.producer.publish();
        while (ring.consumer.poll() >= 0) {
            // empty it
        }
        assertThat(ring.consumerPosition()).isEqualTo(ring.producerPosition());
    }

    @Test
    void consumer_thatHasMoreToRead_givesBackAQuarterAtATime() {
        while (ring.offer(new byte[60])) {
            // fill it
        }
        ring.producer.publish();
        for (int i = 0; i <= QUARTER / 64; i++) {
            ring.take();
        }
        assertThat(ring.consumerPosition()).isEqualTo(QUARTER);
    }

    @Test
    void positions_thatAreKnownToSuffice_areNotReadAgain() {
        ring.consumerPosition(-1);
        for (int i = 0; i < CAPACITY / 64; i++) {
            assertThat(ring.offer(new byte[60])).isTrue();
        }
        assertThatThrownBy(() -> ring.offer(new byte[60])).isInstanceOf(BrokenWireException.class);
        ring.producer.publish();

        ring.take();
        ring.producerPosition(-1);
        for (int i = 1; i < QUARTER / 64; i++) {
            ring.take();
        }
        assertThatThrownBy(ring.consumer::poll).isInstanceOf(BrokenWireException.class);
    }

    // ---------------------------------------------------------------------------------------------- long messages

    static IntStream longLengths() {
        return IntStream.of(
                MAX_PAYLOAD + 1, 2 * MAX_PAYLOAD - 1, 2 * MAX_PAYLOAD, 2 * MAX_PAYLOAD + 1, RingEnds.MAX_MESSAGE_BYTES);
    }

    /** Offers and takes by turns until the message is through. */
    private byte[] pass(byte[] message) {
        boolean isOffered = false;
        int length = RingConsumer.NONE;
        while (length < 0) {
            isOffered = isOffered || ring.offer(message);
            ring.producer.publish();
            length = ring.consumer.poll();
        }
        assertThat(isOffered).isTrue();
        return Arrays.copyOf(ring.consumer.message(), length);
    }

    @ParameterizedTest
    @MethodSource("longLengths")
    void message_longerThanARecord_comesOutWhole(int length) {
        byte[] message = RingEnds.bytes(length, length);

        assertThat(pass(message)).isEqualTo(message);
        assertThat(pass(new byte[] {1})).as("what lies behind it").containsExactly(1);
    }

    @Test
    void message_longerThanARecord_comesOutWholeFromWhereverItBegins() {
        for (int start = 0; start < CAPACITY; start += 8) {
            byte[] message = RingEnds.bytes(3 * MAX_PAYLOAD + start / 8, start);
            assertThat(pass(message)).as("the one from %s on", start).isEqualTo(message);
            ring.advance(8);
        }
    }

    @Test
    void offer_ofALongMessageToAFullRing_goesOnWhereItStopped() {
        byte[] message = RingEnds.bytes(6 * MAX_PAYLOAD, 6);

        assertThat(ring.offer(message)).isFalse();
        assertThat(ring.producerPosition()).as("pieces are published").isEqualTo(CAPACITY);
        assertThat(ring.offer(message)).isFalse();
        assertThat(ring.consumer.poll()).as("not complete").isEqualTo(RingConsumer.NONE);
        assertThat(ring.offer(message)).isTrue();
        ring.producer.publish();

        assertThat(ring.take()).isEqualTo(message);
    }

    @Test
    void message_longerThanAllowed_isMalformed() {
        byte[] message = new byte[RingEnds.MAX_MESSAGE_BYTES + 1];

        assertThatThrownBy(() -> pass(message))
                .isInstanceOf(BrokenWireException.class)
                .hasMessageContaining(Integer.toString(RingEnds.MAX_MESSAGE_BYTES));
        assertThat(ring.consumer.message()).as("memory taken").hasSizeLessThanOrEqualTo(RingEnds.MAX_MESSAGE_BYTES);
    }

    @Test
    void shortMessage_longerThanAllowed_isMalformed() {
        RingConsumer strict = new RingConsumer(new Ring(ring.memory), 10);
        send(new byte[11]);

        assertThatThrownBy(strict::poll).isInstanceOf(BrokenWireException.class);
    }

    @Test
    void message_asLongAsAllowed_isTaken() {
        RingConsumer strict = new RingConsumer(new Ring(ring.memory), 10);
        send(new byte[10]);

        assertThat(strict.poll()).isEqualTo(10);
    }

    // ---------------------------------------------------------------------------------------------- parking

    @Test
    void consumer_ofAnEmptyRing_parksAndIsWokenOnce() {
        assertThat(ring.producer.mustWake()).as("nobody is parked").isFalse();
        assertThat(ring.consumer.parkIfEmpty()).isTrue();
        send(new byte[1]);

        assertThat(ring.producer.mustWake()).isTrue();
        assertThat(ring.producer.mustWake()).as("a second time").isFalse();
        assertThat(ring.consumer.unpark()).as("nobody wakes it").isFalse();
    }

    @Test
    void consumer_thatWakesByItself_isNotWoken() {
        assertThat(ring.consumer.parkIfEmpty()).isTrue();
        assertThat(ring.consumer.unpark()).isTrue();
        send(new byte[1]);

        assertThat(ring.producer.mustWake()).isFalse();
    }

    @Test
    void consumer_withSomethingToTake_doesNotPark() {
        send(new byte[1]);

        assertThat(ring.consumer.parkIfEmpty()).isFalse();
        assertThat(ring.parked()).isZero();
        assertThat(ring.producer.mustWake()).isFalse();
    }

    @Test
    void consumer_thatParks_hasGivenBackAll() {
        send(new byte[60]);
        ring.take();
        assertThat(ring.consumer.parkIfEmpty()).isTrue();

        assertThat(ring.consumerPosition()).isEqualTo(ring.producerPosition());
    }

    @Test
    void consumer_thatParks_givesUpAHugeArray() {
        RingEnds large = new RingEnds(1 << 20);
        RingConsumer consumer = new RingConsumer(new Ring(large.memory), 1 << 30);
        byte[] message = new byte[10 << 20];
        while (!large.offer(message)) {
            assertThat(consumer.poll()).isEqualTo(RingConsumer.NONE);
        }
        large.producer.publish();
        assertThat(consumer.poll()).isEqualTo(message.length);
        assertThat(consumer.parkIfEmpty()).isTrue();

        assertThat(consumer.message()).hasSizeLessThan(1024);
    }

    // ---------------------------------------------------------------------------------------------- what can be made

    @ParameterizedTest
    @ValueSource(ints = {0, 2048, 4095, 4097, 6144})
    void ring_ofAnImpossibleCapacity_isRefused(int capacity) {
        ByteBuffer memory = ByteBuffer.allocateDirect(Ring.HEADER_BYTES + capacity + 128)
                .alignedSlice(64)
                .slice(0, Ring.HEADER_BYTES + capacity);

        assertThatIllegalArgumentException().isThrownBy(() -> new Ring(memory)).withMessageContaining("" + capacity);
    }

    @Test
    void ring_overMemoryThatIsNotAligned_isRefused() {
        ByteBuffer memory = RingEnds.newMemory(2 * CAPACITY).slice(8, Ring.HEADER_BYTES + CAPACITY);

        assertThatIllegalArgumentException().isThrownBy(() -> new Ring(memory));
    }
}
