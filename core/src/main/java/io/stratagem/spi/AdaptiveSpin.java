package io.stratagem.spi;

import java.util.function.BooleanSupplier;

/**
 * Waits a few microseconds without parking, as long as that pays. Parking a thread and waking it costs 4 to 60 µs, so
 * a short look is worth while where the answer often comes within that time. Where it does not (the other side is slow,
 * or other processes have the cores, and spinning takes from it the very core it needs), looking is given up but for an
 * occasional trial. One object for each place that waits; any thread may use it.
 */
/* The score is read and written without order: a lost update only makes the next decision a little staler. */
public final class AdaptiveSpin {
    private static final boolean HAS_OTHER_CORE = Runtime.getRuntime().availableProcessors() > 1;
    private static final int MAX_SCORE = 8;
    private static final int TRIAL_INTERVAL = 64;

    private final int rounds;
    private int score = 1;
    private int skipped;

    /**
     * Creates the place.
     *
     * @param rounds how often to look, at some 20 ns each
     */
    public AdaptiveSpin(int rounds) {
        this.rounds = HAS_OTHER_CORE ? rounds : 0;
    }

    /**
     * Looks for a while whether the condition holds. Does not block.
     *
     * @param condition what to wait for; called often
     * @return whether it holds
     */
    public boolean until(BooleanSupplier condition) {
        if (condition.getAsBoolean()) {
            return true;
        }
        if (score <= 0 && ++skipped % TRIAL_INTERVAL != 0) {
            return false;
        }
        for (int i = 0; i < rounds; i++) {
            Thread.onSpinWait();
            if (condition.getAsBoolean()) {
                score = Math.min(MAX_SCORE, Math.max(0, score) + 1);
                return true;
            }
        }
        score = Math.max(0, score - 1);
        return false;
    }
}
