/** Shared memory between the application and its worker processes: rings for small messages, arrays that are never copied. */
@NullMarked
package io.stratagem.batchedipc;

import org.jspecify.annotations.NullMarked;
