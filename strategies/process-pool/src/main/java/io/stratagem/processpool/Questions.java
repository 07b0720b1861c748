package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A worker's questions to the application, and the answers. Any thread may ask; one thread reads the answers. */
/* Questions go over the connection, through the outbox. Answers come through the standard input, which a thread of its
 * own reads all the time: the main thread, which reads the connection, may itself be waiting for an answer.
 */
final class Questions {
    private volatile @Nullable Outbox outbox;
    private final AtomicInteger lastNumber = new AtomicInteger();
    private final Map<Integer, Question> open = new ConcurrentHashMap<>();

    /** Made when the first collection arrives. */
    private @Nullable HostExchange hosts;

    /** What waits for an answer. */
    @FunctionalInterface
    interface Question {
        /**
         * Takes the answer, in the thread that reads all of them; so it must not run code of the user's.
         *
         * @throws MalformedException if it is none
         */
        void answered(Bytes answer);
    }

    /** Questions can be asked from now on. */
    void askThrough(Outbox anOutbox) {
        outbox = anOutbox;
    }

    Outbox outbox() {
        return Objects.requireNonNull(outbox);
    }

    synchronized HostExchange hosts() {
        HostExchange present = hosts;
        if (present == null) {
            present = new HostExchange(this);
            hosts = present;
        }
        return present;
    }

    /** Gives a question that is about to be sent its number. */
    int open(Question question) {
        int number = lastNumber.incrementAndGet();
        open.put(number, question);
        return number;
    }

    /**
     * Reads answers until there can be no more, which is when the application has gone.
     *
     * @throws MalformedException if what comes is no answer
     */
    void readAnswers(InputStream source, int maxFrame) throws IOException {
        for (Bytes frame = read(source, maxFrame); frame != null; frame = read(source, maxFrame)) {
            Question question = open.remove(frame.getInt());
            if (question == null) {
                throw new MalformedException("an answer to no question");
            }
            question.answered(frame);
        }
    }

    private static @Nullable Bytes read(InputStream source, int maxFrame) throws IOException {
        byte[] header = source.readNBytes(Integer.BYTES);
        if (header.length < Integer.BYTES) {
            return null;
        }
        int length = Bytes.of(header).getInt();
        if (length < 0 || length > maxFrame) {
            throw new MalformedException("an answer of " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] contents = source.readNBytes(length);
        return contents.length < length ? null : Bytes.of(contents);
    }
}
