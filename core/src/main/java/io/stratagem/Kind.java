package io.stratagem;

/** What a workload's function spends its time on: the first thing the choice of a strategy depends on. */
public enum Kind {
    /** Waits without a thread: returns a stage at once. A waiting task costs bytes. */
    ASYNC,
    /** Waits in blocking calls: files, JDBC, {@code Thread.sleep}. A waiting task holds a (virtual) thread. */
    BLOCKING,
    /** Computes: hashing, compression, parsing. More threads than CPUs do not help it. */
    COMPUTE
}
