package io.stratagem.processpool;

import java.util.HexFormat;
import java.util.function.Consumer;

/** Bytes that somebody made up, and what must hold for them. */
final class FuzzedBytes {
    private FuzzedBytes() {}

    /** Lets them in; if that fails, the failure says which they were. */
    static void check(byte[] bytes, Consumer<byte[]> side) {
        try {
            side.accept(bytes);
        } catch (Throwable e) {
            throw new AssertionError("with the bytes " + HexFormat.of().formatHex(bytes), e);
        }
    }
}
