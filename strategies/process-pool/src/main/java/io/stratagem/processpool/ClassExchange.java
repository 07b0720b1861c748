package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.net.MalformedURLException;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A worker's questions for what class loaders of the application find, and the answers. Any thread may ask. */
final class ClassExchange {
    private final Questions questions;

    ClassExchange(Questions questions) {
        this.questions = questions;
    }

    Questions questions() {
        return questions;
    }

    private static final class Question implements Questions.Question {
        private final CountDownLatch isAnswered = new CountDownLatch(1);
        private volatile Bytes answer = Bytes.of(new byte[0]);

        @Override
        public void answered(Bytes frame) {
            answer = frame;
            isAnswered.countDown();
        }
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
        Question question = new Question();
        questions.outbox().sendQuestion(questions.open(question), loader, name, forAll, known);
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
        return readEntries(question.answer);
    }

    /** On the thread that has asked: a URL may lead to a factory of the user's. */
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
            // Of a kind that every JDK has, so a factory of the user's has refused it.
            throw new IllegalStateException("no class or resource can be had from " + url + " here", e);
        }
    }
}
