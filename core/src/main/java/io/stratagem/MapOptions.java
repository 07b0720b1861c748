package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** How one {@code map} is to be carried out. Immutable: each method returns a changed copy. */
public final class MapOptions {
    private static final MapOptions ORDERED = new MapOptions(true, Optional.empty(), OptionalInt.empty());
    private static final MapOptions UNORDERED = new MapOptions(false, Optional.empty(), OptionalInt.empty());

    private final boolean isOrdered;
    private final Optional<Duration> deadline;
    private final OptionalInt window;

    private MapOptions(boolean isOrdered, Optional<Duration> deadline, OptionalInt window) {
        this.isOrdered = isOrdered;
        this.deadline = deadline;
        this.window = window;
    }

    /**
     * Results in the order of the inputs.
     *
     * @return the options
     */
    public static MapOptions ordered() {
        return ORDERED;
    }

    /**
     * Results as they are completed.
     *
     * @return the options
     */
    public static MapOptions unordered() {
        return UNORDERED;
    }

    /**
     * A time by which the whole map must be done, counted from the first result asked for. When it passes, tasks in
     * flight are cancelled and each is delivered as a {@link TaskTimeoutException} failure; if inputs are left that
     * were not taken in, the stream then throws {@link TaskTimeoutException}, so that it never just seems complete.
     * None by default.
     *
     * @param limit positive
     * @return a changed copy
     * @throws IllegalArgumentException if the limit is not positive
     */
    public MapOptions deadline(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "deadline must be positive: %s", limit);
        return new MapOptions(isOrdered, Optional.of(limit), window);
    }

    /**
     * How many tasks may be in flight: queued, running, waiting for another attempt, or finished and not yet taken from
     * the stream. For blocking and asynchronous work this is the number of concurrent waits. By default the strategy's
     * own window.
     *
     * @param tasks positive
     * @return a changed copy
     * @throws IllegalArgumentException if the number is not positive
     */
    public MapOptions window(int tasks) {
        checkArgument(tasks > 0, "window must be positive: %s", tasks);
        return new MapOptions(isOrdered, deadline, OptionalInt.of(tasks));
    }

    /**
     * Whether results come in the order of the inputs.
     *
     * @return true for input order
     */
    public boolean isOrdered() {
        return isOrdered;
    }

    /**
     * The deadline of the whole map.
     *
     * @return the limit, or empty for none
     */
    public Optional<Duration> deadline() {
        return deadline;
    }

    /**
     * The most tasks in flight.
     *
     * @return the window, or empty for the strategy's own
     */
    public OptionalInt window() {
        return window;
    }

    @Override
    public String toString() {
        return (isOrdered ? "ordered" : "unordered")
                + deadline.map(limit -> ", deadline " + limit).orElse("")
                + (window.isPresent() ? ", window " + window.getAsInt() : "");
    }
}
