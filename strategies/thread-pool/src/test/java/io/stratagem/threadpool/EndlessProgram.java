package io.stratagem.threadpool;

import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Workload;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Run by {@link ConstantMemoryTest} in a JVM of its own, with a small heap. */
final class EndlessProgram {
    private static final int PAUSE_EVERY = 20_000;
    private static final long PAUSE_NANOS = 500_000;

    private EndlessProgram() {}

    /**
     * Maps an endless input, reads so many results of it, slowly, and prints how many they are and their sum.
     *
     * @param args ordered or unordered; how many
     */
    public static void main(String[] args) {
        MapOptions options = args[0].equals("ordered") ? MapOptions.ordered() : MapOptions.unordered();
        long limit = Long.parseLong(args[1]);
        Workload<Long, Long> twice = Workload.compute("twice", n -> 2 * n);
        long[] countAndSum = new long[2];
        try (ThreadPoolStrategy strategy =
                        ThreadPoolStrategy.builder().computeThreads(2).build();
                Stream<Result<Long>> results =
                        strategy.map(twice, LongStream.iterate(0, n -> n + 1).boxed(), options)) {
            results.limit(limit).forEach(result -> {
                countAndSum[1] += result.orElseThrow();
                if (++countAndSum[0] % PAUSE_EVERY == 0) {
                    // Workers are done with their window long before: what they hold meanwhile must not grow.
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            });
        }
        System.out.println(countAndSum[0] + " " + countAndSum[1]);
    }
}
