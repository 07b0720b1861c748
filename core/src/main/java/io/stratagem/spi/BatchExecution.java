package io.stratagem.spi;

import io.stratagem.Execution;
import java.time.Duration;

/**
 * The record that all results of one batch share. It knows neither the batch nor the strategy, so that a kept result
 * keeps nothing else alive.
 *
 * <p>The fields that are not final are written before the batch's last task is settled by a compare-and-set of its
 * word, which the reader of that result has read. The reader of an earlier result may find them unset, and measures.
 */
final class BatchExecution implements Execution {
    private static final long NOT_STARTED = -1;

    private final String strategy;
    private final String worker;
    private final Clock clock;
    private final int attempts;
    private final int batchSize;
    private final long queuedNanos;
    private final long startNanos;
    private int tasks;
    private long ranNanos = -1;

    private BatchExecution(Terms terms, String worker, int attempts, int batchSize, long queuedNanos, long startNanos) {
        this.strategy = terms.strategy.name();
        this.clock = terms.clock();
        this.worker = worker;
        this.attempts = attempts;
        this.batchSize = batchSize;
        this.queuedNanos = queuedNanos;
        this.startNanos = startNanos;
    }

    static BatchExecution started(
            Terms terms, String worker, int attempts, int batchSize, long queuedAtNanos, long startNanos) {
        return new BatchExecution(
                terms, worker, attempts, batchSize, Math.max(0, startNanos - queuedAtNanos), startNanos);
    }

    static BatchExecution neverStarted(Terms terms, int attempts, int batchSize) {
        BatchExecution execution = new BatchExecution(terms, "", attempts, batchSize, NOT_STARTED, 0);
        execution.ranNanos = 0;
        return execution;
    }

    /** Notes the end; {@code tasksRun} is how many were run, which cutting the batch makes fewer. */
    void finish(int tasksRun, long nowNanos) {
        if (queuedNanos != NOT_STARTED) {
            tasks = tasksRun;
            ranNanos = Math.max(0, nowNanos - startNanos);
        }
    }

    long endNanos() {
        return startNanos + ranNanos;
    }

    /** Total of all tasks run, or −1 while the batch runs. */
    long ranNanos() {
        return ranNanos;
    }

    Duration busy(long nowNanos) {
        return Duration.ofNanos(Math.max(0, nowNanos - startNanos));
    }

    @Override
    public String strategy() {
        return strategy;
    }

    @Override
    public String worker() {
        return worker;
    }

    @Override
    public Duration queued() {
        return queuedNanos == NOT_STARTED ? Duration.ZERO : Duration.ofNanos(queuedNanos);
    }

    @Override
    public Duration ran() {
        return ranNanos >= 0
                ? Duration.ofNanos(ranNanos / Math.max(1, tasks))
                : busy(clock.nanoTime()).dividedBy(batchSize);
    }

    @Override
    public int attempts() {
        return attempts;
    }

    @Override
    public int batchSize() {
        return batchSize;
    }

    @Override
    public String toString() {
        return strategy + "/" + worker + ", queued " + queued() + ", ran " + ran() + ", attempt " + attempts
                + ", batch of " + batchSize;
    }
}
