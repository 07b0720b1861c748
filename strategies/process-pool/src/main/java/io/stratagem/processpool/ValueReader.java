package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.InvalidObjectException;
import java.lang.invoke.SerializedLambda;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads one value that {@link ValueWriter} wrote. */
/* However wrong the bytes are, no more memory is taken than a small multiple of their number: collections start small and
 * grow as elements come; arrays are as long as the bytes left allow.
 */
final class ValueReader {
    private static final int INITIAL_CAPACITY = 64;

    /** As many parameters as a method can have. */
    private static final int MOST_CAPTURED = 255;

    private static final @Nullable Object[] NOTHING = {};
    private static final int[] NOWHERE = {};

    private final Bytes in;
    private final ClassFinder finder;
    private @Nullable List<Class<?>> classes;
    private @Nullable JavaInput objects;

    // Where the reader is, for messages: the container of each level, and the element of it.
    private int depth;
    private @Nullable Object[] containers = NOTHING;
    private int[] elements = NOWHERE;

    ValueReader(Bytes in, ClassFinder finder) {
        this.in = in;
        this.finder = finder;
    }

    /** Throws whatever goes wrong; {@link #path} then says where. */
    @Nullable
    Object read() throws Throwable {
        Tag tag = Tag.get(in);
        return switch (tag) {
            case NULL -> null;
            case FALSE -> false;
            case TRUE -> true;
            case BYTE -> in.getByte();
            case SHORT -> in.getShort();
            case CHAR -> in.getChar();
            case INT -> in.getVarInt();
            case LONG -> in.getVarLong();
            case FLOAT -> in.getFloat();
            case DOUBLE -> in.getDouble();
            case STRING -> in.getString();
            case BOOLEANS, BYTES, SHORTS, CHARS, INTS, LONGS, FLOATS, DOUBLES -> readArray(tag);
            case ARRAY_LIST -> readList();
            case IMMUTABLE_LIST -> List.of(readList().toArray());
            case HASH_MAP -> readMap(new HashMap<>());
            case LINKED_HASH_MAP -> readMap(new LinkedHashMap<>());
            case IMMUTABLE_MAP -> readImmutableMap();
            case RECORD -> readRecord();
            case ENUM -> readEnum();
            case LAMBDA -> readLambda();
            case BUFFER -> readBuffer();
            case ATTACHED -> readAttached();
            case JAVA -> readJava();
        };
    }

    private Object readArray(Tag tag) {
        switch (tag) {
            case BOOLEANS -> {
                return readBooleans();
            }
            case BYTES -> {
                ByteBuffer source = in.getArray(Byte.BYTES);
                byte[] array = new byte[source.remaining()];
                source.get(array);
                return array;
            }
            case SHORTS -> {
                var source = in.getArray(Short.BYTES).asShortBuffer();
                short[] array = new short[source.remaining()];
                source.get(array);
                return array;
            }
            case CHARS -> {
                var source = in.getArray(Character.BYTES).asCharBuffer();
                char[] array = new char[source.remaining()];
                source.get(array);
                return array;
            }
            case INTS -> {
                var source = in.getArray(Integer.BYTES).asIntBuffer();
                int[] array = new int[source.remaining()];
                source.get(array);
                return array;
            }
            case LONGS -> {
                var source = in.getArray(Long.BYTES).asLongBuffer();
                long[] array = new long[source.remaining()];
                source.get(array);
                return array;
            }
            case FLOATS -> {
                var source = in.getArray(Float.BYTES).asFloatBuffer();
                float[] array = new float[source.remaining()];
                source.get(array);
                return array;
            }
            case DOUBLES -> {
                var source = in.getArray(Double.BYTES).asDoubleBuffer();
                double[] array = new double[source.remaining()];
                source.get(array);
                return array;
            }
            default -> throw new AssertionError(tag);
        }
    }

    private Object readAttached() {
        Attachment attached = in.getAttachment();
        if (attached.form() == Tag.BUFFER) {
            throw new MalformedException("a buffer in place of an array");
        }
        return attached.data();
    }

