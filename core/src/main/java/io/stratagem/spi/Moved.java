package io.stratagem.spi;

/** Stands in the place of the result of a task that is tried again after a delay: the result will be that batch's. */
record Moved(Batch to, long delayNanos) {}
