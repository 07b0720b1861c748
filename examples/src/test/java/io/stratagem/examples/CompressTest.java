package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.XZInputStream;

final class CompressTest {
    private static final String KEPT = "The compressed files are in ";

    @TempDir
    Path directory;

    @Test
    void files_decompressToTheSame() throws IOException {
        byte[] random = new byte[300_000];
        new Random(1).nextBytes(random);
        Files.write(directory.resolve("random.bin"), random);
        Files.writeString(directory.resolve("text.txt"), "all work and no play\n".repeat(10_000));
        Files.createFile(Files.createDirectories(directory.resolve("a/b")).resolve("nothing"));

        Outcome outcome = Outcome.of(Compress::run, "--keep", directory);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        String lastLine = outcome.lines().get(outcome.lines().size() - 1);
        assertThat(lastLine).startsWith(KEPT);
        Path kept = Path.of(lastLine.substring(KEPT.length()));
        try {
            for (String name : new String[] {"random.bin", "text.txt", "a/b/nothing"}) {
                byte[] original = Files.readAllBytes(directory.resolve(name));
                assertThat(gunzip(kept.resolve(name + ".gz"))).isEqualTo(original);
                assertThat(unxz(kept.resolve(name + ".xz"))).isEqualTo(original);
            }
        } finally {
            MoreFiles.deleteRecursively(kept, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    @Test
    void table_hasFilesAndRatiosByType() throws IOException {
        Files.writeString(directory.resolve("one.txt"), "all work and no play\n".repeat(10_000));
        Files.writeString(directory.resolve("two.txt"), "all work and no play\n".repeat(10_000));
        Files.createFile(directory.resolve("nothing"));

        Outcome outcome = Outcome.of(Compress::run, directory);

        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(1)).matches("\\.txt +2 +420 kB +\\S+ \\S?B +0\\.\\d % +\\S+ B +0\\.\\d %");
        assertThat(outcome.lines().get(2)).matches("\\(none\\) +1 +0 B +20 B +- +32 B +-");
        assertThat(outcome.lines().get(3)).startsWith("all ").contains(" 3 ");
    }

    @Test
    void nothing_isLeftBehind() throws IOException {
        Files.writeString(directory.resolve("file"), "text");

        Outcome.of(Compress::run, directory);

        try (Stream<Path> temporary = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            String ours = "stratagem-compress-" + ProcessHandle.current().pid() + "-";
            assertThat(temporary)
                    .noneMatch(path -> path.getFileName().toString().startsWith(ours));
        }
    }

    @Test
    void unreadableFile_isNamedOnce_andTheOthersAreDone() throws IOException {
        Files.writeString(directory.resolve("a"), "text");
        Path nowhere = Files.createSymbolicLink(directory.resolve("b"), directory.resolve("missing"));
        Files.writeString(directory.resolve("c"), "text");

        Outcome outcome = Outcome.of(Compress::run, directory);

        assertThat(outcome.err()).isEqualTo("compress: " + nowhere + ": no such file" + System.lineSeparator());
        assertThat(outcome.lines().get(2)).matches("all +2 .*");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    private static byte[] gunzip(Path file) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            return in.readAllBytes();
        }
    }

    private static byte[] unxz(Path file) throws IOException {
        try (InputStream in = new XZInputStream(Files.newInputStream(file))) {
            return in.readAllBytes();
        }
    }
}
