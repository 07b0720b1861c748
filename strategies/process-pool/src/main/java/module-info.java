import io.stratagem.processpool.ProcessPoolProvider;
import io.stratagem.spi.StrategyProvider;
import org.jspecify.annotations.NullMarked;

/** The strategy that runs workloads in worker processes. */
@NullMarked
module io.stratagem.processpool {
    requires jdk.net;
    requires transitive io.stratagem.core;
    requires transitive org.slf4j;
    requires java.management;

    exports io.stratagem.processpool;

    provides StrategyProvider with
            ProcessPoolProvider;
}
