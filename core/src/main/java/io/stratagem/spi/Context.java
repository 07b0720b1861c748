package io.stratagem.spi;

import io.stratagem.ContextPropagator;
import io.stratagem.ContextPropagator.Captured;
import io.stratagem.ContextPropagator.Scope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.helpers.NOPMDCAdapter;

/**
 * What goes with a task from the thread that submits it to the thread that runs it: the context class loader, SLF4J's
 * MDC, and what propagators capture. Immutable; applied once for a batch, not once for a task.
 */
final class Context {
    private static final Logger log = LoggerFactory.getLogger(ContextPropagator.class);

    /** Asking an MDC that keeps nothing would only cost time. */
    private static final boolean HAS_MDC = !(MDC.getMDCAdapter() instanceof NOPMDCAdapter);

    private final @Nullable ClassLoader loader;
    private final @Nullable Map<String, String> mdc;
    private final List<Captured> captured;

    private Context(@Nullable ClassLoader loader, @Nullable Map<String, String> mdc, List<Captured> captured) {
        this.loader = loader;
        this.mdc = mdc;
        this.captured = captured;
    }

    /**
     * Captures the calling thread's context. Whatever a propagator throws reaches the caller.
     *
     * @param last another context, returned if it says the same
     */
    static Context capture(List<ContextPropagator> propagators, @Nullable Context last) {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        Map<String, String> mdc = HAS_MDC ? MDC.getCopyOfContextMap() : null;
        if (propagators.isEmpty() && isEmpty(mdc)) {
            return last != null && last.isOnly(loader) ? last : new Context(loader, null, List.of());
        }
        List<Captured> captured = List.of();
        if (!propagators.isEmpty()) {
            captured = new ArrayList<>(propagators.size());
            for (ContextPropagator propagator : propagators) {
                Captured one = propagator.capture();
                if (one != null) {
                    captured.add(one);
                }
            }
        }
        return new Context(loader, mdc, captured);
    }

    @Nullable
    ClassLoader loader() {
        return loader;
    }

    Map<String, String> mdc() {
        return mdc == null ? Map.of() : Collections.unmodifiableMap(mdc);
    }

    List<Captured> captured() {
        return Collections.unmodifiableList(captured);
    }

    /** Whether there is nothing to it but this class loader. */
    boolean isOnly(@Nullable ClassLoader aLoader) {
        return loader == aLoader && isEmpty(mdc) && captured.isEmpty();
    }

    /**
     * Applies this context to the calling thread.
     *
     * @return what undoes it, or null if the thread has this context already and nothing needs to be undone
     */
    @Nullable
    Applied apply() {
        Thread thread = Thread.currentThread();
        Map<String, String> present = HAS_MDC ? MDC.getCopyOfContextMap() : null;
        boolean isSame = isEmpty(present) && isEmpty(mdc) && captured.isEmpty();
        if (isSame && thread.getContextClassLoader() == loader) {
            return null;
        }
        Applied applied = new Applied(thread, present);
        try {
            thread.setContextClassLoader(loader);
            setMdc(mdc);
            for (Captured one : captured) {
                applied.scopes.push(one.apply());
            }
            return applied;
        } catch (Throwable e) {
            applied.undo();
            throw e;
        }
    }

    /** Runs a callback with this context on the calling thread; if that fails, without: a stage must be completed. */
    void run(Runnable callback) {
        Applied applied;
        try {
            applied = apply();
        } catch (Throwable e) {
            log.error("A context could not be applied; the callback runs without it", e);
            callback.run();
            return;
        }
        try {
            callback.run();
        } finally {
            undo(applied);
        }
    }

    private static boolean isEmpty(@Nullable Map<String, String> map) {
        return map == null || map.isEmpty();
    }

    /**
     * Undoes what {@link #apply} returned. Where there was nothing to apply, the task may still have left something.
     */
    void undo(@Nullable Applied applied) {
        if (applied != null) {
            applied.undo();
            return;
        }
        Thread thread = Thread.currentThread();
        if (thread.getContextClassLoader() != loader) {
            thread.setContextClassLoader(loader);
        }
        if (HAS_MDC && !isEmpty(MDC.getCopyOfContextMap())) {
            MDC.clear();
        }
    }

    private static void setMdc(@Nullable Map<String, String> map) {
        if (!HAS_MDC) {
            return;
        }
        if (map == null) {
            MDC.clear();
        } else {
            MDC.setContextMap(map);
        }
    }

    /** The former context of a thread; also takes away what the task left in the MDC. */
    static final class Applied {
        private final Thread thread;
        private final @Nullable ClassLoader formerLoader;
        private final @Nullable Map<String, String> formerMdc;
        private final Deque<Scope> scopes = new ArrayDeque<>(0);

        private Applied(Thread thread, @Nullable Map<String, String> formerMdc) {
            this.thread = thread;
            this.formerLoader = thread.getContextClassLoader();
            this.formerMdc = formerMdc;
        }

        void undo() {
            while (!scopes.isEmpty()) {
                try {
                    scopes.pop().close();
                } catch (Throwable e) {
                    log.error("A propagated context could not be taken off {}", thread.getName(), e);
                }
            }
            setMdc(formerMdc);
            thread.setContextClassLoader(formerLoader);
        }
    }
}
