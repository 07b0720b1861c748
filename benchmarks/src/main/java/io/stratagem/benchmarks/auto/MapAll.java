package io.stratagem.benchmarks.auto;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Very many tiny tasks through one map. */
final class MapAll implements Trial {
    private OnStrategy on;
    private ExecutorStrategy strategy;
    private int size;
    private long sum;

    @Override
    public void prepare(String metric, int newSize) {
        on = OnStrategy.of(metric);
        strategy = on.create();
        size = newSize;
    }

    @Override
    public void pass() {
        try (Stream<Result<Integer>> results =
                strategy.map(on.workload(), IntStream.range(0, size).boxed())) {
            sum = results.mapToLong(Result::orElseThrow).sum();
        }
    }

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum", (long) size * (size + 1) / 2, sum);
    }

    @Override
    public long operations() {
        return size;
    }

    @Override
    public void close() {
        strategy.close();
    }
}
