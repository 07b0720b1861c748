package io.stratagem;

import com.google.common.math.Quantiles;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** The times of single tasks, as many as one needs to know how they are spread. For one thread. */
final class Latencies {
    static final int MOST = 10_000;
    private static final int MEDIAN = 50;
    private static final int SLOW = 99;

    private long[] nanos = new long[64];
    private int size;
    private boolean isOver;

    void add(long taken) {
        if (isOver) {
            isOver = false;
            size = 0;
        }
        if (size < MOST) {
            if (size == nanos.length) {
                nanos = Arrays.copyOf(nanos, Math.min(MOST, 2 * size));
            }
            nanos[size++] = taken;
        }
    }

    /** What there is stands until the next one is added. */
    void startOver() {
        isOver = true;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    double meanNanos() {
        return Arrays.stream(nanos, 0, size).average().orElse(0);
    }

    Optional<Duration> median() {
        return percentile(MEDIAN);
    }

    Optional<Duration> slow() {
        return percentile(SLOW);
    }

    private Optional<Duration> percentile(int which) {
        return size == 0
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(
                        Math.round(Quantiles.percentiles().index(which).compute(Arrays.copyOf(nanos, size)))));
    }
}
