package io.stratagem.threadpool;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadFactory;

/**
 * Virtual threads, where the JVM has them: since 21, and since 24 without their carrier being held by
 * {@code synchronized}. Called by reflection, since this is compiled for 17.
 */
final class VirtualThreads {
    private static final int FIRST = 21;
    private static final int FIRST_WITHOUT_PINNING = 24;

    private VirtualThreads() {}

    static boolean areThere() {
        return Runtime.version().feature() >= FIRST;
    }

    static boolean areDefault() {
        return Runtime.version().feature() >= FIRST_WITHOUT_PINNING;
    }

    /** Makes unstarted virtual threads that inherit no thread-locals; their names are set by the worker. */
    static ThreadFactory factory() {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Class<?> type = Class.forName("java.lang.Thread$Builder");
            builder = type.getMethod("inheritInheritableThreadLocals", boolean.class)
                    .invoke(builder, false);
            Method factory = type.getMethod("factory");
            return (ThreadFactory) factory.invoke(builder);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no virtual threads: " + Runtime.version(), e);
        }
    }
}
