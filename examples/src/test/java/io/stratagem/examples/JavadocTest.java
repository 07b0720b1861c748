package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the Javadoc shows compiles. */
final class JavadocTest {
    private static final Pattern EXAMPLE = Pattern.compile("(?s)<pre>\\{@code\n(.*?)\n *\\* *}</pre>");

    /** What the examples of a class are about, and an application has. */
    private static final Map<String, String> MEMBERS = Map.of(
            "AutoStrategy",
            """
            record Page() {}
            record Image() {}
            static Workload<URI, Page> fetch;
            static Workload<Path, String> sha256;
            static Workload<byte[], Image> render;
            static URI uri;
            static Path file;
            static byte[] bytes;
            """,
            "Pipeline",
            """
            record Page() {}
            record Digest() {}
            record Thumbnail() {}
            static Workload<URI, Page> fetch;
            static Workload<Page, Digest> hash;
            static Workload<Digest, Thumbnail> render;
            static List<URI> uris;
            static ExecutorStrategy strategy, loop, processes;
            static native void show(Object thumbnail);
            """,
            "Workload",
            """
            record Image() {}
            static final class Checksums { static native String sha256(Path file); }
            static final class Renderer { static native Image render(byte[] document); }
            interface Http { CompletableFuture<String> get(URI uri); }
            static Http http;
            """,
            "Broadcast",
            """
            record Image() {}
            record Label() {}
            static final class Model { native Label classify(Image image); }
            static native Model load();
            static ExecutorStrategy strategy;
            static List<Image> images;
            static List<Label> results;
            """,
            "SharedArray",
            """
            static double[] values;
            static Workload<SharedArray, Double> total;
            static ExecutorStrategy strategy;
            """,
            "SharedMap",
            """
            static native List<String> words(Path file);
            static ExecutorStrategy strategy;
            static List<Path> files;
            """,
            "SharedQueue",
            """
            static native void search(Path file, SharedQueue<String> found);
            static native void show(String line);
            static ExecutorStrategy strategy;
            static Path file;
            """,
            "Network",
            "");

    @TempDir
    Path directory;

    @Test
    void examples_compile() throws Exception {
        int examples = 0;
        for (Path source : sources()) {
            String type = source.getFileName().toString().replace(".java", "");
            List<String> found = EXAMPLE.matcher(Files.readString(source))
                    .results()
                    .map(match -> match.group(1).replaceAll("(?m)^ *\\* ?", ""))
                    .toList();
            for (String each : found) {
                assertThat(MEMBERS)
                        .as("what the examples of %s are about", type)
                        .containsKey(type);
                String code = each.endsWith(";") || each.endsWith("}") ? each : "Object made = " + each + ";";
                new SnippetCompiler(directory).assertCompiles(code, MEMBERS.get(type));
            }
            examples += found.size();
        }
        assertThat(examples).isGreaterThan(10);
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> core = Files.walk(Path.of("..", "core", "src", "main"));
                Stream<Path> strategies = Files.walk(Path.of("..", "strategies"))) {
            return Stream.concat(core, strategies)
                    .filter(file -> file.toString().endsWith(".java")
                            && !file.toString().contains("test")
                            && !file.toString().contains("target"))
                    .toList();
        }
    }
}
