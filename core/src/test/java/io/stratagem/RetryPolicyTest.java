package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class RetryPolicyTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final IOException cause = new IOException();

    @Test
    void nextDelay_attemptsUsedUp_isNone() {
        RetryPolicy policy = RetryPolicy.attempts(3);
        assertThat(policy.nextDelayNanos(cause, 1, 0)).isZero();
        assertThat(policy.nextDelayNanos(cause, 2, 0)).isZero();
        assertThat(policy.nextDelayNanos(cause, 3, 0)).isEqualTo(-1);
        assertThat(RetryPolicy.attempts(1).nextDelayNanos(cause, 1, 0)).isEqualTo(-1);
        assertThat(policy.maxAttempts()).isEqualTo(3);
    }

    @Test
    void nextDelay_causes_areRetriedByType() {
        RetryPolicy any = RetryPolicy.attempts(9);
        assertThat(any.nextDelayNanos(new Exception(), 1, 0)).isZero();
        assertThat(any.nextDelayNanos(new AssertionError(), 1, 0)).as("errors").isEqualTo(-1);
        assertThat(any.nextDelayNanos(new CancellationException(), 1, 0))
                .as("cancelled")
                .isEqualTo(-1);
        RetryPolicy some = any.on(IOException.class, StackOverflowError.class);
        assertThat(some.nextDelayNanos(new FileNotFoundException(), 1, 0)).isZero();
        assertThat(some.nextDelayNanos(new StackOverflowError(), 1, 0)).isZero();
        assertThat(some.nextDelayNanos(new IllegalStateException(), 1, 0)).isEqualTo(-1);
        assertThat(any.on(Throwable.class).nextDelayNanos(new CancellationException(), 1, 0))
                .as("cancelled tasks are not tried again")
                .isEqualTo(-1);
    }

    @Test
    void nextDelay_backoff_growsUpToItsMaximum() {
        RetryPolicy policy = RetryPolicy.attempts(99)
                .backoff(Duration.ofSeconds(1), 2, Duration.ofSeconds(5))
                .jitter(0);
        assertThat(policy.nextDelayNanos(cause, 1, 0)).isEqualTo(SECOND);
        assertThat(policy.nextDelayNanos(cause, 2, 0)).isEqualTo(2 * SECOND);
        assertThat(policy.nextDelayNanos(cause, 3, 0)).isEqualTo(4 * SECOND);
        assertThat(policy.nextDelayNanos(cause, 4, 0)).isEqualTo(5 * SECOND);
        assertThat(policy.nextDelayNanos(cause, 98, 0)).isEqualTo(5 * SECOND);
        RetryPolicy flat =
                RetryPolicy.attempts(99).backoff(Duration.ofSeconds(3)).jitter(0);
        assertThat(flat.nextDelayNanos(cause, 50, 0)).isEqualTo(3 * SECOND);
    }

    @Test
    void nextDelay_enormousBackoff_doesNotOverflow() {
        RetryPolicy policy = RetryPolicy.attempts(Integer.MAX_VALUE)
                .backoff(Duration.ofDays(1), 1000, Duration.ofSeconds(Long.MAX_VALUE))
                .jitter(0);
        assertThat(policy.nextDelayNanos(cause, 1000, 0)).isPositive();
        RetryPolicy first = RetryPolicy.attempts(9).backoff(Duration.ofSeconds(Long.MAX_VALUE));
        assertThat(first.nextDelayNanos(cause, 1, 0)).isPositive();
    }

    @Test
    void nextDelay_jitter_takesAwayAtMostItsPart() {
        RetryPolicy half = RetryPolicy.attempts(9).backoff(Duration.ofSeconds(1));
        RetryPolicy all = half.jitter(1);
        long least = SECOND;
        for (int i = 0; i < 1000; i++) {
            assertThat(half.nextDelayNanos(cause, 1, 0)).isBetween(SECOND / 2, SECOND);
            long wait = all.nextDelayNanos(cause, 1, 0);
            assertThat(wait).isBetween(0L, SECOND);
            least = Math.min(least, wait);
        }
        assertThat(least).isLessThan(SECOND / 2);
    }

    @Test
    void nextDelay_within_countsTheWait() {
        RetryPolicy policy = RetryPolicy.attempts(99)
                .backoff(Duration.ofSeconds(1))
                .jitter(0)
                .within(Duration.ofSeconds(10));
        assertThat(policy.nextDelayNanos(cause, 1, 9 * SECOND)).isEqualTo(SECOND);
        assertThat(policy.nextDelayNanos(cause, 1, 9 * SECOND + 1)).isEqualTo(-1);
        assertThat(policy.nextDelayNanos(cause, 1, Long.MAX_VALUE)).isEqualTo(-1);
    }

    @Test
    void anyOption_badValue_isRefusedByNameAndValue() {
        RetryPolicy policy = RetryPolicy.attempts(2);
        assertThatThrownBy(() -> RetryPolicy.attempts(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("maxAttempts", "0");
        assertThatThrownBy(() -> policy.backoff(Duration.ofMillis(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("PT-0.001S");
        assertThatThrownBy(() -> policy.backoff(Duration.ZERO, 0.5, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("multiplier", "0.5");
        assertThatThrownBy(() -> policy.backoff(Duration.ofSeconds(2), 1, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("max", "PT1S", "PT2S");
        assertThatThrownBy(() -> policy.jitter(1.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("jitter", "1.5");
        assertThatThrownBy(() -> policy.jitter(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> policy.backoff(Duration.ZERO, Double.NaN, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> policy.within(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("within", "PT0S");
        assertThatThrownBy(policy::on).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void serialized_comesBackTheSame() throws Exception {
        RetryPolicy policy = RetryPolicy.attempts(7).on(IOException.class);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(policy);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).hasToString(policy.toString());
        }
        assertThat(policy.toString()).contains("7", "IOException");
    }
}
