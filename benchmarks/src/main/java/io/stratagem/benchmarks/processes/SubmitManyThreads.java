package io.stratagem.benchmarks.processes;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Several threads submit trivial tasks one by one, and each then waits for the results of its own. */
abstract class SubmitManyThreads implements Trial {
    private static final int THREADS = 8;

    private final ExecutorStrategy strategy;
    private final Workload<Integer, Integer> workload = Increment.workload();
    private final ExecutorService submitters = Executors.newFixedThreadPool(THREADS);
    private int each;
    private long sum;

    SubmitManyThreads(ExecutorStrategy strategy) {
        this.strategy = strategy;
    }

    @Override
    public void prepare(String metric, int size) {
        each = size / THREADS;
    }

    @Override
    public void pass() throws Exception {
        sum = 0;
        Callable<Long> body = this::submitAll;
        for (Future<Long> part : submitters.invokeAll(Collections.nCopies(THREADS, body))) {
            sum += part.get();
        }
    }

    private long submitAll() throws InterruptedException, ExecutionException {
        List<Future<Result<Integer>>> futures = new ArrayList<>(each);
        for (int i = 0; i < each; i++) {
            futures.add(strategy.submit(workload, i));
        }
        long part = 0;
        for (Future<Result<Integer>> future : futures) {
            part += future.get().orElseThrow();
        }
        return part;
    }

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum", THREADS * ((long) each * (each + 1) / 2), sum);
        Increment.checkRunInWorkers();
    }

    @Override
    public long operations() {
        return (long) THREADS * each;
    }

    @Override
    public void close() {
        submitters.shutdownNow();
        strategy.close();
    }

    /** Ours. */
    static final class OnProcessPoolStrategy extends SubmitManyThreads {
        OnProcessPoolStrategy() {
            super(Workers.startedStrategy());
        }
    }

    /** Ours, through shared memory. */
    static final class OnBatchedIpcStrategy extends SubmitManyThreads {
        OnBatchedIpcStrategy() {
            super(Workers.startedSharing());
        }
    }
}
