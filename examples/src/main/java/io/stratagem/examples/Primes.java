package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The same computing on one thread, on threads, and in processes. */
public final class Primes {
    private static final String HELP = """
            usage: examples/run primes [--numbers N] [--from START]

            Tells which of N numbers (20,000 by default) from START (1,000,000,000,003 by default) on, every second one,
            are primes, by trial division: in a loop, on the thread pool, and in worker processes, which have been
            started before.

            exit code  0  all three found the same primes
                       1  they did not
                       2  bad arguments
            """;

    static final Workload<Long, Boolean> PRIME = Workload.compute("prime", Primes::isPrime);

    static final int NUMBERS = 20_000;
    private static final int MOST_NUMBERS = 10_000_000;
    static final long FROM = 1_000_000_000_003L;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("primes", HELP, args, out, err, Primes::findAll);
    }

    private static void findAll(Cli cli) throws Exception {
        int numbers = cli.atMost(MOST_NUMBERS, "--numbers", NUMBERS);
        long from = cli.longNumber("--from", FROM);
        cli.end();
        long largest = Long.MAX_VALUE - 2L * (numbers - 1);
        if (from > largest) {
            throw cli.usage("--from takes at most " + largest + ", not " + from);
        }
        compare(numbers, from, cli);
    }

    /** Looks for primes in three ways and prints how long each takes. */
    static void compare(int numbers, long from, Cli cli) throws Exception {
        List<Long> candidates =
                LongStream.range(0, numbers).map(i -> from + 2 * i).boxed().toList();

        // Compiles the function, as the warm-up of the others does.
        Progress.during("warm-up", () -> findOnOneThread(candidates.subList(0, (numbers + 9) / 10)));
        Stopwatch watch = Stopwatch.createStarted();
        List<Boolean> expected = Progress.during("one thread", () -> findOnOneThread(candidates));
        Duration loop = watch.elapsed();
        cli.println(Units.count(expected.stream().filter(prime -> prime).count(), "prime") + " among "
                + Units.count(numbers, "number"));
        cli.println("  one thread    " + Units.time(loop));
        try (ExecutorStrategy threads = Stratagem.threads()) {
            find("thread pool   ", threads, candidates, expected, loop, cli);
        }
        // As many as there are CPUs, which is the default: more would only take turns, and memory.
        try (ExecutorStrategy processes =
                ProcessPoolStrategy.builder().workerProcesses(Stratagem.cpus()).build()) {
            find("process pool  ", processes, candidates, expected, loop, cli);
        }
    }

    private static List<Boolean> findOnOneThread(List<Long> candidates) {
        return candidates.stream().map(Primes::isPrime).toList();
    }

    private static void find(
            String name,
            ExecutorStrategy strategy,
            List<Long> candidates,
            List<Boolean> expected,
            Duration loop,
            Cli cli) {
        // Starts the workers and compiles the function there.
        try (var warmUp = Progress.of(strategy.map(PRIME, candidates), "warm-up", candidates.size())) {
            Results.failFast(warmUp);
        }
        Stopwatch watch = Stopwatch.createStarted();
        List<Boolean> found;
        try (Stream<Result<Boolean>> results =
                Progress.of(strategy.map(PRIME, candidates), PRIME.name(), candidates.size())) {
            found = Results.failFast(results);
        }
        Duration time = watch.elapsed();
        String factor = String.format(Locale.ROOT, "%.2f times as fast", (double) loop.toNanos() / time.toNanos());
        cli.println("  " + name + Units.time(time) + ", " + factor);
        if (!found.equals(expected)) {
            cli.problem(new IllegalStateException(strategy.name() + " has found other primes"));
        }
    }

    private static boolean isPrime(long number) {
        if (number < 4 || number % 2 == 0) {
            return number == 2 || number == 3;
        }
        for (long divisor = 3; divisor <= number / divisor; divisor += 2) {
            if (number % divisor == 0) {
                return false;
            }
        }
        return true;
    }
}
