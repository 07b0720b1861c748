package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class DecoderTest {
    private static byte[] frame(byte kind, Consumer<Bytes> contents) {
        Bytes frame = Link.frame(new Bytes(), kind);
        contents.accept(frame);
        frame.setInt(0, frame.size() - 4);
        return frame.toByteArray();
    }

    private static byte[] result(byte kind, Consumer<Bytes> value) {
        return frame(Frames.RESULTS, f -> {
            f.putLong(1);
            f.putInt(0);
            f.putLong(0);
            f.putInt(1);
            f.putByte(kind);
            int at = f.size();
            f.putInt(0);
            value.accept(f);
            f.setInt(at, f.size() - at - 4);
        });
    }

    static byte[] repeated(int n, Tag outer, int... bytes) {
        return result(Frames.VALUE, f -> {
            outer.put(f);
            f.putVarInt(n);
            for (int i = 0; i < n; i++) for (int b : bytes) f.putByte(b);
        });
    }

    @Test
    void x() throws Exception {
        ApplicationSide a = new ApplicationSide();
        int n = 300_000;
        Map<String, byte[]> all = new LinkedHashMap<>();
        all.put("nulls", repeated(n, Tag.ARRAY_LIST, 0));
        all.put("inulls", repeated(n, Tag.IMMUTABLE_LIST, Tag.TRUE.ordinal()));
        all.put("strings", repeated(n, Tag.ARRAY_LIST, Tag.STRING.ordinal(), 0));
        all.put("strings1", repeated(n, Tag.ARRAY_LIST, Tag.STRING.ordinal(), 2, 65));
        all.put("shorts", repeated(n, Tag.ARRAY_LIST, Tag.SHORT.ordinal(), 2, 65));
        all.put("lists", repeated(n, Tag.ARRAY_LIST, Tag.ARRAY_LIST.ordinal(), 0));
        all.put("lists1", repeated(n, Tag.ARRAY_LIST, Tag.ARRAY_LIST.ordinal(), 2, 0));
        all.put("maps", repeated(n, Tag.ARRAY_LIST, Tag.HASH_MAP.ordinal(), 0));
        all.put("maps1", repeated(n, Tag.ARRAY_LIST, Tag.HASH_MAP.ordinal(), 2, 0, 0));
        all.put("lmaps1", repeated(n, Tag.ARRAY_LIST, Tag.LINKED_HASH_MAP.ordinal(), 2, 0, 0));
        all.put("imaps1", repeated(n, Tag.ARRAY_LIST, Tag.IMMUTABLE_MAP.ordinal(), 2, 1, 1));
        all.put("bytes", repeated(n, Tag.ARRAY_LIST, Tag.BYTES.ordinal(), 0));
        all.put("ints", repeated(n, Tag.ARRAY_LIST, Tag.INTS.ordinal(), 0));
        all.put("java null", result(Frames.VALUE, f -> {
            Tag.ARRAY_LIST.put(f);
            f.putVarInt(n);
            Tag.JAVA.put(f);
            f.putByte(0xAC); f.putByte(0xED); f.putByte(0); f.putByte(5); f.putByte(0x70);
            for (int i = 1; i < n; i++) { Tag.JAVA.put(f); f.putByte(0x70); }
        }));
        Codec codec = new Codec(getClass().getClassLoader(), Filters.fromApplication());
        all.put("java objects", result(Frames.VALUE, f -> codec.write(f, new Object[n], "x")));
        all.put("java maps", result(Frames.VALUE, f -> codec.write(f, IntStream.range(0, n / 8).mapToObj(i -> new java.util.TreeMap<>()).toArray(), "x")));
        all.put("java sets", result(Frames.VALUE, f -> codec.write(f, IntStream.range(0, n / 8).mapToObj(i -> new java.util.HashSet<>(List.of(1))).toArray(), "x")));
        all.put("java hashmap", result(Frames.VALUE, f -> codec.write(f, new Object[] {new HashMap<>(Map.of(1, 2))}, "x")));
        all.put("java deque", result(Frames.VALUE, f -> codec.write(f, IntStream.range(0, n / 8).mapToObj(i -> new java.util.ArrayDeque<>()).toArray(), "x")));
        all.put("map", result(Frames.VALUE, f -> {
            Tag.HASH_MAP.put(f);
            f.putVarInt(n);
            for (int i = 0; i < n; i++) { Tag.INT.put(f); f.putVarInt(i); f.putByte(0); }
        }));
        all.put("imap", result(Frames.VALUE, f -> {
            Tag.IMMUTABLE_MAP.put(f);
            f.putVarInt(n);
            for (int i = 0; i < n; i++) { Tag.INT.put(f); f.putVarInt(i); f.putByte(1); }
        }));
        all.put("lmap", result(Frames.VALUE, f -> {
            Tag.LINKED_HASH_MAP.put(f);
            f.putVarInt(n);
            for (int i = 0; i < n; i++) { Tag.INT.put(f); f.putVarInt(i); f.putByte(0); }
        }));
        all.put("points", result(Frames.VALUE, f -> {
            Tag.ARRAY_LIST.put(f);
            f.putVarInt(n);
            for (int i = 0; i < n; i++) { Tag.RECORD.put(f); f.putVarInt(0); if (i == 0) f.putString(ApplicationSide.Echo.class.getName()); }
        }));
        all.put("throwables", result(Frames.THROWN, f -> {
            f.putInt(100);
            for (int t = 0; t < 100; t++) {
                f.putString(""); f.putByte(0); f.putString(""); f.putVarInt(1024);
                for (int i = 0; i < 1024; i++) { f.putString(""); f.putString(""); f.putString(""); f.putString(""); f.putVarInt(0); }
                f.putVarInt(-1); f.putVarInt(100);
                for (int i = 0; i < 100; i++) f.putVarInt(i);
                f.putInt(0); f.putString("");
            }
        }));
        all.put("small throwables", result(Frames.THROWN, f -> {
            f.putInt(100);
            for (int t = 0; t < 100; t++) {
                f.putString(""); f.putByte(0); f.putString(""); f.putVarInt(0);
                f.putVarInt(-1); f.putVarInt(0);
                f.putInt(0); f.putString("");
            }
        }));
        all.put("java throwables", result(Frames.THROWN, f -> {
            f.putInt(100);
            for (int t = 0; t < 100; t++) {
                f.putString(""); f.putByte(0); f.putString(""); f.putVarInt(0);
                f.putVarInt(-1); f.putVarInt(0);
                f.putInt(1); f.putByte(0);
            }
        }));
        all.put("log mdc", frame(Frames.LOG, f -> {
            f.putByte(20); f.putString("l"); f.putString("m"); f.putString("t"); f.putInt(n);
            for (int i = 0; i < n; i++) { f.putString(""); f.putString(""); }
            f.putByte(0);
        }));
        all.put("log long", frame(Frames.LOG, f -> {
            f.putByte(20); f.putString("l"); f.putString("x".repeat(n)); f.putString("t"); f.putInt(0);
            f.putByte(0);
        }));
        all.put("class name", result(Frames.VALUE, f -> {
            Tag.RECORD.put(f); f.putVarInt(0); f.putString("x".repeat(n));
        }));
        all.put("frame length", new byte[] {0, 0, 0, 0x10});
        all.put("frame length2", new byte[] {-1, -1, -1, 0x0f, 1});
        all.put("frames", null);
        java.io.ByteArrayOutputStream o = new java.io.ByteArrayOutputStream();
        byte[] log = frame(Frames.LOG, f -> { f.putByte(20); f.putString("l"); f.putString("m"); f.putString("t"); f.putInt(0); f.putByte(0);});
        for (int i = 0; i < n / 10; i++) o.writeBytes(log);
        all.put("frames", o.toByteArray());
        for (int round = 0; round < 2; round++)
        for (var e : all.entrySet()) {
            ApplicationSide.Taken t = a.take(0, ByteBuffer.wrap(e.getValue()));
            System.out.printf("%-16s %9d %12d  x %.1f  %s%n", e.getKey(), e.getValue().length, t.allocatedBytes(), (t.allocatedBytes() - 1_300_000.0) / e.getValue().length, (t.results().get(0).isSuccess() + " " + t.results().get(0).fold(v -> v.getClass() + "", x -> x.toString())).split("\n")[0]);
        }
    }
}
