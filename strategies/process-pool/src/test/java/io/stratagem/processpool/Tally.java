package io.stratagem.processpool;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How often each of many tasks began and ended, wherever it ran: in a file that all processes map, so that what a task
 * has noted stays when its process is killed at the next instruction.
 */
/*
 *     0         4          8
 *     | in all  | process  | task 0: begun | ended | task 1: …         each an int
 */
final class Tally implements Serializable {
    private static final long serialVersionUID = 1;
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
    private static final int PROCESS = Integer.BYTES;
    private static final int TASKS = 2 * Integer.BYTES;

    private final String file;
    private final int tasks;
    private transient MappedByteBuffer memory;

    /**
     * A tally of no beginnings and no ends.
     *
     * @param file does not exist yet
     */
    Tally(Path file, int tasks) {
        this.file = file.toString();
        this.tasks = tasks;
    }

    private static int begunAt(int task) {
        return TASKS + 2 * Integer.BYTES * task;
    }

    private static int endedAt(int task) {
        return begunAt(task) + Integer.BYTES;
    }

    void begin(int task) {
        INT.getAndAdd(memory(), begunAt(task), 1);
        INT.setVolatile(memory(), PROCESS, (int) ProcessHandle.current().pid());
        INT.getAndAdd(memory(), 0, 1);
    }

    void end(int task) {
        INT.getAndAdd(memory(), endedAt(task), 1);
    }

    int begun(int task) {
        return (int) INT.getVolatile(memory(), begunAt(task));
    }

    int ended(int task) {
        return (int) INT.getVolatile(memory(), endedAt(task));
    }

    /** How many tasks have begun, those that began again included. */
    int begunInAll() {
        return (int) INT.getVolatile(memory(), 0);
    }

    /** The process in which a task has begun last. */
    long lastProcess() {
        return (int) INT.getVolatile(memory(), PROCESS);
    }

    private synchronized MappedByteBuffer memory() {
        if (memory == null) {
            try (FileChannel channel = FileChannel.open(
                    Path.of(file), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, begunAt(tasks));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return memory;
    }
}
