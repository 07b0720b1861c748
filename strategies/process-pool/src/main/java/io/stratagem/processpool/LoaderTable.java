package io.stratagem.processpool;

import java.io.ObjectInputFilter;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The class loaders that tasks were submitted with, by the numbers that a worker knows them by. It keeps none of them
 * alive. Not for several threads.
 */
final class LoaderTable {
    private final ObjectInputFilter filter;
    private final Map<Integer, Slot> slots = new LinkedHashMap<>();
    private int lastNumber;

    /** Values are rebuilt as the filter allows. */
    LoaderTable(ObjectInputFilter filter) {
        this.filter = filter;
    }

    /** What rebuilds values with the classes of one loader. */
    record Values(ClassLoader loader, Codec codec, ThrowableCodec failures) {
        static Values of(ClassLoader loader, ObjectInputFilter filter) {
            Codec codec = new Codec(loader, filter);
            return new Values(loader, codec, new ThrowableCodec(codec));
        }
    }

    /** A loader's place. */
    static final class Slot {
        private final int number;
        private final WeakReference<ClassLoader> loader;

        /** Made anew when it is needed and has been collected: it would keep the loader alive. */
        private WeakReference<@Nullable Values> values = new WeakReference<>(null);

        Slot(int number, ClassLoader loader) {
            this.number = number;
            this.loader = new WeakReference<>(loader);
        }

        int number() {
            return number;
        }
    }

    /**
     * The loader that knows the classes which a function works on: the context class loader, if there is one and it
     * knows the function's own class; else the loader of that class; else that of this library.
     */
    static ClassLoader choose(@Nullable ClassLoader context, Class<?> function) {
        Class<?> named = function.isHidden() ? function.getNestHost() : function; // as that of a lambda is
        if (context != null && knows(context, named)) {
            return context;
        }
        ClassLoader own = named.getClassLoader();
        return own != null ? own : LoaderTable.class.getClassLoader();
    }

    private static boolean knows(ClassLoader loader, Class<?> type) {
        try {
            return Class.forName(type.getName(), false, loader) == type;
        } catch (ClassNotFoundException | RuntimeException | LinkageError e) {
            return false;
        }
    }

    /** The place of a loader, or null if it has none. */
    @Nullable
    Slot find(ClassLoader loader) {
        for (Slot slot : slots.values()) {
            if (slot.loader.refersTo(loader)) {
                return slot;
            }
        }
        return null;
    }

    /** Gives a loader a place. */
    Slot add(ClassLoader loader) {
        Slot slot = new Slot(++lastNumber, loader);
        slots.put(slot.number, slot);
        return slot;
    }

    /** Drops the places whose loaders are gone; their numbers are not given again. */
    List<Integer> dropGone() {
        List<Integer> gone = new ArrayList<>();
        for (Slot slot : slots.values()) {
            if (slot.loader.refersTo(null)) {
                gone.add(slot.number);
            }
        }
        slots.keySet().removeAll(gone);
        return gone;
    }

    /**
     * The loader with that number, or null if it is gone.
     *
     * @throws Bytes.MalformedException if there never was one
     */
    @Nullable
    ClassLoader loader(int number) {
        if (number < 1 || number > lastNumber) {
            throw new Bytes.MalformedException("there is no class loader number " + number);
        }
        Slot slot = slots.get(number);
        return slot == null ? null : slot.loader.get();
    }

    /**
     * What rebuilds values with the classes of the loader with that number, or null if that is gone.
     *
     * @throws Bytes.MalformedException if there never was one
     */
    @Nullable
    Values values(int number) {
        ClassLoader loader = loader(number);
        Slot slot = slots.get(number);
        return loader == null || slot == null ? null : valuesOf(slot, loader);
    }

    /** What rebuilds values with the classes of the place's loader, which somebody else must keep alive. */
    Values valuesOf(Slot slot) {
        ClassLoader loader = slot.loader.get();
        if (loader == null) {
            throw new IllegalStateException("nobody has kept the loader");
        }
        return valuesOf(slot, loader);
    }

    private Values valuesOf(Slot slot, ClassLoader loader) {
        Values present = slot.values.get();
        if (present == null) {
            present = Values.of(loader, filter);
            slot.values = new WeakReference<>(present);
        }
        return present;
    }
}
