package io.stratagem.benchmarks.queues;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The hand-off of a pool: producers put elements into one queue, consumers take them out, and one operation is one
 * element from its offer to its poll. The benchmark's own thread is one of the producers; an invocation ends when the
 * consumers have taken everything. Whoever finds the queue empty or full yields, so that more threads than cores do
 * not measure the scheduler's time slices.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HandOff {

    private static final int ELEMENTS = 16_384;
    private static final int CAPACITY = 4_096;
    private static final Object ELEMENT = new Object();

    /** Which queue. */
    @Param
    public HandOffQueue queue;

    /** How many threads offer. */
    @Param({"1", "2"})
    public int producers;

    /** How many threads poll. */
    @Param({"1", "2"})
    public int consumers;

    private final List<Thread> threads = new ArrayList<>();
    private final List<AtomicLong> taken = new ArrayList<>();
    private Queue<Object> handOff;
    private volatile boolean isOver;
    private final AtomicLong invocations = new AtomicLong();

    /** Starts the consumers and the further producers. */
    @Setup(Level.Trial)
    public void start() {
        handOff = queue.create(CAPACITY);
        for (int i = 0; i < consumers; i++) {
            AtomicLong count = new AtomicLong();
            taken.add(count);
            start(() -> consume(count));
        }
        for (int i = 1; i < producers; i++) {
            start(this::produceEachInvocation);
        }
    }

    private void start(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    /** Ends all threads. */
    @TearDown(Level.Trial)
    public void stop() throws InterruptedException {
        isOver = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
            thread.join();
        }
    }

    /** All elements through the queue. */
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void elements() {
        long expected = invocations.incrementAndGet() * ELEMENTS;
        threads.forEach(LockSupport::unpark);
        produce();
        while (taken.stream().mapToLong(AtomicLong::getAcquire).sum() < expected) {
            letOthersRun();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // see the class comment
    private static void letOthersRun() {
        Thread.yield();
    }

    private void produceEachInvocation() {
        for (long done = 0; !isOver; ) {
            if (done < invocations.get()) {
                produce();
                done++;
            } else {
                LockSupport.park(this);
            }
        }
    }

    private void produce() {
        for (int i = 0; i < ELEMENTS / producers; i++) {
            while (!handOff.offer(ELEMENT)) {
                letOthersRun();
            }
        }
    }

    /** The count is written by this thread only. */
    private void consume(AtomicLong count) {
        while (!isOver) {
            if (handOff.poll() != null) {
                count.setRelease(count.getPlain() + 1);
            } else {
                letOthersRun();
            }
        }
    }
}
