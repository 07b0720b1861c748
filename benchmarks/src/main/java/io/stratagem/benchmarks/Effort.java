package io.stratagem.benchmarks;

import java.time.Duration;
import java.util.List;

/**
 * How much to measure.
 *
 * @param quick whether programs use their quick {@link Size}
 * @param rounds how often each program is run, each time in a fresh process
 * @param warmUp how long a process warms up at least
 * @param measure how long a process then measures at least
 * @param limit when a process that has not ended is killed and counts as failed
 * @param budget no further round is begun that would probably end later than this after the start
 */
public record Effort(boolean quick, int rounds, Duration warmUp, Duration measure, Duration limit, Duration budget) {

    /** For figures to quote. */
    public static final Effort FULL = new Effort(
            false, 5, Duration.ofMillis(1500), Duration.ofMillis(1500), Duration.ofMinutes(3), Duration.ofHours(1));

    /** For a look within three minutes, the build included. */
    public static final Effort QUICK = new Effort(
            true, 3, Duration.ofMillis(400), Duration.ofMillis(300), Duration.ofSeconds(30), Duration.ofSeconds(150));

    public Effort {
        if (rounds <= 0) {
            throw new IllegalArgumentException("rounds must be positive: " + rounds);
        }
    }

    /** The same with another number of rounds. */
    public Effort withRounds(int otherRounds) {
        return new Effort(quick, otherRounds, warmUp, measure, limit, budget);
    }

    /** What every program gets behind its own arguments. */
    List<String> arguments(Size size) {
        return List.of(
                Integer.toString(quick ? size.quick() : size.full()),
                Long.toString(warmUp.toMillis()),
                Long.toString(measure.toMillis()));
    }

    @Override
    public String toString() {
        return (quick ? "quick, " : "full, ") + rounds + " rounds if they begin within " + budget.toSeconds()
                + " s, in each process " + warmUp.toMillis() + " ms to warm up and " + measure.toMillis()
                + " ms to measure";
    }
}
