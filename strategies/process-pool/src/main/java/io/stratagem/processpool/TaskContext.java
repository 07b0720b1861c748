package io.stratagem.processpool;

import io.stratagem.ContextPropagator.Captured;
import io.stratagem.ContextPropagator.Scope;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** What a task has of the thread that submitted it, besides its class loader. Immutable. */
record TaskContext(Map<String, String> mdc, List<Captured> captured) {

    /** Something that a task does. */
    @FunctionalInterface
    interface Action<T> {
        @Nullable
        T run() throws Throwable;
    }

    /** Runs something with it on a thread of the worker, which has no context before and after. */
    <T> @Nullable T run(Action<T> action) throws Throwable {
        if (!mdc.isEmpty()) {
            MDC.setContextMap(mdc);
        }
        try {
            return captured.isEmpty() ? action.run() : runCaptured(action);
        } finally {
            WorkerMdc.clear();
        }
    }

    private <T> @Nullable T runCaptured(Action<T> action) throws Throwable {
        Deque<Scope> scopes = new ArrayDeque<>();
        try {
            for (Captured each : captured) {
                scopes.push(each.apply());
            }
            return action.run();
        } finally {
            while (!scopes.isEmpty()) {
                try {
                    scopes.pop().close();
                } catch (Throwable e) {
                    LoggerFactory.getLogger(TaskContext.class).error("A propagated context could not be taken off", e);
                }
            }
        }
    }
}
