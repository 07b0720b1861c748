package io.stratagem.testkit;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the parts of the contract have in common: how to make a strategy, and the tidying up after each test, which is a
 * test itself: every strategy closes in time, and leaves no thread.
 */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class StrategyFixture {
    private static final AtomicInteger strategiesMade = new AtomicInteger();

    private final List<ExecutorStrategy> strategies = new ArrayList<>();
    private final List<Gate> gates = new ArrayList<>();
    private int filesMade;

    /** Where gates and journals have their files. */
    @TempDir
    Path directory;

    /** What not every strategy can do. */
    public enum Ability {
        /** It runs tasks in this JVM, where they see the objects of the test. */
        IN_THIS_JVM,
        /** It refuses isolated work. */
        REFUSES_ISOLATED,
        /** It interrupts a running task that it gives up. Without this it kills the worker. */
        INTERRUPTS
    }

    /** For subclasses. */
    protected StrategyFixture() {}

    /**
     * Makes a strategy that runs so many tasks at once, of compute work as well as of blocking work. It is closed by the
     * contract.
     *
     * @param workers how many
     * @param options sets options that all strategies have
     * @return a new strategy
     */
    protected abstract ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options);

    /**
     * What the strategy can do. All by default.
     *
     * @return its abilities
     */
    protected Set<Ability> abilities() {
        return EnumSet.allOf(Ability.class);
    }

    /** Skips the test if the strategy cannot do something. */
    final void assume(Ability ability) {
        Assumptions.assumeTrue(abilities().contains(ability), () -> "needs " + ability);
    }

    /** A strategy with a name of its own, closed after the test. */
    protected final ExecutorStrategy strategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        String name = "t" + strategiesMade.incrementAndGet();
        ExecutorStrategy strategy = newStrategy(workers, builder -> {
            builder.name(name);
            options.accept(builder);
        });
        return closedAfterTest(strategy);
    }

    /** A strategy with default options. */
    protected final ExecutorStrategy strategy(int workers) {
        return strategy(workers, options -> {});
    }

    /** Sees to it that a strategy is closed after the test, and that no thread of it is left then. */
    protected final <S extends ExecutorStrategy> S closedAfterTest(S strategy) {
        strategies.add(strategy);
        return strategy;
    }

    /** A closed gate, opened after the test. */
    protected final Gate gate() {
        Gate gate = new Gate(newFile());
        gates.add(gate);
        return gate;
    }

    /** An empty journal. */
    protected final Journal journal() {
        return new Journal(newFile());
    }

    private Path newFile() {
        return directory.resolve("file-" + filesMade++);
    }

    @AfterEach
    final void closeAll() {
        gates.forEach(Gate::open);
        strategies.forEach(ExecutorStrategy::closeNow);
        strategies.forEach(ExecutorStrategy::close);
        strategies.forEach(strategy -> ThreadLeaks.awaitNone("stratagem-" + strategy.name() + "-"));
    }

    // ---------------------------------------------------------------------------------------------- workloads

    /** A plain function as a workload of any kind: as asynchronous work it is off-loaded. */
    protected static <I, O> Workload<I, O> workload(Kind kind, String name, Fn<I, O> function) {
        return workload(kind, Workload.named(name), function);
    }

    /** A plain function as a workload of any kind: as asynchronous work it is off-loaded. */
    protected static <I, O> Workload<I, O> workload(Kind kind, Workload.Builder<? super I> options, Fn<I, O> function) {
        return switch (kind) {
            case BLOCKING -> options.blocking(function);
            case COMPUTE -> options.compute(function);
            case ASYNC -> options.async((input, loop) -> loop.offload(() -> function.apply(input)));
        };
    }

    /** Waits for the gate and gives back its input. */
    protected static <T> Workload<T, T> waiting(Kind kind, Gate gate) {
        return workload(kind, "waiting", input -> {
            gate.await();
            return input;
        });
    }

    /** Tells the journal, then waits for the gate, and tells whether it was interrupted. */
    protected static <T> Fn<T, T> telling(Journal journal, Gate gate) {
        return input -> {
            journal.enter();
            try {
                gate.await();
                journal.add("through");
            } catch (InterruptedException e) {
                journal.add("interrupted");
                throw e;
            } finally {
                journal.leave();
            }
            return input;
        };
    }

    /** Waits until so many running tasks of {@link #telling} have been interrupted, if that is what becomes of them. */
    protected final void awaitInterrupted(Journal journal, int tasks) {
        if (abilities().contains(Ability.INTERRUPTS)) {
            Patience.await().until(() -> journal.count("interrupted") == tasks);
        }
    }

    /** Waits until all tasks that were given up have ended, if they can tell. */
    protected final void awaitNoneInside(Journal journal) {
        if (abilities().contains(Ability.INTERRUPTS)) {
            Patience.await().until(() -> journal.inside() == 0);
        }
    }

    /** Keeps all workers busy until the gate opens; returns when they are. */
    protected final List<CompletableFuture<Result<Integer>>> occupy(
            ExecutorStrategy strategy, int workers, Kind kind, Gate gate) {
        Journal journal = journal();
        Workload<Integer, Integer> busy = workload(kind, "busy", telling(journal, gate));
        List<CompletableFuture<Result<Integer>>> all = IntStream.range(0, workers)
                .mapToObj(i -> strategy.submit(busy, i))
                .toList();
        Patience.await().until(() -> journal.entered() == workers);
        return all;
    }

    /**
     * Keeps asynchronous work from being started until the gate opens, by a strategy with one worker. By default it waits
     * behind the compute work that starts it.
     *
     * @param strategy whose work is held up
     * @param gate until when
     */
    protected void holdUpStarts(ExecutorStrategy strategy, Gate gate) {
        occupy(strategy, 1, Kind.COMPUTE, gate);
    }

    /** Fails if the strategy cannot run so many tasks at once. */
    protected final void assertRunsAtOnce(ExecutorStrategy strategy, int workers, Kind kind) throws Exception {
        Gate gate = gate();
        List<CompletableFuture<Result<Integer>>> all = occupy(strategy, workers, kind, gate);
        gate.open();
        for (CompletableFuture<Result<Integer>> each : all) {
            Patience.get(each).orElseThrow();
        }
    }
}
