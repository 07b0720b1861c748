package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.batchedipc.SharedArray;
import java.io.PrintStream;
import java.lang.module.ModuleFinder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A loop that the JVM does not vectorise by itself: on one thread, on threads, and in workers with a module for it. */
public final class VectorLoop {
    private static final String HELP = """
            usage: examples/run vector [--rows N] [--queries N]

            Multiplies each of N rows (16,384 by default) with each of N queries (64 by default), 512 floats each, as a
            search for similar texts or pictures does: the sum of the dot products is printed. On one thread, on the
            threads of this JVM, and in worker processes whose JVMs have the module jdk.incubator.vector, which this one
            has not. All read the rows from the same shared memory. Says which strategy is chosen for which loop, and
            why. The workers have been started before.

            exit code  0  all three found the same sum, but for rounding
                       1  they did not, or this Java lacks the module
                       2  bad arguments
            """;

    static final String MODULE = "jdk.incubator.vector";

    private static final int ROWS = 16_384;
    private static final int QUERIES = 64;
    private static final int LENGTH = 512;
    private static final int ROWS_PER_TASK = 256;
    private static final int MOST_ROWS = (1 << 28) / LENGTH; // 1 GiB of floats
    private static final int MOST_QUERIES = 4_096;
    private static final double ROUNDING = 1e-5;

    /** What one task does: some of the rows, and all queries. */
    record Part(SharedArray rows, SharedArray queries, int from, int count) {}

    /** The loop. */
    interface Dot {
        float of(float[] a, float[] b);
    }

    private static final Workload<Part, Double> SCALAR =
            Workload.compute("scalar loop", part -> multiply(part, VectorLoop::dot));

    static final Workload<Part, Double> VECTOR = Workload.named("vector loop")
            .jvmOptions("--add-modules=" + MODULE)
            .compute(part -> multiplyAndClose(part, VectorDot::dot));

    private static final Workload<Integer, Integer> LANES =
            Workload.named("lanes").jvmOptions("--add-modules=" + MODULE).compute(nothing -> VectorDot.lanes());

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("vector", HELP, args, out, err, VectorLoop::compare);
    }

    private static void compare(Cli cli) throws Exception {
        int rows = cli.atMost(MOST_ROWS, "--rows", ROWS);
        int queries = cli.atMost(MOST_QUERIES, "--queries", QUERIES);
        cli.end();
        require(MODULE);
        compare(rows, queries, cli);
    }

    /** Somewhat less than without options, for the tour. */
    static void show(Cli cli) {
        try {
            require(MODULE);
        } catch (Cli.Refused e) {
            cli.println("");
            cli.println("A loop with vectors is left out: " + e.getMessage());
            return;
        }
        compare(ROWS / 4, QUERIES, cli);
    }

    /** That the JVMs of workers can have it: they are of the same Java. */
    static void require(String module) throws Cli.Refused {
        if (ModuleFinder.ofSystem().find(module).isEmpty()) {
            throw Cli.refused(
                    "this Java has no module " + module + ", which a full JDK has: " + System.getProperty("java.home"));
        }
    }

    private static void compare(int rows, int queries, Cli cli) {
        try (SharedArray some = random(rows, 1);
                SharedArray others = random(queries, 2);
                ExecutorStrategy auto = Stratagem.auto()) {
            Tour.introduce(SCALAR, cli);
            Tour.introduce(VECTOR, cli);
            cli.println("");
            cli.println(Units.count((long) rows * queries, "dot product") + " of " + LENGTH + " floats, "
                    + Units.bytes(some.sizeBytes() + others.sizeBytes()) + " in shared memory");
            List<Part> parts = parts(rows, some, others);

            // Compiles the function, as the warm-up of the others does.
            Progress.during("warm-up", () -> multiplyOnOneThread(parts.subList(0, (parts.size() + 9) / 10)));
            Stopwatch watch = Stopwatch.createStarted();
            double expected = Progress.during("one thread", () -> multiplyOnOneThread(parts));
            Duration loop = watch.elapsed();
            cli.println("  one thread    " + Units.time(loop) + String.format(Locale.ROOT, ", %.6e", expected));
            multiply("threads       ", SCALAR, parts, auto, expected, loop, "", cli);
            int lanes = auto.run(LANES, 0).orElseThrow();
            multiply("vectors       ", VECTOR, parts, auto, expected, loop, ", " + lanes + " floats at a time", cli);
        }
    }

    private static double multiplyOnOneThread(List<Part> parts) {
        return parts.stream()
                .mapToDouble(part -> multiply(part, VectorLoop::dot))
                .sum();
    }

    static SharedArray random(int count, long seed) {
        SharedArray array = SharedArray.ofFloats((long) count * LENGTH);
        SplittableRandom random = new SplittableRandom(seed);
        FloatBuffer floats = array.floats(0, count * LENGTH);
        while (floats.hasRemaining()) {
            floats.put((float) random.nextDouble());
        }
        return array;
    }

    static List<Part> parts(int rows, SharedArray some, SharedArray others) {
        return IntStream.iterate(0, from -> from < rows, from -> from + ROWS_PER_TASK)
                .mapToObj(from -> new Part(some, others, from, Math.min(ROWS_PER_TASK, rows - from)))
                .toList();
    }

    private static void multiply(
            String name,
            Workload<Part, Double> workload,
            List<Part> parts,
            ExecutorStrategy auto,
            double expected,
            Duration loop,
            String remark,
            Cli cli) {
        // Starts the workers and compiles the function there.
        try (var warmUp = Progress.of(auto.map(workload, parts), "warm-up", parts.size())) {
            Results.failFast(warmUp);
        }
        Stopwatch watch = Stopwatch.createStarted();
        double sum;
        try (Stream<Result<Double>> results = Progress.of(auto.map(workload, parts), workload.name(), parts.size())) {
            sum = Results.failFast(results).stream()
                    .mapToDouble(Double::doubleValue)
                    .sum();
        }
        Duration time = watch.elapsed();
        String factor = String.format(Locale.ROOT, "%.2f times as fast", (double) loop.toNanos() / time.toNanos());
        cli.println("  " + name + Units.time(time) + String.format(Locale.ROOT, ", %.6e, ", sum) + factor + remark);
        if (Math.abs(sum - expected) > ROUNDING * expected) { // another order of adding
            cli.problem(new IllegalStateException(workload.name() + ": " + sum + " instead of " + expected));
        }
    }

    /** In a worker, for which the memory is mapped until all that it was given is closed. */
    static double multiplyAndClose(Part part, Dot dot) {
        try (SharedArray rows = part.rows; // they are this task's: the memory stays with the others
                SharedArray queries = part.queries) {
            return multiply(new Part(rows, queries, part.from, part.count), dot);
        }
    }

    /** On one thread, on threads, and in a worker. What is in shared memory is copied row by row, into the cache. */
    private static double multiply(Part part, Dot dot) {
        List<float[]> queries = new ArrayList<>();
        for (int i = 0; i < part.queries.length() / LENGTH; i++) {
            queries.add(row(i, part.queries));
        }
        double sum = 0;
        for (int i = part.from; i < part.from + part.count; i++) {
            float[] row = row(i, part.rows);
            for (float[] query : queries) {
                sum += dot.of(row, query);
            }
        }
        return sum;
    }

    private static float[] row(int index, SharedArray array) {
        float[] row = new float[LENGTH];
        array.floats((long) index * LENGTH, LENGTH).get(row);
        return row;
    }

    /** One element after the other: for the compiler to add in another order would be to round in another way. */
    private static float dot(float[] a, float[] b) {
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
