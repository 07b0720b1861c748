package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
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
    @CsvSource({"README.md, 6", "docs/choosing.md, 8"})
    void examples_compile(String document, int examples) throws Exception {
        List<String> found = examplesOf(document);
        assertThat(found).hasSize(examples);
        for (String each : found) {
            new SnippetCompiler(directory).assertCompiles(each, MEMBERS);
        }
    }

    private static List<String> examplesOf(String document) throws IOException {
        return Pattern.compile("(?s)```java\n(.*?)```")
                .matcher(Files.readString(Path.of("..", document)))
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    private List<String> run(String code, String name) throws Exception {
        new SnippetCompiler(directory).assertCompiles(code, MEMBERS);
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        directory + File.pathSeparator + System.getProperty("java.class.path"),
                        name)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        java.getOutputStream().close();
        String printed = new String(java.getInputStream().readAllBytes(), Charset.defaultCharset());
        assertThat(java.waitFor()).as(printed).isZero();
        return printed.lines().toList();
    }

    @Test
    void firstExample_givesWhatItSays() throws Exception {
        Files.writeString(Files.createDirectory(directory.resolve("src")).resolve("file"), "x".repeat(1234));

        assertThat(run(examplesOf("README.md").get(0), "Sizes")).contains("Success[1234]");
    }

    @Test
    void exampleOfProcesses_givesTheSizes() throws Exception {
        BufferedImage picture = new BufferedImage(30, 40, BufferedImage.TYPE_INT_RGB);
        ImageIO.write(picture, "png", directory.resolve("picture.png").toFile());
        String example = examplesOf("README.md").stream()
                .filter(each -> each.contains("picture.png"))
                .findFirst()
                .orElseThrow();

        assertThat(run(example, "Snippet")).contains("[30, 40]");
    }
}
