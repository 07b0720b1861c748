package io.stratagem.spi;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * How an engine runs one kind of work: what core needs to know to size batches and bound what it hands out.
 *
 * @param parallelism how many tasks of this kind it runs at once, at most
 * @param maxBatch the most tasks in one batch; 1 if tasks in a batch would wait for each other. Asynchronous ones do not
 *     (see {@link Batch#runAsync})
 * @param batchesPerWorker how many unfinished batches each worker should have at hand to stay busy
 * @param targetBatchNanos how long one batch should take
 * @param isolates whether it runs this kind of work outside this JVM
 */
public record Profile(int parallelism, int maxBatch, int batchesPerWorker, long targetBatchNanos, boolean isolates) {

    /**
     * Checks the values.
     *
     * @param parallelism see the record
     * @param maxBatch see the record
     * @param batchesPerWorker see the record
     * @param targetBatchNanos see the record
     * @param isolates see the record
     */
    public Profile {
        checkArgument(parallelism > 0, "parallelism must be positive: %s", parallelism);
        checkArgument(
                maxBatch > 0 && maxBatch <= Batch.MAX_SIZE,
                "maxBatch must be from 1 to %s: %s",
                Batch.MAX_SIZE,
                maxBatch);
        checkArgument(batchesPerWorker > 0, "batchesPerWorker must be positive: %s", batchesPerWorker);
        checkArgument(targetBatchNanos > 0, "targetBatchNanos must be positive: %s", targetBatchNanos);
    }

    /** The same, with one task in each batch. */
    Profile unbatched() {
        return new Profile(parallelism, 1, batchesPerWorker, targetBatchNanos, isolates);
    }
}
