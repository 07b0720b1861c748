package io.stratagem;

import java.io.Serializable;
import java.util.concurrent.CompletionStage;

/**
 * A function that starts something and returns at once with a stage that completes when it is done. It must not
 * block; {@link Loop#offload} takes what does.
 *
 * @param <I> what it takes
 * @param <O> what its stage gives; may be null
 */
@FunctionalInterface
public interface AsyncFn<I, O> extends Serializable {

    /**
     * Starts the work.
     *
     * @param input the input; null only if the caller submitted null
     * @param loop delays, off-loading and an executor for the callbacks of this task
     * @return the stage that completes with the output. When the task is cancelled or times out, the stage's
     *     {@link CompletionStage#toCompletableFuture() future} is cancelled; those before it are not, and what the last
     *     stage itself was to do is not done. What must be done in any case belongs into a branch:
     *     {@code work.whenComplete(release); return work;}
     * @throws Exception whatever goes wrong; it becomes the cause of the task's {@link Result.Failure}
     */
    CompletionStage<O> apply(I input, Loop loop) throws Exception;
}
