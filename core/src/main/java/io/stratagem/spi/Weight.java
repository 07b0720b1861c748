package io.stratagem.spi;

import java.nio.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * How many bytes a value certainly holds, as far as its class tells at a glance: arrays of primitives, buffers and
 * strings. Everything else weighs nothing, and is bounded by count only.
 */
final class Weight {
    private Weight() {}

    static long bytes(@Nullable Object value) {
        if (value == null || value instanceof Number) {
            return 0;
        }
        if (value instanceof String text) {
            return text.length();
        }
        if (value instanceof Buffer buffer) {
            return buffer.remaining();
        }
        return value.getClass().isArray() ? bytesOfArray(value) : 0;
    }

    private static long bytesOfArray(Object value) {
        if (value instanceof byte[] array) {
            return array.length;
        } else if (value instanceof int[] array) {
            return 4L * array.length;
        } else if (value instanceof long[] array) {
            return 8L * array.length;
        } else if (value instanceof double[] array) {
            return 8L * array.length;
        } else if (value instanceof float[] array) {
            return 4L * array.length;
        } else if (value instanceof char[] array) {
            return 2L * array.length;
        } else if (value instanceof short[] array) {
            return 2L * array.length;
        } else if (value instanceof boolean[] array) {
            return array.length;
        }
        return 0;
    }
}
