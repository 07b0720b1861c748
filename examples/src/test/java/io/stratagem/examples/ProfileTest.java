package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ProfileTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"primes", "timers", "montecarlo", "vector"})
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

    @Test
    void pictures_areThoseOfTheDirectory() throws IOException {
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_3BYTE_BGR);
        ImageIO.write(image, "png", directory.resolve("picture.png").toFile());
        Files.writeString(directory.resolve("note.txt"), "no picture");

        Outcome outcome =
                Outcome.of(Profile::run, "--seconds", 1, "--html", directory.resolve("page.html"), "render", directory);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).contains("Files were read again and again", ", 1 input over and over");
    }

    @ParameterizedTest
    @ValueSource(strings = {"timers", "echo", "downloads", "primes", "montecarlo", "arraysum", "crashy", "vector"})
    void directory_forWorkThatTakesNone_isRefused(String name) {
        Outcome outcome = Outcome.of(Profile::run, "--seconds", 1, name, directory);

        assertThat(outcome.err()).contains("the work of " + name + " takes no DIR");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.out()).isEmpty();
    }

    @Test
    void tooManySeconds_areRefused() {
        Outcome outcome = Outcome.of(Profile::run, "--seconds", 3_601, "primes");

        assertThat(outcome.err()).contains("--seconds takes at most 3600, not 3601");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    @Test
    void page_thatCannotBeWritten_isRefusedAtOnce() {
        Path page = directory.resolve("missing/page.html");

        Outcome outcome = Outcome.of(Profile::run, "--seconds", 1, "--html", page, "primes");

        assertThat(outcome.err()).contains("cannot write to " + page);
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.out()).isEmpty();
    }
}
