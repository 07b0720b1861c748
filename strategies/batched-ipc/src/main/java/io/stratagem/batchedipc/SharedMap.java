package io.stratagem.batchedipc;

import io.stratagem.TransferException;
import io.stratagem.processpool.ProcessPoolBuilder;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A map that the application has and its workers use, too: passed to a task, as its input, within that, or captured by its
 * function, it is the same map in the worker process. Keys and values live in the application; what a worker does with
 * the map asks the application, and is done there once.
 *
 * <pre>{@code
 * try (SharedMap<String, Long> counts = SharedMap.create()) {
 *     Workload<Path, Void> count = Workload.named("count").isolated().computeAction(
 *             file -> words(file).forEach(word -> counts.merge(word, 1L, Long::sum)));
 *     Results.failFast(strategy.map(count, files));
 * }
 * }</pre>
 *
 * <p><b>Threads.</b> Any thread of the application and of its workers may use it. Each operation is one step, ordered with
 * all others. In a worker it blocks until the application has answered, which takes some 20 µs if that has nothing else to
 * do; an interrupt does not end that, and is kept. {@link #compute compute}, {@link #computeIfAbsent computeIfAbsent},
 * {@link #merge merge} and what is like them run their function where they are called, and again if another was faster
 * meanwhile; each takes two steps or more, of which the last one counts. Iterating, {@link #toString}, {@link #equals} and
 * the like work on a copy of all entries, which is as they were at about one time, and must fit in one message.
 * {@link #clear} and {@link #putAll} are not one step.
 *
 * <p><b>Keys and values</b> are neither null nor changed after they were put. The application's {@code equals} and
 * {@code hashCode} decide. What a worker gets is a copy; what it gives must be of a class that results may have (see
 * {@link ProcessPoolBuilder#allowPackage}), else it gets a {@link TransferException}, and nothing has changed. That what
 * is returned cannot travel is said by a {@code TransferException}, too; then the operation has been done. A message has
 * the limit {@code maxMessageBytes}.
 *
 * <p><b>Life.</b> The map lives as long as the application keeps a reference to it and has not closed it; what a worker
 * has is no such reference. After that all operations, also in workers, throw {@link IllegalStateException}. It can be
 * passed to the workers of any process pool of the application that made it, not further from those, and not back as a
 * result unless the package {@code io.stratagem.batchedipc} is allowed; then it comes back as the one that was passed.
 *
 * @param <K> of keys; serialisable, for workers
 * @param <V> of values; serialisable, for workers
 */
public final class SharedMap<K, V> extends AbstractMap<K, V>
        implements ConcurrentMap<K, V>, AutoCloseable, Serializable {
    private static final long serialVersionUID = 1;

    final transient Access access;

    private SharedMap() {
        access = Access.here(new MapHost(), this);
    }

    /** In a worker. */
    SharedMap(Access access) {
        this.access = access;
    }

    /**
     * Makes an empty map.
     *
     * @param <K> of keys
     * @param <V> of values
     * @return the map; the caller closes it
     */
    public static <K, V> SharedMap<K, V> create() {
        return new SharedMap<>();
    }

    private @Nullable Object ask(int operation, @Nullable Object... arguments) {
        try {
            return access.ask(operation, arguments);
        } finally {
            Reference.reachabilityFence(this); // else it may be closed meanwhile
        }
    }

    @SuppressWarnings("unchecked") // only such have been put, or somebody has cheated the compiler before
    private @Nullable V value(@Nullable Object answer) {
        return (V) answer;
    }

    private static boolean isTrue(@Nullable Object answer) {
        return Boolean.TRUE.equals(answer);
    }

    private static <T> T present(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    // ---------------------------------------------------------------------------------------------- one step each

    @Override
    public @Nullable V get(@Nullable Object key) {
        return value(ask(MapHost.GET, present(key)));
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return isTrue(ask(MapHost.CONTAINS, present(key)));
    }

    @Override
    public @Nullable V put(K key, V value) {
        return value(ask(MapHost.PUT, present(key), present(value)));
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        return value(ask(MapHost.PUT_IF_ABSENT, present(key), present(value)));
    }

    @Override
    public @Nullable V remove(@Nullable Object key) {
        return value(ask(MapHost.REMOVE, present(key)));
    }

    @Override
    public boolean remove(@Nullable Object key, @Nullable Object value) {
        return isTrue(ask(MapHost.REMOVE_IF, present(key), present(value)));
    }

    @Override
    public @Nullable V replace(K key, V value) {
        return value(ask(MapHost.REPLACE, present(key), present(value)));
    }

    @Override
    public boolean replace(K key, V oldValue, V newValue) {
        return isTrue(ask(MapHost.REPLACE_IF, present(key), present(oldValue), present(newValue)));
    }

    @Override
    public int size() {
        return (Integer) present(ask(MapHost.SIZE));
    }

    @Override
    public boolean isEmpty() {
        return size() == 0;
    }

    @Override
    public void clear() {
        ask(MapHost.CLEAR);
    }

    // ---------------------------------------------------------------------------------------------- several steps

    /* The defaults of ConcurrentMap compare the value that a function was given with the one that is there. That never
     * ends where a value has no equals of its own, as an array: what a worker compares is another one.
     */

    /** What a key has at one time. */
    private final class Look {
        private final K key;
        private final long number;
        private final @Nullable V value;

        Look(K key) {
            this.key = present(key);
            List<?> cell = (List<?>) ask(MapHost.READ, key);
            number = cell == null ? MapHost.ABSENT : (Long) cell.get(0);
            value = cell == null ? null : value(cell.get(1));
        }

        /** False if it has something else now. */
        boolean replaceBy(@Nullable V next) {
            boolean isNothing = next == null && value == null;
            return isNothing || isTrue(ask(MapHost.SET_IF, key, number, next));
        }
    }

    @Override
    public @Nullable V compute(K key, BiFunction<? super K, ? super @Nullable V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        while (true) {
            Look look = new Look(key);
            V next = function.apply(key, look.value);
            if (look.replaceBy(next)) {
                return next;
            }
        }
    }

    @Override
    public @Nullable V computeIfPresent(K key, BiFunction<? super K, ? super V, ? extends @Nullable V> function) {
        Objects.requireNonNull(function);
        return compute(key, (same, value) -> value == null ? null : function.apply(same, value));
    }

    @Override
    public @Nullable V merge(K key, V value, BiFunction<? super V, ? super V, ? extends @Nullable V> function) {
        present(value);
        Objects.requireNonNull(function);
        return compute(key, (same, old) -> old == null ? value : function.apply(old, value));
    }

    @Override
    public void replaceAll(BiFunction<? super K, ? super V, ? extends V> function) {
        Objects.requireNonNull(function);
        for (K key : keySet()) {
            computeIfPresent(key, (same, value) -> present(function.apply(same, value)));
        }
    }

    /**
     * The keys. Its iterators go over a copy; what they remove is removed from the map, whatever its value is then.
     *
     * @return a view
     */
    @Override
    public Set<K> keySet() {
        return new View<>() {
            @Override
            public Iterator<K> iterator() {
                return new KeyIterator();
            }

            @Override
            public boolean contains(@Nullable Object key) {
                return containsKey(key);
            }

            @Override
            public boolean remove(@Nullable Object key) {
                return SharedMap.this.remove(key) != null;
            }
        };
    }

    /**
     * The entries. Its iterators go over a copy; what is set through an entry is put into the map, and what is removed
     * through the view, or that of the values, is removed if its value has not been replaced meanwhile.
     *
     * @return a view
     */
    @Override
    public Set<Map.Entry<K, V>> entrySet() {
        return new View<>() {
            @Override
            public Iterator<Map.Entry<K, V>> iterator() {
                return new EntryIterator();
            }
        };
    }

    private abstract class View<T> extends AbstractSet<T> {
        @Override
        public final int size() {
            return SharedMap.this.size();
        }

        @Override
        public final void clear() {
            SharedMap.this.clear();
        }
    }

    /** What a key had when it was looked at, or was given since through this. */
    private final class CopiedEntry extends SimpleEntry<K, V> {
        private static final long serialVersionUID = 1;

        private transient long number;

        CopiedEntry(K key, long number, V value) {
            super(key, value);
            this.number = number;
        }

        @Override
        public V setValue(V newValue) {
            number = (Long) present(ask(MapHost.SET, getKey(), present(newValue)));
            return super.setValue(newValue);
        }

        /** Removes the key, if it still has that. */
        void remove() {
            ask(MapHost.SET_IF, getKey(), number, null);
        }
    }

    /**
     * Goes over a copy.
     *
     * @param <T> of what it gives
     * @param <E> of that, as it makes it of the copy
     */
    private abstract class CopyIterator<T, E extends T> implements Iterator<T> {
        private static final int PARTS = 3;

        final List<?> copy = (List<?>) present(ask(MapHost.COPY));
        private int next;
        private @Nullable E last;

        /** What stands in the copy from that place on. */
        abstract E element(int at);

        abstract void removeElement(E element);

        @SuppressWarnings("unchecked") // as for values
        final K key(int at) {
            return (K) present(copy.get(at));
        }

        @Override
        public final boolean hasNext() {
            return next < copy.size();
        }

        @Override
        public final T next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            E element = element(next);
            next += PARTS;
            last = element;
            return element;
        }

        @Override
        public final void remove() {
            E element = last;
            if (element == null) {
                throw new IllegalStateException("there is nothing to remove");
            }
            last = null;
            removeElement(element);
        }
    }

    private final class KeyIterator extends CopyIterator<K, K> {
        @Override
        K element(int at) {
            return key(at);
        }

        @Override
        void removeElement(K key) {
            SharedMap.this.remove(key);
        }
    }

    private final class EntryIterator extends CopyIterator<Map.Entry<K, V>, CopiedEntry> {
        @Override
        CopiedEntry element(int at) {
            long number = (Long) present(copy.get(at + 1));
            return new CopiedEntry(key(at), number, present(value(copy.get(at + 2))));
        }

        @Override
        void removeElement(CopiedEntry entry) {
            entry.remove();
        }
    }

    // ---------------------------------------------------------------------------------------------- life

    /**
     * Closes the map in the application, with all that is in it. In a worker only the way there: other tasks go on using
     * theirs. May be called again.
     */
    @Override
    public void close() {
        access.close();
    }

    @Override
    public String toString() {
        return access.isClosed() ? "SharedMap[closed]" : super.toString();
    }

    /**
     * What travels is a handle.
     *
     * @return the handle
     */
    private Object writeReplace() {
        return CollectionHandle.ofMap(access.id());
    }

    /**
     * Refuses a stream in which there is no handle.
     *
     * @param in the stream
     * @throws InvalidObjectException always
     */
    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("only the handle of a shared map can be read");
    }
}
