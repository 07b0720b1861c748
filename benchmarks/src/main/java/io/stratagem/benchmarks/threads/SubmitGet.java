package io.stratagem.benchmarks.threads;

import com.google.common.util.concurrent.MoreExecutors;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** One task submitted and its result waited for, again and again: the round trip. */
abstract class SubmitGet implements Trial {

    final Increment increment = new Increment();
    private int size;
    private long sum;

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
    }

    @Override
    public void pass() throws Exception {
        sum = 0;
        for (int i = 0; i < size; i++) {
            sum += roundTrip(i);
        }
    }

    abstract int roundTrip(Integer input) throws Exception;

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum", (long) size * (size + 1) / 2, sum);
        increment.checkRunOnWorkers();
    }

    @Override
    public long operations() {
        return size;
    }

    /** Ours. */
    static final class OnThreadPoolStrategy extends SubmitGet {
        private final ThreadPoolStrategy strategy = ThreadPoolStrategy.create();
        private final Workload<Integer, Integer> workload = Workload.compute("increment", increment::apply);

        @Override
        int roundTrip(Integer input) throws Exception {
            return strategy.submit(workload, input).get().orElseThrow();
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** An executor service's submit and its future's get. */
    abstract static class OnExecutorService extends SubmitGet {
        private final ExecutorService executor;

        OnExecutorService(ExecutorService executor) {
            this.executor = executor;
        }

        @Override
        final int roundTrip(Integer input) throws Exception {
            Callable<Integer> task = () -> increment.apply(input);
            return executor.submit(task).get();
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

    /** Guava's listening decorator around the JDK's fixed pool. */
    static final class OnGuavaListening extends OnExecutorService {
        OnGuavaListening() {
            super(MoreExecutors.listeningDecorator(Executors.newFixedThreadPool(Cores.COUNT)));
        }
    }
}
