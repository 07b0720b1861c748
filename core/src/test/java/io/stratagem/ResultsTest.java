package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ResultsTest {
    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger read = new AtomicInteger();
    private final IOException first = new IOException("first");
    private final IllegalStateException second = new IllegalStateException("second");

    @SafeVarargs
    @SuppressWarnings("varargs") // only read
    private Stream<Result<String>> stream(Result<String>... results) {
        return Arrays.stream(results).peek(result -> read.incrementAndGet()).onClose(closed::incrementAndGet);
    }

    @Test
    void failFast_allSucceed_givesValuesInOrder() {
        assertThat(Results.failFast(stream(Result.success("a"), Result.success(null), Result.success("b"))))
                .containsExactly("a", null, "b");
        assertThat(closed).hasValue(1);
    }

    @Test
    void failFast_oneFails_throwsAndReadsNoFurther() {
        assertThatThrownBy(() ->
                        Results.failFast(stream(Result.success("a"), Result.failure(first), Result.failure(second))))
                .isInstanceOf(TaskFailedException.class)
                .hasCause(first);
        assertThat(read).hasValue(2);
        assertThat(closed).hasValue(1);
        assertThatThrownBy(() -> Results.failFast(stream(Result.failure(second))))
                .isSameAs(second);
    }

    @Test
    void collect_some_givesBoth() {
        Results.Collected<String> collected = Results.collect(
                stream(Result.failure(first), Result.success("a"), Result.failure(second), Result.success(null)));
        assertThat(collected.values()).containsExactly("a", null);
        assertThat(collected.failures()).containsExactly(first, second);
        assertThat(closed).hasValue(1);
        assertThatThrownBy(() -> collected.values().add("x")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> collected.failures().add(first)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void collectedOrElseThrow_failures_areAllInOneException() {
        assertThatThrownBy(() -> Results.collect(
                                stream(Result.failure(first), Result.success("a"), Result.failure(second)))
                        .orElseThrow())
                .isInstanceOf(TaskFailedException.class)
                .hasMessageContainingAll("2 of 3", "first")
                .hasCause(first)
                .satisfies(all -> assertThat(all.getSuppressed()).containsExactly(second));
    }

    @Test
    void collectedOrElseThrow_sameExceptionTwice_isThrown() {
        assertThatThrownBy(() -> Results.collect(stream(Result.failure(first), Result.failure(first)))
                        .orElseThrow())
                .isInstanceOf(TaskFailedException.class)
                .hasCause(first);
    }

    @Test
    void collectedOrElseThrow_noFailure_givesValues() {
        assertThat(Results.collect(stream(Result.success("a"))).orElseThrow()).containsExactly("a");
    }
}
