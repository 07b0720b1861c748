package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.stratagem.AsyncFn;
import io.stratagem.ContextPropagator.Captured;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.TransferException;
import io.stratagem.processpool.spi.OutgoingResult;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What a worker does: takes what the application sends, and runs one task after another. For one {@link TaskThread}. */
final class TaskRunner {
    /** As of a JVM with {@code -XX:+ExitOnOutOfMemoryError}. */
    static final int OUT_OF_MEMORY_CODE = 3;

    private final Link link;
    private final Outbox outbox;
    private final TaskPage page;
    private final ClassExchange classes;
    private final Codec writer;
    private final ThrowableCodec failures;
    private final ObjectInputFilter filter = Filters.fromApplication();
    private final Thread thread = Thread.currentThread();
    private final Map<Integer, RemoteClassLoader> loaders = new HashMap<>();
    private final Map<Integer, Codec> readers = new HashMap<>();
    private final Map<Integer, Definition> definitions = new HashMap<>();
    private final Bytes outcome;
    private final OutgoingResult result = new OutgoingResult();

    /** That of the last task, whose next has it as it was left, however short memory is. */
    @SuppressWarnings({"unused", "UnusedVariable"}) // it is there to be kept
    private @Nullable Object lastFunction;

    /** Made for the first asynchronous task. */
    private @Nullable WorkerLoop loop;

    TaskRunner(Link link, Outbox outbox, TaskPage page, ClassExchange classes, Codec writer, int maxOutcomeBytes) {
        this.outcome = new Bytes(maxOutcomeBytes);
        this.classes = classes;
        this.writer = writer;
        this.failures = new ThrowableCodec(writer);
        this.link = link;
        this.outbox = outbox;
        this.page = page;
    }

    /**
     * Runs until the application says good-bye, or the connection ends.
     *
     * @return whether it has said so
     */
    boolean run() throws IOException {
        for (Bytes frame = receive(); frame != null; frame = receive()) {
            switch (frame.getByte()) {
                case Frames.LOADER -> changeLoaders(frame);
                case Frames.INITIALIZE -> initialize(frame);
                case Frames.DEFINE -> define(frame);
                case Frames.BATCH -> runBatch(frame);
                case Frames.BYE -> {
                    return true;
                }
                default -> throw new IOException("the application sent a frame of unknown kind");
            }
        }
        return false;
    }

    private @Nullable Bytes receive() throws IOException {
        TaskThread.beginExchange();
        try {
            return link.receive();
        } catch (OutOfMemoryError e) {
            endForWantOfMemory(e); // a direct buffer
            throw e;
        } finally {
            TaskThread.endExchange();
            Thread.interrupted(); // it was for no task
        }
    }

    /** A workload; its function is rebuilt when the first task needs it, so that whatever happens then happens to that task. */
    private final class Definition {
        private final Kind kind;
        private final String name;
        private final String input;
        private final String result;
        private final RemoteClassLoader loader;
        private final ClassLoader context;
        private final Codec reader;
        private final Bytes bytes;
        private final int start;

        /** What it has captured may be large: it goes when memory is short, and is rebuilt. */
        private @Nullable SoftReference<Object> function;

        Definition(Kind kind, String name, RemoteClassLoader loader, Codec reader, Bytes bytes) {
            this.loader = loader;
            this.context = loader.asContext();
            this.reader = reader;
            this.kind = kind;
            this.name = name;
            this.input = "input of workload '" + name + "'";
            this.result = "result of workload '" + name + "'";
            this.bytes = bytes;
            this.start = bytes.position();
        }

        /** An input that came in a column is its value already; others are bytes. */
        @Nullable
        Object valueOf(Object received) {
            return received instanceof Bytes bytesOfInput ? reader.read(bytesOfInput, input) : received;
        }

        @SuppressWarnings({"unchecked", "NullAway"}) // the kind says which it is; inputs may be null
        @Nullable
        Object apply(@Nullable Object input, TaskContext context) throws Throwable {
            Object present = function == null ? null : function.get();
            if (present == null) {
                lastFunction = null; // there may be no room for both
                bytes.position(start);
                present = Objects.requireNonNull(reader.read(bytes, "function of workload '" + name + "'"));
                function = new SoftReference<>(present);
            }
            lastFunction = present;
            if (kind == Kind.ASYNC) {
                return loop().run((AsyncFn<@Nullable Object, @Nullable Object>) present, input, name, context);
            }
            return ((Fn<@Nullable Object, @Nullable Object>) present).apply(input);
        }
    }

