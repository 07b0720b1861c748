/**
 * The API: {@link io.stratagem.Workload} says what to run, {@link io.stratagem.ExecutorStrategy} runs it,
 * {@link io.stratagem.Result} is what comes of it.
 */
@NullMarked
package io.stratagem;

import org.jspecify.annotations.NullMarked;