    private ByteBuffer readBuffer() {
        int flags = in.getByte();
        boolean isDirect = (flags & ValueWriter.DIRECT) != 0;
        ByteBuffer buffer;
        if ((flags & ValueWriter.BESIDE) != 0) {
            Attachment attached = in.getAttachment();
            if (attached.form() != (isDirect ? Tag.BUFFER : Tag.BYTES)) {
                throw new MalformedException(attached.form() + " in place of the contents of a buffer");
            }
            buffer = isDirect ? (ByteBuffer) attached.data() : ByteBuffer.wrap((byte[]) attached.data());
        } else {
            ByteBuffer source = in.getArray(Byte.BYTES);
            int count = source.remaining();
            if (isDirect) {
                in.advance(ValueWriter.padding(count));
            }
            buffer = isDirect ? ByteBuffer.allocateDirect(count) : ByteBuffer.allocate(count);
            buffer.put(source).clear();
        }
        boolean isLittleEndian = (flags & ValueWriter.LITTLE_ENDIAN) != 0;
        ByteBuffer whole = (flags & ValueWriter.READ_ONLY) != 0 ? buffer.asReadOnlyBuffer() : buffer;
        return whole.order(isLittleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    }

    private boolean[] readBooleans() {
        ByteBuffer source = in.getArray(1);
        boolean[] array = new boolean[source.remaining()];
        for (int i = 0; i < array.length; i++) {
            array[i] = source.get() != 0;
        }
        return array;
    }

    private void enter(Object container) {
        if (depth == ValueWriter.MAX_DEPTH) {
            throw new MalformedException("nested more than " + ValueWriter.MAX_DEPTH + " deep");
        }
        if (containers.length == 0) { // most values are in no container
            containers = new @Nullable Object[ValueWriter.MAX_DEPTH];
            elements = new int[ValueWriter.MAX_DEPTH];
        }
        containers[depth] = container;
        elements[depth] = 0;
        depth++;
    }

    private @Nullable Object readElement(int index) throws Throwable {
        elements[depth - 1] = index;
        return read();
    }

    private void leave() {
        depth--;
        containers[depth] = null;
    }

    private List<@Nullable Object> readList() throws Throwable {
        int size = in.getCount(1);
        List<@Nullable Object> list = new ArrayList<>(Math.min(size, INITIAL_CAPACITY));
        enter(list);
        for (int i = 0; i < size; i++) {
            list.add(readElement(i));
        }
        leave();
        return list;
    }

    private <M extends Map<@Nullable Object, @Nullable Object>> M readMap(M map) throws Throwable {
        int size = in.getCount(2);
        enter(map);
        for (int i = 0; i < size; i++) {
            Object key = readElement(i);
            map.put(key, readElement(i));
        }
        leave();
        return map;
    }

    @SuppressWarnings("NullAway") // which a null in bytes that are wrong makes throw, as it should
    private Map<Object, Object> readImmutableMap() throws Throwable {
        return Map.copyOf(readMap(new HashMap<>()));
    }

    private Object readRecord() throws Throwable {
        Class<?> type = readClass();
        RecordPlan plan = type.isRecord() ? RecordPlan.of(type) : null;
        if (plan == null) {
            throw new MalformedException(type.getName() + " is not a record that can be built");
        }
        @Nullable Object[] components = new @Nullable Object[plan.size()];
        enter(plan);
        for (int i = 0; i < components.length; i++) {
            components[i] = readElement(i);
        }
        leave();
        try {
            return plan.make(components);
        } catch (OutOfMemoryError e) {
            throw e;
        } catch (Throwable e) {
            InvalidObjectException failure = new InvalidObjectException(
                    "a record " + type.getName() + " cannot be constructed: " + Diagnosis.text(e));
            failure.initCause(e);
            throw failure;
        }
    }

    private Object readEnum() throws Exception {
        Class<?> type = readClass();
        String name = in.getString();
        if (!type.isEnum()) {
            throw new MalformedException(type.getName() + " is not an enum");
        }
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(name)) {
                return constant;
            }
        }
        throw new MalformedException(type.getName() + " has no constant " + name);
    }

    private Object readLambda() throws Throwable {
        if (finder.isRejected(SerializedLambda.class)) {
            throw ClassFinder.rejection(SerializedLambda.class);
        }
        Class<?> capturing = finder.find(in.getString());
        String type = in.getString();
        String method = in.getString();
        String signature = in.getString();
        int implKind = in.getVarInt();
        String implClass = in.getString();
        String implMethod = in.getString();
        String implSignature = in.getString();
        String instantiated = in.getString();
        int count = in.getCount(1);
        if (count > MOST_CAPTURED) {
            throw new MalformedException("a lambda that captured " + count + " values");
        }
        @Nullable Object[] captured = new @Nullable Object[count];
        enter(captured);
        for (int i = 0; i < captured.length; i++) {
            captured[i] = readElement(i);
        }
        leave();
        SerializedLambda parts = new SerializedLambda(
                capturing,
                type,
                method,
                signature,
                implKind,
                implClass,
                implMethod,
                implSignature,
                instantiated,
                captured);
        return Lambdas.make(capturing, parts);
    }

    private Class<?> readClass() throws Exception {
        List<Class<?>> known = classes;
        if (known == null) {
            known = new ArrayList<>();
            classes = known;
        }
        int number = in.getVarInt();
        if (number == known.size()) {
            known.add(finder.find(in.getString()));
        }
        if (number < 0 || number >= known.size()) {
            throw new MalformedException("there is no class number " + number);
        }
        return known.get(number);
    }

    private @Nullable Object readJava() throws Exception {
        JavaInput stream = objects;
        if (stream == null) {
            stream = new JavaInput(in, finder);
            objects = stream;
        }
        return stream.readValue();
    }

    /** Where the element is that was read last, as {@code Order.items[3].price}; empty outside of all containers. */
    String path() {
        StringBuilder path = new StringBuilder();
        for (int level = 0; level < depth; level++) {
            Object container = containers[level];
            if (container instanceof RecordPlan plan) {
                path.append(level == 0 ? plan.type().getSimpleName() : "");
                path.append('.').append(plan.name(elements[level]));
            } else {
                path.append(
                        level == 0 && container != null ? container.getClass().getSimpleName() : "");
                path.append('[').append(elements[level]).append(']');
            }
        }
        return path.toString();
    }
}
