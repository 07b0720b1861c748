package io.stratagem.batchedipc;

import io.stratagem.TransferException;
import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.batchedipc.SharedMemoryFile.Taker;
import io.stratagem.processpool.spi.IncomingValue;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectStreamException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * An input that many tasks have in common, as a dictionary or a model: it goes to each worker once, not with each task.
 *
 * <pre>{@code
 * try (Broadcast<Model> model = Broadcast.of(load())) {
 *     Workload<Image, Label> classify = Workload.named("classify").isolated()
 *             .compute(image -> model.value().classify(image));
 *     results = Results.failFast(strategy.map(classify, images));
 * }
 * }</pre>
 *
 * <p>It may be an input, a part of one, or captured by a function, of tasks of any strategy. The value is serialised once, into
 * memory that processes share. A worker process rebuilds it when the first task needs it, and keeps it for those that
 * follow; if its heap is full, it may drop it, and rebuild it again for the next task. An array of byte, int, long, float or
 * double is just copied. On the threads of this process {@link #value} is the value itself, and nothing is copied.
 *
 * <p><b>Tasks must not change the value</b>, since those of one process share it. What is changed after {@link #of} may be
 * seen by some tasks and not by others.
 *
 * <p><b>Life.</b> Keep it open until the tasks that use it are done, and close it then: its memory is freed, however many
 * workers there are. One that is forgotten is closed some time after the garbage collector has found it. A task need not
 * close it; in a worker, {@link #close} does nothing.
 *
 * <p><b>As a result</b> a broadcast that a task was given comes back as the one of this process, if that is still open. What a
 * worker has broadcast itself cannot be returned: its result fails with {@link TransferException}.
 *
 * <p>Any thread may use it.
 *
 * @param <T> the value
 */
public final class Broadcast<T> implements AutoCloseable, Serializable {
    private static final long serialVersionUID = 1;

    /** What was made in this process, is open, and is not forgotten. */
    private static final Map<UUID, WeakReference<Broadcast<?>>> MADE = new ConcurrentHashMap<>();

    /** What this worker has rebuilt. A loader is not kept for its values; those go when memory is short. */
    private static final Map<ClassLoader, Map<UUID, SoftReference<Broadcast<?>>>> REBUILT =
            Collections.synchronizedMap(new WeakHashMap<>());

    /** Null once it is closed. */
    private transient volatile @Nullable T value;

    /** What travels. */
    private final transient Handle handle;

    /** With the bytes; null where it was rebuilt. */
    private final transient @Nullable SharedMemory memory;

    private Broadcast(T value, Handle handle, @Nullable SharedMemory memory) {
        this.value = value;
        this.handle = handle;
        this.memory = memory;
    }

    /**
     * Prepares a value for many tasks. Blocks while it is serialised and copied.
     *
     * @param value what {@link #value} is to give
     * @param <T> its type
     * @return the broadcast; the caller closes it
     * @throws TransferException if it cannot be serialised, or takes more than 2 GiB; the message has the path of fields to
     *     what cannot
     * @throws UncheckedIOException if there is no room
     */
    public static <T> Broadcast<T> of(T value) {
        return of(value, Integer.MAX_VALUE - 8);
    }

    /** The same with another limit; it does not apply to what is just copied. */
    static <T> Broadcast<T> of(T value, int maxBytes) {
        String name = "broadcast of "
                + Objects.requireNonNull(value, "value").getClass().getName();
        SharedArray copy = copyOf(value);
        SharedMemory memory = (copy != null ? copy : encoded(value, maxBytes, name)).memory();
        Handle handle = new Handle(memory.handle(true).format(), copy == null, name);
        Broadcast<T> made = new Broadcast<>(value, handle, memory);
        UUID id = memory.contents().id();
        MADE.put(id, new WeakReference<>(made));
        SharedMemory.CLEANER.register(made, () -> MADE.remove(id));
        return made;
    }

    private static SharedArray encoded(Object value, int maxBytes, String name) {
        ByteBuffer bytes = BatchedIpcStrategy.bytesOf(value, maxBytes, name);
        return SharedArray.create(
                Means.preferred(),
                SharedArray.Type.BYTE,
                bytes.limit(),
                (piece, at) -> piece.put(bytes.slice((int) at, piece.remaining())));
    }

    /** Null if it is no array of a type that shared arrays have. */
    private static @Nullable SharedArray copyOf(Object value) {
        if (value instanceof byte[] array) {
            return SharedArray.copyOf(array);
        }
        if (value instanceof int[] array) {
            return SharedArray.copyOf(array);
        }
        if (value instanceof long[] array) {
            return SharedArray.copyOf(array);
        }
        if (value instanceof float[] array) {
            return SharedArray.copyOf(array);
        }
        return value instanceof double[] array ? SharedArray.copyOf(array) : null;
    }

    /**
     * The value.
     *
     * @return what {@link #of} was given, or in a worker one that was rebuilt from it
     * @throws IllegalStateException if it is closed
     */
    public T value() {
        T open = value;
        if (open == null) {
            throw new IllegalStateException(closedMessage());
        }
        return open;
    }

    private String closedMessage() {
        return "The " + handle.name + " is closed";
    }

    /** Closes it in the process that has made it. Workers may use what they have rebuilt a little longer. May be called again. */
    @Override
    public void close() {
        if (memory != null) {
            value = null;
            MADE.remove(memory.contents().id());
            memory.close();
        }
    }

    @Override
    public String toString() {
        return "Broadcast[" + handle.name.substring(handle.name.lastIndexOf(' ') + 1)
                + (value == null ? ", closed]" : "]");
    }

    /**
     * What travels is a handle.
     *
     * @return the handle
     */
    private Object writeReplace() {
        if (value == null) {
            throw new IllegalStateException(closedMessage());
        }
        return handle;
    }

    /**
     * What travels in its place. It may have been made up on its way here, if that was from a worker.
     *
     * @param place where the bytes are
     * @param isEncoded whether they are those of a serialised value, and not of an array
     * @param name for messages
     */
    private record Handle(String place, boolean isEncoded, String name) implements Serializable {
        private static final long serialVersionUID = 1;

        private Object readResolve() throws ObjectStreamException {
            try {
                SharedMemoryHandle memory = SharedMemoryHandle.parse(place);
                WeakReference<Broadcast<?>> made = MADE.get(memory.contents().id());
                Broadcast<?> present = made == null ? null : made.get();
                return present != null ? present : inWorker(memory);
            } catch (IOException | InvalidPathException e) {
                throw refusal(
                        "the " + name + " cannot be opened: " + e.getMessage()
                                + ". Keep a broadcast open until the tasks that use it are done",
                        e);
            }
        }

        private Broadcast<?> inWorker(SharedMemoryHandle memory) throws IOException {
            IncomingValue incoming = IncomingValue.present();
            if (incoming == null) {
                throw new IOException(
                        "it is none that this process has made and not closed, and only tasks are given those of"
                                + " other processes. What a worker has broadcast itself cannot be returned: return its value");
            }
            Map<UUID, SoftReference<Broadcast<?>>> known =
                    REBUILT.computeIfAbsent(incoming.loader(), loader -> new ConcurrentHashMap<>());
            SoftReference<Broadcast<?>> reference = known.get(memory.contents().id());
            Broadcast<?> present = reference == null ? null : reference.get();
            if (present == null) {
                present = new Broadcast<>(rebuild(memory, incoming), this, null);
                known.values().removeIf(each -> each.refersTo(null));
                known.put(memory.contents().id(), new SoftReference<>(present));
            }
            return present;
        }

        private Object rebuild(SharedMemoryHandle memory, IncomingValue incoming) throws IOException {
            Object array = read(memory);
            try {
                return isEncoded ? Objects.requireNonNull(incoming.read((byte[]) array, name)) : array;
            } catch (ClassCastException | TransferException e) {
                throw refusal(Objects.toString(e.getMessage(), name), e);
            }
        }

        /** The elements, and nothing is left open. */
        private static Object read(SharedMemoryHandle memory) throws IOException {
            int length = Math.toIntExact(memory.length());
            return switch (memory.type()) {
                case BYTE -> {
                    byte[] array = new byte[length];
                    yield read(memory, array, (piece, at) -> piece.get(array, (int) at, piece.remaining()));
                }
                case INT -> {
                    int[] array = new int[length];
                    yield read(
                            memory,
                            array,
                            (piece, at) -> piece.asIntBuffer().get(array, (int) (at >> 2), piece.remaining() >> 2));
                }
                case LONG -> {
                    long[] array = new long[length];
                    yield read(
                            memory,
                            array,
                            (piece, at) -> piece.asLongBuffer().get(array, (int) (at >> 3), piece.remaining() >> 3));
                }
                case FLOAT -> {
                    float[] array = new float[length];
                    yield read(
                            memory,
                            array,
                            (piece, at) -> piece.asFloatBuffer().get(array, (int) (at >> 2), piece.remaining() >> 2));
                }
                case DOUBLE -> {
                    double[] array = new double[length];
                    yield read(
                            memory,
                            array,
                            (piece, at) -> piece.asDoubleBuffer().get(array, (int) (at >> 3), piece.remaining() >> 3));
                }
            };
        }

        private static Object read(SharedMemoryHandle memory, Object array, Taker taker) throws IOException {
            return Undisturbed.call(() -> {
                SharedMemoryFile file = SharedMemoryFile.open(memory);
                try {
                    file.read(taker);
                    return array;
                } finally {
                    file.release();
                }
            });
        }

        private static InvalidObjectException refusal(String message, Exception cause) {
            InvalidObjectException refusal = new InvalidObjectException(message);
            refusal.initCause(cause);
            return refusal;
        }
    }

    /**
     * Refuses a stream in which there is no handle.
     *
     * @param in the stream
     * @throws InvalidObjectException always
     */
    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("only the handle of a broadcast can be read");
    }
}
