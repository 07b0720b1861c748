package io.stratagem.benchmarks.ipc;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.batchedipc.SharedArray;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
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

    /** With eight sums: one would wait for each addition. */
    static double sum(double[] values, int count) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        double e = 0;
        double f = 0;
        double g = 0;
        double h = 0;
        int i = 0;
        for (; i < count - 7; i += 8) {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
            e += values[i + 4];
            f += values[i + 5];
            g += values[i + 6];
            h += values[i + 7];
        }
        for (; i < count; i++) {
            a += values[i];
        }
        return a + b + c + d + e + f + g + h;
    }

    /** The array is the input. */
    static class Sent extends SumArray {
        private final Workload<double[], Double> workload =
                Workload.named("sum").isolated().compute(values -> sum(values, values.length));

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
        private static final int BLOCK = 1024;

        private SharedArray shared;

        /** In a worker: the array that came first, which stays open, and so the memory mapped. */
        private static SharedArray kept;

        private static double sum(SharedArray array) {
            if (kept == null) {
                kept = array;
            }
            double sum = sumOfBlocks(array);
            if (array != kept) {
                array.close();
            }
            return sum;
        }

        /** Copied in blocks that stay in the first cache: to read elements one by one takes a quarter more. */
        private static double sumOfBlocks(SharedArray array) {
            double[] block = new double[BLOCK];
            double sum = 0;
            for (long from = 0; from < array.length(); from += BLOCK) {
                int count = (int) Math.min(BLOCK, array.length() - from);
                array.get(from, block, 0, count);
                sum += sum(block, count);
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
