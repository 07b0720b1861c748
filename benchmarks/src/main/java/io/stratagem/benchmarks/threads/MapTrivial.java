package io.stratagem.benchmarks.threads;

import com.google.common.util.concurrent.ListeningExecutorService;
import com.google.common.util.concurrent.MoreExecutors;
import com.pivovarit.collectors.ParallelCollectors;
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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A list of integers through {@link Increment} to a list of results, in order.
 *
 * @param <R> what stands for one element in the list of results
 */
abstract class MapTrivial<R> implements Trial {

    final Increment increment = new Increment();
    List<Integer> inputs = List.of();
    private List<R> results = List.of();

    @Override
    public void prepare(String metric, int size) {
        inputs = IntStream.range(0, size).boxed().collect(Collectors.toCollection(ArrayList::new));
    }

    @Override
    public void pass() throws Exception {
        results = map();
    }

    /** What is timed. */
    abstract List<R> map() throws Exception;

    abstract int value(R result);

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("results", inputs.size(), results.size());
        for (int i = 0; i < inputs.size(); i++) {
            WrongResultException.check("result " + i, i + 1L, value(results.get(i)));
        }
        results = List.of();
    }

    @Override
    public long operations() {
        return inputs.size();
    }

    /** Ours: through the strategy's map, to the results with what is known of each. */
    static final class OnThreadPoolStrategy extends MapTrivial<Result<Integer>> {
        private final ThreadPoolStrategy strategy = ThreadPoolStrategy.create();
        private final Workload<Integer, Integer> workload = Workload.compute("increment", increment::apply);

        @Override
        List<Result<Integer>> map() {
            try (Stream<Result<Integer>> stream = strategy.map(workload, inputs)) {
                return stream.toList();
            }
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

    /** A peer that gives a plain list. */
    abstract static class ToPlainList extends MapTrivial<Integer> {
        @Override
        final int value(Integer result) {
            return result;
        }
    }

    /** Each element submitted to an executor service, then each future asked for its value. */
    abstract static class SubmitAndGet extends ToPlainList {
        private final ExecutorService executor;

        SubmitAndGet(ExecutorService executor) {
            this.executor = executor;
        }

        @Override
        final List<Integer> map() throws InterruptedException, ExecutionException {
            List<Future<Integer>> futures = new ArrayList<>(inputs.size());
            for (Integer input : inputs) {
                Callable<Integer> task = () -> increment.apply(input);
                futures.add(executor.submit(task));
            }
            List<Integer> values = new ArrayList<>(futures.size());
            for (Future<Integer> future : futures) {
                values.add(future.get());
            }
            return values;
        }

        @Override
        public final void close() {
            executor.shutdownNow();
        }
    }

    /** The JDK's fixed pool. */
    static final class OnThreadPoolExecutor extends SubmitAndGet {
        OnThreadPoolExecutor() {
            super(Executors.newFixedThreadPool(Cores.COUNT));
        }
    }

    /** The JDK's work-stealing pool. */
    static final class OnForkJoinPool extends SubmitAndGet {
        OnForkJoinPool() {
            super(new ForkJoinPool(Cores.COUNT));
        }
    }

    /** Guava's listening decorator around the JDK's fixed pool. */
    static final class OnGuavaListening extends SubmitAndGet {
        OnGuavaListening() {
            super(guavaListening());
        }

        private static ListeningExecutorService guavaListening() {
            return MoreExecutors.listeningDecorator(Executors.newFixedThreadPool(Cores.COUNT));
        }
    }

    /** The JDK's parallel stream, which lets the reader work too, and keeps no results, bounds or failures. */
    static final class OnParallelStream extends ToPlainList {
        @Override
        List<Integer> map() {
            return inputs.parallelStream().map(increment::apply).toList();
        }
    }

    /** The collectors of com.pivovarit, on the JDK's fixed pool. */
    static final class OnParallelCollectors extends ToPlainList {
        private final ExecutorService executor = Executors.newFixedThreadPool(Cores.COUNT);

        @Override
        List<Integer> map() throws InterruptedException, ExecutionException {
            return inputs.stream()
                    .collect(ParallelCollectors.parallel(increment::apply, Collectors.toList(), executor, Cores.COUNT))
                    .get();
        }

        @Override
        public void close() {
            executor.shutdownNow();
        }
    }
}
