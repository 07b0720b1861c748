package io.stratagem.processpool;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes one value; {@link ValueReader} has the other side. */
/* A value is a tag and what the tag says: see write(value, depth) and its counterpart. A class is named once in a value,
 * and by its number afterwards.
 *
 * What is not compact goes through Java serialisation, all of it within one value through one ObjectOutputStream: so the
 * parts keep the objects that they have in common, and name their classes once. The stream's bytes lie between the
 * compact ones, which works since ObjectInputStream reads nothing ahead.
 *
 * What is nested more deeply than MAX_DEPTH, as all that contains itself is, goes through Java serialisation as a whole.
 * What is referred to in several places, but in no cycle, is written several times unless it is not compact.
 */
final class ValueWriter {
    /** Of lists, maps and records within each other. */
    static final int MAX_DEPTH = 64;

    // Flags of a buffer.
    static final int DIRECT = 1;
    static final int READ_ONLY = 2;
    static final int LITTLE_ENDIAN = 4;
    static final int BESIDE = 8;

    private static final int LEAST_DIRECT_BYTES = 128;

    private final Bytes out;
    private @Nullable Map<Class<?>, Integer> classes;
    private @Nullable ObjectOutputStream objects;

    ValueWriter(Bytes out) {
        this.out = out;
    }

    private static final class TooDeep extends RuntimeException {
        private static final long serialVersionUID = 1;

        @SuppressWarnings("StaticAssignmentOfThrowable") // it has neither a stack trace nor suppressed exceptions
        static final TooDeep INSTANCE = new TooDeep();

        private TooDeep() {
            super(null, null, false, false);
        }
    }

    /** Throws what the value's own methods throw, and what {@link ObjectOutputStream} and {@link Bytes} do. */
    void write(@Nullable Object value) throws Throwable {
        int start = out.size();
        try {
            write(value, 0);
        } catch (TooDeep e) {
            out.truncate(start);
            objects = null;
            writeJava(value);
        }
    }

    private void write(@Nullable Object value, int depth) throws Throwable {
        Tag tag = Tag.ofValue(value);
        if (value == null) {
            tag.put(out);
            return;
        }
        switch (tag) {
            case TRUE, FALSE -> ((boolean) value ? Tag.TRUE : Tag.FALSE).put(out);
            case ARRAY_LIST -> writeList(tag, (List<?>) value, depth);
            case IMMUTABLE_LIST -> writeImmutableList((List<?>) value, depth);
            case HASH_MAP, LINKED_HASH_MAP, IMMUTABLE_MAP -> writeMap(tag, (Map<?, ?>) value, depth);
            case RECORD -> writeRecord(value, depth);
            case ENUM -> writeEnum((Enum<?>) value);
            case JAVA -> writeLambdaOrJava(value, depth);
            case BUFFER -> writeBuffer((ByteBuffer) value);
            default -> {
                if (isAttached(tag, value)) {
                    return;
                }
                tag.put(out);
                writeScalarOrArray(tag, value);
            }
        }
    }

    private void writeScalarOrArray(Tag tag, Object value) {
        switch (tag) {
            case BYTE -> out.putByte((byte) value);
            case SHORT -> out.putShort((short) value);
            case CHAR -> out.putChar((char) value);
            case INT -> out.putVarInt((int) value);
            case LONG -> out.putVarLong((long) value);
            case FLOAT -> out.putFloat((float) value);
            case DOUBLE -> out.putDouble((double) value);
            case STRING -> out.putString((String) value);
            case BOOLEANS -> writeBooleans((boolean[]) value);
            case BYTES -> {
                byte[] array = (byte[]) value;
                out.putArray(array.length, Byte.BYTES).put(array);
            }
            case SHORTS -> {
                short[] array = (short[]) value;
                out.putArray(array.length, Short.BYTES).asShortBuffer().put(array);
            }
            case CHARS -> {
                char[] array = (char[]) value;
                out.putArray(array.length, Character.BYTES).asCharBuffer().put(array);
            }
            case INTS -> {
                int[] array = (int[]) value;
                out.putArray(array.length, Integer.BYTES).asIntBuffer().put(array);
            }
            case LONGS -> {
                long[] array = (long[]) value;
                out.putArray(array.length, Long.BYTES).asLongBuffer().put(array);
            }
            case FLOATS -> {
                float[] array = (float[]) value;
                out.putArray(array.length, Float.BYTES).asFloatBuffer().put(array);
            }
            case DOUBLES -> {
                double[] array = (double[]) value;
                out.putArray(array.length, Double.BYTES).asDoubleBuffer().put(array);
            }
            default -> throw new AssertionError(tag);
        }
    }

