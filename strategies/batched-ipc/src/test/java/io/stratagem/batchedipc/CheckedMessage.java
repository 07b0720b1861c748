package io.stratagem.batchedipc;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Messages whose length and every byte follow from their number, so that the receiver can tell if one is right. */
final class CheckedMessage {
    /** Long enough for several records of the rings that it is used with. */
    static final int MAX_BYTES = 20_000;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private CheckedMessage() {}

    private static long mix(long number) {
        long mixed = number * 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 29;
    }

    /** As a rule up to 64 bytes, seldom up to {@link #MAX_BYTES}. */
    static int length(long number) {
        long random = mix(number + 1);
        int most = (random & 4095) == 0 ? MAX_BYTES : 64;
        return (int) ((random >>> 16) % (most + 1));
    }

    /** Writes the message with that number, and gives its length. */
    static int write(byte[] to, long number) {
        int length = length(number);
        int at = 0;
        for (; at <= length - Long.BYTES; at += Long.BYTES) {
            LONG.set(to, at, mix(number + at));
        }
        for (; at < length; at++) {
            to[at] = (byte) mix(number + at);
        }
        return length;
    }

    /** Throws an error if that is not the message with that number. */
    static void check(byte[] message, int length, long number) {
        boolean isRight = length == length(number);
        int at = 0;
        for (; isRight && at <= length - Long.BYTES; at += Long.BYTES) {
            isRight = (long) LONG.get(message, at) == mix(number + at);
        }
        for (; isRight && at < length; at++) {
            isRight = message[at] == (byte) mix(number + at);
        }
        if (!isRight) {
            throw new AssertionError(
                    "message " + number + " of " + length + " bytes is wrong; it has " + length(number) + " bytes");
        }
    }
}
