package io.stratagem.benchmarks.processes;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A list of integers through {@link Increment} to the list of results, in order, by our strategy. */
abstract class MapIncrements implements Trial {

    private final ExecutorStrategy strategy;
    private final Workload<Integer, Integer> workload;
    private List<Integer> inputs = List.of();
    private List<Result<Integer>> results = List.of();

    MapIncrements(ExecutorStrategy strategy, Workload<Integer, Integer> workload) {
        this.strategy = strategy;
        this.workload = workload;
    }

    @Override
    public void prepare(String metric, int size) {
        inputs = IntStream.range(0, size).boxed().collect(Collectors.toList());
    }

    @Override
    public void pass() {
        try (Stream<Result<Integer>> stream = strategy.map(workload, inputs)) {
            results = stream.toList();
        }
    }

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("results", inputs.size(), results.size());
        for (int i = 0; i < inputs.size(); i++) {
            Result<Integer> result = results.get(i);
            WrongResultException.check("result " + i, i + 1L, result.orElseThrow());
            verifyBatch(result.execution().batchSize());
        }
        results = List.of();
        Increment.checkRunInWorkers();
    }

    abstract void verifyBatch(int size) throws WrongResultException;

    @Override
    public long operations() {
        return inputs.size();
    }

    @Override
    public void close() {
        strategy.close();
    }

    /** As many tasks at once as the strategy finds right. */
    static final class InBatches extends MapIncrements {
        InBatches() {
            super(Workers.startedStrategy(), Increment.workload());
        }

        @Override
        void verifyBatch(int size) {}
    }

    /** As many tasks at once as the strategy finds right, through shared memory. */
    static final class InSharedMemory extends MapIncrements {
        InSharedMemory() {
            super(Workers.startedSharing(), Increment.workload());
        }

        @Override
        void verifyBatch(int size) {}
    }

    /** One task in each frame. */
    static final class OneByOne extends MapIncrements {
        OneByOne() {
            super(Workers.startedStrategy(), Increment.unbatchedWorkload());
        }

        @Override
        void verifyBatch(int size) throws WrongResultException {
            WrongResultException.check("tasks in a frame", 1, size);
        }
    }
}
