package io.stratagem.threadpool;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An endless input with a slow reader needs no more memory than the window: it survives in a heap of 64 MB. */
final class ConstantMemoryTest {
    private static final long LIMIT_SECONDS = 30;

    @TempDir
    Path directory;

    @Test
    void map_twentyMillionElements_fitInto64Megabytes() throws Exception {
        long count = 20_000_000;
        assertThat(run("ordered", count)).isEqualTo(count + " " + count * (count - 1));
    }

    @Test
    void mapUnordered_endlessInput_fitsInto64Megabytes() throws Exception {
        long count = 5_000_000;
        assertThat(run("unordered", count)).startsWith(count + " ");
    }

    private String run(String order, long count) throws Exception {
        Path out = directory.resolve("out");
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EndlessProgram.class.getName(),
                        order,
                        "" + count)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        try {
            assertThat(program.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as("ended in time")
                    .isTrue();
        } finally {
            program.destroyForcibly();
        }
        String text = Files.readString(out, StandardCharsets.UTF_8).strip();
        assertThat(program.exitValue()).as(text).isZero();
        return text.lines().reduce((former, line) -> line).orElse("");
    }
}
