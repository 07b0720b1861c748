package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles what documents show.
 *
 * @param directory where it may write
 */
record SnippetCompiler(Path directory) {
    private static final String FRAME = """
            import io.stratagem.*;
            import io.stratagem.batchedipc.*;
            import io.stratagem.eventloop.*;
            import io.stratagem.processpool.*;
            import io.stratagem.threadpool.*;
            import static java.nio.charset.StandardCharsets.US_ASCII;
            import static java.util.concurrent.TimeUnit.SECONDS;
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

            final class Snippet {
                public static void main(String[] args) throws Exception {
            %s
                }

            %s
            }
            """;

    /**
     * Fails unless the code compiles without a warning.
     *
     * @param code statements, or a whole file that begins with its imports
     * @param members what the application has that they are of: members of a class
     */
    void assertCompiles(String code, String members) throws Exception {
        Matcher whole =
                Pattern.compile("(?s)import .*?\\npublic class (\\w+) .*").matcher(code);
        boolean isWhole = whole.matches();
        Path source = Files.writeString(
                directory.resolve(isWhole ? whole.group(1) + ".java" : "Snippet.java"),
                isWhole ? code : FRAME.formatted(code, members));
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
            assertThat(compiled).as("%s%n%s", messages, code).isTrue();
        }
    }
}
