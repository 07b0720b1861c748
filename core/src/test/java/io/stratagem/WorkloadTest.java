package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class WorkloadTest {
    @Test
    void shortForms_each_haveTheirKindAndNoOptions() {
        Workload<String, Integer> blocking = Workload.blocking("b", String::length);
        Workload<String, Integer> compute = Workload.compute("c", String::length);
        Workload<String, Integer> async =
                Workload.async("a", (s, loop) -> CompletableFuture.completedFuture(s.length()));
        assertThat(blocking.kind()).isEqualTo(Kind.BLOCKING);
        assertThat(compute.kind()).isEqualTo(Kind.COMPUTE);
        assertThat(async.kind()).isEqualTo(Kind.ASYNC);
        assertThat(blocking.function()).isInstanceOf(Fn.class);
        assertThat(async.function()).isInstanceOf(AsyncFn.class);
        assertThat(compute.name()).isEqualTo("c");
        assertThat(compute.isolated()).isFalse();
        assertThat(compute.fineGrained()).isFalse();
        assertThat(compute.timeout()).isEmpty();
        assertThat(compute.retry()).isEmpty();
    }

    @Test
    void builder_allOptions_areKept() {
        RetryPolicy policy = RetryPolicy.attempts(3);
        Workload<Integer, Integer> workload = Workload.named("all")
                .isolated()
                .fineGrained()
                .timeout(Duration.ofSeconds(5))
                .retry(policy)
                .compute(n -> n + 1);
        assertThat(workload.isolated()).isTrue();
        assertThat(workload.fineGrained()).isTrue();
        assertThat(workload.timeout()).contains(Duration.ofSeconds(5));
        assertThat(workload.retry()).containsSame(policy);
        assertThat(workload.toString()).contains("all", "COMPUTE", "isolated", "fine-grained", "PT5S", "3 attempts");
    }

    @Test
    void limitPerKey_anyOfItsForms_keepsTheTypes() {
        Workload<String, Integer> byReference =
                Workload.named("r").limitPerKey(String::length, 3).compute(text -> text.length() + 1);
        Workload<String, Integer> byLambda = Workload.named("l")
                .limitPerKey((CharSequence text) -> text.charAt(0), 3)
                .timeout(Duration.ofSeconds(1))
                .async((text, loop) -> CompletableFuture.completedFuture(text.length()));
        assertThat(byReference.limitPerKey()).hasValue(3);
        assertThat(byReference.keyOf("four")).isEqualTo(4);
        assertThat(byLambda.keyOf("four")).isEqualTo('f');
        assertThat(byLambda.toString()).contains("3 per key");
        assertThat(Workload.compute("c", String::length).limitPerKey()).isEmpty();
        assertThatThrownBy(() -> Workload.compute("c", String::length).keyOf("four"))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> byLambda.keyOf(""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'l'", "key");
    }

    @Test
    @SuppressWarnings("unchecked")
    void actions_each_giveNull() throws Exception {
        AtomicReference<String> seen = new AtomicReference<>();
        Workload<String, Void> action = Workload.computeAction("act", seen::set);
        assertThat(((Fn<String, Void>) action.function()).apply("x")).isNull();
        assertThat(seen).hasValue("x");
        assertThat(Workload.<String>blockingAction("act", seen::set).kind()).isEqualTo(Kind.BLOCKING);
        assertThatThrownBy(() -> Workload.computeAction("act", null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void builder_badValue_isRefusedByNameAndValue() {
        assertThatThrownBy(() -> Workload.named("  "))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name");
        assertThatThrownBy(() -> Workload.named("w").timeout(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("timeout", "PT0S");
        assertThatThrownBy(() -> Workload.named("w").timeout(Duration.ofMillis(-1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Workload.compute("w", null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void builder_optionTwice_isRefused() {
        RetryPolicy policy = RetryPolicy.attempts(2);
        assertThatThrownBy(() -> Workload.named("w").isolated().isolated()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Workload.named("w").fineGrained().fineGrained())
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Workload.named("w").retry(policy).retry(policy))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(
                        () -> Workload.named("w").timeout(Duration.ofSeconds(1)).timeout(Duration.ofSeconds(2)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("PT1S");
    }

    @Test
    void function_lambda_isSerializable() throws Exception {
        Workload<Integer, Integer> workload = Workload.compute("inc", n -> n + 1);
        Workload<Integer, Void> action = Workload.computeAction("act", n -> {});
        try (ObjectOutputStream out = new ObjectOutputStream(new ByteArrayOutputStream())) {
            out.writeObject(workload.function());
            out.writeObject(action.function());
        }
    }
}
