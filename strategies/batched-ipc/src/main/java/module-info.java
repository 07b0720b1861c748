import io.stratagem.batchedipc.BatchedIpcProvider;
import io.stratagem.batchedipc.RingsProvider;
import io.stratagem.processpool.spi.WireProvider;
import io.stratagem.spi.StrategyProvider;
import org.jspecify.annotations.NullMarked;

/** The strategy that runs workloads in worker processes with which it shares memory; and shared arrays and counters. */
@NullMarked
module io.stratagem.batchedipc {
    requires transitive io.stratagem.core;
    requires transitive io.stratagem.processpool;
    requires transitive org.slf4j;

    exports io.stratagem.batchedipc;

    provides StrategyProvider with
            BatchedIpcProvider;
    provides WireProvider with
            RingsProvider;
}
