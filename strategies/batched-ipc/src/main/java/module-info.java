import org.jspecify.annotations.NullMarked;

/** Shared memory between the application and its worker processes. */
@NullMarked
module io.stratagem.batchedipc {
    requires transitive io.stratagem.core;
    requires transitive org.slf4j;

    exports io.stratagem.batchedipc;
}
