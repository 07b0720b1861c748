package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.batchedipc.SharedArray;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.DoubleBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The sum of a large array, computed in worker processes: by sending them the numbers, and by sharing the array. */
public final class ArraySum {
    private static final String HELP = """
            usage: examples/run arraysum [--numbers N] [--chunks N]

            Adds up N random doubles (1,000,000 by default) in chunks (4 by default): on one thread, in worker processes to
            which the chunks are sent, and in worker processes that share the array, so that nothing but its handle is sent.
            The workers have been started before. Try --numbers 100000000 --chunks 16.

            Without --numbers it then has the workers fill a shared array of 1 GiB, and adds that up as well; this is left
            out if neither the RAM disk nor the directory for temporary files has room.

            exit code  0  all three found the same sum
                       1  they did not
                       2  bad arguments
            """;

    private static final int NUMBERS = 1_000_000;
    private static final int CHUNKS = 4;
    private static final int WARM_UPS = 2_000;
    private static final int MOST = 1 << 27; // 1 GiB of doubles
    private static final int MOST_CHUNKS = 1_000_000;
    private static final int LARGE_CHUNKS = 64;

    /** A part of the shared array. */
    record Part(SharedArray array, int from, int count) {}

    static final Workload<double[], Double> SUM_OF_COPY = Workload.named("sum of a copy")
            .isolated()
            .compute(values -> Arrays.stream(values).sum());

    private static final Workload<Part, Double> SUM_OF_PART =
            Workload.named("sum of a shared part").isolated().compute(ArraySum::sum);

    private static final Workload<Part, Double> FILL =
            Workload.named("fill a shared part").isolated().compute(ArraySum::fill);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("arraysum", HELP, args, out, err, ArraySum::addUp);
    }

    private static void addUp(Cli cli) throws Exception {
        boolean isAsked = cli.isGiven("--numbers");
        int numbers = cli.atMost(MOST, "--numbers", NUMBERS);
        int chunks = cli.atMost(MOST_CHUNKS, "--chunks", CHUNKS);
        cli.end();
        compare(numbers, Math.min(chunks, numbers), cli);
        if (!isAsked) {
            compareLarge(MOST, Math.max(chunks, LARGE_CHUNKS), cli);
        }
    }

    /** As it is without options, for the tour. */
    static void show(Cli cli) {
        Tour.introduce(SUM_OF_PART, cli);
        cli.println("Here on batched IPC, which has shared memory for what is sent, too:");
        compare(NUMBERS, CHUNKS, cli);
    }

    private static void compare(int numbers, int chunks, Cli cli) {
        double[] values = new Random(42).doubles(numbers).toArray();
        Stopwatch watch = Stopwatch.createStarted();
        double expected =
                Progress.during("one thread", () -> Arrays.stream(values).sum());
        cli.println("sum of " + Units.count(numbers, "number") + ", " + Units.bytes(8L * numbers));
        cli.println("  one thread    " + Units.time(watch.elapsed()));

        // Not what auto() takes for work that is not fine-grained: large arrays that are sent go through shared memory,
        // too.
        try (ExecutorStrategy workers = Stratagem.batchedIpc()) {
            // Starts them, and compiles the functions there.
            Stream<double[]> some = Stream.generate(() -> new double[1000]).limit(WARM_UPS);
            sum("warm-up", workers.map(SUM_OF_COPY, some), WARM_UPS);
            watch.reset().start();
            Stream<double[]> copies =
                    parts(numbers, chunks).map(part -> Arrays.copyOfRange(values, part[0], part[0] + part[1]));
            double ofCopies = sum("sent", workers.map(SUM_OF_COPY, copies), chunks);
            report("sent          ", ofCopies, watch.elapsed(), expected, cli);

            try (SharedArray array = SharedArray.copyOf(values)) {
                watch.reset().start();
                Stream<Part> shares = parts(numbers, chunks).map(part -> new Part(array, part[0], part[1]));
                double ofShared = sum("shared", workers.map(SUM_OF_PART, shares), chunks);
                report("shared        ", ofShared, watch.elapsed(), expected, cli);
            }
        }
    }

    /** With an array that never is in the heap, if there is room for it. */
    static void compareLarge(long numbers, int chunks, Cli cli) {
        cli.println("sum of " + Units.count(numbers, "number") + ", " + Units.bytes(8 * numbers));
        SharedArray large;
        try {
            large = SharedArray.ofDoubles(numbers);
        } catch (UncheckedIOException e) {
            cli.println("  left out: " + e.getMessage());
            return;
        }
        try (SharedArray array = large;
                ExecutorStrategy workers = Stratagem.batchedIpc()) {
            Stopwatch watch = Stopwatch.createStarted();
            List<Part> parts = parts((int) numbers, chunks)
                    .map(part -> new Part(array, part[0], part[1]))
                    .toList();
            double filled = sum("fill", workers.map(FILL, parts), chunks);
            report("filled        ", filled, watch.elapsed(), filled, cli);
            watch.reset().start();
            double ofOne = Progress.during("one thread", () -> sum(array, 0, (int) numbers));
            report("one thread    ", ofOne, watch.elapsed(), filled, cli);
            watch.reset().start();
            double ofShared = sum("shared", workers.map(SUM_OF_PART, parts), chunks);
            report("shared        ", ofShared, watch.elapsed(), filled, cli);
        }
    }

    /** Where each part begins, and how long it is. */
    private static Stream<int[]> parts(int numbers, int chunks) {
        return IntStream.range(0, chunks).mapToObj(i -> {
            int from = (int) ((long) numbers * i / chunks);
            int to = (int) ((long) numbers * (i + 1) / chunks);
            return new int[] {from, to - from};
        });
    }

    private static double sum(String what, Stream<Result<Double>> results, int chunks) {
        try (Stream<Result<Double>> shown = Progress.of(results, what, chunks)) {
            List<Double> sums = Results.failFast(shown);
            return sums.stream().mapToDouble(Double::doubleValue).sum();
        }
    }

    /** In a worker. */
    private static double sum(Part part) {
        try (SharedArray array = part.array()) { // it is this task's: the memory stays with the others
            return sum(array, part.from(), part.count());
        }
    }

    private static double sum(SharedArray array, int from, int count) {
        DoubleBuffer values = array.doubles(from, count);
        double sum = 0;
        while (values.hasRemaining()) {
            sum += values.get();
        }
        return sum;
    }

    /** In a worker. */
    private static double fill(Part part) {
        SplittableRandom random = new SplittableRandom(part.from());
        try (SharedArray array = part.array()) {
            DoubleBuffer values = array.doubles(part.from(), part.count());
            double sum = 0;
            while (values.hasRemaining()) {
                double value = random.nextDouble();
                values.put(value);
                sum += value;
            }
            return sum;
        }
    }

    private static void report(String name, double sum, Duration time, double expected, Cli cli) {
        cli.println("  " + name + Units.time(time) + String.format(Locale.ROOT, ", %.6e", sum));
        if (Math.abs(sum - expected) > 1e-9 * expected) { // another order of adding
            cli.problem(new IllegalStateException(name.strip() + ": " + sum + " instead of " + expected));
        }
    }
}
