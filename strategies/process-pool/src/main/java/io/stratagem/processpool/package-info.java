/** Workloads in worker processes. */
@NullMarked
package io.stratagem.processpool;

import org.jspecify.annotations.NullMarked;
