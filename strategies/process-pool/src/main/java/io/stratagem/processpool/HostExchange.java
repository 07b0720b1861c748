package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A worker's questions to what the application hosts. Any thread may ask. */
/* Arguments and answers are serialised and rebuilt by the thread that asks, before it takes of the allowance and after
 * it has given it back: that runs code of the user's, which may ask something itself.
 */
final class HostExchange {
    private final Questions questions;
    private final Semaphore soon = new Semaphore(Allowance.SOON, true);
    private final Semaphore later = new Semaphore(Allowance.LATER);

    HostExchange(Questions questions) {
        this.questions = questions;
    }

    /** The way to what has this id. The number is that of the loader which the codec has. */
    HostLine line(UUID id, String contents, int loader, Codec codec) {
        return new Line(id, contents, loader, codec);
    }

    private static final class Question implements Questions.Question {
        private final CountDownLatch isAnswered = new CountDownLatch(1);
        private volatile @Nullable Bytes answer;

        @Override
        public void answered(Bytes frame) {
            answer = frame;
            isAnswered.countDown();
        }

        boolean await(long nanos) throws InterruptedException {
            return isAnswered.await(nanos, TimeUnit.NANOSECONDS);
        }

        Bytes await() {
            boolean wasInterrupted = false;
            Bytes present = answer;
            while (present == null) {
                try {
                    isAnswered.await();
                } catch (InterruptedException e) {
                    wasInterrupted = true;
                }
                present = answer;
            }
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
            return present;
        }
    }

    private final class Line implements HostLine {
        private static final int NUMBER_OFFSET = Integer.BYTES + 1;

        private final UUID id;
        private final String contents;
        private final int loader;
        private final Codec codec;

        Line(UUID id, String contents, int loader, Codec codec) {
            this.id = id;
            this.contents = contents;
            this.loader = loader;
            this.codec = codec;
        }

        @Override
        public @Nullable Object ask(int operation, @Nullable Object... arguments) {
            Bytes frame = begin(operation, false);
            int weight = Allowance.weight(false, putArguments(frame, arguments));
            Question question = new Question();
            Bytes answer;
            soon.acquireUninterruptibly(weight);
            try {
                send(frame, question);
                answer = question.await();
            } finally {
                soon.release(weight);
            }
            return read(answer.getByte(), answer);
        }

        @Override
        public @Nullable Object await(int operation, long limitNanos, @Nullable Object... arguments)
                throws InterruptedException {
            Bytes frame = begin(operation, true);
            int weight = Allowance.weight(true, putArguments(frame, arguments));
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (!later.tryAcquire(weight)) {
                throw new IllegalStateException("one operation too many would wait in this worker (" + contents
                        + "): at most " + Allowance.LATER + ", fewer if they bring large ones");
            }
            Question question = new Question();
            boolean isInterrupted = false;
            Bytes answer;
            try {
                int number = send(frame, question);
                try {
                    if (!question.await(limitNanos)) {
                        questions.outbox().withdraw(number);
                    }
                } catch (InterruptedException e) {
                    isInterrupted = true;
                    questions.outbox().withdraw(number);
                }
                answer = question.await(); // which may have been on its way
            } finally {
                later.release(weight);
            }
            byte verdict = answer.getByte();
            if (verdict == Frames.WITHDRAWN && isInterrupted) {
                throw new InterruptedException();
            }
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
            return verdict == Frames.WITHDRAWN ? null : read(verdict, answer);
        }

        private Bytes begin(int operation, boolean mayWait) {
            Bytes frame = questions.outbox().question();
            frame.putInt(0);
            frame.putInt(loader);
            frame.putLong(id.getMostSignificantBits());
            frame.putLong(id.getLeastSignificantBits());
            frame.putInt(operation);
            frame.putByte(mayWait ? 1 : 0);
            return frame;
        }

        /** Gives how many bytes they are. */
        private int putArguments(Bytes frame, @Nullable Object[] arguments) {
            int start = frame.size();
            frame.putVarInt(arguments.length);
            for (Object each : arguments) {
                codec.write(frame, each, contents);
            }
            return frame.size() - start;
        }

        private int send(Bytes frame, Question question) {
            int number = questions.open(question);
            frame.setInt(NUMBER_OFFSET, number);
            questions.outbox().ask(frame);
            return number;
        }

        private @Nullable Object read(byte verdict, Bytes answer) {
            return switch (verdict) {
                case Frames.ANSWER -> codec.read(answer, contents);
                case Frames.ANSWERS -> readElements(answer);
                default -> throw asUnchecked(new ThrowableCodec(codec).read(answer, "the application"));
            };
        }

        private Hosted.Elements readElements(Bytes answer) {
            List<@Nullable Object> values = new ArrayList<>();
            TransferException failure = null;
            for (int left = answer.getCount(Integer.BYTES); left > 0; left--) {
                Bytes element = answer.slice(answer.getInt());
                try {
                    values.add(codec.read(element, contents));
                } catch (TransferException e) {
                    if (failure == null) {
                        failure = e;
                    } else {
                        failure.addSuppressed(e);
                    }
                }
            }
            return new Hosted.Elements(values, failure);
        }

        /** With the frames of this thread after those of the application. */
        private RuntimeException asUnchecked(Throwable failure) {
            StackTraceElement[] here = Thread.currentThread().getStackTrace();
            failure.setStackTrace(Stream.concat(
                            Arrays.stream(failure.getStackTrace()),
                            Arrays.stream(here).skip(1))
                    .toArray(StackTraceElement[]::new));
            if (failure instanceof Error error) {
                throw error;
            }
            return failure instanceof RuntimeException unchecked
                    ? unchecked
                    : new TransferException(contents + ": " + failure, failure);
        }
    }
}
