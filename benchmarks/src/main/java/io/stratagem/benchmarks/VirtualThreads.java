package io.stratagem.benchmarks;

import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The virtual threads of newer JDKs, by reflection, since this is compiled for 17. */
public final class VirtualThreads {

    private VirtualThreads() {}

    /**
     * An executor with a virtual thread for each task.
     *
     * @throws IllegalStateException if this JDK has none
     */
    public static ExecutorService perTask() {
        try {
            return (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("virtual threads need JDK 21", e);
        }
    }
}
