package io.stratagem.benchmarks.processes;

import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.util.Arrays;
import java.util.Random;

/** A random array of bytes submitted to our strategy and the same bytes back, as another array. A pass is one round trip. */
final class EchoPayload implements Trial {

    private static final long SEED = 42;

    private final ProcessPoolStrategy strategy = Workers.startedStrategy();
    private final Workload<byte[], byte[]> workload =
            Workload.named("echo").isolated().compute(EchoPayload::same);
    private byte[] payload = {};
    private byte[] result = {};

    static byte[] same(byte[] bytes) {
        return bytes;
    }

    @Override
    public void prepare(String metric, int size) {
        payload = new byte[size];
        new Random(SEED).nextBytes(payload);
    }

    @Override
    public void pass() throws Exception {
        result = strategy.submit(workload, payload).get().orElseThrow();
    }

    @Override
    public void verify() throws WrongResultException {
        if (result == payload) {
            throw new WrongResultException("the array has not left this JVM");
        }
        if (!Arrays.equals(payload, result)) {
            throw new WrongResultException("other bytes came back");
        }
        result = new byte[0];
    }

    @Override
    public long operations() {
        return 1;
    }

    @Override
    public void close() {
        strategy.close();
    }
}