    private WorkerLoop loop() {
        WorkerLoop present = loop;
        if (present == null) {
            present = new WorkerLoop();
            loop = present;
        }
        return present;
    }

    // ---------------------------------------------------------------------------------------------- what there is

    private void changeLoaders(Bytes frame) {
        int number = frame.getInt();
        boolean isParentFirst = frame.getByte() != 0;
        int gone = frame.getCount(1);
        lastFunction = null; // whose loader may be gone
        for (int i = 0; i < gone; i++) {
            Integer each = frame.getVarInt();
            RemoteClassLoader loader = loaders.remove(each);
            Codec reader = readers.remove(each);
            definitions.values().removeIf(definition -> definition.loader == loader || definition.reader == reader);
        }
        RemoteClassLoader loader = new RemoteClassLoader(number, isParentFirst, classes);
        loaders.put(number, loader);
        readers.put(number, new Codec(loader, filter));
    }

    private static <T> T known(@Nullable T ofLoader) throws IOException {
        if (ofLoader == null) {
            throw new IOException("the application sent values of a class loader that it has not named");
        }
        return ofLoader;
    }

    private void initialize(Bytes frame) throws IOException {
        int loader = frame.getInt();
        Codec reader = known(readers.get(loader));
        thread.setContextClassLoader(known(loaders.get(loader)).asContext());
        Throwable failure = null;
        try {
            ((Initializer) Objects.requireNonNull(reader.read(frame, "initializer"))).run();
        } catch (Throwable e) {
            failure = e;
        }
        outbox.sendReady(failure);
    }

    private void define(Bytes frame) throws IOException {
        int id = frame.getInt();
        RemoteClassLoader context = known(loaders.get(frame.getInt()));
        Codec reader = known(readers.get(frame.getInt()));
        Kind kind = kind(frame.getString());
        String name = frame.getString();
        definitions.put(id, new Definition(kind, name, context, reader, frame.copyRest()));
    }

    private static Kind kind(String name) {
        for (Kind kind : Kind.values()) { // valueOf would take reflection, which has to be loaded
            if (kind.name().equals(name)) {
                return kind;
            }
        }
        throw new Bytes.MalformedException("a workload of unknown kind");
    }

    // ---------------------------------------------------------------------------------------------- batches

    private void runBatch(Bytes frame) throws IOException {
        long batch = frame.getLong();
        Definition definition = definitions.get(frame.getInt());
        if (definition == null) {
            throw new IOException("the application sent tasks of a workload that it has not defined");
        }
        byte flags = frame.getByte();
        boolean mustReport = (flags & Frames.REPORT_STARTS) != 0;
        Map<String, String> mdc = readMdc(frame);
        Bytes contexts = frame.slice(frame.getInt());
        int size = frame.getInt();
        if (size < 0 || size > TaskPage.MAX_BATCH) {
            throw new Bytes.MalformedException("a batch of " + size + " tasks");
        }
        Tag column = (flags & Frames.COLUMN) != 0 ? Column.getTag(frame) : null;
        outbox.beginBatch(batch, mustReport);
        for (int i = 0; i < size; i++) {
            Object input;
            if (column != null) {
                input = Column.get(frame, column);
            } else {
                int length = frame.getInt();
                if (length == Frames.NOT_SENT) {
                    continue;
                }
                input = frame.slice(length);
            }
            outbox.beginTask(i);
            if (!page.start(batch, i)) {
                outbox.notBegun();
                goOnIf(false);
            }
            if (page.isRevoked(batch, i)) {
                goOnIf(page.finish(batch, i));
                outcome.clear();
                outcome.putByte(Frames.REVOKED);
                outcome.putInt(0);
                outbox.endTask(i, outcome);
                continue;
            }
            outbox.begun();
            boolean isSuccess = false;
            Object value;
            try {
                value = runTask(definition, input, mdc, contexts);
                isSuccess = true;
            } catch (Throwable e) {
                value = e;
            }
            Thread.interrupted();
            if (value instanceof OutOfMemoryError error && !isSuccess && isOfJdk(error)) {
                endForWantOfMemory(error);
            }
            Tag resultColumn = isSuccess && size > 1 ? Column.tagOf(value) : null;
            // To the next task it is only a moment then, so the page need not say that this one has ended.
            if (resultColumn == null || !outbox.endTaskAtOnce(i, resultColumn, Objects.requireNonNull(value))) {
                goOnIf(page.finish(batch, i));
                try {
                    putOutcome(definition, isSuccess, value);
                } catch (OutOfMemoryError e) {
                    endForWantOfMemory(e);
                }
                Thread.interrupted(); // which the value may have left behind
                outbox.endTask(i, outcome);
                outcome.attach(null); // it must not keep what a result consisted of
            }
            flushIfFull(batch, i);
        }
        frame.attach(null);
        goOnIf(page.rest());
        outbox.endBatch();
    }

