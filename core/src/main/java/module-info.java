import io.stratagem.spi.StrategyProvider;
import org.jspecify.annotations.NullMarked;

/** The API, the machinery that all strategies share, and the choice of a strategy. */
@NullMarked
module io.stratagem.core {
    requires static transitive org.jspecify;
    requires transitive com.google.common;
    requires java.management;
    requires static jdk.management;
    requires org.jctools.core.jdk11;
    requires org.slf4j;

    exports io.stratagem;
    exports io.stratagem.spi;

    uses StrategyProvider;
}
