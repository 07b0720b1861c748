package io.stratagem.benchmarks.ipc;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;

/** Many arrays of bytes, one after another, to where they can be used. An operation is one array. */
abstract class CopyBytes implements Trial {

    /** So many that they are not in the caches of one core, as little as an application's arrays are. */
    static final int ARRAYS = 64;

    byte[][] arrays = {};

    @Override
    public void prepare(String metric, int size) {
        arrays = new byte[ARRAYS][size];
        Random random = new Random(42);
        for (byte[] array : arrays) {
            random.nextBytes(array);
        }
    }

    @Override
    public long operations() {
        return ARRAYS;
    }

    /** Ours: to the one worker, which says how long each is. */
    static final class ToWorker extends CopyBytes {
        private final ExecutorStrategy strategy =
                BatchedIpcStrategy.builder().workerProcesses(1).build();
        private final Workload<byte[], Integer> workload =
                Workload.named("length").isolated().compute(bytes -> bytes.length);
        private long received;

        @Override
        public void pass() {
            try (Stream<Result<Integer>> lengths = strategy.map(workload, Arrays.asList(arrays))) {
                received = lengths.mapToLong(Result::orElseThrow).sum();
            }
        }

        @Override
        public void verify() throws WrongResultException {
            WrongResultException.check("bytes received", (long) ARRAYS * arrays[0].length, received);
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** The limit: each to an array that is there already, in this thread. */
    static final class InMemory extends CopyBytes {
        private byte[][] copies = {};

        @Override
        public void prepare(String metric, int size) {
            super.prepare(metric, size);
            copies = new byte[ARRAYS][size];
        }

        @Override
        public void pass() {
            for (int i = 0; i < ARRAYS; i++) {
                System.arraycopy(arrays[i], 0, copies[i], 0, arrays[i].length);
            }
        }

        @Override
        public void verify() throws WrongResultException {
            if (!Arrays.deepEquals(arrays, copies)) {
                throw new WrongResultException("not copied");
            }
        }
    }
}
