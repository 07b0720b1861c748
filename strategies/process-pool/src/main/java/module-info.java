import io.stratagem.processpool.ProcessPoolProvider;
import io.stratagem.processpool.spi.WireProvider;
import io.stratagem.spi.StrategyProvider;
import org.jspecify.annotations.NullMarked;

/** The strategy that runs workloads in worker processes. */
@NullMarked
@SuppressWarnings("module") // the one that the second export is for depends on this one
module io.stratagem.processpool {
    requires jdk.net;
    requires transitive io.stratagem.core;
    requires transitive org.slf4j;
    requires java.management;

    exports io.stratagem.processpool;
    exports io.stratagem.processpool.spi to
            io.stratagem.batchedipc;

    uses WireProvider;

    provides StrategyProvider with
            ProcessPoolProvider;
}
