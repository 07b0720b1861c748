package io.stratagem.benchmarks.threads;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.VirtualThreads;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Many blocking sleeps of 100 ms at once; what is measured is the time until all results are in a list. */
abstract class Sleeps implements Trial {

    private static final int SLEEP_MILLIS = 100;

    int size;
    private int slept;

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
    }

    @Override
    public void pass() throws Exception {
        slept = sleepAll();
    }

    /** What is timed; gives the number of results that are as they must be. */
    abstract int sleepAll() throws Exception;

    static Integer sleep(Integer input) throws InterruptedException {
        Thread.sleep(SLEEP_MILLIS);
        return input;
    }

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sleeps", size, slept);
    }

    /** A pass is one operation: nobody waits for one sleep of a hundred thousand. */
    @Override
    public long operations() {
        return 1;
    }

    static int countRight(List<Integer> values) {
        return (int) IntStream.range(0, values.size())
                .filter(i -> values.get(i) == i)
                .count();
    }

    /** Ours, with a window and a bound that let all sleep at once. */
    static final class OnThreadPoolStrategy extends Sleeps {
        private final Workload<Integer, Integer> workload = Workload.blocking("sleep", Sleeps::sleep);
        private ThreadPoolStrategy strategy;

        @Override
        public void prepare(String metric, int newSize) {
            super.prepare(metric, newSize);
            strategy = ThreadPoolStrategy.builder()
                    .virtualThreads(true)
                    .blockingThreads(newSize)
                    .window(newSize)
                    .build();
        }

        @Override
        int sleepAll() {
            try (Stream<Result<Integer>> stream =
                    strategy.map(workload, IntStream.range(0, size).boxed())) {
                return countRight(
                        stream.toList().stream().map(Result::orElseThrow).toList());
            }
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** The JDK's executor with a virtual thread for each task. */
    static final class OnVirtualThreads extends Sleeps {
        private final ExecutorService executor = VirtualThreads.perTask();

        @Override
        int sleepAll() throws Exception {
            List<Future<Integer>> futures = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                Integer input = i;
                Callable<Integer> task = () -> sleep(input);
                futures.add(executor.submit(task));
            }
            List<Integer> values = new ArrayList<>(size);
            for (Future<Integer> future : futures) {
                values.add(future.get());
            }
            return countRight(values);
        }

        @Override
        public void close() {
            executor.shutdownNow();
        }
    }
}
