package io.stratagem;

import java.io.Serializable;

/**
 * A function that gives nothing back, and may throw anything. As {@link Fn} in all else.
 *
 * @param <I> what it takes
 */
@FunctionalInterface
public interface Action<I> extends Serializable {

    /**
     * Performs this action.
     *
     * @param input the input; null only if the caller submitted null
     * @throws Exception whatever goes wrong; it becomes the cause of the task's {@link Result.Failure}
     */
    void accept(I input) throws Exception;
}
