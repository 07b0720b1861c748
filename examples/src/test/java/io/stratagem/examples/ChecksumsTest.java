package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ChecksumsTest {
    // From FIPS 180-2: "abc", nothing, and a million times "a".
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final String MILLION = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

    @TempDir
    Path directory;

    @Test
    void files_haveKnownSums_inOrder() throws IOException {
        Path abc = Files.writeString(directory.resolve("abc"), "abc");
        Path nothing = Files.createFile(directory.resolve("nothing"));
        Path million = Files.writeString(
                Files.createDirectory(directory.resolve("deeper")).resolve("million"), "a".repeat(1_000_000));

        Outcome outcome = Outcome.of(Checksums::run, directory);

        assertThat(outcome.lines())
                .containsExactly(ABC + "  " + abc, MILLION + "  " + million, NOTHING + "  " + nothing);
        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
    }

    @Test
    void unreadableFile_isNamed_andTheOthersAreDone() throws IOException {
        Path before = Files.writeString(directory.resolve("a"), "abc");
        Path nowhere = Files.createSymbolicLink(directory.resolve("b"), directory.resolve("missing"));
        Path circle = Files.createSymbolicLink(directory.resolve("c"), directory.resolve("c"));
        Path after = Files.writeString(directory.resolve("d"), "abc");

        Outcome outcome = Outcome.of(Checksums::run, directory);

        assertThat(outcome.lines()).containsExactly(ABC + "  " + before, ABC + "  " + after);
        assertThat(outcome.err()).contains("checksums: " + nowhere + ": no such file", "checksums: " + circle + ": ");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void links_areFollowedToFilesOnly() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "abc");
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        Files.createSymbolicLink(directory.resolve("upwards"), directory);

        Outcome outcome = Outcome.of(Checksums::run, directory);

        assertThat(outcome.lines()).containsExactly(ABC + "  " + file, ABC + "  " + link);
        assertThat(outcome.exitCode()).isZero();
    }

    @Test
    void linkToDirectory_asArgument_isFollowed() throws IOException {
        Files.writeString(Files.createDirectory(directory.resolve("real")).resolve("file"), "abc");
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("real"));

        Outcome outcome = Outcome.of(Checksums::run, link);

        assertThat(outcome.lines()).containsExactly(ABC + "  " + link.resolve("file"));
    }

    @Test
    void namesThatBreakLines_areEscaped() throws IOException {
        Files.writeString(directory.resolve("two\nlines\\"), "abc");

        Outcome outcome = Outcome.of(Checksums::run, directory);

        assertThat(outcome.lines()).containsExactly("\\" + ABC + "  " + directory + "/two\\nlines\\\\");
    }

    @Test
    void file_insteadOfDirectory_isRefused() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "abc");

        Outcome outcome = Outcome.of(Checksums::run, file);

        assertThat(outcome.err()).contains("not a directory: " + file);
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void noArgument_isRefused() {
        Outcome outcome = Outcome.of(Checksums::run);

        assertThat(outcome.err()).contains("DIR is missing");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }
}
