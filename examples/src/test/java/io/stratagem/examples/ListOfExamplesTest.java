package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples' README, the list that {@code examples/run} prints, their help, and their code say the same. */
final class ListOfExamplesTest {
    private static final Pattern EXAMPLE = Pattern.compile("(?m)^\\| \\[`([^`]+)`]\\(([^)]+)\\)(.*)$");
    private static final Pattern ADVICE = Pattern.compile("(?m)^\\|[^|]+\\|[^|]+\\| \\[[^]]+]\\(([^)]+)\\)(.*)$");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    /** An example in the README: how it is called, and where it is. */
    record Example(String call, Path file) {
        String name() {
            return call.split(" ", 2)[0];
        }

        Outcome help() throws ReflectiveOperationException {
            String type = file.getFileName().toString().replace(".java", "");
            Method run = Class.forName("io.stratagem.examples." + type)
                    .getDeclaredMethod("run", String[].class, PrintStream.class, PrintStream.class);
            return Outcome.of(
                    (args, out, err) -> {
                        try {
                            return (int) run.invoke(null, args, out, err);
                        } catch (ReflectiveOperationException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    "--help");
        }

        @Override
        public String toString() {
            return call;
        }
    }

    /** A row of the README that names some code in a file. */
    record Shown(Path file, List<String> code) {
        static Shown of(String file, String cells) {
            String last = cells.substring(cells.lastIndexOf('|', cells.lastIndexOf('|') - 1));
            List<String> code =
                    CODE.matcher(last).results().map(match -> match.group(1)).toList();
            return new Shown(Path.of(file), code);
        }
    }

    static Stream<Example> examples() throws IOException {
        return rows(EXAMPLE).map(row -> new Example(row.group(1).replace("\\|", "|"), Path.of(row.group(2))));
    }

    static Stream<Shown> shown() throws IOException {
        return Stream.concat(
                rows(EXAMPLE).map(row -> Shown.of(row.group(2), row.group(3))),
                rows(ADVICE).map(row -> Shown.of(row.group(1), row.group(2))));
    }

    private static Stream<MatchResult> rows(Pattern pattern) throws IOException {
        List<MatchResult> rows = pattern.matcher(Files.readString(Path.of("README.md")))
                .results()
                .toList();
        assertThat(rows).hasSizeGreaterThan(10);
        return rows.stream();
    }

    @Test
    void list_isThatOfTheReadme() throws Exception {
        List<String> listed = run().lines()
                .filter(line -> line.startsWith("  "))
                .map(line -> line.strip().split(" {2,}", 2)[0])
                .toList();

        assertThat(listed)
                .containsExactlyElementsOf(examples().map(Example::call).toList());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void help_saysHowItIsCalled_asTheListDoes(Example example) throws Exception {
        String usage = example.help().lines().get(0);

        assertThat(usage.replaceAll("\\[--[^]]+] ?", "").strip()).isEqualTo("usage: examples/run " + example.call());
    }

    /** Which is not built for that. */
    @ParameterizedTest
    @MethodSource("examples")
    void help_isThatOfTheExampleItself(Example example) throws Exception {
        assertThat(run(example.name(), "--help")).isEqualTo(example.help().out());
    }

    /** Whatever the formatter has done to it. */
    @ParameterizedTest
    @MethodSource("shown")
    void code_standsWhereTheReadmeSays(Shown shown) throws IOException {
        String code = withoutSpaces(Files.readString(shown.file()));

        assertThat(shown.code())
                .isNotEmpty()
                .allSatisfy(each -> assertThat(code).contains(withoutSpaces(each)));
    }

    private static String withoutSpaces(String code) {
        return code.replaceAll("\\s", "");
    }

    /** What {@code examples/run} prints; it must say nothing else. */
    private static String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("./run"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
