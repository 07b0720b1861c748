package io.stratagem;

import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one outcome of one task: a {@link Success} with a value or a {@link Failure} with a cause. Immutable. Two
 * results are equal if their values, or their causes, are; how they were run does not count.
 *
 * @param <O> the type of the value
 */
public sealed interface Result<O extends @Nullable Object> {

    /**
     * A task that returned.
     *
     * @param value what it returned; null if the function returned null
     * @param execution how it was run
     * @param <O> the type of the value
     */
    record Success<O extends @Nullable Object>(O value, Execution execution) implements Result<O> {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Success<?> success && Objects.equals(value, success.value);
        }

        @Override
        public int hashCode() {
            return Objects.hashCode(value);
        }

        @Override
        public String toString() {
            return "Success[" + value + "]";
        }
    }

    /**
     * A task that threw, timed out, was cancelled, or was lost.
     *
     * @param cause what went wrong
     * @param execution how it was run
     * @param <O> the type that the value would have had
     */
    record Failure<O extends @Nullable Object>(Throwable cause, Execution execution) implements Result<O> {
        /**
         * Creates a failure.
         *
         * @param cause what went wrong
         * @param execution how it was run
         */
        public Failure {
            Objects.requireNonNull(cause, "cause");
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Failure<?> failure && cause.equals(failure.cause);
        }

        @Override
        public int hashCode() {
            return cause.hashCode();
        }

        @Override
        public String toString() {
            return "Failure[" + cause + "]";
        }
    }

    /**
     * A success that no strategy made: for tests and fallbacks.
     *
     * @param value the value, or null
     * @param <O> the type of the value
     * @return the result
     */
    static <O extends @Nullable Object> Result<O> success(O value) {
        return new Success<>(value, NoExecution.INSTANCE);
    }

    /**
     * A failure that no strategy made: for tests and fallbacks.
     *
     * @param cause what went wrong
     * @param <O> the type that the value would have had
     * @return the result
     */
    static <O extends @Nullable Object> Result<O> failure(Throwable cause) {
        return new Failure<>(cause, NoExecution.INSTANCE);
    }

    /**
     * How the task was run.
     *
     * @return the record, shared with the other tasks of its batch
     */
    Execution execution();

    /**
     * Whether this is a {@link Success}.
     *
     * @return true for a success
     */
    default boolean isSuccess() {
        return this instanceof Success;
    }

    /**
     * The value, or the cause thrown: an unchecked exception or error as it is, a checked one wrapped.
     *
     * @return the value
     * @throws TaskFailedException with the cause, if that is a checked exception
     */
    default O orElseThrow() {
        if (this instanceof Success<O> success) {
            return success.value;
        }
        throw unchecked(((Failure<O>) this).cause);
    }

    /**
     * The value, or another one if this is a failure.
     *
     * @param other the value to use instead
     * @return the one or the other
     */
    default O orElse(O other) {
        return this instanceof Success<O> success ? success.value : other;
    }

    /**
     * This result with its value, if it has one, put through a function. An unchecked exception of the function makes a
     * failure; an {@link Error} is thrown on.
     *
     * @param function applied to the value of a success, on the calling thread
     * @param <R> the new type of the value
     * @return the new result, with the same execution
     */
    default <R extends @Nullable Object> Result<R> map(Function<? super O, ? extends R> function) {
        Objects.requireNonNull(function, "function");
        if (this instanceof Success<O> success) {
            try {
                return new Success<>(function.apply(success.value), success.execution);
            } catch (RuntimeException e) {
                return new Failure<>(e, success.execution);
            }
        }
        @SuppressWarnings("unchecked") // a failure holds no value
        Result<R> failure = (Result<R>) this;
        return failure;
    }

    /**
     * One value from either case.
     *
     * @param onSuccess applied to the value of a success
     * @param onFailure applied to the cause of a failure
     * @param <R> the type of the outcome
     * @return what the function that fits returned
     */
    default <R extends @Nullable Object> R fold(
            Function<? super O, ? extends R> onSuccess, Function<? super Throwable, ? extends R> onFailure) {
        if (this instanceof Success<O> success) {
            return onSuccess.apply(success.value);
        }
        return onFailure.apply(((Failure<O>) this).cause);
    }

    private static RuntimeException unchecked(Throwable cause) {
        if (cause instanceof RuntimeException e) {
            return e;
        }
        if (cause instanceof Error e) {
            throw e;
        }
        return new TaskFailedException("task failed: " + cause, cause);
    }
}
