import io.stratagem.eventloop.EventLoopProvider;
import io.stratagem.spi.StrategyProvider;
import org.jspecify.annotations.NullMarked;

/** The strategy that runs asynchronous workloads on event loops; and networking for them. */
@NullMarked
@SuppressWarnings("requires-automatic") // only this one, and who does not use TLS does without it
module io.stratagem.eventloop {
    requires transitive io.stratagem.core;
    requires transitive io.stratagem.threadpool;
    requires org.jctools.core.jdk11;
    requires org.slf4j;
    requires static tls.channel;

    exports io.stratagem.eventloop;

    provides StrategyProvider with
            EventLoopProvider;
}
