package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.stratagem.TransferException;
import io.stratagem.processpool.CodecTest.Mood;
import io.stratagem.processpool.CodecTest.Plain;
import io.stratagem.processpool.CodecTest.Point;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("stress")
@Timeout(600)
final class CodecRandomTest {
    private static final int ROUNDS = 10_000 * Integer.getInteger("stress.rounds", 1);

    /** Whatever the bytes: their buffers, exceptions and messages, and what few bytes may amount to. */
    private static final long MAX_ALLOCATED_BYTES = 2_000_000;

    private final long seed = Long.getLong("stress.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Codec codec = new Codec(
            CodecRandomTest.class.getClassLoader(), Filters.fromWorker(Set.of("io.stratagem"), Filters.Limits.DEFAULT));
    private final ThrowableCodec throwables = new ThrowableCodec(codec);

    record Pair(Object left, Object right) {}

    private Object randomValue(int depth) {
        return switch (random.nextInt(depth == 0 ? 14 : 22)) {
            case 0 -> null;
            case 1 -> random.nextBoolean();
            case 2 -> (byte) random.nextInt();
            case 3 -> (short) random.nextInt();
            case 4 -> (char) random.nextInt();
            case 5 -> random.nextInt() >> random.nextInt(32);
            case 6 -> random.nextLong() >> random.nextInt(64);
            case 7 -> random.nextFloat();
            case 8 -> random.nextGaussian();
            case 9 -> randomString();
            case 10 -> random.nextBoolean() ? Mood.BAD : TimeUnit.DAYS;
            case 11 -> new Point(random.nextInt(), random.nextInt());
            case 12 -> BigInteger.valueOf(random.nextLong());
            case 13 -> new Plain(randomString());
            case 14 -> new ArrayList<>(Arrays.asList(randomValues(depth, true)));
            case 15 -> List.of(randomValues(depth, false));
            case 16 -> randomMap(new HashMap<>(), depth);
            case 17 -> randomMap(new LinkedHashMap<>(), depth);
            case 18 -> Map.of(random.nextInt(), 1, "k", List.of(randomValues(depth, false)));
            case 19 -> new HashSet<>(Arrays.asList(randomValues(depth, true)));
            case 20 -> new Plain(new ArrayList<>(List.of(random.nextInt(), new Plain(randomString()))));
            default -> new Pair(randomValue(depth - 1), randomValue(depth - 1));
        };
    }

    private Object[] randomValues(int depth, boolean nulls) {
        return IntStream.range(0, random.nextInt(6))
                .mapToObj(i -> randomValue(depth - 1))
                .filter(value -> nulls || value != null)
                .toArray();
    }

    private Map<Object, Object> randomMap(Map<Object, Object> map, int depth) {
        for (Object key : randomValues(depth, true)) {
            map.put(key, randomValue(depth - 1));
        }
        return map;
    }

    private String randomString() {
        int bound = random.nextBoolean() ? 0x100 : 0x10000;
        return random.ints(random.nextInt(20), 0, bound)
                .mapToObj(c -> String.valueOf((char) c))
                .reduce("", String::concat);
    }

    @Test
    void roundTrip_randomNestedValues_areEqual() {
        Bytes bytes = new Bytes();
        for (int i = 0; i < ROUNDS / 10; i++) {
            // A set in a record that is not Serializable cannot travel: so only what can is compared.
            Object value = randomValue(5);
            bytes.clear();
            try {
                codec.write(bytes, value, "value");
            } catch (TransferException e) {
                assertThat(e).as("seed %d", seed).hasMessageContaining("is not Serializable");
                continue;
            }
            assertThat(Objects.deepEquals(codec.read(bytes, "value"), value))
                    .as("seed %d, round %d: %s", seed, i, value)
                    .isTrue();
            assertThat(bytes.remaining()).isZero();
        }
    }

    private static List<byte[]> samples(Codec codec, ThrowableCodec throwables, boolean areThrowables) {
        List<byte[]> samples = new ArrayList<>();
        Stream<Object> values = areThrowables
                ? Stream.of(new IllegalStateException("m", new java.io.IOException("c")), new Exception())
                : Stream.of(
                        List.of(1, "abc", new Point(1, 2), new Point(3, 4), Mood.BAD),
                        new ArrayList<>(List.of(new long[100], new double[3], new boolean[9], "漢字")),
                        new Plain(new ArrayList<>(List.of(1, new int[10], "text"))),
                        new PriorityQueue<>(List.of(3, 2, 1)),
                        new HashMap<>(Map.of("k", new HashSet<>(List.of(1, 2)), "l", new Plain(Map.of(1, 2)))),
                        List.of(new Plain(new int[5][5]), new Pair(new Plain(1), new Object[] {"a", 2L})),
                        List.of(Set.of(1, 2), Arrays.asList(1, 2), new CopyOnWriteArrayList<>(List.of(1))),
                        new ConcurrentHashMap<>(Map.of("k", new ArrayDeque<>(List.of(5)))));
        values.forEach(value -> {
            Bytes bytes = new Bytes();
            if (value instanceof Throwable throwable) {
                throwable.setStackTrace(Arrays.copyOf(throwable.getStackTrace(), 3));
                throwables.write(bytes, throwable);
            } else {
                codec.write(bytes, value, "value");
            }
            samples.add(bytes.toByteArray());
        });
        return samples;
    }

    private byte[] mutated(byte[] valid) {
        byte[] bytes = random.nextInt(10) == 0 ? Arrays.copyOf(valid, random.nextInt(valid.length + 8)) : valid.clone();
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) (random.nextBoolean() ? 0xFF : 0x7F);
                default -> { // a piece of it elsewhere
                    int from = random.nextInt(bytes.length);
                    int length = Math.min(random.nextInt(12), bytes.length - Math.max(from, at));
                    System.arraycopy(bytes, from, bytes, at, length);
                }
            }
        }
        return bytes;
    }

    private byte[] random() {
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void read_corruptedBytes_giveAValueOrAFailureAndTakeLittleMemory() {
        List<byte[]> values = samples(codec, throwables, false);
        List<byte[]> exceptions = samples(codec, throwables, true);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int failed = 0;
        for (int i = 0; i < ROUNDS; i++) {
            boolean isThrowable = random.nextInt(8) == 0;
            List<byte[]> samples = isThrowable ? exceptions : values;
            byte[] bytes = random.nextInt(5) == 0 ? random() : mutated(samples.get(random.nextInt(samples.size())));
            long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            try {
                if (isThrowable) {
                    throwables.read(Bytes.of(bytes), "w");
                } else {
                    codec.read(Bytes.of(bytes), "value");
                }
            } catch (TransferException e) {
                failed++;
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed + ", round " + i + ": " + Arrays.toString(bytes), e);
            }
            long allocated =
                    threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
            assertThat(allocated)
                    .as("seed %d, round %d: %s", seed, i, Arrays.toString(bytes))
                    .isLessThan(MAX_ALLOCATED_BYTES);
        }
        assertThat(failed).as("seed %d", seed).isBetween(ROUNDS / 10, ROUNDS);
    }
}
