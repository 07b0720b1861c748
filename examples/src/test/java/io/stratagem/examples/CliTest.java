package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileNotFoundException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class CliTest {
    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(new NoSuchFileException("some/file"), "some/file: no such file"),
                Arguments.of(new AccessDeniedException("some/file"), "some/file: permission denied"),
                Arguments.of(
                        new UncheckedIOException(new FileSystemException("some/file", null, "Is a directory")),
                        "some/file: Is a directory"),
                Arguments.of(new FileNotFoundException("some words"), "some words"),
                Arguments.of(new NoSuchFileException(null), "no such file"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void fileThatFails_isNamed(Exception failure, String message) {
        Outcome outcome = Outcome.of((args, out, err) -> Cli.run("example", "", args, out, err, cli -> {
            throw failure;
        }));

        assertThat(outcome.err()).isEqualTo("example: " + message + System.lineSeparator());
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }
}
