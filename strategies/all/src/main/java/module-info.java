/** All strategies. */
module io.stratagem {
    requires transitive io.stratagem.batchedipc;
    requires transitive io.stratagem.core;
    requires transitive io.stratagem.eventloop;
    requires transitive io.stratagem.processpool;
    requires transitive io.stratagem.threadpool;
}
