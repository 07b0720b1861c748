/**
 * What a strategy module builds on. An {@link io.stratagem.spi.Engine} runs {@link io.stratagem.spi.Batch batches};
 * {@link io.stratagem.spi.EngineStrategy} makes an {@code ExecutorStrategy} of it and owns all that is the same for
 * every strategy: the task's states, the window, batch sizes, order, timeouts, retries, cancellation, snapshots,
 * listeners, context and closing.
 *
 * <p>{@code docs/architecture.md} draws the path of a task; {@code docs/concurrency.md} says which thread writes what.
 */
@NullMarked
package io.stratagem.spi;

import org.jspecify.annotations.NullMarked;
