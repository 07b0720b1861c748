package io.stratagem.benchmarks.processes;

import io.stratagem.Workload;
import io.stratagem.benchmarks.WrongResultException;

/** The trivial element: one more than the input. It counts its runs in each JVM, to show that none was in this one. */
final class Increment {

    /* Written without a lock: racing writers may lose counts, but not the fact that there were any. */
    private static int runs;

    private Increment() {}

    static Integer apply(Integer input) {
        runs++;
        return input + 1;
    }

    static Workload<Integer, Integer> workload() {
        return Workload.named("increment").isolated().compute(Increment::apply);
    }

    /** Blocking work is not batched: each task goes to a worker in a frame of its own. */
    static Workload<Integer, Integer> unbatchedWorkload() {
        return Workload.named("increment").isolated().blocking(Increment::apply);
    }

    /** Throws if an element was run in this JVM. */
    static void checkRunInWorkers() throws WrongResultException {
        WrongResultException.check("elements that were not run in a worker process", 0, runs);
    }
}
