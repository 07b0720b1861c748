package io.stratagem.benchmarks.auto;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Many tasks submitted one by one, and then all their results waited for: with a strategy, and by way of the choice. */
abstract class SubmitAll implements Trial {
    private final ExecutorStrategy strategy;
    private final Workload<Integer, Integer> workload;
    private int size;
    private long sum;

    private SubmitAll(ExecutorStrategy strategy, OnStrategy chosen) {
        this.strategy = strategy;
        this.workload = chosen.workload();
    }

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
    }

    @Override
    public void pass() {
        List<CompletableFuture<Result<Integer>>> futures = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            futures.add(strategy.submit(workload, i));
        }
        sum = 0;
        for (CompletableFuture<Result<Integer>> future : futures) {
            sum += future.join().orElseThrow();
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

    /** Chosen. */
    static final class AutoOnThreads extends SubmitAll {
        AutoOnThreads() {
            super(Stratagem.auto(), OnStrategy.THREADS);
        }
    }

    /** Named. */
    static final class DirectOnThreads extends SubmitAll {
        DirectOnThreads() {
            super(OnStrategy.THREADS.create(), OnStrategy.THREADS);
        }
    }

    /** Chosen. */
    static final class AutoOnProcesses extends SubmitAll {
        AutoOnProcesses() {
            super(Stratagem.auto(), OnStrategy.PROCESSES);
        }
    }

    /** Named. */
    static final class DirectOnProcesses extends SubmitAll {
        DirectOnProcesses() {
            super(OnStrategy.PROCESSES.create(), OnStrategy.PROCESSES);
        }
    }
}
