package io.stratagem.benchmarks.threads;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** What one writes by hand: a thread for each core, each with a fixed share of the elements. */
final class BareThreads {

    private BareThreads() {}

    /** Runs the work for each index below size, and waits for all. */
    static void run(int size, IntConsumer work) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < Cores.COUNT; t++) {
            int from = (int) ((long) size * t / Cores.COUNT);
            int to = (int) ((long) size * (t + 1) / Cores.COUNT);
            Thread thread = new Thread(() -> {
                for (int i = from; i < to; i++) {
                    work.accept(i);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
