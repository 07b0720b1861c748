package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Runs all jcstress tests of this module: a short round by default, long ones under {@code -Pstress}. */
final class JcstressTest {
    private static final int ROUNDS = Integer.getInteger("stress.rounds", 1);
    private static final long MILLIS_PER_ROUND = 50;
    private static final long LIMIT_MINUTES = 2L + ROUNDS;

    @Test
    void allTests_run_showNoForbiddenOutcome() throws Exception {
        Path directory = Files.createDirectories(Path.of("target", "jcstress"));
        Path out = directory.resolve("out.txt");
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "org.openjdk.jcstress.Main",
                "-t",
                "io\\.stratagem\\.",
                "-f",
                "1",
                "-fsm",
                "1",
                "-iters",
                "1",
                "-time",
                "" + MILLIS_PER_ROUND * ROUNDS,
                "-sc",
                "" + (ROUNDS > 1),
                "-jvmArgs",
                "-XX:+UseSerialGC",
                "-r",
                "report");
        Process jcstress = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        try {
            assertThat(jcstress.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES))
                    .as("ended in time, see %s", out)
                    .isTrue();
        } finally {
            jcstress.descendants().forEach(ProcessHandle::destroyForcibly);
            jcstress.destroyForcibly();
        }
        String text = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(jcstress.exitValue()).as(text).isZero();
        assertThat(text).as("something was run").containsPattern("All remaining tests: [1-9]\\d* matching");
    }
}
