package io.stratagem.spi;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import io.stratagem.ContextPropagator;
import io.stratagem.Rejection;
import io.stratagem.TaskListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The options that all strategies have in common. Each may be set once, and is checked when it is set. Not
 * thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class StrategyBuilder<B extends StrategyBuilder<B>> {
    static final int DEFAULT_WINDOW = 256;
    static final long DEFAULT_WINDOW_BYTES =
            Math.max(1 << 20, Runtime.getRuntime().maxMemory() / 4);

    private final Set<String> set = new HashSet<>();
    private final List<TaskListener> listeners = new ArrayList<>();
    private final List<ContextPropagator> propagators = new ArrayList<>();
    private String name;
    private int maxPending = 65_536;
    private Rejection rejection = Rejection.BLOCK;
    private int window = DEFAULT_WINDOW;
    private long windowBytes = DEFAULT_WINDOW_BYTES;
    private Duration closeTimeout = Duration.ofSeconds(30);
    private Clock clock = Clock.system();
    private boolean allowInProcess;

    /**
     * Begins with the defaults.
     *
     * @param name the default name
     */
    protected StrategyBuilder(String name) {
        this.name = name;
    }

    /**
     * This builder.
     *
     * @return this
     */
    protected abstract B self();

    /**
     * The name, as it stands in thread names, results and snapshots.
     *
     * @param value not blank
     * @return this
     * @throws IllegalArgumentException if it is blank
     */
    public B name(String value) {
        checkArgument(!value.isBlank(), "name must not be blank");
        name = once("name", value);
        return self();
    }

    /**
     * How many submitted tasks may be pending, that is queued or running. Maps have a window of their own. 65,536 by
     * default.
     *
     * @param tasks positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B maxPending(int tasks) {
        checkArgument(tasks > 0, "maxPending must be positive: %s", tasks);
        maxPending = once("maxPending", tasks);
        return self();
    }

    /**
     * What {@code submit} does when {@link #maxPending} tasks are pending. {@link Rejection#BLOCK} by default.
     *
     * @param policy what to do
     * @return this
     */
    public B rejection(Rejection policy) {
        rejection = once("rejection", Objects.requireNonNull(policy, "rejection"));
        return self();
    }

    /**
     * How many tasks of one map may be in flight, for blocking and asynchronous work: the number of concurrent waits.
     * The window of compute work follows from its measured batch size; what waits for another attempt comes on top of
     * that, up to this number. 256 by default.
     *
     * @param tasks positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B window(int tasks) {
        checkArgument(tasks > 0, "window must be positive: %s", tasks);
        window = once("window", tasks);
        return self();
    }

    /**
     * How many bytes of inputs and results one map may have in flight before it takes in no more. Arrays of primitives,
     * buffers and strings are counted; results only once they are there, so that it may be exceeded by those of the
     * tasks that run. A quarter of the heap by default.
     *
     * @param bytes positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public B windowBytes(long bytes) {
        checkArgument(bytes > 0, "windowBytes must be positive: %s", bytes);
        windowBytes = once("windowBytes", bytes);
        return self();
    }

    /**
     * How long {@code close} waits for the work to be done before it cancels what is left. 30 seconds by default.
     *
     * @param limit zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public B closeTimeout(Duration limit) {
        checkArgument(!limit.isNegative(), "closeTimeout must not be negative: %s", limit);
        closeTimeout = once("closeTimeout", limit);
        return self();
    }

    /**
     * Adds a listener to every task.
     *
     * @param listener who hears of them
     * @return this
     */
    public B listener(TaskListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return self();
    }

    /**
     * Adds a context that goes with every task.
     *
     * @param propagator what captures it
     * @return this
     */
    public B propagator(ContextPropagator propagator) {
        propagators.add(Objects.requireNonNull(propagator, "propagator"));
        return self();
    }

    /**
     * The time, for tests. The clock of this machine by default.
     *
     * @param time the clock
     * @return this
     */
    public B clock(Clock time) {
        clock = once("clock", Objects.requireNonNull(time, "clock"));
        return self();
    }

    /**
     * Whether this strategy takes isolated workloads although it runs them in this JVM. Not by default.
     *
     * @param allow whether it does
     * @return this
     */
    public B allowInProcess(boolean allow) {
        allowInProcess = once("allowInProcess", allow);
        return self();
    }

    /**
     * The options common to all strategies.
     *
     * @return as they are set now
     */
    protected final StrategyOptions options() {
        return new StrategyOptions(
                name,
                maxPending,
                rejection,
                window,
                windowBytes,
                closeTimeout,
                List.copyOf(listeners),
                List.copyOf(propagators),
                clock,
                allowInProcess);
    }

    /**
     * Refuses an option that was set before.
     *
     * @param option its name
     * @param value its value
     * @param <T> its type
     * @return the value
     * @throws IllegalStateException if it was set before
     */
    protected final <T> T once(String option, T value) {
        checkState(set.add(option), "%s was set already; now to %s", option, value);
        return value;
    }
}
