package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What to run: a name, a {@linkplain Kind kind}, a function, and what the work asks for. Immutable, and meant to be
 * made once and used for many inputs:
 *
 * <pre>{@code
 * Workload<Path, String> checksum = Workload.blocking("checksum", Checksums::sha256);
 * Workload<byte[], Image> render = Workload.named("render").timeout(Duration.ofSeconds(5)).compute(Renderer::render);
 * }</pre>
 *
 * @param <I> what the function takes
 * @param <O> what it gives
 */
@SuppressWarnings("UnusedTypeParameter") // they tie the inputs and the results of a strategy to the function
public final class Workload<I, O> {
    private final String name;
    private final Kind kind;
    private final Serializable function;
    private final Class<?> functionClass;
    private final boolean isolated;
    private final List<String> jvmOptions;
    private final boolean fineGrained;
    private final @Nullable Duration timeout;
    private final @Nullable RetryPolicy retry;
    private final @Nullable Function<Object, ?> key;
    private final int limitPerKey;

    private Workload(Builder<?> options, Kind kind, Serializable function, Class<?> functionClass) {
        this.name = options.name;
        this.kind = kind;
        this.function = function;
        this.functionClass = functionClass;
        this.isolated = options.isolated || !options.jvmOptions.isEmpty();
        this.jvmOptions = options.jvmOptions;
        this.fineGrained = options.fineGrained;
        this.timeout = options.timeout;
        this.retry = options.retry;
        this.key = options.key;
        this.limitPerKey = options.limitPerKey;
    }

    /**
     * Work that waits in blocking calls.
     *
     * @param name for messages, results and snapshots
     * @param function what to run
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the workload
     */
    public static <I, O> Workload<I, O> blocking(String name, Fn<? super I, ? extends O> function) {
        return named(name).blocking(function);
    }

    /**
     * Work that computes.
     *
     * @param name for messages, results and snapshots
     * @param function what to run
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the workload
     */
    public static <I, O> Workload<I, O> compute(String name, Fn<? super I, ? extends O> function) {
        return named(name).compute(function);
    }

    /**
     * Work that waits without a thread.
     *
     * @param name for messages, results and snapshots
     * @param function what starts it
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the workload
     */
    public static <I, O> Workload<I, O> async(String name, AsyncFn<? super I, O> function) {
        return named(name).async(function);
    }

    /**
     * Work that waits in blocking calls and gives nothing back: its successes hold null.
     *
     * @param name for messages, results and snapshots
     * @param action what to run
     * @param <I> what it takes
     * @return the workload
     */
    public static <I> Workload<I, Void> blockingAction(String name, Action<? super I> action) {
        return named(name).blockingAction(action);
    }

    /**
     * Work that computes and gives nothing back: its successes hold null.
     *
     * @param name for messages, results and snapshots
     * @param action what to run
     * @param <I> what it takes
     * @return the workload
     */
    public static <I> Workload<I, Void> computeAction(String name, Action<? super I> action) {
        return named(name).computeAction(action);
    }

    /**
     * Begins a workload with options. The function comes last, so that lambdas keep their types.
     *
     * @param name for messages, results and snapshots; not blank
     * @return the options
     * @throws IllegalArgumentException if the name is blank
     */
    public static Builder<Object> named(String name) {
        return new Builder<>(name);
    }

    /**
     * The name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * What the function spends its time on.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Whether it must run outside this JVM.
     *
     * @return true if it must
     */
    public boolean isolated() {
        return isolated;
    }

    /**
     * Which options the JVM must have that it runs in.
     *
     * @return the options, none for most workloads
     */
    public List<String> jvmOptions() {
        return jvmOptions;
    }

    /**
     * Whether there are very many very small tasks, or large arrays as inputs.
     *
     * @return true if so
     */
    public boolean fineGrained() {
        return fineGrained;
    }

    /**
     * How long one task may run, counted from its start on a worker.
     *
     * @return the limit, or empty for none
     */
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    /**
     * Which failures are tried again.
     *
     * @return the policy, or empty if each task is started at most once
     */
    public Optional<RetryPolicy> retry() {
        return Optional.ofNullable(retry);
    }

    /**
     * How many tasks of one key may be in flight at once.
     *
     * @return the limit, or empty if the workload has no keys
     */
    public OptionalInt limitPerKey() {
        return key == null ? OptionalInt.empty() : OptionalInt.of(limitPerKey);
    }

