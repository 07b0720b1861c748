package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Fn;
import io.stratagem.TransferException;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class CodecTest {
    private static final String INPUT = "input of workload 'render'";

    private final Codec codec =
            new Codec(CodecTest.class.getClassLoader(), Filters.fromWorker(Set.of(), Filters.Limits.DEFAULT));
    private final Codec trusting = new Codec(CodecTest.class.getClassLoader(), Filters.fromApplication());

    private static Object roundTrip(Codec codec, Object value) {
        Bytes bytes = new Bytes();
        codec.write(bytes, value, INPUT);
        codec.write(bytes, "next", INPUT);
        Object copy = codec.read(bytes, INPUT);
        assertThat(codec.read(bytes, INPUT)).as("what follows").isEqualTo("next");
        assertThat(bytes.remaining()).isZero();
        return copy;
    }

    record Empty() {}

    record Point(int x, int y) {}

    @SuppressWarnings("ArrayRecordComponent")
    record All(boolean z, byte b, short s, char c, int i, long l, float f, double d, Object o, String... more) {}

    record Order(String name, List<Point> points, Map<String, Object> more, TimeUnit unit, Plain plain) {}

    record Chain(int number, Chain next) {}

    record SerializableChain(int number, SerializableChain next) implements Serializable {}

    enum Mood {
        GOOD,
        BAD {
            @Override
            boolean isGood() {
                return false;
            }
        };

        boolean isGood() {
            return true;
        }
    }

    @SuppressWarnings("serial") // holds anything
    static final class Plain implements Serializable {
        private static final long serialVersionUID = 1;
        Object value;

        Plain(Object value) {
            this.value = value;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Plain that && value.equals(that.value);
        }

        @Override
        public int hashCode() {
            return value.hashCode();
        }
    }

    static Stream<Object> values() throws Exception {
        Map<String, Integer> linked = new LinkedHashMap<>();
        IntStream.range(0, 100).forEach(i -> linked.put("key " + i * 7919 % 100, i));
        Map<Object, Object> nulls = new HashMap<>();
        nulls.put(null, 1);
        nulls.put("null", null);
        return Stream.of(
                true,
                false,
                Byte.MIN_VALUE,
                Byte.MAX_VALUE,
                Short.MIN_VALUE,
                Short.MAX_VALUE,
                '\0',
                '\uFFFF',
                'é',
                0,
                -1,
                63,
                64,
                -64,
                -65,
                Integer.MIN_VALUE,
                Integer.MAX_VALUE,
                0L,
                -1L,
                1L << 35,
                Long.MIN_VALUE,
                Long.MAX_VALUE,
                0f,
                -0f,
                Float.NaN,
                Float.MIN_VALUE,
                Float.NEGATIVE_INFINITY,
                0d,
                -0d,
                Double.NaN,
                Double.MIN_VALUE,
                Double.NEGATIVE_INFINITY,
                "",
                "plain",
                "naïve ÿ",
                "Ā",
                "漢字 😀",
                "half \uD83D of a pair, \uDE00",
                "x".repeat(100_000),
                "😀".repeat(100_000),
                new boolean[] {true, false, true},
                new byte[] {1, -1, 0},
                new short[] {1, Short.MIN_VALUE},
                new char[] {'a', '\uD83D'},
                new int[] {1, Integer.MIN_VALUE},
                new long[] {1, Long.MIN_VALUE},
                new float[] {1, Float.NaN},
                new double[] {1, Double.NaN, -0d},
                new boolean[0],
                new byte[0],
                new short[0],
                new char[0],
                new int[0],
                new long[0],
                new float[0],
                new double[0],
                new byte[3_000_000],
                IntStream.range(0, 1_000_000).toArray(),
                IntStream.range(0, 1_000_000).asDoubleStream().toArray(),
                new String[] {"a", null},
                new Object[] {1, "a", new Point(1, 2).toString()},
                new int[][] {{1}, null, {2, 3}},
                new ArrayList<>(),
                new ArrayList<>(Arrays.asList(1, null, "a")),
                List.of(),
                List.of(1),
                List.of(1, 2),
                List.of(1, 2, 3, 4),
                List.of(1, 2, 3, 4).subList(1, 3),
                Arrays.asList(1, null),
                Stream.of(1, 2, 3).toList(),
                Stream.of(1, null, 3).toList(),
                new HashMap<>(),
                nulls,
                linked,
                Map.of(),
                Map.of("a", 1),
                Map.of("a", 1, "b", List.of(2)),
                Mood.GOOD,
                Mood.BAD,
                TimeUnit.DAYS,
                new Empty(),
                new Point(1, -2),
                new All(true, (byte) 1, (short) 2, 'c', 4, 5L, 6f, 7d, null),
                new Order("o", List.of(new Point(1, 2), new Point(3, 4)), Map.of("p", new Point(5, 6)), null, null),
                new Order("o", null, new HashMap<>(Map.of("mood", Mood.BAD)), TimeUnit.DAYS, null),
                BigInteger.TEN.pow(100),
                new BigDecimal("1.50"),
                Instant.EPOCH,
                LocalDate.of(2026, 11, 22),
                ZonedDateTime.of(2026, 1, 1, 1, 1, 1, 1, ZoneId.of("Europe/Paris")),
                URI.create("http://localhost/"),
                InetAddress.getLoopbackAddress(),
                UUID.fromString("00000000-0000-0001-0000-000000000002"),
                new HashSet<>(Set.of(1, "b")),
                Set.of(1, 2),
                new TreeMap<>(Map.of("b", 1, "a", 2)),
                new ConcurrentHashMap<>(Map.of("b", 1)),
                BitSet.valueOf(new long[] {5}),
                String.class,
                int.class);
    }

    @ParameterizedTest(name = "{index}")
    @MethodSource("values")
    void roundTrip_anyValue_isEqualAndOfTheSameClass(Object value) {
        Object copy = roundTrip(codec, value);
        assertSame(copy, value);
        if (value instanceof LinkedHashMap<?, ?> map) {
            assertThat(((Map<?, ?>) copy).keySet().toArray())
                    .containsExactly(map.keySet().toArray());
        }
        boolean isPart = value instanceof List && !(value instanceof Serializable);
        assertThat(copy.getClass()).isEqualTo(isPart ? List.of(1).getClass() : value.getClass());
        assertSame(roundTrip(trusting, value), value);
    }

    private static void assertSame(Object copy, Object value) {
        if (value instanceof All) {
            assertThat(copy).usingRecursiveComparison().isEqualTo(value);
        } else {
            assertThat(Objects.deepEquals(copy, value)).isTrue();
        }
    }

    @Test
    void roundTrip_null_isNull() {
        assertThat(roundTrip(codec, null)).isNull();
    }

    @Test
    void roundTrip_immutable_staysUnmodifiable() {
        for (List<?> list : List.of(
                List.of(), List.of(1), List.of(1, 2, 3), Stream.of(1, null).toList())) {
            assertThatThrownBy(() -> ((List<?>) roundTrip(codec, list)).remove(0))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
        assertThatThrownBy(() -> ((Map<?, ?>) roundTrip(codec, Map.of(1, 2))).clear())
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void roundTrip_subclassOfACompactClass_staysIt() {
        Object copy = roundTrip(trusting, new Special(List.of(1, 2)));
        assertThat(copy).isExactlyInstanceOf(Special.class).isEqualTo(List.of(1, 2));
        assertThat(((Special) copy).extra).isEqualTo("extra");
    }

    static final class Special extends ArrayList<Integer> {
        private static final long serialVersionUID = 1;
        final String extra = new String("extra");

        Special(List<Integer> elements) {
            super(elements);
        }
    }

    private static String twice(String text) {
        return text + text;
    }

    @Test
    void write_lambdaThatCapturedOnlyScalars_takesNoJavaSerialisation() throws Exception {
        String captured = "more";
        long number = 7;
        Fn<String, String> lambda = text -> text + captured + number;
        Fn<String, String> reference = CodecTest::twice;
        Bytes bytes = new Bytes();
        trusting.write(bytes, List.of(lambda, reference), INPUT);
        assertThat(new String(bytes.toByteArray(), StandardCharsets.ISO_8859_1)).doesNotContain("SerializedLambda");

        @SuppressWarnings("unchecked")
        List<Fn<String, String>> copies = (List<Fn<String, String>>) trusting.read(bytes, INPUT);

        assertThat(copies.get(0).apply("some")).isEqualTo("somemore7");
        assertThat(copies.get(1).apply("some")).isEqualTo("somesome");
    }

    @Test
    void roundTrip_lambdaThatCapturedOneObjectTwice_capturesOneAgain() throws Exception {
        List<Integer> list = new ArrayList<>();
        Map<String, Object> holder = new HashMap<>(Map.of("list", list));
        Fn<Integer, Object> lambda = n -> {
            list.add(n);
            return holder.get("list");
        };

        @SuppressWarnings("unchecked")
        Fn<Integer, Object> copy = (Fn<Integer, Object>) roundTrip(trusting, lambda);

        assertThat(copy.apply(1)).isEqualTo(List.of(1));
    }

    @Test
    void roundTrip_lambda_works() throws Exception {
        int captured = 5;
        Fn<Integer, Integer> lambda = n -> n + captured;
        @SuppressWarnings("unchecked")
        Fn<Integer, Integer> copy = (Fn<Integer, Integer>) roundTrip(trusting, lambda);
        assertThat(copy.apply(1)).isEqualTo(6);
    }

    @Test
    void roundTrip_partsThatAreNotCompact_shareOneStream() {
        Plain shared = new Plain("shared");
        List<?> copy = (List<?>) roundTrip(trusting, List.of(new Plain(shared), 1, shared, new Point(2, 3), shared));
        assertThat(((Plain) copy.get(0)).value).isSameAs(copy.get(2)).isSameAs(copy.get(4));
        assertThat(copy.get(3)).isEqualTo(new Point(2, 3));
    }

    @Test
    void roundTrip_plainInARecordThatIsNotSerializable_works() {
        Order order = new Order("o", List.of(), Map.of("k", new Plain(1)), null, new Plain(2));
        assertThat(roundTrip(trusting, order)).isEqualTo(order);
    }

    @Test
    void roundTrip_cyclesInCompactContainers_areKept() {
        List<Object> twice = new ArrayList<>();
        twice.add(twice);
        twice.add(twice);
        List<?> copy = (List<?>) roundTrip(codec, twice);
        assertThat(copy).hasSize(2);
        assertThat(copy.get(0) == copy).isTrue();
        assertThat(copy.get(1) == copy).isTrue();
        Map<String, Object> parent = new HashMap<>();
        parent.put("child", new LinkedHashMap<>(Map.of("parent", parent)));
        Map<?, ?> copied = (Map<?, ?>) roundTrip(codec, parent);
        assertThat(((Map<?, ?>) copied.get("child")).get("parent") == copied).isTrue();
    }

    @Test
    void roundTrip_deepValue_isTakenAsFarAsJavaSerialisationGoes() {
        Chain chain = null;
        SerializableChain longer = null;
        for (int i = 0; i < 200; i++) {
            chain = i < ValueWriter.MAX_DEPTH ? new Chain(i, chain) : chain;
            longer = new SerializableChain(i, longer);
        }
        assertThat(roundTrip(codec, chain)).isEqualTo(chain);
        assertThat(roundTrip(codec, longer)).isEqualTo(longer);
        Chain tooLong = new Chain(-1, chain);
        assertThatThrownBy(() -> roundTrip(codec, tooLong))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("Chain is not Serializable");
    }

    @Test
    void write_smallValues_areSmall() {
        Bytes bytes = new Bytes();
        codec.write(bytes, 1, INPUT);
        assertThat(bytes.size()).isEqualTo(2);
        bytes.clear();
        codec.write(bytes, "hello", INPUT);
        assertThat(bytes.size()).isEqualTo(7);
        bytes.clear();
        codec.write(bytes, Stream.generate(() -> new Point(1, 2)).limit(100).toList(), INPUT);
        assertThat(bytes.size()).as("the class is named once").isLessThan(700);
    }

    @Test
    void write_moreThanTheLimit_failsAndNamesItAndPutsNothing() {
        Bytes bytes = new Bytes(1000);
        codec.write(bytes, "before", INPUT);
        int size = bytes.size();
        Supplier<Stream<Object>> tooLarge = () -> Stream.of(
                "x".repeat(1000), "😀".repeat(490), new long[130], new Plain("x".repeat(2000)), List.of(new int[300]));
        tooLarge.get()
                .forEach(value -> assertThatThrownBy(() -> codec.write(bytes, value, INPUT))
                        .isInstanceOf(TransferException.class)
                        .hasMessage(INPUT + " cannot be serialised: it takes more than the limit of 1000 bytes"
                                + " (see maxMessageBytes)"));
        assertThat(bytes.size()).isEqualTo(size);
        assertThat(codec.read(bytes, INPUT)).isEqualTo("before");
    }

    @Test
    void putArray_ofMoreBytesThanAnArrayCanHave_isTooLargeAndTakesNoMemory() {
        Bytes bytes = new Bytes();

        for (int elementBytes : new int[] {Short.BYTES, Integer.BYTES, Long.BYTES}) {
            assertThatThrownBy(() -> bytes.putArray((1 << 30) + 1, elementBytes))
                    .isInstanceOf(Bytes.TooLargeException.class);
        }

        assertThat(bytes.array().length).isLessThan(1_000);
    }
}
