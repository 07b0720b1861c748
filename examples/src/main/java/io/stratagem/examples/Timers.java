package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.TaskInfo;
import io.stratagem.TaskListener;
import io.stratagem.Workload;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** Very many tasks that only wait, all at the same time. */
public final class Timers {
    private static final String HELP = """
            usage: examples/run timers [--tasks N] [--millis MS]

            Lets N tasks (100,000 by default) wait for MS milliseconds (2,000 by default) at the same time, and prints
            how long all of them took and how much memory a waiting task needs. First they wait in Thread.sleep, if
            this JVM has virtual threads; then in loop.delay, which holds no thread.

            exit code  0  every task has waited
                       1  some could not
                       2  bad arguments
            """;

    private static final Workload<Duration, Void> SLEEP =
            Workload.blockingAction("sleep", time -> Thread.sleep(time.toMillis()));

    static final Workload<Duration, Void> DELAY = Workload.async("delay", (time, loop) -> loop.delay(time));

    private static final int MOST_TASKS = 10_000_000;
    private static final int ENOUGH_FOR_AN_AVERAGE = 1_000;
    private static final int JAVA = Runtime.version().feature();
    private static final boolean HAS_VIRTUAL_THREADS = JAVA >= 21;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("timers", HELP, args, out, err, Timers::waitForAll);
    }

    private static void waitForAll(Cli cli) throws Exception {
        int tasks = cli.atMost(MOST_TASKS, "--tasks", 100_000);
        Duration time = Duration.ofMillis(cli.number("--millis", 2_000));
        cli.end();

        String oneByOne = Units.time(time.multipliedBy(tasks));
        cli.println(Units.count(tasks, "task") + " wait " + Units.time(time) + " each; one by one: " + oneByOne);
        if (HAS_VIRTUAL_THREADS) {
            waitForAll("Thread.sleep on virtual threads", SLEEP, time, tasks, cli);
        } else {
            cli.println("  Thread.sleep: not here, Java " + JAVA + " has no virtual threads");
        }
        waitForAll("loop.delay without threads", DELAY, time, tasks, cli);
    }

    private static void waitForAll(String how, Workload<Duration, Void> workload, Duration time, int tasks, Cli cli)
            throws InterruptedException {
        int warmUp = 1 + tasks / 10;
        CountDownLatch toStart = new CountDownLatch(warmUp + tasks);
        try (ExecutorStrategy threads = strategyFor(tasks, toStart)) {
            submit(workload, Duration.ZERO, warmUp, threads).forEach(CompletableFuture::join);

            long heapBefore = heapInUse();
            Stopwatch watch = Stopwatch.createStarted();
            List<CompletableFuture<Result<Void>>> futures = submit(workload, time, tasks, threads);
            toStart.await();
            long waiting = threads.snapshot().running();
            long bytes = (heapInUse() - heapBefore) / tasks;

            Stream<Result<Void>> results = futures.stream().map(CompletableFuture::join);
            Results.collect(Progress.of(results, workload.name(), tasks))
                    .failures()
                    .forEach(cli::problem);
            String memory = tasks < ENOUGH_FOR_AN_AVERAGE ? "" : ", " + Units.count(bytes, "byte") + " each";
            String total = Units.time(watch.elapsed());
            cli.println("  " + how + ": " + total + ", " + Units.count(waiting) + " at once" + memory);
        }
    }

    private static List<CompletableFuture<Result<Void>>> submit(
            Workload<Duration, Void> workload, Duration time, int tasks, ExecutorStrategy threads) {
        return Stream.generate(() -> threads.submit(workload, time))
                .limit(tasks)
                .toList();
    }

    private static ExecutorStrategy strategyFor(int tasks, CountDownLatch toStart) {
        return ThreadPoolStrategy.builder()
                .virtualThreads(HAS_VIRTUAL_THREADS)
                .blockingThreads(tasks)
                .maxPending(tasks)
                .listener(countingDown(toStart))
                .build();
    }

    private static TaskListener countingDown(CountDownLatch toStart) {
        return new TaskListener() {
            @Override
            public void started(TaskInfo task, String worker) {
                toStart.countDown();
            }
        };
    }

    private static long heapInUse() {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }
}
