package io.stratagem.eventloop;

/**
 * What makes the loops of one strategy different from those of another.
 *
 * @param prefix begins the names of the threads
 * @param loops how many
 * @param holdLimitNanos how long code may hold a loop before it is reported
 * @param outboundMarkBytes how much may wait to be written before who writes has to wait
 */
record LoopSettings(String prefix, int loops, long holdLimitNanos, int outboundMarkBytes) {}
