package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ProgressTest {
    private static final int WIDTH = 60;

    private final ByteArrayOutputStream drawn = new ByteArrayOutputStream();
    private final PrintStream terminal = new PrintStream(drawn, true, StandardCharsets.UTF_8);

    @Test
    void bar_isDrawn_andWipedAtTheEnd() {
        try (Stream<Integer> results = Progress.of(Stream.of(1, 2, 3), "count", 3, WIDTH, terminal)) {
            assertThat(results).containsExactly(1, 2, 3);
        }

        assertThat(drawn.toString(StandardCharsets.UTF_8))
                .containsPattern("\rcount +100%.* 3/3 ")
                .endsWith("\r" + " ".repeat(WIDTH - 1) + "\r");
    }

    @Test
    void status_isDrawn_andWipedAtTheEnd() {
        try (Progress.Status status = new Progress.Status(WIDTH, terminal)) {
            status.show("one thread");
        }

        assertThat(drawn.toString(StandardCharsets.UTF_8))
                .startsWith("\rone thread ")
                .endsWith("\r" + " ".repeat(WIDTH - 1) + "\r");
    }

    @Test
    void withoutTerminal_nothingIsDrawn() {
        try (Stream<Integer> results = Progress.of(Stream.of(1, 2, 3), "count", 3, 0, terminal)) {
            assertThat(results).containsExactly(1, 2, 3);
        }

        assertThat(drawn.toString(StandardCharsets.UTF_8)).isEmpty();
    }
}
