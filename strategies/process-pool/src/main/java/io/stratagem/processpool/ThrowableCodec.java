package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.WorkerFailureException;
import io.stratagem.processpool.Bytes.MalformedException;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Throwables to bytes and back: as themselves where that is possible, else as {@link WorkerFailureException}. Any thread
 * may use it.
 *
 * <p>The stack trace of what comes back is the remote one, and ends with an element that names the worker. The frames of
 * the thread that rebuilds it are left out: it need not be the one that asked, and says nothing about the failure.
 */
/* Each throwable of a chain, cause or suppressed or in a field, travels on its own, so that one that cannot be rebuilt
 * does not spoil the others: as text (class, message, frames, numbers of causes), and, if it can be serialised, in Java's
 * form as well, in which a Link stands for each other throwable. Links are resolved to what was rebuilt of them.
 */
final class ThrowableCodec {
    private static final int MAX_THROWABLES = 100;
    private static final int MAX_FRAMES = 1024;
    private static final int NONE = -1;

    private final ClassFinder finder;

    ThrowableCodec(Codec codec) {
        this.finder = codec.finder();
    }

    /** Stands for another throwable of the same chain, by number; {@link #NONE} for one too many. */
    private record Link(int number) implements Serializable {}

    /** Puts a throwable; of one that is broken, what can be had. Throws only if there is no room for it. */
    void write(Bytes out, Throwable throwable) {
        int start = out.size();
        try {
            new Writer(out).write(throwable);
        } catch (Bytes.TooLargeException e) {
            out.truncate(start);
            throw Diagnosis.ofWriting("exception " + throwable.getClass().getName(), null, e);
        }
    }

    /** Puts a throwable, or what says that there is no room for it. Throws only if there is none for that either. */
    void writeIfThereIsRoom(Bytes out, Throwable throwable) {
        try {
            write(out, throwable);
        } catch (TransferException e) {
            write(out, e);
        }
    }

    /**
     * Gets a throwable; a {@link TransferException} in its place if the bytes are malformed. The position is then anywhere.
     *
     * @param worker names it in the stack trace, as "pool-1, pid 4711"
     */
    Throwable read(Bytes in, String worker) {
        try {
            return new Reader(in, worker, finder).read();
        } catch (MalformedException e) {
            return Diagnosis.ofReading("exception of worker " + worker, "", e);
        }
    }

    private static final class Writer {
        private final Bytes out;
        private final List<Throwable> throwables = new ArrayList<>();
        private final IdentityHashMap<Throwable, Integer> numbers = new IdentityHashMap<>();

        Writer(Bytes out) {
            this.out = out;
        }

        void write(Throwable root) {
            int countAt = out.size();
            out.putInt(0);
            number(root);
            for (int i = 0; i < throwables.size(); i++) { // which grows meanwhile
                writeText(throwables.get(i));
                writeJava(throwables.get(i));
            }
            out.setInt(countAt, throwables.size());
        }

        private int number(@Nullable Throwable throwable) {
            if (throwable == null) {
                return NONE;
            }
            Integer known = numbers.get(throwable);
            if (known != null) {
                return known;
            }
            int number = throwables.size();
            if (number == MAX_THROWABLES) {
                return NONE;
            }
            throwables.add(throwable);
            numbers.put(throwable, number);
            return number;
        }

        private void writeText(Throwable throwable) {
            out.putString(throwable.getClass().getName());
            String message = Diagnosis.message(throwable);
            out.putByte(message == null ? 0 : 1);
            out.putString(message == null ? "" : message);
            List<StackTraceElement> frames = safely(() -> frames(throwable));
            out.putVarInt(frames == null ? 0 : frames.size());
            if (frames != null) {
                frames.forEach(this::writeFrame);
            }
            out.putVarInt(number(safely(throwable::getCause)));
            Throwable[] suppressed = throwable.getSuppressed();
            int suppressedCount = Math.min(suppressed.length, MAX_THROWABLES);
            out.putVarInt(suppressedCount);
            for (int i = 0; i < suppressedCount; i++) {
                out.putVarInt(number(suppressed[i]));
            }
        }

        private static List<StackTraceElement> frames(Throwable throwable) {
            return Stream.of(throwable.getStackTrace())
                    .filter(Objects::nonNull)
                    .limit(MAX_FRAMES)
                    .toList();
        }

        private void writeFrame(StackTraceElement frame) {
            writeNullable(frame.getModuleName());
            out.putString(frame.getClassName());
            out.putString(frame.getMethodName());
            writeNullable(frame.getFileName());
            out.putVarInt(frame.getLineNumber());
        }

        private void writeNullable(@Nullable String text) {
            out.putString(text == null ? "" : text);
        }

        /** Java's form with its length before it; or no bytes, and why. */
        private void writeJava(Throwable throwable) {
            int lengthAt = out.size();
            out.putInt(0);
            int start = out.size();
            int count = throwables.size();
            try (ObjectOutputStream stream = new LinkingOutput(throwable)) {
                stream.writeObject(throwable);
                stream.flush();
                out.setInt(lengthAt, out.size() - start);
            } catch (Exception | LinkageError | StackOverflowError e) {
                out.truncate(start);
                forget(count); // what it threw: the stream has written that, too
                writeNullable(Diagnosis.ofWriting("the exception", throwable, e).getMessage());
            }
        }

        private void forget(int count) {
            List<Throwable> forgotten = throwables.subList(count, throwables.size());
            forgotten.forEach(numbers::remove);
            forgotten.clear();
        }

        private final class LinkingOutput extends ObjectOutputStream {
            private final Throwable current;

