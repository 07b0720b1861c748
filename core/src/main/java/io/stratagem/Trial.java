package io.stratagem;

import com.google.common.util.concurrent.Uninterruptibles;
import io.stratagem.WorkloadProfile.Figures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Measures one strategy with a sample: a first round, which starts workers and compiles; tasks one by one; then as many as it
 * takes. For one thread; the strategy is the trial's, and is closed with it, whatever is still running.
 */
/* Each phase ends by itself where it can, for what is cut off is killed where that is possible, and processes would have to
 * be started anew for the next phase. So the first round stops taking inputs early, and the last phase is the one that is
 * simply cut. All figures fall back on what the phase before has shown: a task may take most of the time.
 */
final class Trial<I, O> implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final long CLOSE_NANOS = 3_000_000_000L;
    private static final int LOOK_MILLIS = 2;
    private static final Workload<Integer, String> NAP = Workload.blocking("start", millis -> {
        Thread.sleep(millis);
        return "";
    });

    private final ExecutorStrategy strategy;
    private final Workload<I, O> workload;
    private final List<? extends I> sample;
    private final int cpus;
    private final boolean isolates;
    private final long limitNanos;
    private final ProcessGauge gauge;

    private final Failures failures = new Failures();
    private final Latencies latencies = new Latencies();
    private Duration start = Duration.ZERO;
    private double ranNanos;
    private double waitedNanos;
    private long tasks;
    private double tasksPerSecond;
    private double cpusInUse;
    private OptionalLong residentBytes = OptionalLong.empty();
    private double bytesPerTask;
    private long loneWorkerNanos;
    private long loneQueuedNanos;
    private boolean haveLoneWorkersStayed;
    private int next;
    private @Nullable Result<O> latest;
    private boolean isGone;

    /**
     * Begins.
     *
     * @param cpus how many the strategy counts on
     * @param isolates whether those are processes
     * @param gauge made before the strategy
     */
    Trial(
            ExecutorStrategy strategy,
            Workload<I, O> workload,
            List<? extends I> sample,
            int cpus,
            boolean isolates,
            long limitNanos,
            ProcessGauge gauge) {
        this.strategy = strategy;
        this.workload = workload;
        this.sample = sample;
        this.cpus = cpus;
        this.isolates = isolates;
        this.limitNanos = limitNanos;
        this.gauge = gauge;
    }

    /** Measures. It says why it could not, if so: then there are no figures. */
    Optional<String> run() throws InterruptedException {
        return measured(this::roundLoneAndMany);
    }

    /** The same with one task after another only. */
    Optional<String> runOneAtATime() throws InterruptedException {
        return measured(this::loneOnly);
    }

    /** What is measured, until the time that is given. */
    private interface Phases {
        void run(long begin, long end) throws InterruptedException;
    }

    private Optional<String> measured(Phases phases) throws InterruptedException {
        Optional<String> problem = startUp();
        if (problem.isPresent()) {
            return problem;
        }
        ProcessGauge.Reading before = gauge.read();
        try {
            first();
            if (!hasBrokenThisJvm()) {
                long begin = System.nanoTime();
                phases.run(begin, begin + limitNanos);
            }
        } catch (CancellationException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw e;
            }
            return Optional.of("it was cancelled: " + e.getMessage());
        } catch (RejectedExecutionException | IllegalStateException | IllegalArgumentException e) {
            return Optional.of(Failures.inOneLine(e));
        }
        if (cpusInUse == 0) {
            cpusInUse = gauge.read().cpusSince(before);
        }
        if (tasks > 0 && failures.transfers() == tasks) {
            return Optional.of("it cannot be sent: " + failures.first().orElse(""));
        }
        return tasks == 0
                ? Optional.of("no task ended within " + Quantity.time(Duration.ofNanos(limitNanos)))
                : Optional.empty();
    }

    /** Has all workers come up, which the function has no part in. */
    private Optional<String> startUp() throws InterruptedException {
        long begin = System.nanoTime();
        try {
            Result<String> first = strategy.submit(NAP, LOOK_MILLIS).get(START_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
            start = Duration.ofNanos(System.nanoTime() - begin);
            if (first instanceof Result.Failure<String> failure) {
                return Optional.of("it does not start: " + Failures.inOneLine(failure.cause()));
            }
            awaitOtherWorkers(begin + START_LIMIT.toNanos());
            return Optional.empty();
        } catch (TimeoutException e) {
            return Optional.of("it does not start within " + Quantity.time(START_LIMIT));
        } catch (ExecutionException | RuntimeException e) {
            return Optional.of("it does not start: " + Failures.inOneLine(e));
        }
    }

    /** They start when there is more to do than the first can do at once. */
    private void awaitOtherWorkers(long end) throws InterruptedException, ExecutionException, TimeoutException {
        Set<String> workers = new HashSet<>();
        while (isolates && workers.size() < cpus && System.nanoTime() - end < 0) {
            List<CompletableFuture<Result<String>>> naps = new ArrayList<>();
            for (int i = 0; i < cpus; i++) {
                naps.add(strategy.submit(NAP, LOOK_MILLIS));
            }
            for (CompletableFuture<Result<String>> nap : naps) {
                workers.add(nap.get(START_LIMIT.toNanos(), TimeUnit.NANOSECONDS)
                        .execution()
                        .worker());
            }
        }
    }

    /** One task, so that what a worker must load for it is there. It is counted only if no other may be run after it. */
    private void first() throws InterruptedException {
        long begin = System.nanoTime();
        CompletableFuture<Result<O>> future = strategy.submit(workload, sample.get(0));
        try {
            Result<O> result = future.get(limitNanos, TimeUnit.NANOSECONDS);
            if (!isolates
                    && result instanceof Result.Failure<O> failure
                    && failure.cause() instanceof OutOfMemoryError) {
                note(result);
                tasks = 1;
                tasksPerSecond = 1e9 / Math.max(1, System.nanoTime() - begin);
            }
        } catch (TimeoutException | ExecutionException e) {
            // the phases will show that
        } finally {
            future.cancel(true);
        }
    }

    private void roundLoneAndMany(long begin, long end) throws InterruptedException {
        many(begin + limitNanos / 5, end, sample.size(), MapOptions.unordered().window(cpus));
        if ((tasks > 0 && failures.transfers() == tasks) || hasBrokenThisJvm()) {
            return;
        }
        long left = end - System.nanoTime();
        if (left > 0) {
            double round = tasksPerSecond;
            lone(end - left * 2 / 3, end);
            tasksPerSecond = Math.max(round, tasksPerSecond);
        }
        left = end - System.nanoTime();
        if (left > limitNanos / 20 && !hasBrokenThisJvm()) {
            // What is under way then mostly ends, so bytes can be told by tasks.
            ProcessGauge.Reading before = gauge.read();
            many(end - left / 10, end, Long.MAX_VALUE, MapOptions.unordered());
            cpusInUse = gauge.read().cpusSince(before);
        }
    }

    private void loneOnly(long begin, long end) throws InterruptedException {
        lone(begin + limitNanos / 5, end);
        if (System.nanoTime() - end < 0) {
            latencies.startOver();
            lone(end, end);
        }
    }

    /**
     * As many tasks as the strategy takes.
     *
     * @param lastInput when it stops to hand in more
     * @param end when what has not ended is cut off
     */
    private void many(long lastInput, long end, long most, MapOptions options) {
        Snapshot before = strategy.snapshot();
        long begin = System.nanoTime();
        Throughput throughput = new Throughput(begin, lastInput);
        Pace pace = new Pace(end);
        MapOptions bounded = options.deadline(Duration.ofNanos(Math.max(1, end - begin)));
        try (Stream<Result<O>> results = strategy.map(workload, inputs(lastInput, most), bounded)) {
            Spliterator<Result<O>> each = results.spliterator();
            while (!hasBrokenThisJvm()
                    && each.tryAdvance(result -> latest = result)
                    && !pace.isOver()
                    && !isCutOff(latest, end)) {
                note(latest);
                throughput.ended(pace.lastLook());
            }
        } catch (TaskTimeoutException e) {
            // inputs were left: so it is when the time is over
        }
        long done = throughput.tasks();
        if (done == 0) {
            return;
        }
        tasks += done;
        Snapshot after = strategy.snapshot();
        bytesPerTask =
                (double) (after.sentBytes() + after.receivedBytes() - before.sentBytes() - before.receivedBytes())
                        / done;
        // Where one round was all there was time for, the end may have cut it in two.
        tasksPerSecond =
                throughput.isOneRound() ? Math.max(tasksPerSecond, throughput.perSecond()) : throughput.perSecond();
    }

    /** Whether it was given up since the time of all is over; that is not its fault. */
    private static boolean isCutOff(@Nullable Result<?> result, long end) {
        return result instanceof Result.Failure<?> failure
                && failure.cause() instanceof TaskTimeoutException
                && System.nanoTime() - end >= 0;
    }

    private void note(@Nullable Result<O> result) {
        if (result instanceof Result.Failure<O> failure) {
            failures.add(failure.cause());
        }
    }

    private Stream<I> inputs(long until, long most) {
        Pace pace = new Pace(until);
        Iterator<I> endless = new Iterator<>() {
            private long left = most;

            @Override
            public boolean hasNext() {
                return left > 0 && !pace.isOver();
            }

            @Override
            public I next() {
                left--;
                return nextInput();
            }
        };
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(endless, 0), false);
    }

    private I nextInput() {
        I input = sample.get(next);
        next = next + 1 == sample.size() ? 0 : next + 1;
        return input;
    }

    /**
     * One task after another.
     *
     * @param lastStart when the last one begins at the latest
     * @param end when one that has not ended is stopped
     */
    private void lone(long lastStart, long end) throws InterruptedException {
        ProcessGauge.Reading before = gauge.read();
        long begin = System.nanoTime();
        long done = 0;
        double ran = 0;
        double waited = 0;
        while (System.nanoTime() - lastStart < 0 && done < Latencies.MOST && !hasBrokenThisJvm()) {
            long handedIn = System.nanoTime();
            CompletableFuture<Result<O>> future = strategy.submit(workload, nextInput());
            try {
                Result<O> result = future.get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                long taken = System.nanoTime() - handedIn;
                latencies.add(taken);
                waited += taken;
                ran += result.execution().ran().toNanos();
                note(result);
                done++;
                tasks++;
            } catch (TimeoutException e) {
                break;
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause()); // there is none: tasks that fail have a result
            } finally {
                future.cancel(true);
            }
        }
        if (done > 0) { // else what was seen before stands
            ranNanos = ran;
            waitedNanos = waited;
            tasksPerSecond = done * 1e9 / Math.max(1, System.nanoTime() - begin);
        }
        residentBytes = gauge.residentBytes();
        ProcessGauge.Reading after = gauge.read();
        loneWorkerNanos = after.workerNanosSince(before);
        loneQueuedNanos = after.queuedNanosSince(before);
        haveLoneWorkersStayed = after.hasWorkersOf(before);
    }

    /** What was measured, if anything was. */
    Figures figures() {
        return new Figures(
                tasks,
                failures.count(),
                tasksPerSecond,
                latencies.median(),
                latencies.slow(),
                waitedNanos == 0
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(Math.min(1, Math.max(0, 1 - ranNanos / waitedNanos))),
                cpusInUse,
                bytesPerTask,
                OptionalDouble.empty(),
                greater(residentBytes, gauge.residentBytes()),
                start);
    }

    /** Workers whose task was cut off are gone, and had more memory before. */
    private static OptionalLong greater(OptionalLong one, OptionalLong other) {
        return one.orElse(0) >= other.orElse(0) ? one : other;
    }

    /** How many tasks have ended. */
    long tasks() {
        return tasks;
    }

    Failures failures() {
        return failures;
    }

    /** Whether a task had more memory taken than there is, so that none is to be run here again. */
    boolean hasBrokenThisJvm() {
        return !isolates && failures.isOutOfMemory();
    }

    /** How long the function ran in lone tasks, all of them. */
    double ranNanos() {
        return ranNanos;
    }

    double meanRanNanos() {
        return latencies.isEmpty() ? 0 : ranNanos / latencies.size();
    }

    /** What was sent for a task, both ways together. */
    double bytesPerTask() {
        return bytesPerTask;
    }

    /** What the worker processes computed meanwhile. */
    long loneWorkerNanos() {
        return loneWorkerNanos;
    }

    /** For how long they were ready to and had no CPU. */
    long loneQueuedNanos() {
        return loneQueuedNanos;
    }

    /** Whether no worker has died or come up meanwhile, so that what they computed is the work's. */
    boolean haveLoneWorkersStayed() {
        return haveLoneWorkersStayed;
    }

    /** How many of its threads do not stop. */
    int abandoned() {
        return strategy.snapshot().abandoned();
    }

    /** Stops everything and waits until it is gone, if it goes. */
    @Override
    public void close() {
        strategy.closeNow();
        Thread closer = new Thread(strategy::close, "stratagem-profile-closer-" + strategy.name());
        closer.setDaemon(true);
        closer.start();
        Uninterruptibles.joinUninterruptibly(closer, CLOSE_NANOS, TimeUnit.NANOSECONDS);
        isGone = !closer.isAlive();
    }

    /** Whether all its threads and processes had ended when it was closed. */
    boolean isGone() {
        return isGone;
    }
}
