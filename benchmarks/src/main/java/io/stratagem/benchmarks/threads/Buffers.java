package io.stratagem.benchmarks.threads;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random buffers of 1 MiB, the same in every process. */
final class Buffers {

    static final int BYTES = 1 << 20;

    private static final long SEED = 42;

    private Buffers() {}

    static List<byte[]> random(int count) {
        Random random = new Random(SEED);
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    byte[] buffer = new byte[BYTES];
                    random.nextBytes(buffer);
                    return buffer;
                })
                .toList();
    }
}
