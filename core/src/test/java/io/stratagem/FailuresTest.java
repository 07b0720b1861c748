package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class FailuresTest {
    @Test
    void first_textNeverComes_isTheNameOfTheClass() {
        Failures failures = new Failures();

        failures.add(new Endless());

        assertThat(failures.first()).hasValue("FailuresTest$Endless, whose toString() does not return");
    }

    @Test
    void first_textNeverComes_isAskedForOnce() {
        Failures failures = new Failures();
        Endless endless = new Endless();
        failures.add(endless);

        assertThat(failures.first()).isEqualTo(failures.first());

        assertThat(endless.calls).hasValue(1);
    }

    @Test
    void first_severalLines_isTheFirstWithWhatItAnnounces() {
        Failures several = new Failures();
        Failures announced = new Failures();

        several.add(new IllegalStateException("one\ntwo"));
        announced.add(new IllegalStateException("it printed last:\n    Unrecognized option: -X\nError: no JVM"));

        assertThat(several.first()).hasValue("java.lang.IllegalStateException: one");
        assertThat(announced.first())
                .hasValue("java.lang.IllegalStateException: it printed last: Unrecognized option: -X");
    }

    @Test
    void first_controlCharacters_areSpaces() {
        Failures failures = new Failures();

        failures.add(new IllegalStateException("red: \u001b[31m and \u009b31m"));

        assertThat(failures.first()).hasValue("java.lang.IllegalStateException: red:  [31m and  31m");
    }

    @Test
    void first_interrupted_keepsTheInterrupt() {
        Failures failures = new Failures();
        failures.add(new IllegalStateException("no"));

        Thread.currentThread().interrupt();
        assertThat(failures.first()).hasValue("java.lang.IllegalStateException: no");

        assertThat(Thread.interrupted()).isTrue();
    }

    private static final class Endless extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final AtomicInteger calls = new AtomicInteger();

        @Override
        public String getMessage() {
            calls.incrementAndGet();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return "at last";
        }
    }
}
