package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import org.jspecify.annotations.Nullable;

/**
 * Values of one class one behind the other, each of the same few bytes and with nothing between them: as the inputs and
 * the results of tiny tasks mostly are. Other values travel one by one, each in a form of its own ({@link Codec}), which
 * takes several times as long as such a task.
 */
final class Column {
    private Column() {}

    /** By what a column of such values begins; null if they do not travel so. */
    static @Nullable Tag tagOf(@Nullable Object value) {
        if (value instanceof Integer) {
            return Tag.INT;
        } else if (value instanceof Long) {
            return Tag.LONG;
        } else if (value instanceof Double) {
            return Tag.DOUBLE;
        }
        return value instanceof Boolean ? Tag.TRUE : null;
    }

    /** The same for all of these; null unless they can be one column. */
    static @Nullable Tag tagOf(@Nullable Object[] values) {
        Tag tag = tagOf(values[0]);
        if (tag != null) {
            Class<?> type = values[0].getClass();
            for (Object value : values) {
                if (value == null || value.getClass() != type) {
                    return null;
                }
            }
        }
        return tag;
    }

    /** The tag by which one begins. */
    static Tag getTag(Bytes in) {
        Tag tag = Tag.get(in);
        return switch (tag) {
            case INT, LONG, DOUBLE, TRUE -> tag;
            default -> throw new MalformedException("no column is of " + tag);
        };
    }

    /** Puts a value of the class that has this tag. */
    static void put(Bytes out, Tag tag, Object value) {
        switch (tag) {
            case INT -> out.putInt((int) value);
            case LONG -> out.putLong((long) value);
            case DOUBLE -> out.putDouble((double) value);
            default -> out.putByte((boolean) value ? 1 : 0);
        }
    }

    /** Gets one. */
    static Object get(Bytes in, Tag tag) {
        return switch (tag) {
            case INT -> in.getInt();
            case LONG -> in.getLong();
            case DOUBLE -> in.getDouble();
            default -> in.getByte() != 0;
        };
    }
}
