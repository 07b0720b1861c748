package io.stratagem.benchmarks.processes;

import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.batchedipc.SharedMap;
import io.stratagem.benchmarks.Sample;
import io.stratagem.benchmarks.WrongResultException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * The main class of a JVM in which a worker reads from a map of the application, again and again, and measures each of
 * these round trips. Nobody else does anything.
 */
final class SharedMapGet {
    private static final int ENTRIES = 100;

    private SharedMapGet() {}

    public static void main(String[] arguments) throws WrongResultException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        int size = Integer.parseInt(arguments[1]);
        try (BatchedIpcStrategy strategy = Workers.startedSharing();
                SharedMap<String, Integer> map = SharedMap.create()) {
            for (int i = 0; i < ENTRIES; i++) {
                map.put(key(i), i);
            }
            Workload<Integer, Long> reading =
                    Workload.named("reading").isolated().blocking(count -> medianNanos(map, count));
            for (int phase = 2; phase < arguments.length; phase++) {
                long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[phase]));
                do {
                    double nanos = strategy.run(reading, size).orElseThrow();
                    if (phase == arguments.length - 1) {
                        System.out.println(new Sample(arguments[0], nanos / 1e3, "us").line());
                    }
                } while (System.nanoTime() - end < 0);
            }
        }
    }

    private static String key(int number) {
        return "key-" + number;
    }

    private static long medianNanos(SharedMap<String, Integer> map, int count) throws WrongResultException {
        long[] each = new long[count];
        for (int i = 0; i < count; i++) {
            String key = key(i % ENTRIES);
            long begin = System.nanoTime();
            Integer value = map.get(key);
            each[i] = System.nanoTime() - begin;
            WrongResultException.check("value", i % ENTRIES, value);
        }
        Arrays.sort(each);
        return each[count / 2];
    }
}
