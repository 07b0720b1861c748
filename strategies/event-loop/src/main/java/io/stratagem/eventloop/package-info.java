/**
 * Asynchronous workloads on event loops: {@link io.stratagem.eventloop.EventLoopStrategy}, and the network for them:
 * {@link io.stratagem.eventloop.Network}.
 */
@NullMarked
package io.stratagem.eventloop;

import org.jspecify.annotations.NullMarked;
