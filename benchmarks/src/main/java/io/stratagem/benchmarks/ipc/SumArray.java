package io.stratagem.benchmarks.ipc;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.batchedipc.SharedArray;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.nio.DoubleBuffer;
import java.util.Random;

/** One task: the sum of a large array of doubles, in a worker process. The numbers are whole, so it is exact. */
abstract class SumArray implements Trial {

    private static final int GREATEST = 1000;

    final ExecutorStrategy strategy =
            BatchedIpcStrategy.builder().workerProcesses(2).build();
    double[] values = {};
    private double expected;
    private double sum;

    @Override
    public void prepare(String metric, int size) throws Exception {
        values = new Random(42).ints(size, 0, GREATEST).asDoubleStream().toArray();
        for (double value : values) {
            expected += value;
        }
    }

    @Override
    public void pass() {
        sum = sum();
    }

    abstract double sum();

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("sum", (long) expected, (long) sum);
    }

    @Override
    public long operations() {
        return 1;
    }

    @Override
    public void close() {
        strategy.close();
    }

    /** With four sums: one would wait for each addition. */
    static double sum(DoubleBuffer values) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int count = values.limit();
        int i = 0;
        for (; i < count - 3; i += 4) {
            a += values.get(i);
            b += values.get(i + 1);
            c += values.get(i + 2);
            d += values.get(i + 3);
        }
        for (; i < count; i++) {
            a += values.get(i);
        }
        return a + b + c + d;
    }

    /** The array is the input. */
    static class Sent extends SumArray {
        private final Workload<double[], Double> workload =
                Workload.named("sum").isolated().compute(values -> sum(DoubleBuffer.wrap(values)));

        @Override
        double sum() {
            return strategy.run(workload, values).orElseThrow();
        }
    }

    /** The same, and each time it is another array. */
    static final class SentFresh extends Sent {
        @Override
        public void verify() throws WrongResultException {
            super.verify();
            values = values.clone();
        }
    }

    /** The array is in shared memory, and what is sent says where. */
    static final class Shared extends SumArray {
        private final Workload<SharedArray, Double> workload =
                Workload.named("sum").isolated().compute(Shared::sum);
        private SharedArray shared;

        /** In a worker: the array that came first, which stays open, and so the memory mapped. */
        private static SharedArray kept;

        private static double sum(SharedArray array) {
            if (kept == null) {
                kept = array;
            }
            double sum = sum(array.doubles(0, (int) array.length()));
            if (array != kept) {
                array.close();
            }
            return sum;
        }

        @Override
        public void prepare(String metric, int size) throws Exception {
            super.prepare(metric, size);
            shared = SharedArray.copyOf(values);
        }

        @Override
        double sum() {
            return strategy.run(workload, shared).orElseThrow();
        }

        @Override
        public void close() {
            super.close();
            shared.close();
        }
    }
}