    /** Puts an array beside the frame, if it is one and large, and may be there. */
    private boolean isAttached(Tag tag, Object value) {
        int elementBytes = Attachment.elementBytes(tag);
        long bytes = elementBytes == 0 ? 0 : (long) elementBytes * Array.getLength(value);
        if (!out.attaches(bytes)) {
            return false;
        }
        out.checkRoom(bytes);
        Tag.ATTACHED.put(out);
        out.putAttachment(Attachment.of(tag, value, (int) bytes));
        return true;
    }

    private void writeBuffer(ByteBuffer value) {
        ByteBuffer contents = value.slice(); // the sender's position stays
        int count = contents.capacity();
        boolean isAttached = out.attaches(count);
        Tag.BUFFER.put(out);
        out.putByte((value.isDirect() ? DIRECT : 0)
                | (value.isReadOnly() ? READ_ONLY : 0)
                | (value.order() == ByteOrder.LITTLE_ENDIAN ? LITTLE_ENDIAN : 0)
                | (isAttached ? BESIDE : 0));
        if (isAttached) {
            var unused = contents.get(0); // it is read when the frame is sent: here it says whether it can be
            out.putAttachment(Attachment.of(contents));
            return;
        }
        out.putArray(count, Byte.BYTES).put(contents);
        if (value.isDirect()) {
            out.extend(padding(count));
        }
    }

    /** What follows a direct buffer: so that many of them take no more memory than is in proportion to their bytes. */
    static int padding(int count) {
        return Math.max(0, LEAST_DIRECT_BYTES - count);
    }

    private void writeBooleans(boolean[] array) {
        out.putVarInt(array.length);
        int at = out.extend(array.length);
        byte[] bytes = out.array();
        for (int i = 0; i < array.length; i++) {
            bytes[at + i] = (byte) (array[i] ? 1 : 0);
        }
    }

    private static int deeper(int depth) {
        if (depth == MAX_DEPTH) {
            throw TooDeep.INSTANCE;
        }
        return depth + 1;
    }

    private void writeList(Tag tag, List<?> list, int depth) throws Throwable {
        int inner = deeper(depth);
        tag.put(out);
        int size = list.size();
        out.putVarInt(size);
        for (int i = 0; i < size; i++) {
            write(list.get(i), inner);
        }
    }

    private void writeImmutableList(List<?> list, int depth) throws Throwable {
        for (Object element : list) {
            if (element == null) { // as of Stream.toList: List.of could not take it
                writeJava(list);
                return;
            }
        }
        writeList(Tag.IMMUTABLE_LIST, list, depth);
    }

    private void writeMap(Tag tag, Map<?, ?> map, int depth) throws Throwable {
        int inner = deeper(depth);
        tag.put(out);
        out.putVarInt(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            write(entry.getKey(), inner);
            write(entry.getValue(), inner);
        }
    }

    private void writeRecord(Object value, int depth) throws Throwable {
        RecordPlan plan = RecordPlan.of(value.getClass());
        if (plan == null) {
            throw new AssertionError(value.getClass());
        }
        int inner = deeper(depth);
        Tag.RECORD.put(out);
        writeClass(plan.type());
        for (int i = 0; i < plan.size(); i++) {
            write(plan.get(value, i), inner);
        }
    }

    private void writeEnum(Enum<?> value) {
        Tag.ENUM.put(out);
        writeClass(value.getDeclaringClass());
        out.putString(value.name());
    }

    private void writeLambdaOrJava(Object value, int depth) throws Throwable {
        SerializedLambda lambda = Lambdas.parts(value);
        if (lambda == null) {
            writeJava(value);
            return;
        }
        int inner = deeper(depth);
        Tag.LAMBDA.put(out);
        out.putString(lambda.getCapturingClass().replace('/', '.'));
        out.putString(lambda.getFunctionalInterfaceClass());
        out.putString(lambda.getFunctionalInterfaceMethodName());
        out.putString(lambda.getFunctionalInterfaceMethodSignature());
        out.putVarInt(lambda.getImplMethodKind());
        out.putString(lambda.getImplClass());
        out.putString(lambda.getImplMethodName());
        out.putString(lambda.getImplMethodSignature());
        out.putString(lambda.getInstantiatedMethodType());
        int captured = lambda.getCapturedArgCount();
        out.putVarInt(captured);
        for (int i = 0; i < captured; i++) {
            write(lambda.getCapturedArg(i), inner);
        }
    }

    private void writeClass(Class<?> type) {
        Map<Class<?>, Integer> known = classes;
        if (known == null) {
            known = new HashMap<>();
            classes = known;
        }
        int next = known.size();
        Integer number = known.putIfAbsent(type, next);
        out.putVarInt(number == null ? next : number);
        if (number == null) {
            out.putString(type.getName());
        }
    }

    private void writeJava(@Nullable Object value) throws IOException {
        Tag.JAVA.put(out);
        ObjectOutputStream stream = objects;
        if (stream == null) {
            stream = new ObjectOutputStream(out.asOutput());
            objects = stream;
        }
        stream.writeObject(value);
        stream.flush();
    }
}
