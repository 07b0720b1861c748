package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ResultTest {
    private final IOException checked = new IOException("checked");
    private final Result<String> success = Result.success("value");
    private final Result<String> failure = Result.failure(checked);

    @Test
    void orElseThrow_success_givesValue() {
        assertThat(success.orElseThrow()).isEqualTo("value");
        assertThat(Result.success(null).orElseThrow()).isNull();
    }

    @Test
    void orElseThrow_uncheckedCause_isThrownAsItIs() {
        RuntimeException unchecked = new IllegalStateException("unchecked");
        Error error = new AssertionError("error");
        assertThatThrownBy(() -> Result.failure(unchecked).orElseThrow()).isSameAs(unchecked);
        assertThatThrownBy(() -> Result.failure(error).orElseThrow()).isSameAs(error);
    }

    @Test
    void orElseThrow_checkedCause_isWrapped() {
        assertThatThrownBy(failure::orElseThrow)
                .isInstanceOf(TaskFailedException.class)
                .hasMessageContaining("checked")
                .hasCause(checked);
    }

    @Test
    void orElse_each_givesTheOneOrTheOther() {
        assertThat(success.orElse("other")).isEqualTo("value");
        assertThat(failure.orElse("other")).isEqualTo("other");
        assertThat(Result.<String>success(null).orElse("other")).isNull();
    }

    @Test
    void map_success_keepsExecution() {
        Result<Integer> mapped = success.map(String::length);
        assertThat(mapped).isEqualTo(Result.success(5));
        assertThat(mapped.execution()).isSameAs(success.execution());
    }

    @Test
    void map_functionThrows_isFailure() {
        RuntimeException thrown = new IllegalStateException("in map");
        assertThat(success.map(value -> {
                    throw thrown;
                }))
                .isEqualTo(Result.failure(thrown));
    }

    @Test
    void map_failure_staysTheSame() {
        assertThat(failure.map(String::length)).isSameAs(failure);
        assertThatThrownBy(() -> failure.map(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void fold_each_appliesTheFunctionThatFits() {
        assertThat(success.<Integer>fold(String::length, cause -> -1)).isEqualTo(5);
        assertThat(failure.<String>fold(value -> value, Throwable::getMessage)).isEqualTo("checked");
    }

    @Test
    void failure_noCause_isRefused() {
        assertThatThrownBy(() -> Result.failure(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void equals_sameValueOtherExecution_isTrue() {
        assertThat(success)
                .isEqualTo(new Result.Success<>("value", success.execution()))
                .isNotEqualTo(failure);
        assertThat(success).hasSameHashCodeAs(Result.success("value"));
        assertThat(failure).isEqualTo(Result.failure(checked)).isNotEqualTo(Result.failure(new IOException("checked")));
        assertThat(success.isSuccess()).isTrue();
        assertThat(failure.isSuccess()).isFalse();
        assertThat(success).hasToString("Success[value]");
        assertThat(failure).hasToString("Failure[java.io.IOException: checked]");
    }

    @Test
    void execution_ofNoStrategy_isEmpty() {
        Execution execution = success.execution();
        assertThat(execution.strategy()).isEmpty();
        assertThat(execution.worker()).isEmpty();
        assertThat(execution.queued()).isEqualTo(Duration.ZERO);
        assertThat(execution.ran()).isEqualTo(Duration.ZERO);
        assertThat(execution.attempts()).isEqualTo(1);
        assertThat(execution.batchSize()).isEqualTo(1);
    }
}
