package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the README and the guide show compiles as it stands. */
final class ReadmeTest {
    private static final String FRAME = """
            import io.stratagem.*;
            import io.stratagem.batchedipc.*;
            import io.stratagem.eventloop.*;
            import io.stratagem.processpool.*;
            import io.stratagem.threadpool.*;
            import java.awt.image.BufferedImage;
            import java.io.*;
            import java.net.*;
            import java.nio.file.*;
            import java.time.Duration;
            import java.util.*;
            import java.util.concurrent.*;
            import java.util.stream.*;
            import java.util.zip.*;
            import javax.imageio.ImageIO;

            final class Readme {
                static void run() throws Exception {
            %s
                }

                // What an application has.
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
            }
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
            assertCompiles(each);
        }
    }

    private void assertCompiles(String code) throws Exception {
        Path source = Files.writeString(directory.resolve("Readme.java"), FRAME.formatted(code));

        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-proc:none", "-Xlint:all", "-Werror", "-d", directory.toString()),
                            null,
                            files.getJavaFileObjects(source))
                    .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
    }
}
