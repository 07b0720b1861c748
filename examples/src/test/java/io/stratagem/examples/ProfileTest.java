package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProfileTest {
    private static final String[] RECOMMENDATIONS = {
        "Take the ", "Call it directly", "Declare it", "No strategy can be recommended"
    };

    @TempDir
    Path directory;

    static Stream<String> worksOfOneKind() {
        return Profile.names().stream().filter(name -> !name.equals("pipeline"));
    }

    /** In a time so short that on a busy machine there may be nothing to recommend, which is then said. */
    @ParameterizedTest
    @MethodSource("worksOfOneKind")
    void anyWork_opensWithTheRecommendation(String name) throws IOException {
        List<Object> args =
                new ArrayList<>(List.of("--seconds", "0.05", "--html", directory.resolve("page.html"), name));
        inputOf(name).ifPresent(args::add);

        Outcome outcome = Outcome.of(Profile::run, args.toArray());

        assertThat(outcome.lines().get(0)).containsAnyOf(RECOMMENDATIONS);
        assertThat(outcome.out()).contains("tasks/s", "The page with plots is ");
        if (outcome.exitCode() == Cli.ALL_DONE) {
            assertThat(outcome.err()).isEmpty();
        } else {
            assertThat(outcome.err())
                    .startsWith("profile: no strategy can be recommended for ")
                    .hasLineCount(1);
        }
    }

    private Optional<Path> inputOf(String name) throws IOException {
        switch (name) {
            case "checksums", "compress", "wordcount", "mixed", "pipeline" ->
                Files.writeString(
                        Files.createDirectory(directory.resolve("files")).resolve("A.java"), "class A { int be; }\n");
            case "render" -> writePicture(Files.createDirectory(directory.resolve("files")));
            default -> {
                return Optional.empty();
            }
        }
        return Optional.of(directory.resolve("files"));
    }

    @Test
    void pipeline_isMeasuredStageByStage() throws IOException {
        Path files = inputOf("pipeline").orElseThrow();

        Outcome outcome = Outcome.of(
                Profile::run, "--seconds", "0.05", "--html", directory.resolve("page.html"), "pipeline", files);

        List<String> stages = List.of("fetch", "pack", "outline", "register");
        assertThat(outcome.lines().subList(0, 4))
                .allSatisfy(line -> assertThat(line).containsAnyOf(RECOMMENDATIONS))
                .extracting(line -> line.split(": ", 2)[0])
                .isEqualTo(stages);
        assertThat(outcome.out()).contains("Each of these stages was measured by itself");
        for (String stage : stages) {
            Path page = directory.resolve("page-" + stage + ".html");
            assertThat(outcome.out())
                    .contains("Stage " + stage + ":", stage + ", declared ", "The page with plots is " + page);
            assertThat(page).content().contains("<title>Profile of " + stage);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tour", "proxy", "profile"})
    void exampleWithoutWorkOfItsOwn_isRefusedWithTheReason(String name) {
        Outcome outcome = Outcome.of(Profile::run, name);

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).contains(name + " ", "it is one of checksums").doesNotContain("there is no work");
    }

    @ParameterizedTest
    @ValueSource(strings = {"primes", "vector"})
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
        writePicture(directory);
        Files.writeString(directory.resolve("note.txt"), "no picture");

        Outcome outcome =
                Outcome.of(Profile::run, "--seconds", 1, "--html", directory.resolve("page.html"), "render", directory);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).contains("Files were read again and again", ", 1 input over and over");
    }

    private static void writePicture(Path where) throws IOException {
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_3BYTE_BGR);
        ImageIO.write(image, "png", where.resolve("picture.png").toFile());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "timers",
                "echo",
                "downloads",
                "primes",
                "montecarlo",
                "arraysum",
                "sharedcounter",
                "crashy",
                "vector"
            })
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

    @ParameterizedTest
    @CsvSource({"0, at least 0.01", "-1, at least 0.01", "few, a positive number"})
    void badSeconds_areRefused(String seconds, String message) {
        Outcome outcome = Outcome.of(Profile::run, "--seconds", seconds, "primes");

        assertThat(outcome.err()).contains("--seconds takes " + message + ", not " + seconds);
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

    @ParameterizedTest
    @ValueSource(strings = {"fetch", "register"})
    @Timeout(60) // to measure would take hours
    void pageOfAStage_thatCannotBeWritten_isRefusedAtOnce(String stage) throws IOException {
        Path files = inputOf("pipeline").orElseThrow();
        Path inTheWay = Files.createDirectory(directory.resolve("page-" + stage + ".html"));

        Outcome outcome = Outcome.of(
                Profile::run, "--seconds", 3_600, "--html", directory.resolve("page.html"), "pipeline", files);

        assertThat(outcome.err()).isEqualToNormalizingNewlines("profile: cannot write to " + inTheWay + "\n");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    /** Only the pages of the stages are written; one of them is refused here, so that nothing is measured. */
    @Test
    @Timeout(60)
    void pageOfAPipeline_isNotAskedFor() throws IOException {
        Path files = inputOf("pipeline").orElseThrow();
        Path page = Files.createDirectory(directory.resolve("page.html"));
        Path inTheWay = Files.createDirectory(directory.resolve("page-pack.html"));

        Outcome outcome = Outcome.of(Profile::run, "--seconds", 3_600, "--html", page, "pipeline", files);

        assertThat(outcome.err()).isEqualToNormalizingNewlines("profile: cannot write to " + inTheWay + "\n");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    @Timeout(60)
    void pageOfAStage_besideTheRoot_isRefusedAtOnce() throws IOException {
        Path files = inputOf("pipeline").orElseThrow();
        Path root = files.toAbsolutePath().getRoot();

        Outcome outcome = Outcome.of(Profile::run, "--seconds", 3_600, "--html", root, "pipeline", files);

        assertThat(outcome.err()).isEqualToNormalizingNewlines("profile: cannot write to " + root + "\n");
    }
}
