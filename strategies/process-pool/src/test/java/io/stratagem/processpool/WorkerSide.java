package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;

/** A worker's side of its connections, in this JVM. What the application sends is given beforehand. */
final class WorkerSide {
    private static final int MAX_FRAME = ApplicationSide.MAX_MESSAGE_BYTES + PoolSettings.MARGIN_BYTES;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final TaskPage page;
    private final Codec codec = new Codec(WorkerSide.class.getClassLoader(), Filters.fromApplication());

    WorkerSide() {
        try (PrivateDirectory directory =
                PrivateDirectory.choose(HostSystem.present()).create()) {
            page = TaskPage.create(directory.page());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What a worker did.
     *
     * @param sent what it answered
     * @param end what it ended with, or null if the application said good-bye or closed the connection
     * @param allocatedBytes by this thread
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Taken(byte[] sent, Exception end, long allocatedBytes) {}

    /** Runs a worker that is sent these bytes, whatever it answers. No loader of the application finds anything. */
    Taken take(ByteBuffer fromApplication) {
        Questions questions = new Questions();
        MemoryChannel channel = new MemoryChannel(fromApplication, frame -> answer(questions, frame));
        Exception end = null;
        long before = THREADS.getCurrentThreadAllocatedBytes();
        Link link = new Link(channel, MAX_FRAME);
        Outbox outbox = new Outbox(link, new ThrowableCodec(codec));
        questions.askThrough(outbox);
        try {
            var unused = new TaskRunner(
                            link,
                            outbox,
                            page,
                            new ClassExchange(questions),
                            codec,
                            MAX_FRAME - PoolSettings.MARGIN_BYTES / 2)
                    .run();
        } catch (IOException | Bytes.MalformedException e) {
            end = e;
        }
        return new Taken(channel.sent(), end, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    private static void answer(Questions questions, Bytes frame) {
        frame.position(Integer.BYTES);
        if (frame.getByte() == Frames.QUESTION) {
            Bytes nothing = new Bytes();
            nothing.putInt(Integer.BYTES + 1);
            nothing.putInt(frame.getInt());
            nothing.putVarInt(0);
            try {
                questions.readAnswers(new ByteArrayInputStream(nothing.toByteArray()), MAX_FRAME);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What must hold whatever the bytes are. */
    void takeAndCheck(byte[] bytes) {
        Taken taken = take(ByteBuffer.wrap(bytes));
        if (taken.allocatedBytes() >= limit(bytes, taken)) {
            taken = take(ByteBuffer.wrap(bytes)); // a class that is loaded, and instrumented, takes much the first time
        }
        assertThat(taken.allocatedBytes()).isLessThan(limit(bytes, taken));
    }

    private static long limit(byte[] bytes, Taken taken) {
        return ApplicationSide.FIXED_BYTES + ApplicationSide.FACTOR * (bytes.length + taken.sent().length);
    }
}
