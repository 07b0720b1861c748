package io.stratagem;

import java.io.Serializable;

/**
 * A function from one input to one output that may throw anything.
 *
 * <p>It is {@link Serializable} so that a lambda can travel to another JVM. A lambda that reads a field captures
 * {@code this}, and then travels only if the whole enclosing object does: copy the field to a local variable first.
 *
 * <p>It is called by many threads at once and must be safe for that.
 *
 * @param <I> what it takes
 * @param <O> what it gives; may be null
 */
@FunctionalInterface
public interface Fn<I, O> extends Serializable {

    /**
     * Applies this function.
     *
     * @param input the input; null only if the caller submitted null
     * @return the output, or null
     * @throws Exception whatever goes wrong; it becomes the cause of the task's {@link Result.Failure}
     */
    O apply(I input) throws Exception;
}