    /**
     * The key of an input, for strategies.
     *
     * @param input what a task is to be given
     * @return its key
     * @throws IllegalArgumentException if the key function fails or returns null
     * @throws IllegalStateException if the workload has no keys
     */
    public Object keyOf(@Nullable Object input) {
        Function<Object, ?> keyFunction = key;
        checkState(keyFunction != null, "workload '%s' has no keys", name);
        Object value;
        try {
            value = applyTo(keyFunction, input);
        } catch (Throwable e) {
            throw new IllegalArgumentException("the key function of workload '" + name + "' failed: " + e, e);
        }
        if (value == null) {
            throw new IllegalArgumentException("the key function of workload '" + name + "' returned null");
        }
        return value;
    }

    @SuppressWarnings("NullAway") // inputs may be null, if the function takes that
    private static @Nullable Object applyTo(Function<Object, ?> keyFunction, @Nullable Object input) {
        return keyFunction.apply(input);
    }

    /**
     * The function itself, for strategies: an {@link AsyncFn} if the kind is {@link Kind#ASYNC}, else an {@link Fn}.
     *
     * @return the function
     */
    public Serializable function() {
        return function;
    }

    /**
     * The class of what the workload was made with, for strategies: its class loader knows the classes that it needs.
     * That of an action, where {@link #function} is one that calls the action.
     *
     * @return the class of the function or the action
     */
    public Class<?> functionClass() {
        return functionClass;
    }

    @Override
    public String toString() {
        return "Workload[" + name + ", " + kind
                + (isolated ? ", isolated" : "")
                + (jvmOptions.isEmpty() ? "" : ", in a JVM with " + String.join(" ", jvmOptions))
                + (fineGrained ? ", fine-grained" : "")
                + (timeout == null ? "" : ", timeout " + timeout)
                + (retry == null ? "" : ", retry " + retry)
                + (key == null ? "" : ", " + limitPerKey + " per key")
                + "]";
    }

    /**
     * The options of a workload, ended by its function. Each may be set once. Not thread-safe.
     *
     * @param <T> what the inputs must be for the options to apply: anything, unless {@link #limitPerKey} was set
     */
    public static final class Builder<T> {
        private final String name;
        private boolean isolated;
        private List<String> jvmOptions = List.of();
        private boolean fineGrained;
        private @Nullable Duration timeout;
        private @Nullable RetryPolicy retry;
        private @Nullable Function<Object, ?> key;
        private int limitPerKey;

        private Builder(String name) {
            checkArgument(!name.isBlank(), "name must not be blank");
            this.name = name;
        }

        /**
         * Must run outside this JVM: it may crash, leak, hang, exit, or needs another heap.
         *
         * @return this
         * @throws IllegalStateException if set twice
         */
        public Builder<T> isolated() {
            checkState(!isolated, "isolated was set already");
            isolated = true;
            return this;
        }

        /**
         * Must run in a JVM with these options, such as {@code --add-modules=jdk.incubator.vector}: so it is isolated,
         * too. {@link Stratagem#auto()} starts worker processes that have them; another strategy takes the workload only
         * if its workers have all of them.
         *
         * @param options each as one argument; at least one
         * @return this
         * @throws IllegalArgumentException if there is none, or one is blank
         * @throws IllegalStateException if set twice
         */
        public Builder<T> jvmOptions(String... options) {
            checkState(jvmOptions.isEmpty(), "jvmOptions were set already, to %s", jvmOptions);
            List<String> given = List.of(options);
            checkArgument(!given.isEmpty(), "jvmOptions must name at least one option");
            checkArgument(given.stream().noneMatch(String::isBlank), "jvmOptions must not be blank: %s", given);
            jvmOptions = given;
            return this;
        }

        /**
         * There are very many very small tasks, or their inputs are large arrays: the way to a process costs more than
         * they do, and shared memory makes it cheaper.
         *
         * @return this
         * @throws IllegalStateException if set twice
         */
        public Builder<T> fineGrained() {
            checkState(!fineGrained, "fineGrained was set already");
            fineGrained = true;
            return this;
        }

        /**
         * How long one task may run, counted from its start on a worker. None by default. A task that exceeds it fails
         * at once with {@link TaskTimeoutException} and is stopped as far as the strategy can stop it.
         *
         * @param limit positive
         * @return this
         * @throws IllegalArgumentException if the limit is not positive
         * @throws IllegalStateException if set twice
         */
        public Builder<T> timeout(Duration limit) {
            checkArgument(limit.compareTo(Duration.ZERO) > 0, "timeout must be positive: %s", limit);
            checkState(timeout == null, "timeout was set already, to %s", timeout);
            timeout = limit;
            return this;
        }

