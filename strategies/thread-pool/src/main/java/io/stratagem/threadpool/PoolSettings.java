package io.stratagem.threadpool;

import java.util.concurrent.ThreadFactory;

/**
 * What makes one pool of a strategy different from another.
 *
 * @param name begins the names of its threads
 * @param maxThreads how many threads at most, abandoned ones not counted
 * @param keepAliveNanos how long an idle thread waits for work
 * @param factory makes unstarted threads
 * @param graceNanos how long a thread may take to react to an interrupt before it is abandoned
 * @param maxAbandoned how many threads may be abandoned before no more work is taken
 */
record PoolSettings(
        String name, int maxThreads, long keepAliveNanos, ThreadFactory factory, long graceNanos, int maxAbandoned) {}
