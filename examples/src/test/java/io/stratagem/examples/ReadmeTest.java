package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the README and the guide show compiles as it stands. */
final class ReadmeTest {
    /** What an application has. */
    private static final String MEMBERS = """
            static List<Path> files;
            static URI uri;
            static List<URI> uris;
            static List<byte[]> documents;
            static Map<String, String> texts;
            static double[] weights;
            static List<double[]> parts;
            static native String sha256(Path file);
            static native String page(URI uri);
            static native CompletableFuture<String> get(URI uri);
            static native byte[] render(byte[] document);
            static native void loadFonts();
            static native void save(byte[] image);
            static native int parse(String text);
            static native double total(double[] part, double[] weights);
            """;

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({"README.md, 5", "docs/choosing.md, 8"})
    void examples_compile(String document, int examples) throws Exception {
        String text = Files.readString(Path.of("..", document));
        List<String> found = Pattern.compile("(?s)```java\n(.*?)```")
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(found).hasSize(examples);
        for (String each : found) {
            new SnippetCompiler(directory).assertCompiles(each, MEMBERS);
        }
    }
}
