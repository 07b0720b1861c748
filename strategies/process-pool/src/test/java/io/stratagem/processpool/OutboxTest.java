package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What leaves a worker when others than the thread that runs its tasks send what that has gathered. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OutboxTest {
    private static final int MAX_FRAME = 1 << 20;

    private static Outbox outbox(MemoryChannel channel) {
        Codec codec = new Codec(OutboxTest.class.getClassLoader(), Filters.fromApplication());
        return new Outbox(new Link(channel, MAX_FRAME), new ThrowableCodec(codec));
    }

    private static MemoryChannel channel(Consumer<Bytes> listener) {
        return new MemoryChannel(ByteBuffer.allocate(0), listener);
    }

    private static void begin(Outbox outbox, int index) throws IOException {
        outbox.beginTask(index);
        outbox.begun();
    }

    /** An outcome as that of a task that returned null. */
    private static Bytes other() {
        Bytes outcome = new Bytes();
        outcome.putByte(Frames.VALUE);
        outcome.putInt(1);
        Tag.NULL.put(outcome);
        return outcome;
    }

    /** The outcomes of each batch, one after another: numbers, and null for {@link #other}. */
    private static List<List<Object>> outcomes(MemoryChannel channel) {
        List<List<Object>> batches = new ArrayList<>();
        Bytes sent = Bytes.of(channel.sent());
        while (sent.remaining() > 0) {
            Bytes frame = sent.slice(sent.getInt());
            assertThat(frame.getByte()).isEqualTo(Frames.RESULTS);
            int batch = (int) frame.getLong();
            while (batches.size() <= batch) {
                batches.add(new ArrayList<>());
            }
            List<Object> outcomes = batches.get(batch);
            assertThat(frame.getInt()).as("first of the frame").isEqualTo(outcomes.size());
            frame.getLong();
            int end = outcomes.size() + frame.getInt();
            while (outcomes.size() < end) {
                if (frame.getByte() == Frames.VALUES) {
                    Tag tag = Column.getTag(frame);
                    for (int left = frame.getInt(); left > 0; left--) {
                        outcomes.add(Column.get(frame, tag));
                    }
                } else {
                    frame.slice(frame.getInt());
                    outcomes.add(null);
                }
            }
            assertThat(outcomes).hasSize(end);
            assertThat(frame.remaining()).isZero();
        }
        return batches;
    }

    /** Else the page would say all the time that the task runs. */
    @Test
    void endTaskAtOnce_whileOutcomesAreSent_doesNotWait() throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(1);
        MemoryChannel channel = channel(frame -> {
            writing.countDown();
            Uninterruptibles.awaitUninterruptibly(written);
        });
        Outbox outbox = outbox(channel);
        outbox.beginBatch(0, false);
        begin(outbox, 0);
        assertThat(outbox.endTaskAtOnce(0, Tag.INT, 7)).isTrue();
        begin(outbox, 1);
        Thread exit = new Thread(outbox::flushAtExit);
        exit.start();
        writing.await();

        boolean isEnded = outbox.endTaskAtOnce(1, Tag.INT, 8);

        written.countDown();
        assertThat(isEnded).isFalse();
        outbox.endTask(1, other());
        outbox.endBatch();
        exit.join();
        List<Object> expected = new ArrayList<>(List.of(7));
        expected.add(null);
        assertThat(outcomes(channel)).containsExactly(expected);
    }

    /** Else listeners would hear of two starts of a task that was taken back, and is run elsewhere. */
    @Test
    void taskThatIsHeldUpBeforeItsBeginningIsCertain_isNotReportedAsStarted() throws Exception {
        MemoryChannel channel = channel(frame -> {});
        Outbox outbox = outbox(channel);
        outbox.beginBatch(0, true);
        outbox.beginTask(0);
        for (int ticks = 0; ticks < 3; ticks++) {
            outbox.look();
        }
        assertThat(channel.sent()).isEmpty();

        outbox.begun();
        assertThat(starts(channel)).containsExactly(0L);
        outbox.look();
        outbox.look();
        assertThat(starts(channel))
                .hasSize(2)
                .element(1)
                .satisfies(ago -> assertThat(ago).isPositive());
    }

    /** How long ago task 0 of batch 0 was said to have started, each time. */
    private static List<Long> starts(MemoryChannel channel) {
        List<Long> starts = new ArrayList<>();
        Bytes sent = Bytes.of(channel.sent());
        while (sent.remaining() > 0) {
            Bytes frame = sent.slice(sent.getInt());
            assertThat(frame.getByte()).isEqualTo(Frames.STARTED);
            assertThat(frame.getLong()).isZero();
            assertThat(frame.getInt()).isZero();
            starts.add(frame.getLong());
        }
        return starts;
    }

    @Test
    void outcomes_sentByOthersAtAnyTime_areEachThereOnce() throws Exception {
        int batches = 200;
        MemoryChannel channel = channel(frame -> {});
        Outbox outbox = outbox(channel);
        Thread exits = new Thread(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                outbox.flushAtExit();
            }
        });
        exits.start();
        List<List<Object>> expected = new ArrayList<>();
        for (int batch = 0; batch < batches; batch++) {
            List<Object> numbers = new ArrayList<>();
            outbox.beginBatch(batch, false);
            for (int i = 0; i < TaskPage.MAX_BATCH; i++) {
                Object number = i % 100 < 50 ? (Object) i : (Object) (double) i;
                begin(outbox, i);
                if (i % 7 != 0 && outbox.endTaskAtOnce(i, i % 100 < 50 ? Tag.INT : Tag.DOUBLE, number)) {
                    numbers.add(number);
                } else {
                    outbox.endTask(i, other());
                    numbers.add(null);
                }
            }
            outbox.endBatch();
            expected.add(numbers);
        }
        exits.interrupt();
        exits.join();

        assertThat(outcomes(channel)).isEqualTo(expected);
    }
}
