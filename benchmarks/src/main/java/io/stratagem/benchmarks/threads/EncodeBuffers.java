package io.stratagem.benchmarks.threads;

import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Random buffers through the {@link Codec} that the metric names, to the list of what it made of them. */
abstract class EncodeBuffers implements Trial {

    List<byte[]> buffers = List.of();
    private Codec codec;
    private List<byte[]> encoded = List.of();
    private boolean isVerified;

    @Override
    public void prepare(String metric, int size) {
        codec = Codec.valueOf(metric.toUpperCase(Locale.ROOT));
        buffers = Buffers.random(size);
    }

    @Override
    public void pass() throws Exception {
        encoded = encodeAll();
    }

    /** What is timed. */
    abstract List<byte[]> encodeAll() throws Exception;

    /** The same function for all. */
    final byte[] encode(byte[] buffer) {
        try {
            return codec.encode(buffer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Looks at the content once, in the warm-up, and later at the count only. */
    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("encoded buffers", buffers.size(), encoded.size());
        for (int i = 0; i < buffers.size() && !isVerified; i++) {
            WrongResultException.check("is buffer " + i + " right", 1, isRight(i) ? 1 : 0);
        }
        isVerified = true;
        encoded = List.of();
    }

    private boolean isRight(int i) throws WrongResultException {
        try {
            return codec.isRight(buffers.get(i), encoded.get(i));
        } catch (IOException e) {
            throw new WrongResultException("buffer " + i + ": " + e);
        }
    }

    @Override
    public long operations() {
        return buffers.size();
    }

    /** Ours. */
    static final class OnThreadPoolStrategy extends EncodeBuffers {
        private final ThreadPoolStrategy strategy = ThreadPoolStrategy.create();
        private final Workload<byte[], byte[]> workload = Workload.compute("encode", this::encode);

        @Override
        List<byte[]> encodeAll() {
            return Results.failFast(strategy.map(workload, buffers));
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** Threads started by hand, one for each core, each with its share of the buffers. */
    static final class OnBareThreads extends EncodeBuffers {
        @Override
        List<byte[]> encodeAll() throws InterruptedException {
            byte[][] all = new byte[buffers.size()][];
            BareThreads.run(all.length, i -> all[i] = encode(buffers.get(i)));
            return Arrays.asList(all);
        }
    }

    /** One thread: what speed-ups are measured against. */
    static final class OnOneThread extends EncodeBuffers {
        @Override
        List<byte[]> encodeAll() {
            return buffers.stream().map(this::encode).toList();
        }
    }
}
