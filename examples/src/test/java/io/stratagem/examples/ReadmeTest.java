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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows compiles as it stands. */
final class ReadmeTest {
    private static final String FRAME = """
            import io.stratagem.*;
            import io.stratagem.eventloop.*;
            import io.stratagem.processpool.*;
            import io.stratagem.threadpool.*;
            import java.awt.image.BufferedImage;
            import java.io.*;
            import java.net.*;
            import java.nio.file.*;
            import java.time.Duration;
            import java.util.Arrays;
            import java.util.Locale;
            import java.util.concurrent.*;
            import java.util.stream.*;
            import java.util.zip.*;
            import javax.imageio.ImageIO;

            final class Readme {
                static void run() throws Exception {
            %s
                }
            }
            """;

    @TempDir
    Path directory;

    @Test
    void readme_examples_compile() throws Exception {
        String readme = Files.readString(Path.of("..", "README.md"));
        List<String> examples = Pattern.compile("(?s)```java\n(.*?)```")
                .matcher(readme)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(examples).hasSize(4);
        for (String each : examples) {
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
