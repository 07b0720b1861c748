package io.stratagem.batchedipc;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory that is unmapped at once when it is closed; each access through any buffer then throws. It needs
 * {@code java.lang.foreign} of Java 22, which code for 17 can only call through method handles.
 */
/* An arena that may be closed is never freed by the collector. So that memory does not stay mapped that was forgotten,
 * each buffer is made over a segment of its own, the segments are counted, and the last that cannot be reached any more
 * closes the arena. A buffer holds on to its segment, and so do the buffers made from it.
 */
final class ArenaMapping implements Mapping {
    static final int FROM_JAVA = 22;

    private static final MethodHandle OF_SHARED;
    private static final MethodHandle MAP;
    private static final MethodHandle AS_SLICE;
    private static final MethodHandle AS_BYTE_BUFFER;
    private static final MethodHandle CLOSE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            Class<?> arena = Class.forName("java.lang.foreign.Arena");
            Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
            OF_SHARED = erased(lookup.findStatic(arena, "ofShared", MethodType.methodType(arena)));
            MAP = erased(lookup.findVirtual(
                    FileChannel.class,
                    "map",
                    MethodType.methodType(segment, MapMode.class, long.class, long.class, arena)));
            AS_SLICE = erased(
                    lookup.findVirtual(segment, "asSlice", MethodType.methodType(segment, long.class, long.class)));
            AS_BYTE_BUFFER =
                    erased(lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class)));
            CLOSE = erased(lookup.findVirtual(arena, "close", MethodType.methodType(void.class)));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object segment;
    private final Holders holders;
    private final ByteBuffer[] chunks;

    ArenaMapping(FileChannel channel, long offset, long bytes, boolean isReadOnly) throws IOException {
        Object arena = openArena();
        holders = new Holders(arena);
        boolean isMapped = false;
        try {
            segment = map(channel, isReadOnly ? MapMode.READ_ONLY : MapMode.READ_WRITE, offset, bytes, arena);
            chunks = Mapping.chunks(bytes, this::view);
            isMapped = true;
        } finally {
            if (!isMapped) {
                holders.closeArena();
            }
        }
    }

    @Override
    public ByteBuffer[] chunks() {
        return chunks;
    }

    @Override
    public ByteBuffer view(long from, int bytes) {
        try {
            Object slice = (Object) AS_SLICE.invokeExact(segment, from, (long) bytes);
            ByteBuffer view = (ByteBuffer) AS_BYTE_BUFFER.invokeExact(slice);
            holders.add(slice);
            return view.order(ByteOrder.nativeOrder());
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    @Override
    public void close() {
        holders.closeArena();
    }

    private static Object openArena() {
        try {
            return (Object) OF_SHARED.invokeExact();
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    private static Object map(FileChannel channel, MapMode mode, long offset, long bytes, Object arena)
            throws IOException {
        try {
            return (Object) MAP.invokeExact(channel, mode, offset, bytes, arena);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** With {@code Object} where Java 17 does not know the type. */
    private static MethodHandle erased(MethodHandle handle) {
        MethodType type = handle.type();
        for (int i = 0; i < type.parameterCount(); i++) {
            if (type.parameterType(i).getName().startsWith("java.lang.foreign.")) {
                type = type.changeParameterType(i, Object.class);
            }
        }
        if (type.returnType().getName().startsWith("java.lang.foreign.")) {
            type = type.changeReturnType(Object.class);
        }
        return handle.asType(type);
    }

    private static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return thrown instanceof RuntimeException exception ? exception : new IllegalStateException(thrown);
    }

    /** Counts the segments that can be reached. Must not lead to any of them. */
    private static final class Holders implements Runnable {
        private final Object arena;
        private final AtomicInteger count = new AtomicInteger();

        /** Guarded by this. */
        private boolean isClosed;

        Holders(Object arena) {
            this.arena = arena;
        }

        void add(Object slice) {
            count.incrementAndGet();
            SharedMemory.CLEANER.register(slice, this);
        }

        /** One of them cannot be reached any more. */
        @Override
        public void run() {
            if (count.decrementAndGet() == 0) {
                closeArena();
            }
        }

        synchronized void closeArena() {
            if (!isClosed) {
                try {
                    CLOSE.invokeExact(arena);
                } catch (Throwable e) {
                    throw unchecked(e);
                }
                isClosed = true;
            }
        }
    }
}
