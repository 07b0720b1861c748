package io.stratagem.benchmarks.threads;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Chain;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** A list of numbers through a {@link Chain} to the list of the chains' ends. The metric's name says how long one is. */
abstract class MapChains implements Trial {

    static final String FIVE_MICROS = "map-5us";
    static final String ONE_MILLI = "map-1ms";

    List<Long> inputs = List.of();
    private long expected;
    private long actual;

    @Override
    public void prepare(String metric, int size) {
        Chain chain = chain(metric);
        inputs = LongStream.range(0, size).boxed().collect(Collectors.toList());
        expected = inputs.stream().mapToLong(chain::apply).sum();
        prepare(chain);
    }

    private static Chain chain(String metric) {
        return switch (metric) {
            case FIVE_MICROS -> new Chain(5);
            case ONE_MILLI -> new Chain(1000);
            default -> throw new IllegalArgumentException("no chain for " + metric);
        };
    }

    abstract void prepare(Chain chain);

    @Override
    public void pass() throws Exception {
        actual = sumOfEnds();
    }

    /** What is timed: all ends in a list, and their sum. */
    abstract long sumOfEnds() throws Exception;

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum of the ends", expected, actual);
    }

    @Override
    public long operations() {
        return inputs.size();
    }

    /** Ours: the strategy's map to a list of results. */
    static final class OnThreadPoolStrategy extends MapChains {
        private final ThreadPoolStrategy strategy = ThreadPoolStrategy.create();
        private Workload<Long, Long> workload;

        @Override
        void prepare(Chain chain) {
            workload = Workload.compute("chain", chain::apply);
        }

        @Override
        long sumOfEnds() {
            try (Stream<Result<Long>> stream = strategy.map(workload, inputs)) {
                return stream.toList().stream().mapToLong(Result::orElseThrow).sum();
            }
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** Threads started by hand, one for each core, each with its share of the list. */
    static final class OnBareThreads extends MapChains {
        private Chain chain;

        @Override
        void prepare(Chain newChain) {
            chain = newChain;
        }

        @Override
        long sumOfEnds() throws InterruptedException {
            Long[] ends = new Long[inputs.size()];
            BareThreads.run(inputs.size(), i -> ends[i] = chain.apply(inputs.get(i)));
            return Arrays.stream(ends).mapToLong(Long::longValue).sum();
        }
    }
}
