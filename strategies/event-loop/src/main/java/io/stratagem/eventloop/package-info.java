/** Asynchronous workloads on event loops: {@link io.stratagem.eventloop.EventLoopStrategy}. */
@NullMarked
package io.stratagem.eventloop;

import org.jspecify.annotations.NullMarked;
