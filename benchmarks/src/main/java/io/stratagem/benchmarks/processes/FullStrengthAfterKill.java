package io.stratagem.benchmarks.processes;

import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Chain;
import io.stratagem.benchmarks.Sample;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The main class of a JVM that kills workers of ours. All workers are kept busy with tasks of about 1 ms; then one is
 * killed with SIGKILL, and what is measured is the time from then until there have been results of all workers again: of
 * those left over, and of the new one.
 */
final class FullStrengthAfterKill {

    private static final Chain ONE_MILLI = new Chain(1000);
    private static final int SEEDS = 64;

    /** How many results each worker has given before one of them is killed: it is warm, and the pool is at rest. */
    private static final int SETTLED = 250;

    private final List<Long> expected =
            LongStream.range(0, SEEDS).mapToObj(ONE_MILLI::apply).toList();
    private final Iterator<Result<Ran>> results;

    /** The results of each worker since the last kill or measurement. */
    private final Map<Long, Integer> counts = new HashMap<>();

    private final Set<Long> killed = new HashSet<>();

    private FullStrengthAfterKill(Iterator<Result<Ran>> results) {
        this.results = results;
    }

    /** What a task gives: from which number to which one it came, and in which process. */
    record Ran(long seed, long end, long pid) {}

    public static void main(String[] arguments) throws WrongResultException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC KILLS WARM_UP_MILLIS MEASURE_MILLIS");
        }
        Workload<Long, Ran> workload = Workload.named("chain").isolated().compute(FullStrengthAfterKill::run);
        Stream<Long> seeds = LongStream.iterate(0, seed -> (seed + 1) % SEEDS).boxed();
        try (ProcessPoolStrategy strategy = Workers.strategy();
                Stream<Result<Ran>> stream = strategy.mapUnordered(workload, seeds)) {
            FullStrengthAfterKill load = new FullStrengthAfterKill(stream.iterator());
            for (int i = Integer.parseInt(arguments[1]); i > 0; i--) {
                long nanos = load.killOne();
                System.out.println(new Sample(arguments[0], nanos / 1e6, "ms").line());
            }
        }
    }

    static Ran run(Long seed) {
        return new Ran(seed, ONE_MILLI.apply(seed), ProcessHandle.current().pid());
    }

    private long killOne() throws WrongResultException {
        counts.clear();
        while (workersWith(SETTLED) < Workers.COUNT) {
            readOne();
        }
        WrongResultException.check("workers under full load", Workers.COUNT, counts.size());
        long victim = counts.keySet().iterator().next();
        ProcessHandle process = ProcessHandle.current()
                .children()
                .filter(child -> child.pid() == victim)
                .findFirst()
                .orElseThrow(() -> new WrongResultException("worker " + victim + " is no process of this JVM"));
        counts.clear();
        killed.add(victim);
        long begin = System.nanoTime();
        process.destroyForcibly();
        while (workersWith(1) < Workers.COUNT) {
            readOne();
        }
        return System.nanoTime() - begin;
    }

    private long workersWith(int leastCount) {
        return counts.values().stream().filter(count -> count >= leastCount).count();
    }

    /** Reads a result. Those of a worker that was killed are right all the same, but it is not at work any more. */
    private void readOne() throws WrongResultException {
        Result<Ran> result = results.next();
        if (result instanceof Result.Failure<Ran> failure) {
            checkWasKilled(failure.cause());
            return;
        }
        Ran ran = result.orElseThrow();
        WrongResultException.check("end of the chain from " + ran.seed, expected.get((int) ran.seed), ran.end);
        if (!killed.contains(ran.pid)) {
            counts.merge(ran.pid, 1, Integer::sum);
        }
    }

    private void checkWasKilled(Throwable cause) throws WrongResultException {
        if (!(cause instanceof WorkerDiedException death) || !killed.contains(death.pid())) {
            throw new WrongResultException("a task failed that was in no worker that was killed: " + cause);
        }
    }
}
