package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.Snapshot.WaitView;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyProvider;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Gives each workload to the strategy that suits it, of those on the class path or module path:
 *
 * <pre>{@code
 * try (ExecutorStrategy auto = Stratagem.auto()) {
 *     Result<Page> page = auto.run(fetch, uri);          // on an event loop
 *     Result<String> digest = auto.run(sha256, file);    // on threads
 *     Result<Image> image = auto.run(render, bytes);     // isolated, so in a worker process
 * }
 * }</pre>
 *
 * <p>A strategy is made when the first workload needs it, and starts its threads and processes as it needs them. All
 * that are made here are told the same number of CPUs ({@link Builder#cpus}): each computes with that many threads or
 * processes at most, and a worker process counts on one. Those that the application {@linkplain Builder#make makes} or
 * {@linkplain Builder#use gives} have their own. A workload with {@linkplain Workload#jvmOptions() JVM options} gets
 * worker processes that have them, one set for each list of options.
 *
 * <p>Everything else is as the strategy that runs the workload does it: limits on what is pending and windows are those
 * of each strategy. {@link Execution#strategy()} names the one that ran a task, {@link #choose} says why.
 *
 * <p>Any thread may use it. What {@link ExecutorStrategy} says of the strategy's own threads holds for those of each
 * strategy by itself: a task on threads that submits to processes waits for room there as any other caller does; on a loop
 * it never waits for room.
 */
public final class AutoStrategy implements ExecutorStrategy {
    private static final int TRAITS = 4;

    private final String name;
    private final int cpus;
    private final Chooser chooser;
    private final Making making;
    private final Map<String, Member> members;

    /** By what the choice depends on; each filled when it is first asked for. */
    private final AtomicReferenceArray<@Nullable Member> routes =
            new AtomicReferenceArray<>(Kind.values().length * TRAITS);

    private AutoStrategy(Builder builder) {
        this.name = builder.name == null ? "auto" : builder.name;
        this.cpus = builder.cpus > 0 ? builder.cpus : Stratagem.cpus();
        this.chooser = builder.chooser;
        this.making = new Making(this);
        Map<String, Member> all = new HashMap<>();
        for (StrategyProvider provider : chooser.providers()) {
            Given given = builder.given.get(provider.name());
            Making.Part plain = given == null ? newPart(provider, List.of()) : given.newPart(making, provider.name());
            all.put(provider.name(), new Member(provider, plain, given != null));
        }
        this.members = Map.copyOf(all);
    }

    private Making.Part newPart(StrategyProvider provider, List<String> jvmOptions) {
        return making.newPart("the provider of the " + provider.name(), () -> provider.create(cpus, jvmOptions));
    }

    /**
     * Begins a strategy with options.
     *
     * @return the options
     */
    public static Builder builder() {
        return new Builder(Chooser.ofThoseThere());
    }

    /** For tests. */
    static Builder builder(List<StrategyProvider> providers) {
        return new Builder(new Chooser(providers));
    }

    @Override
    public String name() {
        return name;
    }

    // ---------------------------------------------------------------------------------------------- the choice

    /**
     * Which strategy a workload is given to, and why. Starts nothing.
     *
     * @param workload what is to run
     * @return the choice with its reasons
     * @throws IllegalStateException if no strategy that is there takes it; the message names the Maven coordinates of
     *     one that does
     */
    public Choice choose(Workload<?, ?> workload) {
        Member threads = members.get(Stratagem.THREAD_POOL);
        return chooser.choose(
                workload,
                threads != null && threads.plain.made() instanceof EngineStrategy made
                        ? made.parallelism(Kind.COMPUTE)
                        : cpus);
    }

    /**
     * The strategy that a workload is given to; it is made if nothing has needed it yet. While another thread makes it, this
     * waits, whatever interrupts come, and keeps them.
     *
     * @param workload what is to run
     * @return the strategy, to be used and not to be closed
     * @throws IllegalStateException if no strategy that is there takes it; the message names the Maven coordinates of
     *     one that does. Or if it is needed to make itself, by its supplier, or has this strategy as a part
     * @throws RejectedExecutionException if this strategy is closed
     */
    public ExecutorStrategy strategyFor(Workload<?, ?> workload) {
        making.checkOpen();
        Member member = memberFor(workload);
        List<String> jvmOptions = workload.jvmOptions();
        if (jvmOptions.isEmpty()) {
            return making.get(member.plain);
        }
        if (member.isGiven
                && making.get(member.plain) instanceof EngineStrategy given
                && given.hasJvmOptions(jvmOptions)) {
            return given;
        }
        Making.Part variant = member.variants.get(jvmOptions);
        if (variant == null) {
            variant = member.variants.computeIfAbsent(jvmOptions, options -> newPart(member.provider, options));
        }
        return making.get(variant);
    }

    @SuppressWarnings("EnumOrdinal") // an index into an array of this class
    private Member memberFor(Workload<?, ?> workload) {
        int traits =
                workload.kind().ordinal() * TRAITS + (workload.isolated() ? 2 : 0) + (workload.fineGrained() ? 1 : 0);
        Member member = routes.get(traits);
        if (member == null) {
            member = Objects.requireNonNull(members.get(chooser.best(workload).name()));
            routes.set(traits, member); // whoever else is at it finds the same
        }
        return member;
    }

    // ---------------------------------------------------------------------------------------------- work

    @Override
    public <I, O> Result<O> run(Workload<I, O> workload, I input) {
        return strategyFor(workload).run(workload, input);
    }

    @Override
    public <I, O> CompletableFuture<Result<O>> submit(Workload<I, O> workload, I input) {
        return strategyFor(workload).submit(workload, input);
    }

    @Override
    public <I, O> Stream<Result<O>> map(Workload<I, O> workload, Stream<? extends I> inputs, MapOptions options) {
        return strategyFor(workload).map(workload, inputs, options);
    }

    @Override
    public ListeningExecutorService asExecutorService(Kind kind) {
        checkArgument(
                Objects.requireNonNull(kind, "kind") != Kind.ASYNC,
                "an executor service runs plain calls, not %s work",
                kind);
        Workload<Object, Object> commands = kind == Kind.COMPUTE
                ? Workload.compute("commands", command -> command)
                : Workload.blocking("commands", command -> command);
        return strategyFor(commands).asExecutorService(kind);
    }

    /**
     * The sum of what its strategies are doing now. Does not block.
     *
     * @return counts, and the workers of all
     */
    @Override
    public Snapshot snapshot() {
        List<Snapshot> all =
                strategies().stream().map(ExecutorStrategy::snapshot).toList();
        return new Snapshot(
                name,
                making.isClosed(),
                all.stream().mapToLong(Snapshot::submitted).sum(),
                all.stream().mapToLong(Snapshot::queued).sum(),
                all.stream().mapToLong(Snapshot::running).sum(),
                all.stream().mapToLong(Snapshot::succeeded).sum(),
                all.stream().mapToLong(Snapshot::failed).sum(),
                all.stream().mapToLong(Snapshot::cancelled).sum(),
                all.stream().mapToLong(Snapshot::timedOut).sum(),
                all.stream().mapToLong(Snapshot::retried).sum(),
                all.stream().mapToInt(Snapshot::abandoned).sum(),
                all.stream().mapToLong(Snapshot::sentBytes).sum(),
                all.stream().mapToLong(Snapshot::receivedBytes).sum(),
                all.stream()
                        .<WorkerView>flatMap(each -> each.workers().stream())
                        .toList(),
                all.stream()
                        .flatMap(each -> each.waits().stream())
                        .sorted(Comparator.comparing(WaitView::age).reversed())
                        .limit(Snapshot.MOST_WAITS)
                        .toList());
    }

    /**
     * The strategies that have been made so far.
     *
     * @return the strategies, each once, those that the application gave included
     */
    public List<ExecutorStrategy> strategies() {
        return making.made(false);
    }

    @Override
    public String toString() {
        return snapshot().toString();
    }

    // ---------------------------------------------------------------------------------------------- closing

    /**
     * Takes no more work and closes the strategies that were made here, all at the same time: tasks of one may wait for
     * tasks of another, so none is given up before its own time to close is over. Those that the application
     * {@linkplain Builder#use gave} stay open. On a thread of one of its strategies it does not wait. Nor does it wait for
     * one that is being made: that is closed by force once it is there, and who needs it is rejected.
     */
    @Override
    public void close() {
        List<ExecutorStrategy> owned = making.close();
        boolean mayWait = !isOnWorkerOf(owned);
        List<Thread> closers = new ArrayList<>();
        List<ExecutorStrategy> others = new ArrayList<>();
        for (ExecutorStrategy strategy : owned) {
            Thread closer = new Thread(strategy::close, "stratagem-" + name + "-closer-" + strategy.name());
            try {
                closer.start();
                closers.add(closer);
            } catch (OutOfMemoryError e) { // there is no thread to be had
                others.add(strategy);
            }
        }
        try {
            forAll(others, ExecutorStrategy::close);
        } finally {
            if (mayWait) {
                awaitAll(closers, owned);
            }
        }
    }

    /** Whether the calling thread is a worker of one that closing waits for. */
    private static boolean isOnWorkerOf(List<ExecutorStrategy> owned) {
        return owned.stream()
                .anyMatch(each -> each instanceof EngineStrategy made
                        ? made.isOnWorker()
                        : each instanceof AutoStrategy auto && isOnWorkerOf(auto.making.made(true)));
    }

    /** An interrupt ends the wait, as it does in each strategy's close, and is kept. */
    private static void awaitAll(List<Thread> closers, List<ExecutorStrategy> owned) {
        try {
            for (Thread closer : closers) {
                closer.join();
            }
        } catch (InterruptedException e) {
            try {
                forAll(owned, ExecutorStrategy::closeNow);
            } finally {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>A strategy that is being made is closed once it is there, and who needs it is rejected. If one cannot be closed,
     * the others are all the same; its exception is thrown at the end, with those of others as suppressed ones.
     */
    @Override
    public void closeNow() {
        forAll(making.close(), ExecutorStrategy::closeNow);
    }

    /** Whatever one of them throws: the first of it is thrown when all have had their turn. */
    private static void forAll(List<ExecutorStrategy> strategies, Consumer<ExecutorStrategy> action) {
        Throwable first = null;
        for (ExecutorStrategy strategy : strategies) {
            try {
                action.accept(strategy);
            } catch (Throwable e) {
                if (first == null) {
                    first = e;
                } else if (first != e) {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            Throwables.throwIfUnchecked(first);
            throw new IllegalStateException(first);
        }
    }

    // ---------------------------------------------------------------------------------------------- its parts

    /** What the choice can fall on: a strategy, and others of the kind whose workers have JVM options. */
    private static final class Member {
        private final StrategyProvider provider;
        private final Making.Part plain;

        /** Whether the application has said how to make it. */
        private final boolean isGiven;

        /** By the JVM options of their workers. */
        private final Map<List<String>, Making.Part> variants = new ConcurrentHashMap<>();

        Member(StrategyProvider provider, Making.Part plain, boolean isGiven) {
            this.provider = provider;
            this.plain = plain;
            this.isGiven = isGiven;
        }
    }

    /** What the application has said of a strategy: how to make it, or its own. */
    private record Given(
            Supplier<? extends ExecutorStrategy> supplier,
            @Nullable ExecutorStrategy own) {
        Making.Part newPart(Making making, String strategy) {
            return own == null ? making.newPart("the supplier of the " + strategy, supplier) : making.newPart(own);
        }
    }

    /**
     * Options of an {@link AutoStrategy}. Each may be set once. May build several, which then have nothing in common but
     * what {@link #use} gave them. Not thread-safe.
     */
    public static final class Builder {
        private final Chooser chooser;
        private final Map<String, Given> given = new HashMap<>();
        private @Nullable String name;
        private int cpus;

        private Builder(Chooser chooser) {
            this.chooser = chooser;
        }

        /**
         * The name, for snapshots and messages. {@code auto} by default. The strategies in it have names of their own.
         *
         * @param value not blank
         * @return this
         * @throws IllegalArgumentException if it is blank
         * @throws IllegalStateException if set twice
         */
        public Builder name(String value) {
            checkArgument(!value.isBlank(), "name must not be blank");
            checkState(name == null, "name was set already, to %s", name);
            name = value;
            return this;
        }

        /**
         * How many CPUs the strategies are told to count on, other than those of {@link #make} and {@link #use}, which have
         * their own options. By default {@link Stratagem#cpus()}.
         *
         * @param count from 1
         * @return this
         * @throws IllegalArgumentException if it is not positive
         * @throws IllegalStateException if set twice
         */
        public Builder cpus(int count) {
            checkArgument(count > 0, "cpus must be positive: %s", count);
            checkState(cpus == 0, "cpus was set already, to %s", cpus);
            cpus = count;
            return this;
        }

        /**
         * Makes one of the strategies with options of its own:
         *
         * <pre>{@code
         * AutoStrategy.builder()
         *         .make(Stratagem.PROCESS_POOL, () -> ProcessPoolStrategy.builder().maxHeapBytes(1 << 28).build())
         *         .build()
         * }</pre>
         *
         * <p>It is closed with the new strategy.
         *
         * <p>Work with {@linkplain Workload#jvmOptions() JVM options} runs on it only if its workers have them. Else that
         * work gets another strategy, with its provider's defaults and not with the options given here. If it is to have
         * both, submit it to a strategy of your own that is built with both.
         *
         * @param strategy which, by its name in choices, such as {@link Stratagem#PROCESS_POOL}
         * @param supplier makes a new one; called when a workload first needs it, on the thread that submits that, and once
         *     for each {@link #build} unless it fails: then those who wait for it get that failure, and the next workload
         *     that needs it has it called again. Others that need the strategy wait meanwhile, so it must not itself give
         *     such work to the new strategy, which is an {@link IllegalStateException}; so it is if it gives the new
         *     strategy, or an {@code AutoStrategy} that has that as a part
         * @return this
         * @throws IllegalArgumentException if there is no strategy of that name
         * @throws IllegalStateException if its module is missing; the message names its Maven coordinates. Or if this
         *     strategy was given already
         */
        public Builder make(String strategy, Supplier<? extends ExecutorStrategy> supplier) {
            return give(strategy, new Given(Objects.requireNonNull(supplier, "supplier"), null));
        }

        /**
         * Uses a strategy of the application's in place of one of the others. It is not closed with the new strategy.
         *
         * <p>Work with {@linkplain Workload#jvmOptions() JVM options} runs on it only if its workers have them. Else that
         * work gets another strategy, with its provider's defaults and not with the options of this one. If it is to have
         * both, submit it to a strategy of your own that is built with both.
         *
         * @param strategy in whose place, by its name in choices, such as {@link Stratagem#THREAD_POOL}
         * @param own which to use
         * @return this
         * @throws IllegalArgumentException if there is no strategy of that name
         * @throws IllegalStateException if its module is missing; the message names its Maven coordinates. Or if this
         *     strategy was given already
         */
        public Builder use(String strategy, ExecutorStrategy own) {
            Objects.requireNonNull(own, "own");
            return give(strategy, new Given(() -> own, own));
        }

        private Builder give(String strategy, Given what) {
            StrategyProvider provider = chooser.named(strategy);
            checkState(given.putIfAbsent(provider.name(), what) == null, "the %s was given already", strategy);
            return this;
        }

        /**
         * Makes the strategy. It starts nothing until work is given to it.
         *
         * @return a new strategy, to be closed
         */
        public AutoStrategy build() {
            return new AutoStrategy(this);
        }
    }
}
