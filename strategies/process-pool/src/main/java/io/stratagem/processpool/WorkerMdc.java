package io.stratagem.processpool;

import org.jspecify.annotations.Nullable;
import org.slf4j.spi.MDCAdapter;

/** The MDC of a worker's threads. Apart from all that uses SLF4J, since few workers ever load that. */
final class WorkerMdc {
    private static volatile @Nullable MDCAdapter present;

    private WorkerMdc() {}

    /** Something has used SLF4J, for the first time. */
    static void use(MDCAdapter adapter) {
        present = adapter;
    }

    /** Empties that of this thread. */
    static void clear() {
        MDCAdapter adapter = present;
        if (adapter != null) {
            adapter.clear();
        }
    }
}