            LinkingOutput(Throwable current) throws IOException {
                super(out.asOutput());
                this.current = current;
                enableReplaceObject(true);
            }

            @Override
            protected Object replaceObject(Object object) {
                return object instanceof Throwable other && other != current ? new Link(number(other)) : object;
            }
        }
    }

    /** What a method gives that may be overridden by anything; null if it throws. */
    private static <T> @Nullable T safely(Supplier<@Nullable T> method) {
        try {
            return method.get();
        } catch (Exception | LinkageError | StackOverflowError e) {
            return null;
        }
    }

    /** What was written of one throwable. */
    private record Text(
            String className,
            @Nullable String message,
            List<StackTraceElement> frames,
            int cause,
            List<Integer> suppressed,
            Bytes javaForm,
            @Nullable String problem) {}

    private static final class Reader {
        private final Bytes in;
        private final ClassFinder finder;
        private final StackTraceElement marker;
        private final List<Text> texts = new ArrayList<>();
        private final List<@Nullable Throwable> rebuilt = new ArrayList<>();

        Reader(Bytes in, String worker, ClassFinder finder) {
            this.in = in;
            this.finder = finder;
            this.marker = new StackTraceElement("---- worker", "process", worker, -1);
        }

        Throwable read() {
            int count = in.getInt();
            if (count < 1 || count > MAX_THROWABLES) {
                throw new MalformedException(count + " throwables");
            }
            for (int i = 0; i < count; i++) {
                texts.add(readText());
                rebuilt.add(null);
            }
            for (int i = count - 1; i > 0; i--) { // from the innermost, to spare the stack
                rebuild(i);
            }
            return rebuild(0);
        }

        private Text readText() {
            String className = in.getString();
            boolean hasMessage = in.getByte() != 0;
            String message = in.getString();
            int frameCount = count(5, MAX_FRAMES);
            List<StackTraceElement> frames = new ArrayList<>();
            for (int i = 0; i < frameCount; i++) {
                frames.add(readFrame());
            }
            frames.add(marker);
            int cause = in.getVarInt();
            int suppressedCount = count(1, MAX_THROWABLES);
            List<Integer> suppressed = new ArrayList<>();
            for (int i = 0; i < suppressedCount; i++) {
                suppressed.add(in.getVarInt());
            }
            int length = in.getInt();
            if (length < 0 || length > in.remaining()) {
                throw new MalformedException("a throwable of " + length + " bytes");
            }
            byte[] javaForm = new byte[length];
            in.getBytes(javaForm, 0, length);
            String problem = length == 0 ? in.getString() : null;
            return new Text(
                    className, hasMessage ? message : null, frames, cause, suppressed, Bytes.of(javaForm), problem);
        }

        private int count(int elementBytes, int most) {
            int count = in.getCount(elementBytes);
            if (count > most) {
                throw new MalformedException(count + " elements of a throwable, where there are at most " + most);
            }
            return count;
        }

        private StackTraceElement readFrame() {
            String module = readNullable();
            String className = in.getString();
            String method = in.getString();
            String file = readNullable();
            return new StackTraceElement(null, module, null, className, method, file, in.getVarInt());
        }

        private @Nullable String readNullable() {
            String text = in.getString();
            return text.isEmpty() ? null : text;
        }

        private @Nullable Throwable rebuilt(int number) {
            return number < 0 || number >= texts.size() ? null : rebuild(number);
        }

        private Throwable rebuild(int number) {
            Throwable known = rebuilt.get(number);
            if (known != null) {
                return known;
            }
            Text text = texts.get(number);
            // In a cycle, this is what it is closed with.
            rebuilt.set(number, withFrames(new WorkerFailureException(text.className, text.message, null), text));
            Throwable throwable = fromJava(text);
            rebuilt.set(number, throwable);
            return throwable;
        }

        private Throwable fromJava(Text text) {
            if (text.problem != null) {
                return surrogate(text, new TransferException(text.problem, null));
            }
            try (LinkedInput stream = new LinkedInput(text.javaForm, finder, this::rebuilt)) {
                if (stream.readValue() instanceof Throwable throwable
                        && throwable.getClass().getName().equals(text.className)) {
                    return withFrames(throwable, text);
                }
                return surrogate(text, new TransferException("the exception resolved to something else", null));
            } catch (Throwable e) {
                return surrogate(text, Diagnosis.ofReading("the exception", "", e));
            }
        }

        private Throwable surrogate(Text text, TransferException reason) {
            WorkerFailureException surrogate =
                    new WorkerFailureException(text.className, text.message, rebuilt(text.cause));
            for (int number : text.suppressed) {
                Throwable suppressed = rebuilt(number);
                if (suppressed != null) {
                    surrogate.addSuppressed(suppressed);
                }
            }
            surrogate.addSuppressed(reason);
            return withFrames(surrogate, text);
        }

        private static Throwable withFrames(Throwable throwable, Text text) {
            StackTraceElement[] frames = text.frames.toArray(new StackTraceElement[0]);
            try {
                throwable.setStackTrace(frames);
            } catch (Exception | LinkageError | StackOverflowError e) {
                return throwable; // it has the frames of its own form
            }
            return throwable;
        }
    }

    private static final class LinkedInput extends JavaInput {
        private final Function<Integer, @Nullable Throwable> links;

        LinkedInput(Bytes in, ClassFinder finder, Function<Integer, @Nullable Throwable> links) throws IOException {
            super(in, finder);
            this.links = links;
            enableResolveObject(true);
        }

        @Override
        protected @Nullable Object resolveObject(Object object) {
            return object instanceof Link link ? links.apply(link.number()) : object;
        }
    }
}
