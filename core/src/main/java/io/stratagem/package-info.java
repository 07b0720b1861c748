/**
 * The API: {@link io.stratagem.Workload} says what to run, {@link io.stratagem.ExecutorStrategy} runs it,
 * {@link io.stratagem.Result} is what comes of it. {@link io.stratagem.Pipeline} runs several, one after another.
 */
@NullMarked
package io.stratagem;

import org.jspecify.annotations.NullMarked;
