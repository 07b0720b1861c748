package io.stratagem.batchedipc;

import io.stratagem.processpool.ProcessPoolBuilder;

/** With messages through shared memory. */
final class SharedCollectionsOnBatchedIpcTest extends SharedCollectionsContract {
    @Override
    ProcessPoolBuilder<?> builder() {
        return BatchedIpcStrategy.builder();
    }
}
