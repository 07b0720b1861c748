package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What all examples have in common when they are called wrongly. */
final class BadInputTest {
    @TempDir
    Path directory;

    static Stream<Arguments> examples() {
        return Stream.concat(
                examplesOfFewArguments(),
                Stream.of(
                        example("render", Render::run),
                        example("proxy", Proxy::run),
                        example("profile", Profile::run)));
    }

    static Stream<Arguments> examplesOfFewArguments() {
        return Stream.concat(
                examplesOfOneDirectory(),
                Stream.of(
                        example("timers", Timers::run),
                        example("echo", Echo::run),
                        example("downloads", Downloads::run),
                        example("primes", Primes::run),
                        example("vector", VectorLoop::run),
                        example("montecarlo", MonteCarlo::run),
                        example("arraysum", ArraySum::run),
                        example("sharedcounter", SharedCount::run),
                        example("crashy", Crashy::run)));
    }

    static Stream<Arguments> directoryExamples() {
        return Stream.concat(examplesOfOneDirectory(), Stream.of(example("render", Render::run)));
    }

    private static Stream<Arguments> examplesOfOneDirectory() {
        return Stream.of(
                example("tour", Tour::run),
                example("checksums", Checksums::run),
                example("compress", Compress::run),
                example("mixed", Mixed::run),
                example("pipeline", Catalogue::run),
                example("wordcount", WordCount::run));
    }

    private static Arguments example(String name, Outcome.Example example) {
        return Arguments.of(name, example);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examples")
    void help_isPrinted(String name, Outcome.Example example) {
        Outcome outcome = Outcome.of(example, "--help");

        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out()).startsWith("usage: examples/run " + name).contains("exit code ");
        assertThat(outcome.err()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examples")
    void unknownOption_isRefused(String name, Outcome.Example example) {
        Outcome outcome = Outcome.of(example, "--colour");

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).contains(name + ": unknown option --colour", "--help");
        assertThat(outcome.out()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("examplesOfFewArguments")
    void argumentsTooMany_areRefused(String name, Outcome.Example example) {
        Outcome outcome = Outcome.of(example, directory, directory, directory);

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).contains("one argument too many: " + directory);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("directoryExamples")
    void missingDirectory_isNamed(String name, Outcome.Example example) {
        Path missing = directory.resolve("missing");

        Outcome outcome = Outcome.of(example, missing);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err())
                .startsWith(name + ": no such ")
                .contains(missing.toString())
                .hasLineCount(1);
        assertThat(outcome.out()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("directoryExamples")
    void emptyDirectory_isNamed(String name, Outcome.Example example) throws IOException {
        Files.createDirectory(directory.resolve("empty"));

        Outcome outcome = Outcome.of(example, directory);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err()).isEqualTo(name + ": no files in " + directory + System.lineSeparator());
        assertThat(outcome.out()).isEmpty();
    }
}
