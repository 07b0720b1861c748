package io.stratagem.spi;

/**
 * Looks whether the calling thread has stack left. Tasks that run other tasks while they wait may get to the end of
 * it; that must happen before a task is claimed, and not when its result is being delivered.
 */
final class StackReserve {
    /** Some 50 KB in compiled code, more in interpreted. */
    private static final int FRAMES = 400;

    private StackReserve() {}

    /** Throws {@link StackOverflowError} if there is little left. */
    static void check() {
        if (use(FRAMES, 1, 2, 3, 4, 5, 6, 7, 8) == 0) {
            throw new AssertionError("the sum of so many positive numbers"); // uses it, so that it is computed
        }
    }

    /** The sum afterwards keeps its operands in the frame. */
    private static long use(int frames, long a, long b, long c, long d, long e, long f, long g, long h) {
        return frames == 0 ? a : use(frames - 1, b, c, d, e, f, g, h, a) + (a ^ b) + (c ^ d) + (e ^ f) + (g ^ h);
    }
}
