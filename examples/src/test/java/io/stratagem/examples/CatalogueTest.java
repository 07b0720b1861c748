package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CatalogueTest {
    @TempDir
    Path directory;

    @Test
    void files_areCatalogued_inBothWaysAlike() throws IOException {
        write("One.java", "class One {\n  int a() { return 1; }\n}\n");
        write("read me.md", "# Title\n");
        write("bytes", "\u0000\n\u0001");
        write("zero, beyond the first four", "");
        Path nowhere = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("missing"));

        Outcome outcome = Outcome.of(Catalogue::run, "--files", 4, directory);

        assertThat(outcome.err())
                .startsWith("pipeline: " + nowhere + ": ")
                .contains("404 Not Found")
                .hasLineCount(1);
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(0)).startsWith("4 files; each is ");
        assertThat(outcome.lines().get(1)).matches("  one after another  \\S+ m?s");
        assertThat(outcome.lines().get(2)).matches("  pipeline           \\S+ m?s, \\S+ times as fast");
        assertThat(outcome.lines().get(3)).startsWith("3 files with ");
    }

    @Test
    void job_hasOneEntryForEachFile() throws IOException {
        Path file = write("two.txt", "1\n2\n");
        try (Catalogue.Job job = Catalogue.Job.start(List.of(file, file))) {
            List<Result<Catalogue.Entry>> entries = job.pipeline();
            assertThat(entries).hasSize(2).isEqualTo(job.oneAfterAnother());
            Catalogue.Entry entry = entries.get(0).orElseThrow();
            assertThat(entry.name()).isEqualTo(file.toString());
            assertThat(entry.lines()).isEqualTo(2);
            assertThat(entry.bytes()).isEqualTo(4);
        }
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }
}
