package io.stratagem.benchmarks.processes;

import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Numbers, and whether they are primes, by trial division. */
final class Primes {

    /** The metric whose numbers are the light ones alone. */
    static final String LIGHT_METRIC = "primes-light";

    private static final int LIGHT_COUNT = 100;
    private static final long LIGHT_FROM = 10_000_003;

    /**
     * Here 1,000 odd numbers take 42.38 million divisions, 120 ms on one core, and every second one has its half of
     * them but for 0.02 %: who splits them like that beforehand loses nothing by it.
     */
    private static final long HEAVY_FROM = 1_000_000_002_855L;

    private Primes() {}

    /** The numbers for a metric: the light ones, and for all metrics but one so many heavy ones. */
    static List<Long> candidates(String metric, int heavyCount) {
        Stream<Long> light = oddNumbers(LIGHT_FROM, LIGHT_COUNT);
        return metric.equals(LIGHT_METRIC)
                ? light.toList()
                : Stream.concat(light, oddNumbers(HEAVY_FROM, heavyCount)).toList();
    }

    private static Stream<Long> oddNumbers(long from, int count) {
        return LongStream.range(0, count).mapToObj(i -> from + 2 * i);
    }

    static Boolean isPrime(Long candidate) {
        long number = candidate;
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
}
