package io.stratagem.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user sees of a command line that starts nothing. */
final class CompareTest {

    @TempDir
    Path folder;

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    @Test
    void run_withoutArguments_listsTheSuites() throws Exception {
        assertThat(run()).isZero();
        assertThat(output()).contains("usage: benchmarks/compare SUITE", "threads ", "queues ", "processes ");
    }

    @Test
    void run_unknownSuite_saysSoAndListsTheSuites() throws Exception {
        assertThat(run("bogus", "--quick")).isEqualTo(2);
        assertThat(output()).startsWith("no suite bogus").contains("threads ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "threads queues",
                "threads --slow",
                "threads --rounds",
                "threads --rounds 0",
                "threads --only (",
                "threads --only",
                "threads --only no-such-metric"
            })
    void run_badOptions_sayWhy(String commandLine) throws Exception {
        assertThat(run(commandLine.split(" "))).isEqualTo(2);
        assertThat(output()).isNotBlank();
    }

    @Test
    void parse_options_inAnyOrder() {
        Options options = Options.parse(List.of("--rounds", "9", "--only", "gzip|xz", "threads", "--quick"));

        assertThat(options.suite()).isEqualTo("threads");
        assertThat(options.effort()).isEqualTo(Effort.QUICK.withRounds(9));
        assertThat(options.only().matcher("xz").find()).isTrue();
        assertThat(options.only().matcher("sleeps").find()).isFalse();
        assertThat(options.isPublished()).isFalse();
        assertThat(Options.parse(List.of("all", "--publish")).isPublished()).isTrue();
    }

    private int run(String... arguments) throws Exception {
        PrintStream out = new PrintStream(output, true, StandardCharsets.UTF_8);
        return new Compare(folder, out).run(List.of(arguments));
    }

    private String output() {
        return output.toString(StandardCharsets.UTF_8);
    }
}
