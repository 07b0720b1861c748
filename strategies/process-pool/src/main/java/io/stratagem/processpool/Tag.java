package io.stratagem.processpool;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The first byte of a value says in which form the rest is. */
enum Tag {
    NULL,
    FALSE,
    TRUE,
    BYTE,
    SHORT,
    CHAR,
    INT,
    LONG,
    FLOAT,
    DOUBLE,
    STRING,
    BOOLEANS,
    BYTES,
    SHORTS,
    CHARS,
    INTS,
    LONGS,
    FLOATS,
    DOUBLES,
    ARRAY_LIST,
    IMMUTABLE_LIST,
    HASH_MAP,
    LINKED_HASH_MAP,
    IMMUTABLE_MAP,
    RECORD,
    ENUM,
    /** One that {@link Lambdas} takes apart. */
    LAMBDA,
    /** A ByteBuffer: {@link ValueWriter}'s flags, and what is between its position and its limit. */
    BUFFER,
    /** An array that travels beside the frame. */
    ATTACHED,
    /** Whatever is not compact. */
    JAVA;

    private static final Tag[] ALL = values();

    /** Of exactly these classes: a subclass may have more to it. */
    private static final Map<Class<?>, Tag> EXACT = Map.ofEntries(
            Map.entry(Boolean.class, TRUE),
            Map.entry(Byte.class, BYTE),
            Map.entry(Short.class, SHORT),
            Map.entry(Character.class, CHAR),
            Map.entry(Integer.class, INT),
            Map.entry(Long.class, LONG),
            Map.entry(Float.class, FLOAT),
            Map.entry(Double.class, DOUBLE),
            Map.entry(String.class, STRING),
            Map.entry(boolean[].class, BOOLEANS),
            Map.entry(byte[].class, BYTES),
            Map.entry(short[].class, SHORTS),
            Map.entry(char[].class, CHARS),
            Map.entry(int[].class, INTS),
            Map.entry(long[].class, LONGS),
            Map.entry(float[].class, FLOATS),
            Map.entry(double[].class, DOUBLES),
            Map.entry(ArrayList.class, ARRAY_LIST),
            // The JDK's classes for small lists, others, and parts of lists.
            Map.entry(List.of(1).getClass(), IMMUTABLE_LIST),
            Map.entry(List.of().getClass(), IMMUTABLE_LIST),
            Map.entry(List.of(1, 2, 3).subList(1, 2).getClass(), IMMUTABLE_LIST),
            Map.entry(HashMap.class, HASH_MAP),
            Map.entry(LinkedHashMap.class, LINKED_HASH_MAP),
            Map.entry(Map.of(1, 1).getClass(), IMMUTABLE_MAP),
            Map.entry(Map.of().getClass(), IMMUTABLE_MAP));

    private static final ClassValue<Tag> TAGS = new ClassValue<>() {
        @Override
        protected Tag computeValue(Class<?> type) {
            Tag exact = EXACT.get(type);
            if (exact != null) {
                return exact;
            }
            if (Enum.class.isAssignableFrom(type)) {
                return ENUM;
            }
            if (ByteBuffer.class.isAssignableFrom(type)) {
                return BUFFER;
            }
            return type.isRecord() && RecordPlan.of(type) != null ? RECORD : JAVA;
        }
    };

    /** Whether to write and to rebuild it runs no code of the application's. */
    @SuppressWarnings("EnumOrdinal") // the plain ones come first
    boolean isPlain() {
        return ordinal() <= DOUBLES.ordinal();
    }

    /** Whether the value is plain and takes no more than so many bytes. */
    static boolean isSmall(@Nullable Object value, int bytes) {
        if (value instanceof String string) {
            return string.length() <= bytes / Character.BYTES;
        }
        return ofValue(value).isScalar();
    }

    /** The form of a value. */
    static Tag ofValue(@Nullable Object value) {
        return value == null ? NULL : of(value.getClass());
    }

    /** The form of a class's instances; TRUE stands for both booleans. */
    static Tag of(Class<?> type) {
        return TAGS.get(type);
    }

    /** Whether it is of values that are immutable, and have no parts. */
    @SuppressWarnings("EnumOrdinal") // their order is that of the constants
    boolean isScalar() {
        return ordinal() <= STRING.ordinal();
    }

    static Tag get(Bytes in) {
        byte index = in.getByte();
        if (index < 0 || index >= ALL.length) {
            throw new Bytes.MalformedException("no value begins with " + index);
        }
        return ALL[index];
    }

    /** Whether the value that is next is plain; false if none can be. */
    static boolean isPlainNext(Bytes in) {
        if (in.remaining() == 0) {
            return false;
        }
        byte index = in.peekByte();
        return index >= 0 && index < ALL.length && ALL[index].isPlain();
    }

    @SuppressWarnings("EnumOrdinal") // which is the encoding
    void put(Bytes out) {
        out.putByte(ordinal());
    }
}
