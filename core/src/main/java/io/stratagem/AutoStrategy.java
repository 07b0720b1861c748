package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

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
 * are told the same number of CPUs ({@link Builder#cpus}): each computes with that many threads or processes at most, and
 * a worker process counts on one. A workload with {@linkplain Workload#jvmOptions() JVM options} gets worker processes
 * that have them, one set for each list of options.
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
    private final Map<String, Member> members;

    /** By what the choice depends on; each filled when it is first asked for. */
    private final AtomicReferenceArray<@Nullable Member> routes =
            new AtomicReferenceArray<>(Kind.values().length * TRAITS);

    /** Held while a strategy is made. */
    private final Object lock = new Object();

    /** Written under the lock. */
    private volatile boolean isClosed;

    private AutoStrategy(Builder builder) {
        this.name = builder.name;
        this.cpus = builder.cpus > 0 ? builder.cpus : Stratagem.cpus();
        this.chooser = builder.chooser;
        Map<String, Member> all = new HashMap<>();
        for (StrategyProvider provider : chooser.providers()) {
            Member given = builder.given.get(provider.name());
            all.put(provider.name(), given != null ? given : new Member(() -> provider.create(cpus, List.of()), true));
        }
        this.members = Map.copyOf(all);
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
                threads != null && threads.made instanceof EngineStrategy made ? made.parallelism(Kind.COMPUTE) : cpus);
    }

    /**
     * The strategy that a workload is given to; it is made if nothing has needed it yet.
     *
     * @param workload what is to run
     * @return the strategy, to be used and not to be closed
     * @throws IllegalStateException if no strategy that is there takes it; the message names the Maven coordinates of
     *     one that does
     * @throws RejectedExecutionException if this strategy is closed
     */
    public ExecutorStrategy strategyFor(Workload<?, ?> workload) {
        if (isClosed) {
            throw new RejectedExecutionException(closedMessage());
        }
        Member member = memberFor(workload);
        ExecutorStrategy made = member.made;
        if (made == null) {
            made = make(member);
        }
        List<String> jvmOptions = workload.jvmOptions();
        if (jvmOptions.isEmpty() || (made instanceof EngineStrategy strategy && strategy.hasJvmOptions(jvmOptions))) {
            return made;
        }
        ExecutorStrategy variant = member.variants.get(jvmOptions);
        return variant != null ? variant : makeVariant(member, workload);
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

    private ExecutorStrategy make(Member member) {
        synchronized (lock) {
            ExecutorStrategy made = member.made;
            if (made == null) {
                checkOpen();
                made = Objects.requireNonNull(member.supplier.get(), "the supplier gave no strategy");
                member.made = made;
            }
            return made;
        }
    }

    private ExecutorStrategy makeVariant(Member member, Workload<?, ?> workload) {
        synchronized (lock) {
            return member.variants.computeIfAbsent(workload.jvmOptions(), options -> {
                checkOpen();
                return chooser.best(workload).create(cpus, options);
            });
        }
    }

    private void checkOpen() {
        if (isClosed) {
            throw new RejectedExecutionException(closedMessage());
        }
    }

    private String closedMessage() {
        return "strategy '" + name + "' is closed";
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
                isClosed,
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
     * @return the strategies, those that the application gave included
     */
    public List<ExecutorStrategy> strategies() {
        return strategies(false);
    }

    private List<ExecutorStrategy> strategies(boolean onlyOwned) {
        List<ExecutorStrategy> all = new ArrayList<>();
        for (Member member : members.values()) {
            ExecutorStrategy made = member.made;
            if (made != null && (member.isOwned || !onlyOwned)) {
                all.add(made);
            }
            all.addAll(member.variants.values());
        }
        return all;
    }

    @Override
    public String toString() {
        return snapshot().toString();
    }

    // ---------------------------------------------------------------------------------------------- closing

    /**
     * Takes no more work and closes the strategies that were made here, all at the same time: tasks of one may wait for
     * tasks of another, so none is given up before its own time to close is over. Those that the application
     * {@linkplain Builder#use gave} stay open. On a thread of one of its strategies it does not wait.
     */
    @Override
    public void close() {
        List<ExecutorStrategy> owned = stopIntake();
        boolean mayWait = owned.stream().noneMatch(each -> each instanceof EngineStrategy made && made.isOnWorker());
        List<Thread> closers = new ArrayList<>();
        for (ExecutorStrategy strategy : owned) {
            Thread closer = new Thread(strategy::close, "stratagem-" + name + "-closer-" + strategy.name());
            try {
                closer.start();
                closers.add(closer);
            } catch (OutOfMemoryError e) { // there is no thread to be had
                strategy.close();
            }
        }
        if (mayWait) {
            awaitAll(closers, owned);
        }
    }

    /** An interrupt ends the wait, as it does in each strategy's close, and is kept. */
    private static void awaitAll(List<Thread> closers, List<ExecutorStrategy> owned) {
        try {
            for (Thread closer : closers) {
                closer.join();
            }
        } catch (InterruptedException e) {
            owned.forEach(ExecutorStrategy::closeNow);
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void closeNow() {
        stopIntake().forEach(ExecutorStrategy::closeNow);
    }

    private List<ExecutorStrategy> stopIntake() {
        synchronized (lock) {
            isClosed = true;
            return strategies(true);
        }
    }

    // ---------------------------------------------------------------------------------------------- its parts

    /** A strategy, or how to make it. */
    private static final class Member {
        private final Supplier<? extends ExecutorStrategy> supplier;
        private final boolean isOwned;

        /** Written under the lock. */
        private volatile @Nullable ExecutorStrategy made;

        /** By the JVM options of their workers. Written under the lock. */
        private final Map<List<String>, ExecutorStrategy> variants = new ConcurrentHashMap<>();

        Member(Supplier<? extends ExecutorStrategy> supplier, boolean isOwned) {
            this.supplier = supplier;
            this.isOwned = isOwned;
        }
    }

    /** Options of an {@link AutoStrategy}. Each may be set once. Not thread-safe. */
    public static final class Builder {
        private final Chooser chooser;
        private final Map<String, Member> given = new HashMap<>();
        private String name = "auto";
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
         */
        public Builder name(String value) {
            checkArgument(!value.isBlank(), "name must not be blank");
            name = value;
            return this;
        }

        /**
         * How many CPUs all strategies are told to count on. By default {@link Stratagem#cpus()}.
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
         * @param strategy which, by its name in choices, such as {@link Stratagem#PROCESS_POOL}
         * @param supplier makes it; called at most once, when a workload first needs it
         * @return this
         * @throws IllegalArgumentException if there is no strategy of that name
         * @throws IllegalStateException if its module is missing; the message names its Maven coordinates. Or if this
         *     strategy was given already
         */
        public Builder make(String strategy, Supplier<? extends ExecutorStrategy> supplier) {
            return give(strategy, new Member(Objects.requireNonNull(supplier, "supplier"), true));
        }

        /**
         * Uses a strategy of the application's in place of one of the others. It is not closed with the new strategy.
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
            Member member = new Member(() -> own, false);
            member.made = own;
            return give(strategy, member);
        }

        private Builder give(String strategy, Member member) {
            StrategyProvider provider = chooser.named(strategy);
            checkState(given.put(provider.name(), member) == null, "the %s was given already", strategy);
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
