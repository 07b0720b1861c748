package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkloadProfileTest {
    private static final int WIDTH = 120;

    @Test
    void table_longTexts_fitsTheTerminal() {
        String words = "a sentence of several words ".repeat(20);
        String word = "w".repeat(500);
        WorkloadProfile profile = profile(word, List.of(words, word), row("thread pool", 1e9), unmeasured(word));

        assertThat(profile.table().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDTH));
        assertThat(profile.table().replaceAll("\\s", "")).contains("w".repeat(500));
    }

    @Test
    void table_longNames_fitsTheTerminal() {
        String name = "a strategy\nof somebody else, with a very long name ".repeat(4);
        WorkloadProfile profile = profile(
                "work",
                List.of(),
                new Row(name, row("", 1).figures(), "how tasks failed"),
                new Row(name, Optional.empty(), "why not"));

        assertThat(profile.table().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDTH));
        assertThat(profile.table().lines())
                .filteredOn(line -> line.contains("a strategy of somebody el…"))
                .as("two rows and a note")
                .hasSize(3);
    }

    @Test
    void table_marksWhatIsRecommended() {
        WorkloadProfile profile = profile("work", List.of(), row("one thread", 10), row("thread pool", 20));

        assertThat(profile.table().lines()).anyMatch(line -> line.startsWith("> thread pool"));
        assertThat(profile.table().lines()).noneMatch(line -> line.startsWith("> one thread"));
        assertThat(profile.table()).startsWith("Take the thread pool.");
        assertThat(profile.bestRow().orElseThrow().name()).isEqualTo("thread pool");
        assertThat(profile).hasToString("work: Take the thread pool.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\u0085", "\u2028", "\u2029", "\u001b", "\u009b", "\0"})
    void table_controlCharacterInNames_isASpace(String character) {
        String name = "a" + character + "b";
        WorkloadProfile profile = profile(name, List.of(name), row(name, 10), unmeasured(name));

        assertThat(profile.table())
                .isEqualTo(profile("a b", List.of("a b"), row("a b", 10), unmeasured("a b"))
                        .table());
        assertThat(profile).hasToString("a b: Take the thread pool.");
    }

    @Test
    void table_unmeasured_saysWhy() {
        WorkloadProfile profile = profile("work", List.of(), row("one thread", 10), unmeasured("it cannot be sent"));

        assertThat(profile.table()).containsPattern("process pool +it cannot be sent");
    }

    private static WorkloadProfile profile(String name, List<String> findings, Row... rows) {
        return new WorkloadProfile(
                name,
                Kind.COMPUTE,
                false,
                Optional.of("thread pool"),
                "Take the thread pool.",
                findings,
                findings,
                OptionalDouble.empty(),
                List.of(rows),
                "on this machine");
    }

    private static Row unmeasured(String why) {
        return new Row("process pool", Optional.empty(), why);
    }

    private static Row row(String name, double tasksPerSecond) {
        return new Row(
                name,
                Optional.of(new Figures(
                        1_000_000,
                        999_999,
                        tasksPerSecond,
                        Optional.of(Duration.ofNanos(999_999)),
                        Optional.of(Duration.ofSeconds(100_000)),
                        OptionalDouble.of(1),
                        1000,
                        1e15,
                        OptionalDouble.empty(),
                        OptionalLong.of(Long.MAX_VALUE),
                        Duration.ofMillis(999))),
                "");
    }
}
