package io.stratagem;

import org.jspecify.annotations.Nullable;

/**
 * Carries a context (a trace, a security identity) from the thread that submits to the thread that runs. SLF4J's
 * MDC and the context class loader are carried without one.
 */
@FunctionalInterface
public interface ContextPropagator {

    /**
     * Captures the current context. Called on the submitting thread, once for each {@code run}, {@code submit} or
     * {@code map}. What it throws reaches the submitter.
     *
     * @return what to carry over, or null for nothing
     */
    @Nullable
    Captured capture();

    /** A context on its way; may be applied several times, on several threads at once. */
    @FunctionalInterface
    interface Captured {
        /**
         * Applies the context to the current thread. If it throws, the tasks fail with that exception and do not
         * run without their context.
         *
         * @return what puts the thread's former context back
         */
        Scope apply();
    }

    /** An applied context. */
    @FunctionalInterface
    interface Scope extends AutoCloseable {
        /** Puts the former context back; called on the thread where the context was applied. */
        @Override
        void close();
    }
}
