package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Values of one class that travel without anything between them. */
final class ColumnTest extends WorkerFixture {
    private static final int MANY = 5_000;

    static Stream<List<Object>> columns() {
        return Stream.of(
                List.of(0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE),
                List.of(0L, -1L, Long.MIN_VALUE, Long.MAX_VALUE),
                List.of(0.0, -0.0, Double.NaN, Double.MIN_VALUE, Double.NEGATIVE_INFINITY),
                List.of(true, false, true));
    }

    @ParameterizedTest
    @MethodSource("columns")
    void values_ofOneClass_comeBack(List<Object> values) {
        Tag tag = Objects.requireNonNull(Column.tagOf(values.toArray()));
        Bytes bytes = new Bytes();
        tag.put(bytes);
        values.forEach(value -> Column.put(bytes, tag, value));

        Tag back = Column.getTag(bytes);

        assertThat(values)
                .allSatisfy(value -> assertThat(Column.get(bytes, back)).isEqualTo(value));
        assertThat(bytes.remaining()).isZero();
    }

    static Stream<List<Object>> others() {
        return Stream.of(
                List.of(1, 2L),
                Arrays.asList(1, null),
                Arrays.asList(null, null),
                List.of(1, "two"),
                List.of("one", "two"),
                List.of((byte) 1, (byte) 2),
                List.of(1.5f, 2.5f));
    }

    @ParameterizedTest
    @MethodSource("others")
    void values_thatAreNoColumn_haveNoTag(List<Object> values) {
        assertThat(Column.tagOf(values.toArray())).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = Tag.class,
            names = {"INT", "LONG", "DOUBLE", "TRUE"},
            mode = EnumSource.Mode.EXCLUDE)
    void column_ofAnotherTag_isMalformed(Tag tag) {
        Bytes bytes = new Bytes();
        tag.put(bytes);

        assertThatThrownBy(() -> Column.getTag(bytes))
                .isInstanceOf(Bytes.MalformedException.class)
                .hasMessage("no column is of " + tag);
    }

    private static <T> List<Result<T>> map(WorkerProcessStrategy pool, Workload<T, T> workload, List<T> inputs) {
        try (Stream<Result<T>> results = pool.map(workload, inputs)) {
            return results.toList();
        }
    }

    @ParameterizedTest
    @MethodSource("columns")
    void map_ofOneClass_givesEachItsResult(List<Object> values) {
        List<Object> inputs = IntStream.range(0, MANY)
                .mapToObj(i -> values.get(i % values.size()))
                .toList();

        List<Result<Object>> results = map(pool(2), Workload.compute("echo", input -> input), inputs);

        assertThat(results.stream().map(Result::orElseThrow)).containsExactlyElementsOf(inputs);
    }

    /** So that columns of results begin and end anywhere in a frame, and other outcomes are between them. */
    @Test
    void map_ofResultsOfAllKinds_givesEachItsResult() {
        WorkerProcessStrategy pool = pool(2);
        Workload<Integer, Object> kinds = Workload.compute("kinds", input -> switch (input / 3 % 8) {
            case 0 -> input;
            case 1 -> (long) input;
            case 2 -> input + 0.5;
            case 3 -> input % 2 == 0;
            case 4 -> null;
            case 5 -> "text " + input;
            case 6 -> new Object();
            default -> throw new IllegalStateException("thrown " + input);
        });

        List<Result<Object>> results;
        try (Stream<Result<Object>> stream =
                pool.map(kinds, IntStream.range(0, MANY).boxed())) {
            results = stream.toList();
        }

        for (int i = 0; i < MANY; i++) {
            Result<Object> result = results.get(i);
            switch (i / 3 % 8) {
                case 0 -> assertThat(result.orElseThrow()).isEqualTo(i);
                case 1 -> assertThat(result.orElseThrow()).isEqualTo((long) i);
                case 2 -> assertThat(result.orElseThrow()).isEqualTo(i + 0.5);
                case 3 -> assertThat(result.orElseThrow()).isEqualTo(i % 2 == 0);
                case 4 -> assertThat(result.orElseThrow()).isNull();
                case 5 -> assertThat(result.orElseThrow()).isEqualTo("text " + i);
                case 6 -> assertThat(causeOf(result)).isInstanceOf(TransferException.class);
                default ->
                    assertThat(causeOf(result))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessage("thrown " + i);
            }
        }
    }

    @Test
    void map_ofInputsOfAllKinds_givesEachItsResult() {
        List<Object> some = Arrays.asList(1, 2, null, 3L, 4.5, true, false, "text", List.of(1), 5, 6);
        List<Object> inputs = IntStream.range(0, MANY)
                .mapToObj(i -> some.get(i % some.size()))
                .toList();

        List<Result<Object>> results = map(pool(2), Workload.compute("echo", input -> input), inputs);

        assertThat(results.stream().map(Result::orElseThrow)).containsExactlyElementsOf(inputs);
    }

    @Test
    void death_inTheMiddleOfAColumn_failsThatTaskOnly() {
        WorkerProcessStrategy pool = pool(2);
        Workload<Integer, Integer> halting = Workload.compute("halting", input -> {
            if (input % 1_000 == 500) {
                Runtime.getRuntime().halt(7);
            }
            return -input;
        });

        List<Result<Integer>> results =
                map(pool, halting, IntStream.range(0, MANY).boxed().toList());

        for (int i = 0; i < MANY; i++) {
            if (i % 1_000 == 500) {
                assertThat(causeOf(results.get(i)))
                        .isInstanceOfSatisfying(
                                WorkerDiedException.class,
                                death -> assertThat(death.mayHaveFinished()).isFalse());
            } else {
                assertDone(results.get(i), -i);
            }
        }
    }

    /** Its outcome may have been lost on the way, but nothing else can have happened to it. */
    private static void assertDone(Result<Integer> result, int expected) {
        if (result.isSuccess()) {
            assertThat(result.orElseThrow()).isEqualTo(expected);
        } else {
            assertThat(causeOf(result))
                    .isInstanceOfSatisfying(
                            WorkerDiedException.class,
                            death -> assertThat(death.mayHaveFinished()).isTrue());
        }
    }
}
