package io.stratagem.batchedipc;

import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A producer and a consumer race: each message comes once, in order, whole; and no wake-up is lost. */
@Tag("stress")
@Timeout(Patience.TEST_SECONDS * 10)
final class RingRaceTest {
    private static final int ROUNDS = Integer.getInteger("stress.rounds", 1);
    private static final long MESSAGES = 500_000L * ROUNDS;
    private static final Duration LIMIT = Patience.LIMIT.multipliedBy(ROUNDS);

    private final long seed = Long.getLong("stress.seed", System.nanoTime());
    private final Semaphore doorbell = new Semaphore(0);

    @ParameterizedTest
    @ValueSource(ints = {Ring.MIN_CAPACITY, 1 << 16})
    void messages_betweenTwoThreads_comeOnceAndInOrder(int capacity) {
        RingEnds ring = new RingEnds(capacity);
        RacingThreads.run(2, LIMIT, thread -> {
            try {
                if (thread == 0) {
                    produce(ring.producer, new Random(seed));
                } else {
                    consume(ring.consumer, new Random(~seed));
                }
            } catch (Throwable e) {
                throw new AssertionError(
                        "with -Dstress.seed=" + seed + ", producer at " + ring.producerPosition() + ", consumer at "
                                + ring.consumerPosition() + ", parked " + ring.parked(),
                        e);
            }
        });
    }

    private void produce(RingProducer producer, Random random) {
        byte[] message = new byte[CheckedMessage.MAX_BYTES];
        for (long number = 0; number < MESSAGES; number++) {
            int length = CheckedMessage.write(message, number);
            boolean isInPlace = length <= RingEnds.MAX_PAYLOAD && random.nextInt(4) == 0;
            while (isInPlace ? !putInPlace(producer, message, length) : !producer.offer(message, 0, length)) {
                publishAndWake(producer);
                Thread.yield();
            }
            if (random.nextInt(20) == 0) {
                publishAndWake(producer);
            }
        }
        publishAndWake(producer);
    }

    private static boolean putInPlace(RingProducer producer, byte[] message, int length) {
        ByteBuffer room = producer.reserve(length);
        if (room == null) {
            return false;
        }
        room.put(message, 0, length);
        producer.commit();
        return true;
    }

    /** As {@link RingConsumer#poll}, and the message is in the array. */
    private static int takeInPlace(RingConsumer consumer, byte[] message) {
        ByteBuffer next = consumer.peek();
        if (next == null) {
            return RingConsumer.NONE;
        }
        int length = next.remaining();
        next.get(message, 0, length);
        consumer.skip();
        return length;
    }

    private void publishAndWake(RingProducer producer) {
        producer.publish();
        if (producer.mustWake()) {
            doorbell.release();
        }
    }

    private void consume(RingConsumer consumer, Random random) throws InterruptedException {
        byte[] message = new byte[CheckedMessage.MAX_BYTES];
        for (long number = 0; number < MESSAGES; ) {
            boolean isInPlace = CheckedMessage.length(number) <= RingEnds.MAX_PAYLOAD && random.nextInt(4) == 0;
            int length = isInPlace ? takeInPlace(consumer, message) : consumer.poll();
            if (length >= 0) {
                CheckedMessage.check(isInPlace ? message : consumer.message(), length, number++);
            } else if (random.nextInt(4) == 0 && consumer.parkIfEmpty()) {
                if (!doorbell.tryAcquire(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("no wake-up before message " + number);
                }
                consumer.unpark();
            } else {
                Thread.yield();
            }
        }
        if (consumer.poll() >= 0) {
            throw new AssertionError("a message too many");
        }
    }
}
