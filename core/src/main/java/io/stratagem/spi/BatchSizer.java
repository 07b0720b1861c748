package io.stratagem.spi;

/**
 * Finds how many tasks make a batch that takes the engine's target time, from how long batches took on the workers.
 *
 * <p>It starts at one task, and proposes at most twice the largest size that has been measured, so that a wrong guess
 * costs little. The estimate falls quickly (the first tasks run cold) and rises slowly, and a single batch that took
 * much longer than expected is taken for an accident of the machine; a second one in a row is believed.
 */
/* Not thread-safe: guarded by its MapRun. */
final class BatchSizer {
    private static final int OUTLIER = 8;

    private final long targetNanos;
    private final int maxSize;
    private double nanosPerTask = -1;
    private int largestMeasured;
    private boolean sawOutlier;

    BatchSizer(long targetNanos, int maxSize) {
        this.targetNanos = targetNanos;
        this.maxSize = maxSize;
    }

    /** Learns that a batch of so many tasks took so long. */
    void record(int tasks, long nanos) {
        if (tasks < 1 || nanos < 0) {
            return;
        }
        double sample = Math.max(1.0, (double) nanos / tasks);
        largestMeasured = Math.max(largestMeasured, tasks);
        if (nanosPerTask < 0) {
            nanosPerTask = sample;
            return;
        }
        boolean isOutlier = sample > OUTLIER * nanosPerTask;
        if (isOutlier && !sawOutlier) {
            sawOutlier = true;
            return;
        }
        sawOutlier = false;
        double weight = sample < nanosPerTask ? 0.75 : 0.25;
        nanosPerTask += weight * (sample - nanosPerTask);
    }

    /** How many tasks the next batch should have. */
    int size() {
        if (nanosPerTask < 0) {
            return 1;
        }
        long fitting = Math.max(1, (long) (targetNanos / nanosPerTask));
        return (int) Math.min(Math.min(fitting, 2L * largestMeasured), maxSize);
    }

    @Override
    public String toString() {
        return Math.round(nanosPerTask) + " ns a task, next batch " + size();
    }
}
