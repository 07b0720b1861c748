package io.stratagem.benchmarks;

/**
 * Work of a known length that no compiler can shorten: each step of the chain needs the step before. The length is a
 * number of steps and not a time, so that every contestant computes the same.
 */
public final class Chain {

    /* A multiplication, a shift and an exclusive or: five cycles, about 1.4 ns on the machine that it was set on. */
    private static final int STEPS_PER_MICROSECOND = 720;

    private final int steps;

    /** A chain that takes about this long on one core of a current machine. */
    public Chain(int micros) {
        steps = micros * STEPS_PER_MICROSECOND;
    }

    /** The end of the chain from that seed. */
    public Long apply(Long seed) {
        long value = seed;
        for (int i = 0; i < steps; i++) {
            value *= 0x9E3779B97F4A7C15L;
            value ^= value >>> 32;
        }
        return value;
    }
}
