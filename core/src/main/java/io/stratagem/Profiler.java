package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.WorkloadProfile.Row;
import io.stratagem.spi.StrategyProvider;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Runs a sample in every way there is, one after another, and makes a report of it. For one thread. */
/* Each strategy is made for its trial and is gone before the next begins, so they do not take each other's CPUs. What has
 * broken this JVM, or does not stop in it, is not tried in it again; worker processes can be killed.
 */
final class Profiler<I, O> {
    static final String ONE_THREAD = "one thread";

    private static final String TOO_LARGE = "it needs more memory than this JVM has";

    /** From here on it is said that others had the CPUs. */
    private static final double CROWDED = 0.2;

    private final Chooser chooser;
    private final Workload<I, O> workload;
    private final List<? extends I> sample;
    private final ProfileOptions options;
    private final int cpus;
    private final long limitNanos;
    private final String limit;

    private final WorkCharacter character;
    private final List<Candidate> candidates = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    /** Why it must not run in this JVM again; null if it may. */
    private @Nullable String banned;

    Profiler(Chooser chooser, Workload<I, O> workload, Collection<? extends I> sample, ProfileOptions options) {
        this.chooser = chooser;
        this.workload = workload;
        this.sample = Collections.unmodifiableList(new ArrayList<>(sample));
        checkArgument(!this.sample.isEmpty(), "the sample is empty");
        this.options = options;
        this.cpus = options.cpusToCountOn();
        this.limitNanos = options.timePerStrategy().toNanos();
        this.limit = Quantity.time(options.timePerStrategy());
        this.character = new WorkCharacter(workload);
    }

    /**
     * One way to run the work, and what came of it.
     *
     * @param strategy its name in choices
     * @param workload what was run: it may have been declared to be of another kind
     * @param isBaseline whether it is what others are compared with
     * @param isolates whether it runs outside this JVM
     */
    record Candidate(String strategy, Workload<?, ?> workload, boolean isBaseline, boolean isolates, Row row) {}

