package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class EchoTest {
    @Test
    void allMessages_comeBack() {
        Outcome outcome = Outcome.of(Echo::run, "--connections", 50, "--requests", 20);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines())
                .singleElement()
                .asString()
                .matches("1,000 messages over 50 connections came back in .+: [\\d,]+ a second");
    }

    @Test
    void allMessages_comeBackEncrypted() {
        Outcome outcome = Outcome.of(Echo::run, "--connections", 10, "--requests", 5, "--tls");

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).startsWith("50 messages over 10 connections came back in ");
    }
}
