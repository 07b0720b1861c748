package io.stratagem.batchedipc;

import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.ProcessPoolStrategy;

/** With messages over sockets. */
final class SharedCollectionsOnProcessPoolTest extends SharedCollectionsContract {
    @Override
    ProcessPoolBuilder<?> builder() {
        return ProcessPoolStrategy.builder();
    }
}