    private void flushIfFull(long batch, int index) throws IOException {
        if (outbox.isFull()) {
            goOnIf(page.finish(batch, index)); // it may take a while
            outbox.flush();
        }
    }

    /** Not if the task itself has made it. */
    private static boolean isOfJdk(OutOfMemoryError error) {
        StackTraceElement[] frames = error.getStackTrace();
        return frames.length > 0 && "java.base".equals(frames[0].getModuleName());
    }

    /** The JVM does the same for those that it throws itself, but not for those of Java code, as for direct buffers. */
    private void endForWantOfMemory(OutOfMemoryError error) throws IOException {
        outbox.flush();
        byte[] verdict = (WorkerOutput.OUT_OF_MEMORY + ": " + error.getMessage() + "\n").getBytes(UTF_8);
        try (FileOutputStream err = new FileOutputStream(FileDescriptor.err)) {
            err.write(verdict);
        }
        Runtime.getRuntime().halt(OUT_OF_MEMORY_CODE);
    }

    private static Map<String, String> readMdc(Bytes frame) {
        int size = frame.getCount(1);
        if (size == 0) {
            return Map.of();
        }
        Map<String, String> mdc = new HashMap<>();
        for (int i = 0; i < size; i++) {
            mdc.put(frame.getString(), frame.getString());
        }
        return mdc;
    }

    /** A worker that is doomed does nothing more: it is about to be killed, and the next task must not be hit. */
    private static void goOnIf(boolean isFree) {
        while (!isFree) {
            LockSupport.park();
        }
    }

    /**
     * Runs a task.
     *
     * @param input as {@link Definition#valueOf} takes it
     */
    private @Nullable Object runTask(Definition definition, Object input, Map<String, String> mdc, Bytes contexts)
            throws Throwable {
        if (thread.getContextClassLoader() != definition.context) {
            thread.setContextClassLoader(definition.context);
        }
        TaskContext context = new TaskContext(mdc, readContexts(definition.reader, contexts));
        return context.run(() -> definition.apply(definition.valueOf(input), context));
    }

    private static List<Captured> readContexts(Codec reader, Bytes contexts) {
        if (contexts.remaining() == 0) {
            return List.of();
        }
        List<Captured> all = new ArrayList<>();
        int start = contexts.position();
        try {
            while (contexts.remaining() > 0) {
                Bytes bytes = contexts.slice(contexts.getInt());
                if (!(reader.read(bytes, "captured context") instanceof Captured captured)) {
                    throw new Bytes.MalformedException("a captured context that is none");
                }
                all.add(captured);
            }
        } finally {
            contexts.position(start); // for the next task, which must not run without them
            WorkerMdc.clear(); // what has rebuilt them may have used it
        }
        return all;
    }

    private void putOutcome(Definition definition, boolean isSuccess, @Nullable Object value) {
        outcome.clear();
        if (isSuccess) {
            if (link.canAttach()) {
                outcome.beginAttaching();
            }
            outcome.putByte(Frames.VALUE);
            int lengthAt = outcome.beginLength();
            boolean isWritten = false;
            result.begin();
            try {
                writer.write(outcome, value, definition.result);
                outcome.endLength(lengthAt);
                isWritten = true;
                return;
            } catch (TransferException e) {
                value = e;
                outcome.clear();
            } finally {
                result.end(isWritten);
            }
        }
        outcome.putByte(Frames.THROWN);
        int lengthAt = outcome.beginLength();
        failures.writeIfThereIsRoom(outcome, (Throwable) Objects.requireNonNull(value));
        outcome.endLength(lengthAt);
    }
}
