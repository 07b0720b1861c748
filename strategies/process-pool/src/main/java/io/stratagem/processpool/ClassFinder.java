package io.stratagem.processpool;

import io.stratagem.processpool.spi.IncomingValue;
import java.io.InvalidObjectException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.FilterInfo;
import java.io.ObjectInputFilter.Status;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The classes that values of the other side may have. Any thread may use it. */
final class ClassFinder {
    private static final Map<String, Class<?>> PRIMITIVES = Map.of(
            "boolean", boolean.class,
            "byte", byte.class,
            "short", short.class,
            "char", char.class,
            "int", int.class,
            "long", long.class,
            "float", float.class,
            "double", double.class,
            "void", void.class);

    private final ClassLoader loader;
    private final ObjectInputFilter filter;
    private final Map<String, Class<?>> found = new ConcurrentHashMap<>();

    /** Finds in the loader what the filter does not reject. */
    ClassFinder(ClassLoader loader, ObjectInputFilter filter) {
        this.loader = loader;
        this.filter = filter;
    }

    ClassLoader loader() {
        return loader;
    }

    ObjectInputFilter filter() {
        return filter;
    }

    /** For values that rebuild others; null if what is rebuilt does not come from the application. */
    @Nullable
    IncomingValue incoming() {
        return Filters.isFromApplication(filter) ? new Incoming(this) : null;
    }

    private static final class Incoming extends IncomingValue {
        private final ClassFinder finder;

        Incoming(ClassFinder finder) {
            this.finder = finder;
        }

        @Override
        public ClassLoader loader() {
            return finder.loader;
        }

        @Override
        public @Nullable Object read(byte[] bytes, String what) {
            return new Codec(finder).read(Bytes.of(bytes), what);
        }
    }

    /** The class, not initialised, once the filter has been asked. */
    Class<?> find(String name) throws ClassNotFoundException, InvalidObjectException {
        Class<?> known = found.get(name);
        if (known != null) {
            return known;
        }
        Class<?> type = load(name);
        if (isRejected(type)) {
            throw rejection(type);
        }
        found.put(name, type);
        return type;
    }

    /** The class, not initialised; the filter is not asked. */
    Class<?> load(String name) throws ClassNotFoundException {
        Class<?> primitive = PRIMITIVES.get(name);
        return primitive != null ? primitive : Class.forName(name, false, loader);
    }

    /** Whether the filter rejects the class, however little there is of it. */
    boolean isRejected(Class<?> type) {
        return filter.checkInput(new OneClass(type)) == Status.REJECTED;
    }

    static InvalidObjectException rejection(Class<?> type) {
        return new InvalidObjectException(type.getName()
                + " is not allowed from there: it is neither a value type of the JDK, a record, an enum or an exception,"
                + " nor in a package that was allowed; or jdk.serialFilter rejects it. The builder's allowPackage(\""
                + type.getPackageName() + "\") allows it from workers");
    }

    private record OneClass(@Nullable Class<?> serialClass) implements FilterInfo {
        @Override
        public long arrayLength() {
            return -1;
        }

        @Override
        public long depth() {
            return 1;
        }

        @Override
        public long references() {
            return 1;
        }

        @Override
        public long streamBytes() {
            return 0;
        }
    }
}
