package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ProfileTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"primes", "timers", "montecarlo"})
    void work_isMeasuredAndShown(String name) throws IOException {
        Path page = directory.resolve("page.html");

        Outcome outcome = Outcome.of(Profile::run, "--seconds", 1, "--html", page, name);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines().get(0)).containsAnyOf("Take the ", "Call it directly", "Declare it");
        assertThat(outcome.out()).contains("batched IPC", "The page with plots is " + page);
        assertThat(page).content().contains("<svg ", outcome.lines().get(0).split(":", 2)[0]);
    }

    @Test
    void files_areThoseOfTheDirectory() throws IOException {
        Files.writeString(directory.resolve("text"), "to be or not to be\n".repeat(1_000));

        Outcome outcome = Outcome.of(
                Profile::run, "--seconds", 1, "--html", directory.resolve("page.html"), "wordcount", directory);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).contains("count words, declared compute", ", 1 input over and over");
    }

    @Test
    void missingName_listsThem() {
        Outcome outcome = Outcome.of(Profile::run);

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).contains("NAME is missing", "primes", "render", "--help");
    }

    @Test
    void unknownName_listsThem() {
        Outcome outcome = Outcome.of(Profile::run, "colours");

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).contains("there is no work of the name colours", "primes", "render");
    }

    @Test
    void missingDirectory_isNamed() {
        Path missing = directory.resolve("missing");

        Outcome outcome = Outcome.of(Profile::run, "checksums", missing);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err()).contains("no such directory: " + missing);
    }
}
