package io.stratagem.processpool;

import io.stratagem.Result;
import io.stratagem.TaskFailedException;

/** What a driver needs when its worker is ready: the classes for the first batch and its results. */
final class FirstBatch {
    private static final Class<?>[] NEEDED = {
        WorkloadTable.class,
        WorkloadTable.Defined.class,
        LoaderTable.class,
        LoaderTable.Slot.class,
        LoaderTable.Values.class,
        ResourceServer.class,
        ThrowableCodec.class,
        UserCode.class,
        PackedCommand.class,
        ValueReader.class,
        Result.Success.class,
        TaskFailedException.class
    };

    private FirstBatch() {}

    /** Loads them, while the worker's JVM comes up: later its first task would wait for that. */
    static void prepare() {
        for (Class<?> type : NEEDED) {
            try {
                Class.forName(type.getName(), true, type.getClassLoader());
            } catch (ClassNotFoundException e) {
                throw new AssertionError(e); // it is there
            }
        }
    }
}
