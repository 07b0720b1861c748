package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TourTest {
    @TempDir
    Path directory;

    @Test
    void tour_showsStrategiesAndFigures() throws IOException {
        for (int i = 0; i < 8; i++) {
            Files.writeString(directory.resolve("file" + i), ("line " + i + "\n").repeat(5_000));
        }

        Outcome outcome = Outcome.of(Tour::run, "--quick", directory);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out())
                .contains("8 files below " + directory.toRealPath())
                .contains(
                        "  read         blocking                 -> thread pool\n    because ",
                        "  prime        compute                  -> thread pool\n    because ",
                        "  fetch        async                    -> event loop\n    because ",
                        "  parse        compute, isolated        -> process pool\n    because ",
                        "  darts        compute, isolated, tiny  -> batched IPC\n    because ",
                        "  vector loop  compute, own JVM         -> process pool\n    because ")
                .contains("read ->", "sha256 ->", "gzip ->", "xz ->", "sleep ->", "delay ->", "because")
                .containsPattern(
                        "one thread   \\S+ m?s +for [\\d,]+ tasks\n  thread pool  \\S+ m?s +the same results; ")
                .containsPattern("delay -> event loop\n(  .*\n)+  event loop   \\S+ m?s")
                .contains("Failure  java.nio.file.NoSuchFileException")
                .contains("Failure  io.stratagem.TaskTimeoutException")
                .contains("fetch -> event loop", "500 pages from http://", "  event loop  ")
                .contains("25,000 messages over 500 connections came back in ")
                .contains("500 connections, 0 failed, 1.6 MB there, 1.6 MB back")
                .contains(
                        "parse -> process pool",
                        "8 files fetched, hashed and parsed in ",
                        "other: 8 files, 40,000 lines")
                .contains("prime -> thread pool", "138 primes among 2,000 numbers", "process pool")
                .contains("sum of a shared part ->", "sum of 1,000,000 numbers", "  shared  ")
                .contains("262,144 dot products of 512 floats", "  vectors  ")
                .contains("risky -> process pool", "Failure  io.stratagem.WorkerDiedException", "work done in process")
                .contains("crashed with SIGSEGV", "'risky' ran longer than its timeout of PT2S; its worker is killed")
                .contains("bomb.png: io.stratagem.WorkerDiedException")
                .contains("2 scaled, 1 worker lost to OutOfMemoryError, in ");
    }

    @Test
    void unreadableFile_isNamed_andTheTourGoesOn() throws IOException {
        Files.writeString(directory.resolve("file"), "text");
        Path nowhere = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("missing"));

        Outcome outcome = Outcome.of(Tour::run, "--quick", directory);

        assertThat(outcome.err()).isEqualTo("tour: " + nowhere + ": no such file" + System.lineSeparator());
        assertThat(outcome.out()).contains("1 file, 4 B", "Failure  io.stratagem.TaskTimeoutException");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void buildOutput_isLeftOut() throws IOException {
        Files.writeString(Files.createDirectories(directory.resolve("target")).resolve("made"), "text");
        Files.writeString(Files.createDirectories(directory.resolve(".git")).resolve("kept"), "text");

        Outcome outcome = Outcome.of(Tour::run, "--quick", directory);

        assertThat(outcome.err()).contains("no files in " + directory);
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void emptyFiles_areNoInput() throws IOException {
        Files.createFile(directory.resolve("nothing"));

        Outcome outcome = Outcome.of(Tour::run, "--quick", directory);

        assertThat(outcome.err()).contains("nothing in these files");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }
}
