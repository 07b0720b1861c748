package io.stratagem.processpool;

import io.stratagem.Fn;
import io.stratagem.TransferException;
import java.io.ObjectInputFilter;
import org.jspecify.annotations.Nullable;

/**
 * Values to bytes and back: compactly what is well-known ({@link Tag}, records of it included), by Java serialisation
 * what is not. Any thread may use it.
 *
 * <p>What comes back equals what was sent, but for this: an access-ordered {@code LinkedHashMap} comes back
 * insertion-ordered, and what several compact containers refer to comes back once for each, unless it takes Java
 * serialisation.
 */
final class Codec {
    private final ClassFinder finder;

    /**
     * Reads values of the classes that the loader finds and the filter does not reject.
     *
     * @param filter from {@link Filters}
     */
    Codec(ClassLoader loader, ObjectInputFilter filter) {
        this(new ClassFinder(loader, filter));
    }

    Codec(ClassFinder finder) {
        this.finder = finder;
    }

    ClassFinder finder() {
        return finder;
    }

    /**
     * Does once, with a function of ours, what the first one of the application needs. So the JVM loads what belongs to
     * that while it would wait for something else; it takes some 10 ms.
     */
    Bytes prepareToWrite() {
        Bytes bytes = new Bytes();
        Fn<Integer, Integer> function = input -> input;
        write(bytes, function, "function");
        return bytes;
    }

    /** The same for rebuilding one. */
    void prepareToRead() {
        read(prepareToWrite(), "function");
    }

    /**
     * Puts a value.
     *
     * @param what describes it in messages, as "input of workload 'render'"
     * @throws TransferException if it cannot be serialised; nothing has been put then
     */
    void write(Bytes out, @Nullable Object value, String what) {
        int start = out.size();
        try {
            new ValueWriter(out).write(value);
        } catch (Throwable e) {
            out.truncate(start);
            throw Diagnosis.ofWriting(what, value, e);
        }
    }

    /**
     * Gets a value.
     *
     * @param what describes it in messages, as "result of workload 'render'"
     * @throws TransferException if it cannot be rebuilt; the position is then anywhere
     */
    @Nullable
    Object read(Bytes in, String what) {
        ValueReader reader = new ValueReader(in, finder);
        try {
            return reader.read();
        } catch (Throwable e) {
            throw Diagnosis.ofReading(what, reader.path(), e);
        }
    }
}
