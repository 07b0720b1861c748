package io.stratagem.spi;

import java.util.Spliterator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The inputs of a run, until there are no more or no more are wanted. Belongs to the reader of its results. */
final class Intake {
    final Spliterator<?> input;
    private boolean isExhausted;
    private @Nullable Throwable failure;

    Intake(Spliterator<?> input) {
        this.input = input;
    }

    boolean isExhausted() {
        return isExhausted;
    }

    /** Pulls one input; false if there is none, or no other after it. */
    boolean pull(Consumer<Object> sink) {
        try {
            isExhausted = !input.tryAdvance(sink);
        } catch (Throwable e) {
            stop(e);
        }
        return !isExhausted;
    }

    void stop(Throwable why) {
        failure = why;
        isExhausted = true;
    }

    /** It is closed. An input must not be pulled and lost, so this looks for the end only where that should have come. */
    void refuse(Throwable why) {
        if (input.getExactSizeIfKnown() == 0) {
            end(why);
        } else {
            stop(why);
        }
    }

    /** Nothing more can be done: it is an error only if there was more to do. */
    void end(Throwable why) {
        if (pull(ignored -> {})) {
            stop(why);
        }
    }

    /** Throws what it was stopped for, once. */
    void throwFailure() {
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            EngineStrategy.<RuntimeException>sneakyThrow(thrown);
        }
    }
}
