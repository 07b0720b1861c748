package io.stratagem.benchmarks.threads;

import com.google.common.util.concurrent.MoreExecutors;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;

/**
 * Many tasks submitted one by one, and then all their results waited for.
 *
 * @param <R> what a future gives
 */
abstract class SubmitMany<R> implements Trial {

    final Increment increment = new Increment();
    private int size;
    private long sum;

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
    }

    @Override
    public final void pass() throws InterruptedException, ExecutionException {
        List<Future<R>> futures = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            futures.add(submit(i));
        }
        sum = 0;
        for (Future<R> future : futures) {
            sum += value(future.get());
        }
    }

    abstract Future<R> submit(Integer input);

    abstract int value(R result);

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum", (long) size * (size + 1) / 2, sum);
    }

    @Override
    public long operations() {
        return size;
    }

    /** Ours. */
    static final class OnThreadPoolStrategy extends SubmitMany<Result<Integer>> {
        private final ThreadPoolStrategy strategy = ThreadPoolStrategy.create();
        private final Workload<Integer, Integer> workload = Workload.compute("increment", increment::apply);

        @Override
        Future<Result<Integer>> submit(Integer input) {
            return strategy.submit(workload, input);
        }

        @Override
        int value(Result<Integer> result) {
            return result.orElseThrow();
        }

        @Override
        public void verify() throws WrongResultException {
            super.verify();
            increment.checkRunOnWorkers();
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** An executor service. */
    abstract static class OnExecutorService extends SubmitMany<Integer> {
        private final ExecutorService executor;

        OnExecutorService(ExecutorService executor) {
            this.executor = executor;
        }

        @Override
        final Future<Integer> submit(Integer input) {
            Callable<Integer> task = () -> increment.apply(input);
            return executor.submit(task);
        }

        @Override
        final int value(Integer result) {
            return result;
        }

        @Override
        public final void close() {
            executor.shutdownNow();
        }
    }

    /** The JDK's fixed pool. */
    static final class OnThreadPoolExecutor extends OnExecutorService {
        OnThreadPoolExecutor() {
            super(Executors.newFixedThreadPool(Cores.COUNT));
        }
    }

    /** The JDK's work-stealing pool. */
    static final class OnForkJoinPool extends OnExecutorService {
        OnForkJoinPool() {
            super(new ForkJoinPool(Cores.COUNT));
        }
    }

    /** Guava's listening decorator around the JDK's fixed pool. */
    static final class OnGuavaListening extends OnExecutorService {
        OnGuavaListening() {
            super(MoreExecutors.listeningDecorator(Executors.newFixedThreadPool(Cores.COUNT)));
        }
    }
}