    WorkloadProfile profile() {
        Choice choice = chooser.choose(workload, cpus);
        try {
            baseline();
            for (StrategyProvider provider : suitable(workload)) {
                candidates.add(tried(provider, workload, provider.name(), cpus, false));
            }
            if (!workload.isolated() && character.better().isPresent()) {
                Kind better = character.better().get();
                Workload<I, O> relabelled = as(better);
                StrategyProvider provider = chooser.best(relabelled);
                candidates.add(tried(provider, relabelled, provider.name() + ", as " + noun(better), cpus, false));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancellationException cancelled =
                    new CancellationException("interrupted while workload '" + workload.name() + "' was profiled");
            cancelled.initCause(e);
            throw cancelled;
        }
        Recommendation recommendation = new Recommendation(workload, candidates, character, choice);
        return new WorkloadProfile(
                workload.name(),
                workload.kind(),
                workload.isolated(),
                recommendation.best().map(best -> best.row().name()),
                recommendation.text(),
                character.findings(),
                warnings.stream().map(OneLine::of).toList(),
                character.waiting(),
                candidates.stream().map(Candidate::row).toList(),
                conditions());
    }

    private String conditions() {
        return limit + " for each strategy, " + sample.size() + (sample.size() == 1 ? " input" : " inputs")
                + " over and over, " + cpus + (cpus == 1 ? " CPU" : " CPUs") + ", Java "
                + Runtime.version().feature() + ", " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch");
    }

    private static String noun(Kind kind) {
        return switch (kind) {
            case ASYNC -> "async";
            case BLOCKING -> "blocking";
            case COMPUTE -> "compute";
        };
    }

    /** All that take it, what suits it best first. */
    private List<StrategyProvider> suitable(Workload<?, ?> work) {
        return chooser.providers().stream()
                .filter(provider -> provider.assess(work).isPossible())
                .sorted(Comparator.comparingInt((StrategyProvider provider) ->
                                -provider.assess(work).score())
                        .thenComparing(StrategyProvider::name))
                .toList();
    }

    /** The same function and options, declared to be of another kind. */
    @SuppressWarnings("unchecked") // blocking and compute work have functions of one type
    private Workload<I, O> as(Kind kind) {
        Fn<? super I, ? extends O> function = (Fn<? super I, ? extends O>) workload.function();
        Workload.Builder<Object> copy = Workload.named(workload.name());
        workload.timeout().ifPresent(copy::timeout);
        workload.retry().ifPresent(copy::retry);
        workload.limitPerKey().ifPresent(most -> copy.limitPerKey(workload::keyOf, most));
        return kind == Kind.BLOCKING ? copy.<I, O>blocking(function) : copy.<I, O>compute(function);
    }

    // ---------------------------------------------------------------------------------------------- the baseline

    private void baseline() throws InterruptedException {
        if (workload.isolated()) {
            StrategyProvider provider = simplest(Stratagem.PROCESS_POOL);
            candidates.add(tried(provider, workload, provider.name() + ", one worker", 1, true));
        } else if (workload.kind() == Kind.ASYNC) {
            StrategyProvider provider = simplest(Stratagem.EVENT_LOOP);
            candidates.add(tried(provider, workload, provider.name() + ", one at a time", 1, true));
        } else {
            oneThread();
        }
    }

    /** The one of that name, if it takes the workload, else the one that suits it best. */
    private StrategyProvider simplest(String name) {
        List<StrategyProvider> possible = suitable(workload);
        return possible.stream()
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElse(possible.get(0));
    }

    private void oneThread() throws InterruptedException {
        options.progress().accept(ONE_THREAD);
        OneThread.Outcome outcome = new OneThread<>(workload, sample, limitNanos).run();
        Failures failures = outcome.failures();
        long tasks = outcome.figures().map(WorkloadProfile.Figures::tasks).orElse(0L);
        if (tasks == 0 || failures.count() < tasks) { // what only fails has not shown what it does
            outcome.used().ifPresent(this::seenAlone);
        }
        String note =
                failures.first().map(first -> "the first failure: " + first).orElse("");
        if (outcome.isStuck()) {
            character.stuck(limit);
            note = "a task did not end within " + limit + ", and does not stop";
            banned = "a task did not stop on one thread";
            warnings.add("a task that does not stop still has its thread, '" + workload.name()
                    + "', and may take CPU time from what was measured after it");
        } else if (failures.isOutOfMemory()) {
            banned = TOO_LARGE;
        } else if (tasks == 0) {
            character.hung(limit);
            note = "no task ended within " + limit;
        }
        character.failed(failures, tasks);
        warnOfText(ONE_THREAD, failures);
        candidates.add(new Candidate(ONE_THREAD, workload, true, false, new Row(ONE_THREAD, outcome.figures(), note)));
    }

    private void warnOfText(String name, Failures failures) {
        if (failures.isTextStuck()) {
            warnings.add(
                    name + ": the toString() of a failure does not stop, still has its thread, and may take CPU time"
                            + " from what was measured after it");
        }
    }

    private void seenAlone(ThreadGauge.Reading used) {
        character.alone(used.wallNanos(), used.cpuNanos(), used.queuedNanos());
        if (used.queuedNanos() > CROWDED * used.wallNanos()) {
            warnings.add("the CPUs were busy with something else for "
                    + Quantity.percent((double) used.queuedNanos() / used.wallNanos())
                    + " of the time that the one thread ran: the figures are those of a crowded machine");
        }
    }

    // ---------------------------------------------------------------------------------------------- a strategy

    private Candidate tried(
            StrategyProvider provider, Workload<I, O> work, String name, int workers, boolean isBaseline)
            throws InterruptedException {
        boolean isolates = isolates(provider);
        if (banned != null && !isolates) {
            Row skipped = new Row(name, Optional.empty(), "not tried: " + banned);
            return new Candidate(provider.name(), work, isBaseline, isolates, skipped);
        }
        options.progress().accept(name);
        ProcessGauge gauge = new ProcessGauge();
        Row row;
        ExecutorStrategy strategy;
        try {
            strategy = provider.create(workers, work.jvmOptions());
        } catch (RuntimeException | LinkageError e) {
            row = new Row(name, Optional.empty(), "it cannot be made: " + Failures.inOneLine(e));
            return new Candidate(provider.name(), work, isBaseline, isolates, row);
        }
        boolean isWatched = isBaseline && !work.isolated() && work.kind() == Kind.ASYNC;
        Holds holds = new Holds();
        Trial<I, O> trial = new Trial<>(
                strategy, isWatched ? holds.watched(work) : work, sample, workers, isolates, limitNanos, gauge);
        try (trial) {
            Optional<String> problem = isWatched ? trial.runOneAtATime() : trial.run();
            row = row(name, trial, problem);
            if (isBaseline) {
                seenInBaseline(trial, row, problem, isWatched ? holds : null);
            }
            warnOfText(name, trial.failures());
            if (trial.hasBrokenThisJvm()) {
                banned = TOO_LARGE;
            }
            if (trial.abandoned() > 0) {
                warnings.add(
                        name + ": " + trial.abandoned() + " of its threads did not stop when they were interrupted");
                banned = isolates ? banned : "a task did not stop before";
            }
        }
        if (!trial.isGone()) {
            warnings.add(name + " has not ended, although it was closed: a task does not stop");
            banned = isolates ? banned : "a task did not stop before";
        }
        return new Candidate(provider.name(), work, isBaseline, isolates, row);
    }

    private Row row(String name, Trial<I, O> trial, Optional<String> problem) {
        if (problem.isPresent()) {
            return new Row(name, Optional.empty(), problem.get());
        }
        String note = trial.failures()
                .first()
                .map(first -> "the first failure: " + first)
                .orElse("");
        return new Row(name, Optional.of(trial.figures()), note);
    }

    private void seenInBaseline(Trial<I, O> trial, Row row, Optional<String> problem, @Nullable Holds holds) {
        long tasks = row.figures().map(WorkloadProfile.Figures::tasks).orElse(0L);
        Failures failures = trial.failures();
        if (holds != null) {
            character.held(holds);
        } else if (failures.count() < tasks) {
            if (workload.kind() != Kind.ASYNC
                    && trial.haveLoneWorkersStayed()
                    && trial.meanRanNanos() >= WorkCharacter.SEEN_FROM_OUTSIDE_NANOS) {
                character.alone((long) trial.ranNanos(), trial.loneWorkerNanos(), trial.loneQueuedNanos());
            }
            character.took(trial.meanRanNanos(), trial.bytesPerTask());
        }
        character.failed(failures, trial.tasks());
        if (tasks == 0 && problem.isPresent() && problem.get().startsWith("no task ended")) {
            character.hung(limit);
        }
    }

    /** Whether what it runs runs outside this JVM. */
    private static boolean isolates(StrategyProvider provider) {
        Workload<Integer, Integer> isolated =
                Workload.named("isolated").isolated().compute((Integer n) -> n);
        return provider.assess(isolated).isPossible();
    }
}
