package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Very many very small tasks: pi by throwing darts, in worker processes. */
public final class MonteCarlo {
    private static final String HELP = """
            usage: examples/run montecarlo [--tasks N] [--darts N]

            Estimates pi: each of N tasks (200,000 by default) throws N darts (100 by default) at a square, and tells how
            many have hit the circle in it. So a task takes a microsecond or two, and travels to a worker process
            and back. The same seeds give the same hits on one thread, which checks the workers. They have been started before.

            exit code  0  the workers' hits were those of the one thread
                       1  they were not
                       2  bad arguments
            """;

    private static final int TASKS = 200_000;
    private static final int DARTS = 100;

    /** What one task does. */
    record Throws(int seed, int darts) {}

    static final Workload<Throws, Integer> HITS =
            Workload.named("darts").isolated().fineGrained().compute(MonteCarlo::hits);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("montecarlo", HELP, args, out, err, MonteCarlo::estimate);
    }

    private static void estimate(Cli cli) throws Exception {
        int tasks = cli.number("--tasks", TASKS);
        int darts = cli.number("--darts", DARTS);
        cli.end();
        compare(tasks, darts, cli);
    }

    /** Somewhat less than without options, for the tour. */
    static void show(Cli cli) {
        Tour.introduce(HITS, cli);
        compare(TASKS / 4, DARTS, cli);
    }

    private static void compare(int tasks, int darts, Cli cli) {
        cli.println("pi by " + Units.count(tasks, "task") + " with " + Units.count(darts, "dart") + " each");
        int some = Math.min(tasks, TASKS / 4);
        // Compiles the function, as the warm-up of the workers does.
        Progress.during("warm-up", () -> hitsOnOneThread(some, darts));
        Stopwatch watch = Stopwatch.createStarted();
        long expected = Progress.during("one thread", () -> hitsOnOneThread(tasks, darts));
        report("one thread    ", tasks, watch.elapsed(), cli);

        try (ExecutorStrategy workers = Stratagem.auto()) {
            // Starts them, and compiles the function there.
            hits(workers, some, darts);
            watch.reset().start();
            long hits = hits(workers, tasks, darts);
            report("batched IPC   ", tasks, watch.elapsed(), cli);
            if (hits != expected) {
                cli.problem(new IllegalStateException(hits + " hits in the workers instead of " + expected));
            }
        }
        cli.println(String.format(Locale.ROOT, "  pi is about %.5f", 4.0 * expected / ((double) tasks * darts)));
    }

    private static Stream<Throws> inputs(int tasks, int darts) {
        return IntStream.range(0, tasks).mapToObj(seed -> new Throws(seed, darts));
    }

    private static long hitsOnOneThread(int tasks, int darts) {
        return inputs(tasks, darts).mapToLong(MonteCarlo::hits).sum();
    }

    private static long hits(ExecutorStrategy workers, int tasks, int darts) {
        try (Stream<Result<Integer>> results =
                Progress.of(workers.mapUnordered(HITS, inputs(tasks, darts)), HITS.name(), tasks)) {
            return results.mapToLong(Result::orElseThrow).sum();
        }
    }

    /** On one thread, and in a worker. */
    private static int hits(Throws some) {
        SplittableRandom random = new SplittableRandom(some.seed);
        int hits = 0;
        for (int i = 0; i < some.darts; i++) {
            double x = random.nextDouble();
            double y = random.nextDouble();
            hits += x * x + y * y < 1 ? 1 : 0;
        }
        return hits;
    }

    private static void report(String name, int tasks, Duration time, Cli cli) {
        long perSecond = Math.round(tasks / Math.max(1e-9, time.toNanos() / 1e9));
        cli.println("  " + name + Units.time(time) + ", " + Units.count(perSecond, "task") + " per second");
    }
}
