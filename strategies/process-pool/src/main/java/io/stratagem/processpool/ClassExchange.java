package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A worker's questions for what class loaders of the application find, and the answers. Any thread may ask; one thread
 * reads the answers.
 */
/* Questions go over the connection, through the outbox. Answers come through the standard input, which a thread of its
 * own reads all the time: the main thread, which reads the connection, may itself be waiting for an answer.
 */
final class ClassExchange {
    private volatile @Nullable Outbox outbox;
    private final AtomicInteger lastNumber = new AtomicInteger();
    private final Map<Integer, Question> open = new ConcurrentHashMap<>();

    /** Questions can be asked from now on. */
    void askThrough(Outbox anOutbox) {
        outbox = anOutbox;
    }

    private static final class Question {
        private final CountDownLatch isAnswered = new CountDownLatch(1);
        private volatile List<Entry> answer = List.of();
    }

    /**
     * What a loader of the application found.
     *
     * @param url where it is, for this process; null if that is one of the places that the question named
     * @param known the index of that place
     */
    record Entry(@Nullable URL url, int known) {}

    /** Asks for the first resource of that name, or all; blocks until the answer is there. */
    List<Entry> ask(int loader, String name, boolean forAll, List<String> known) {
        int number = lastNumber.incrementAndGet();
        Question question = new Question();
        open.put(number, question);
        Objects.requireNonNull(outbox).sendQuestion(number, loader, name, forAll, known);
        boolean wasInterrupted = false;
        while (true) {
            try {
                question.isAnswered.await();
                break;
            } catch (InterruptedException e) {
                wasInterrupted = true; // loading a class cannot be interrupted
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
        return question.answer;
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
            question.answer = readEntries(frame);
            question.isAnswered.countDown();
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

    private static List<Entry> readEntries(Bytes frame) {
        int count = frame.getCount(1);
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(readEntry(frame));
        }
        return entries;
    }

    private static Entry readEntry(Bytes frame) {
        byte kind = frame.getByte();
        if (kind == Frames.KNOWN) {
            return new Entry(null, frame.getVarInt());
        }
        String url = frame.getString();
        try {
            if (kind == Frames.FILE) {
                return new Entry(new URL(url), 0);
            } else if (kind == Frames.CONTENTS) {
                byte[] bytes = new byte[frame.getCount(1)];
                frame.getBytes(bytes, 0, bytes.length);
                return new Entry(MemoryResource.url(url, bytes), 0);
            }
            throw new MalformedException("an entry of kind " + kind);
        } catch (MalformedURLException e) {
            throw new MalformedException("an entry with the URL " + url);
        }
    }
}
