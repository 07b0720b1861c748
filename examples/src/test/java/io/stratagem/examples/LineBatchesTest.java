package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LineBatchesTest {
    @TempDir
    Path directory;

    @Test
    void batches_areWholeLines() throws IOException {
        assertThat(batches(12, "one\ntwo\nthree\nfour")).containsExactly("one\ntwo\n", "three\nfour");
    }

    @Test
    void longLine_isCutBetweenWords() throws IOException {
        assertThat(batches(10, "one two three four\n")).containsExactly("one two ", "three ", "four\n");
    }

    @Test
    void longWord_isCut() throws IOException {
        assertThat(batches(4, "ninechars\nx")).containsExactly("nine", "char", "s\nx");
    }

    @Test
    void files_areNotJoined() throws IOException {
        assertThat(batches(10, "one", "", "two\n", "three")).containsExactly("one", "two\n", "three");
    }

    @Test
    void nothing_isReadAhead() throws IOException {
        Path first = Files.writeString(directory.resolve("first"), "one");
        Path second = directory.resolve("second");

        runWith(cli -> {
            try (LineBatches batches = new LineBatches(List.of(first, second), 10, cli)) {
                assertThat(batches.next()).isEqualTo("one");
                Files.writeString(second, "two"); // in time
                assertThat(batches.next()).isEqualTo("two");
                assertThat(batches.hasNext()).isFalse();
            }
        });
    }

    private List<String> batches(int batchChars, String... texts) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String text : texts) {
            files.add(Files.writeString(directory.resolve("file" + files.size()), text));
        }
        List<String> result = new ArrayList<>();
        runWith(cli -> {
            try (LineBatches batches = new LineBatches(files, batchChars, cli)) {
                batches.forEachRemaining(result::add);
            }
        });
        return result;
    }

    private static void runWith(Cli.Program program) {
        Outcome outcome = Outcome.of((args, out, err) -> Cli.run("test", "", args, out, err, program));
        assertThat(outcome.err()).isEmpty();
    }
}
