import io.stratagem.spi.StrategyProvider;
import io.stratagem.threadpool.ThreadPoolProvider;
import org.jspecify.annotations.NullMarked;

/** The strategy that runs workloads on threads of this JVM. */
@NullMarked
module io.stratagem.threadpool {
    requires transitive io.stratagem.core;
    requires org.jctools.core.jdk11;
    requires org.slf4j;

    exports io.stratagem.threadpool;

    provides StrategyProvider with
            ThreadPoolProvider;
}
