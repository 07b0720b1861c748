package io.stratagem.benchmarks.threads;

/** How many threads every contestant gets for work that computes: one for each core. */
final class Cores {

    static final int COUNT = Runtime.getRuntime().availableProcessors();

    private Cores() {}
}