        /**
         * Which failures are tried again. None by default. Setting it also says that a task may run more than once.
         *
         * @param policy when and how often
         * @return this
         * @throws IllegalStateException if set twice
         */
        public Builder<T> retry(RetryPolicy policy) {
            checkState(retry == null, "retry was set already, to %s", retry);
            retry = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /**
         * How many tasks of one key may be in flight at once, as eight requests to one host:
         *
         * <pre>{@code
         * Workload.named("fetch").limitPerKey(URI::getHost, 8).async((uri, loop) -> http.get(uri))
         * }</pre>
         *
         * <p>No limit by default. It holds within one strategy, for all calls with this workload together. Tasks beyond
         * it wait in the order in which they were taken in, and hold no worker, thread or loop meanwhile; those of other
         * keys overtake them. They count in the window of their map, which bounds them, or in what is pending. Neither
         * their timeout nor anything else but the deadline of a map runs while they wait.
         *
         * <p>A task is in flight from when it is handed out until its worker has left it, an asynchronous one until it
         * has its result. So one that was cancelled or timed out, and whose thread ignores the interrupt, keeps its place
         * until it returns. A further attempt gets in line anew. A task that waits for another of its own key may wait
         * for ever.
         *
         * <p>The function is called once for each task, in this JVM, on the thread that submits it or reads the stream; for
         * a later stage of a {@link Pipeline}, on the one that has done the stage before.
         * Write it as a method reference, or as a lambda with the type of its parameter: the compiler does not know it
         * yet. If it throws or returns null, that task fails with {@link IllegalArgumentException}. Keys are compared by
         * {@code equals}, now and then on a thread of the strategy's, so that must be quick.
         *
         * <p>Tasks of such a workload are never put into batches. Where {@link Rejection#CALLER_RUNS} would run one, the
         * caller waits for room.
         *
         * @param key gives the key of an input
         * @param limit positive
         * @param <K> what inputs the function takes
         * @return this
         * @throws IllegalArgumentException if the limit is not positive
         * @throws IllegalStateException if set twice
         */
        @SuppressWarnings("unchecked") // from here on it makes workloads of such inputs only
        public <K> Builder<K> limitPerKey(Function<? super K, ?> key, int limit) {
            checkArgument(limit > 0, "limitPerKey must be positive: %s", limit);
            checkState(this.key == null, "limitPerKey was set already, to %s", limitPerKey);
            this.key = (Function<Object, ?>) Objects.requireNonNull(key, "key");
            this.limitPerKey = limit;
            return (Builder<K>) this;
        }

        /**
         * Ends with work that waits in blocking calls.
         *
         * @param function what to run
         * @param <I> what it takes
         * @param <O> what it gives
         * @return the workload
         */
        public <I extends T, O> Workload<I, O> blocking(Fn<? super I, ? extends O> function) {
            return make(Kind.BLOCKING, function, function);
        }

        /**
         * Ends with work that computes.
         *
         * @param function what to run
         * @param <I> what it takes
         * @param <O> what it gives
         * @return the workload
         */
        public <I extends T, O> Workload<I, O> compute(Fn<? super I, ? extends O> function) {
            return make(Kind.COMPUTE, function, function);
        }

        /**
         * Ends with work that waits without a thread.
         *
         * @param function what starts it
         * @param <I> what it takes
         * @param <O> what it gives
         * @return the workload
         */
        public <I extends T, O> Workload<I, O> async(AsyncFn<? super I, O> function) {
            return make(Kind.ASYNC, function, function);
        }

        /**
         * Ends with work that waits in blocking calls and gives nothing back.
         *
         * @param action what to run
         * @param <I> what it takes
         * @return the workload
         */
        public <I extends T> Workload<I, Void> blockingAction(Action<? super I> action) {
            return make(Kind.BLOCKING, returningNull(action), action);
        }

        /**
         * Ends with work that computes and gives nothing back.
         *
         * @param action what to run
         * @param <I> what it takes
         * @return the workload
         */
        public <I extends T> Workload<I, Void> computeAction(Action<? super I> action) {
            return make(Kind.COMPUTE, returningNull(action), action);
        }

        private <I, O> Workload<I, O> make(Kind kind, Serializable function, Serializable given) {
            Objects.requireNonNull(given, "function");
            return new Workload<>(this, kind, function, given.getClass());
        }

        @SuppressWarnings("NullAway") // Void has no other value than null
        private static <I> Fn<I, Void> returningNull(Action<? super I> action) {
            Objects.requireNonNull(action, "action");
            return input -> {
                action.accept(input);
                return null;
            };
        }
    }
}
