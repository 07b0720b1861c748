package io.stratagem.benchmarks.queues;

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import org.jctools.queues.atomic.MpmcAtomicArrayQueue;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;

/**
 * The queues that could stand between those who submit and the workers of a pool: safe for many producers and many
 * consumers, and free of {@code sun.misc.Unsafe}.
 */
public enum HandOffQueue {
    MPMC_VAR_HANDLE("MpmcVarHandleArrayQueue"),
    MPMC_ATOMIC("MpmcAtomicArrayQueue"),
    CONCURRENT_LINKED("ConcurrentLinkedQueue"),
    LINKED_TRANSFER("LinkedTransferQueue"),
    LINKED_BLOCKING("LinkedBlockingQueue"),
    ARRAY_BLOCKING("ArrayBlockingQueue");

    private final String className;

    HandOffQueue(String className) {
        this.className = className;
    }

    String className() {
        return className;
    }

    /** A new queue with room for that many at least. */
    Queue<Object> create(int capacity) {
        return switch (this) {
            case MPMC_VAR_HANDLE -> new MpmcVarHandleArrayQueue<>(capacity);
            case MPMC_ATOMIC -> new MpmcAtomicArrayQueue<>(capacity);
            case CONCURRENT_LINKED -> new ConcurrentLinkedQueue<>();
            case LINKED_TRANSFER -> new LinkedTransferQueue<>();
            case LINKED_BLOCKING -> new LinkedBlockingQueue<>();
            case ARRAY_BLOCKING -> new ArrayBlockingQueue<>(capacity);
        };
    }
}
