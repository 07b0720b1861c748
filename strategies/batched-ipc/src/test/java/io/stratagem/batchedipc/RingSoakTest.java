package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two processes send each other messages of random sizes with checksums, and one of them is killed again and again: what it
 * has published before is whole and in order, and the other comes to no harm.
 */
@Tag("stress")
@Timeout(value = Patience.TEST_SECONDS * 50, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RingSoakTest {
    private static final int ROUNDS = Integer.getInteger("stress.rounds", 1);

    /** In both directions together: a billion under {@code -Pstress}. */
    private static final long MESSAGES = Long.getLong("soak.messages", ROUNDS > 1 ? 1_000_000_000 : 2_000_000);

    private static final int PROCESSES = ROUNDS > 1 ? 50 : 4;
    private static final int CAPACITY = 1 << 16;
    private static final int PAUSE_NANOS = 50_000;

    private final long seed = Long.getLong("stress.seed", System.nanoTime());

    /** One side: sends as many messages as there is room for, and checks those that come. */
    private static final class Side {
        private final Rings rings;
        private final byte[] message = new byte[CheckedMessage.MAX_BYTES];
        private final long firstOut;
        private final long firstIn;
        private long sent;
        private long received;
        private int length = -1; // of a message that waits for room
        private int idle;

        Side(Rings rings, long firstOut, long firstIn) {
            this.rings = rings;
            this.firstOut = firstOut;
            this.firstIn = firstIn;
        }

        void step() {
            boolean hasSent = send();
            if (receive() || hasSent) {
                idle = 0;
            } else if (++idle > 100) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } else {
                Thread.onSpinWait();
            }
        }

        private boolean send() {
            RingProducer producer = rings.producer();
            for (int i = 0; i < 100; i++, sent++, length = -1) {
                length = length < 0 ? CheckedMessage.write(message, firstOut + sent) : length;
                if (!producer.offer(message, 0, length)) {
                    producer.publish();
                    return i > 0;
                }
            }
            producer.publish();
            return true;
        }

        boolean receive() {
            RingConsumer consumer = rings.consumer();
            long before = received;
            for (int bytes = consumer.poll(); bytes >= 0; bytes = consumer.poll()) {
                CheckedMessage.check(consumer.message(), bytes, firstIn + received++);
                if (received - before == 10_000) {
                    break; // now it is the other direction's turn
                }
            }
            return received > before;
        }
    }

    /** The other process: {@code Peer PLACE FIRST_OUT FIRST_IN}. It ends by being killed, or with its standard input. */
    static final class Peer {
        public static void main(String[] arguments) throws IOException {
            Rings rings = Rings.open(arguments[0], CheckedMessage.MAX_BYTES);
            System.out.println("opened");
            Side side = new Side(rings, Long.parseLong(arguments[1]), Long.parseLong(arguments[2]));
            while (System.in.available() == 0) {
                for (int i = 0; i < 1000; i++) {
                    side.step();
                }
            }
        }
    }

    @Test
    void messages_betweenProcessesThatAreKilled_areWholeAndInOrder() throws Exception {
        Random random = new Random(seed);
        long received = 0;
        for (int i = 0; i < PROCESSES; i++) {
            // Half of all come in this direction; and some more or less, so that a kill can hit any moment.
            long share = (long) (MESSAGES / 2.0 / PROCESSES * (0.9 + 0.3 * random.nextDouble()));
            try {
                received += exchange(random.nextLong(), random.nextLong(), share);
            } catch (Throwable e) {
                throw new AssertionError("process " + i + " with -Dstress.seed=" + seed, e);
            }
        }
        assertThat(2 * received).isGreaterThan(MESSAGES * 9 / 10);
    }

    /** With a new process, until so many messages have come from it and as many have gone there; kills it then. */
    private long exchange(long firstOut, long firstIn, long messages) throws Exception {
        try (Rings rings = Rings.create(Means.preferred(), CAPACITY, CheckedMessage.MAX_BYTES);
                JavaProcess peer =
                        JavaProcess.start(Peer.class, rings.place(), Long.toString(firstIn), Long.toString(firstOut))) {
            assertThat(peer.readLine()).isEqualTo("opened");
            Side side = new Side(rings, firstOut, firstIn);
            while (side.received < messages || side.sent < messages) {
                for (int i = 0; i < 1000; i++) {
                    side.step();
                }
                assertThat(peer.isAlive()).isTrue();
            }
            peer.kill();
            while (side.receive()) {
                // what is left
            }
            while (side.send()) {
                // nobody takes any more: the ring fills up, and that is all
            }
            return side.received;
        }
    }
}
