package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;

import java.time.Duration;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** How {@link Stratagem#profile} measures. Immutable: each method returns a changed copy. */
public final class ProfileOptions {
    private static final ProfileOptions DEFAULTS =
            new ProfileOptions(Duration.ofSeconds(2), OptionalInt.empty(), row -> {});

    private static final Duration SHORTEST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofHours(1);

    /** So that a slip of the finger does not start worker processes until the machine has no memory left. */
    private static final int MOST_PER_CPU = 8;

    private final Duration timePerStrategy;
    private final OptionalInt cpus;
    private final Consumer<? super String> progress;

    private ProfileOptions(Duration timePerStrategy, OptionalInt cpus, Consumer<? super String> progress) {
        this.timePerStrategy = timePerStrategy;
        this.cpus = cpus;
        this.progress = progress;
    }

    /**
     * Two seconds for each strategy, on {@link Stratagem#cpus()}.
     *
     * @return the options
     */
    public static ProfileOptions defaults() {
        return DEFAULTS;
    }

    /**
     * For how long each strategy runs the sample, over and over; its start is not in it. What has not ended then is
     * stopped. A task must fit into it several times if its figures are to say anything.
     *
     * @param limit from 10 ms to 1 hour; 2 s by default
     * @return a changed copy
     * @throws IllegalArgumentException if it is not
     */
    public ProfileOptions timePerStrategy(Duration limit) {
        checkArgument(
                limit.compareTo(SHORTEST) >= 0 && limit.compareTo(LONGEST) <= 0,
                "timePerStrategy must be from 10 ms to 1 hour: %s",
                limit);
        return new ProfileOptions(limit, cpus, progress);
    }

    /**
     * How many CPUs each strategy is told to count on: so many threads compute, or so many processes, all of which are
     * started. They may be more than this machine has, as suits work that also waits; that does not show how fast the work
     * is on a larger machine.
     *
     * @param count from 1 to 8 for each of {@link Runtime#availableProcessors()}; {@link Stratagem#cpus()} by default,
     *     which must be within it, too, when the profile begins
     * @return a changed copy
     * @throws IllegalArgumentException if it is not
     */
    public ProfileOptions cpus(int count) {
        requireWithinLimit("cpus", count);
        return new ProfileOptions(timePerStrategy, OptionalInt.of(count), progress);
    }

    private static void requireWithinLimit(String name, int count) {
        int available = Runtime.getRuntime().availableProcessors();
        checkArgument(
                count > 0 && count <= MOST_PER_CPU * available,
                "%s must be from 1 to %s, which is %s for each of the %s that this machine has: %s",
                name,
                MOST_PER_CPU * available,
                MOST_PER_CPU,
                available,
                count);
    }

    /**
     * Who is told what is measured next.
     *
     * @param listener called with the name of a row of the report before it is measured, on the thread that called
     *     {@code profile}; what it throws ends the profile. Nobody by default
     * @return a changed copy
     */
    public ProfileOptions progress(Consumer<? super String> listener) {
        return new ProfileOptions(timePerStrategy, cpus, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * For how long each strategy runs the sample.
     *
     * @return the limit
     */
    public Duration timePerStrategy() {
        return timePerStrategy;
    }

    /**
     * How many CPUs each strategy counts on.
     *
     * @return the number, or empty for {@link Stratagem#cpus()}
     */
    public OptionalInt cpus() {
        return cpus;
    }

    /** The number, or what {@link Stratagem#cpus()} says, if that is within the limit. */
    int cpusToCountOn() {
        if (cpus.isPresent()) {
            return cpus.getAsInt();
        }
        int count = Stratagem.cpus();
        requireWithinLimit("system property " + Stratagem.CPUS_PROPERTY, count);
        return count;
    }

    Consumer<? super String> progress() {
        return progress;
    }

    @Override
    public String toString() {
        return timePerStrategy + " for each strategy" + (cpus.isPresent() ? ", on " + cpus.getAsInt() + " CPUs" : "");
    }
}
