package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.batchedipc.SharedCounter;
import java.io.PrintStream;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Worker processes that add to the same counters. */
public final class SharedCount {
    private static final String HELP = """
            usage: examples/run sharedcounter [--numbers N] [--block N]

            Counts the primes below N (2,000,000 by default) in worker processes. Each task looks at a block of numbers
            (5,000 by default) and adds what it finds to counters that all processes share: one of the primes, one of the
            numbers that were looked at. A sieve on one thread checks the total.

            exit code  0  the counters have what the sieve has
                       1  they have not
                       2  bad arguments
            """;

    private static final int NUMBERS = 2_000_000;
    private static final int BLOCK = 5_000;
    private static final int MOST = 1 << 30;

    /** What one task looks at, and what it adds to. */
    record Block(int from, int to, SharedCounter primes, SharedCounter numbers) {}

    static final Workload<Block, Long> COUNT =
            Workload.named("count primes").isolated().compute(SharedCount::count);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("sharedcounter", HELP, args, out, err, SharedCount::countAll);
    }

    private static void countAll(Cli cli) throws Exception {
        int numbers = cli.atMost(MOST, "--numbers", NUMBERS);
        int block = cli.number("--block", BLOCK);
        cli.end();
        compare(numbers, block, cli);
    }

    /** Somewhat less than without options, for the tour. */
    static void show(Cli cli) {
        Tour.introduce(COUNT, cli);
        compare(NUMBERS / 4, BLOCK, cli);
    }

    private static void compare(int numbers, int block, Cli cli) {
        int blocks = (numbers - 1) / block + 1;
        try (ExecutorStrategy workers = Stratagem.auto();
                SharedCounter primes = new SharedCounter();
                SharedCounter looked = new SharedCounter()) {
            Stream<Block> inputs = IntStream.range(0, blocks)
                    .mapToObj(i -> new Block(i * block, (int) Math.min(numbers, (i + 1L) * block), primes, looked));
            Stopwatch watch = Stopwatch.createStarted();
            List<Long> processes =
                    Results.failFast(Progress.of(workers.mapUnordered(COUNT, inputs), COUNT.name(), blocks));
            cli.println(Units.count(primes.get(), "prime") + " below " + Units.count(numbers) + ", counted by "
                    + Units.count(processes.stream().distinct().count(), "worker") + " in "
                    + Units.time(watch.elapsed()));
            check("primes", primes.get(), Progress.during("sieve", () -> sieve(numbers)), cli);
            check("numbers", looked.get(), numbers, cli);
        }
    }

    private static void check(String what, long counted, long expected, Cli cli) {
        if (counted != expected) {
            cli.problem(new IllegalStateException(counted + " " + what + " were counted instead of " + expected));
        }
    }

    /** In a worker. Counts for itself, and adds once: to share each step would cost more than the step. */
    private static long count(Block block) {
        try (SharedCounter primes = block.primes; // they are this task's: the counters stay with the others
                SharedCounter numbers = block.numbers) {
            long found = IntStream.range(block.from, block.to)
                    .filter(SharedCount::isPrime)
                    .count();
            primes.addAndGet(found);
            numbers.addAndGet(block.to - block.from);
            return ProcessHandle.current().pid();
        }
    }

    private static boolean isPrime(int number) {
        if (number < 4 || number % 2 == 0) {
            return number == 2 || number == 3;
        }
        for (long divisor = 3; divisor * divisor <= number; divisor += 2) {
            if (number % divisor == 0) {
                return false;
            }
        }
        return true;
    }

    private static long sieve(int numbers) {
        BitSet composite = new BitSet(numbers);
        int primes = 0;
        for (int i = 2; i < numbers; i++) {
            if (!composite.get(i)) {
                primes++;
                for (long multiple = (long) i * i; multiple < numbers; multiple += i) {
                    composite.set((int) multiple);
                }
            }
        }
        return primes;
    }
}
