package com.example.app;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;

/** An application, which prints what it got from a worker. */
public final class Main {
    private Main() {}

    /** Runs tasks in a pool of its own. */
    public static void main(String[] arguments) {
        try (ProcessPoolStrategy pool = ProcessPoolStrategy.builder()
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1")
                .build()) {
            print("mirror", pool.run(Tasks.MIRROR, new Point(1, 2, Colour.RED)));
            Workload<Integer, Long> pid =
                    Workload.blocking("pid", input -> ProcessHandle.current().pid());
            print(
                    "elsewhere",
                    pool.run(pid, 0).map(each -> each != ProcessHandle.current().pid()));
            for (String name : new String[] {"fail", "broken", "service", "place", "context", "library"}) {
                print(name, pool.run(Tasks.workload(name), 0));
            }
            print("resource", pool.run(Tasks.workload("resource"), "META-INF/app/words.txt"));
        }
    }

    private static void print(String name, Result<?> result) {
        String text = result instanceof Result.Failure<?> failure
                ? String.valueOf(failure.cause())
                : String.valueOf(result.orElseThrow());
        System.out.println("answer " + name + "=" + text);
    }
}
