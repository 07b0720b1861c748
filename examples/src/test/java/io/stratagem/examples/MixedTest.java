package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MixedTest {
    @TempDir
    Path directory;

    @Test
    void files_areFetchedHashedAndParsed() throws IOException {
        write(
                "One.java",
                "/** class No {} */\nclass One {\n  int a() { return 1; }\n  enum Two { A; void b() {} }\n}\n");
        write("Broken.java", "class Broken {\n");
        write("read me.md", "# Title\n\nA [link](x) and [another](y).\n\n```\n# no title [no](link)\n```\n## More\n");
        write("bytes", "\u0000\n\u0001");
        Path nowhere = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("missing"));

        Outcome outcome = Outcome.of(Mixed::run, directory);

        assertThat(outcome.err())
                .startsWith("mixed: " + nowhere + ": ")
                .contains("404 Not Found")
                .hasLineCount(1);
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(0)).matches("4 files fetched, hashed and parsed in .+");
        assertThat(outcome.lines().subList(1, 4))
                .containsExactly(
                        "  Java: 2 files, 6 lines, 3 types, 2 methods, 1 with syntax errors",
                        "  Markdown: 1 file, 8 lines, 2 headings, 2 links",
                        "  other: 1 file, 2 lines");
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }
}
