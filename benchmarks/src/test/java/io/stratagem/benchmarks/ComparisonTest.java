package io.stratagem.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.stratagem.benchmarks.threads.ThreadsSuite;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole of a comparison, on programs of the suites with hardly anything to do. */
final class ComparisonTest {

    private static final Effort SMOKE = effort(2, Duration.ofMinutes(1), Duration.ofMinutes(1));
    private static final Machine NO_PYTHON = new Machine(
            Jdk.current(),
            Jdk.current(),
            List.of(),
            Optional.empty(),
            System.getProperty("java.class.path"),
            Path.of("src/main/python"));
    private static final Pattern ROW =
            Pattern.compile("threads map-trivial/\\S+ \\d+(\\.\\d+)?ns \\d+(\\.\\d+)?ns \\d+\\.\\d\\d");

    private final ByteArrayOutputStream progress = new ByteArrayOutputStream();

    @Test
    void run_ofTwoPeersOneMissing_givesOneRowAndNamesTheOther(@TempDir Path folder) throws Exception {
        Contest contest = Contest.ofLess("map-trivial", "ns", trial("MapTrivial$OnThreadPoolStrategy"))
                .peer("ThreadPoolExecutor", trial("MapTrivial$OnThreadPoolExecutor"), 10)
                .peer("python", PythonProgram.of("threads.py", Size.of(10), "map-trivial", "map-trivial", "ns"));

        Outcome outcome = comparison(contest).run();

        assertThat(outcome.rounds()).isEqualTo(2);
        assertThat(outcome.failed()).isEmpty();
        assertThat(outcome.skipped()).containsExactly("map-trivial/python: python3 is not installed");
        assertThat(outcome.rows()).singleElement().satisfies(row -> {
            assertThat(row.line("threads")).matches(ROW);
            assertThat(row.ourRuns()).hasSize(2);
            assertThat(row.peerRuns()).hasSize(2);
        });
        assertThat(progress.toString(StandardCharsets.UTF_8))
                .contains("round 2  map-trivial  ours ")
                .contains("python skipped");
        checkFiles(new Report("threads", List.of("date: <&\">"), outcome), folder);
    }

    private static void checkFiles(Report report, Path folder) throws Exception {
        List<Path> files = report.write(folder);

        assertThat(files)
                .extracting(file -> file.getFileName().toString())
                .containsExactly("compare-threads.csv", "compare-threads.json", "compare-threads.svg");
        List<String> csv = Files.readAllLines(files.get(0));
        assertThat(csv)
                .hasSize(2)
                .allSatisfy(line -> assertThat(line.split(",")).hasSize(9));
        JsonObject json = JsonParser.parseString(Files.readString(files.get(1))).getAsJsonObject();
        assertThat(json.getAsJsonArray("about").get(0).getAsString()).isEqualTo("date: <&\">");
        JsonObject row = json.getAsJsonArray("rows").get(0).getAsJsonObject();
        assertThat(row.get("metric").getAsString()).isEqualTo("map-trivial/ThreadPoolExecutor");
        assertThat(row.get("goal").getAsDouble()).isEqualTo(10);
        assertThat(row.getAsJsonArray("ourRuns")).hasSize(2);
        assertThat(DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(files.get(2).toFile())
                        .getElementsByTagName("text")
                        .getLength())
                .isGreaterThan(3);
    }

    @Test
    void run_programThatFails_isNamedAndNotRunAgain() throws Exception {
        Contest contest = Contest.ofLess("m", "ns", JavaProgram.of(Failing.class, Size.of(1)));

        Outcome outcome = comparison(contest).run();

        assertThat(outcome.rows()).isEmpty();
        assertThat(outcome.failed()).singleElement().asString().contains("m/ours: exit code 1", "on purpose");
    }

    @Test
    void run_programThatHangs_isKilledAndItsThreadsAreShown() throws Exception {
        Contest contest = Contest.ofLess("m", "ns", JavaProgram.of(Hanging.class, Size.of(1)));
        Effort effort = effort(1, Duration.ofSeconds(2), Duration.ofMinutes(1));

        Outcome outcome = new Comparison(List.of(contest), NO_PYTHON, effort, out()).run();

        String failure = outcome.failed().get(0);
        assertThat(failure).startsWith("m/ours: did not end within 2 s; its threads: ");
        Path threads = Path.of(failure.substring(failure.lastIndexOf(' ') + 1));
        assertThat(Files.readString(threads)).contains("Hanging.main");
        Files.delete(threads);
    }

    @Test
    void run_repeatedProgram_hasAFreshProcessEachTime() throws Exception {
        Program program = new Repeated(JavaProgram.of(OwnPid.class, Size.of(1)), new Size(9, 3));
        Launch launch = program.launch(NO_PYTHON, SMOKE);

        List<Sample> samples = ProgramProcess.run(((Launch.Command) launch).words(), SMOKE.limit());

        assertThat(samples).extracting(Sample::value).hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void run_serverWithoutItsTool_isNamedAndSkipped() throws Exception {
        JavaProgram client = JavaProgram.of(OwnPid.class, Size.of(1));
        Contest contest = Contest.ofLess("m", "ns", client)
                .peer("c", JavaWithServer.inC(client, "echo.c"))
                .peer("python", JavaWithServer.inPython(client, "echo.py", "streams"));

        Outcome outcome = comparison(contest).run();

        assertThat(outcome.failed()).isEmpty();
        assertThat(outcome.skipped())
                .containsExactly("m/c: no C compiler (cc) is installed", "m/python: python3 is not installed");
    }

    @Test
    void run_repeatedProgramThatFailsOrIsMissing_isNamedLikeAnyOther() throws Exception {
        Contest contest = Contest.ofLess("m", "ns", repeated(JavaProgram.of(Failing.class, Size.of(1))))
                .peer("python", repeated(PythonProgram.of("cold.py", Size.of(1))));

        Outcome outcome = comparison(contest).run();

        assertThat(outcome.failed()).singleElement().asString().contains("m/ours: exit code 1", "on purpose");
        assertThat(outcome.skipped()).containsExactly("m/python: python3 is not installed");
    }

    @Test
    void run_beyondItsBudget_stopsAfterTheRound() throws Exception {
        Contest contest = Contest.ofLess("m", "ns", JavaProgram.of(Failing.class, Size.of(1)));
        Effort effort = effort(9, Duration.ofMinutes(1), Duration.ofMillis(1));

        Outcome outcome = new Comparison(List.of(contest), NO_PYTHON, effort, out()).run();

        assertThat(outcome.rounds()).isEqualTo(1);
    }

    private Comparison comparison(Contest contest) {
        return new Comparison(List.of(contest), NO_PYTHON, SMOKE, out());
    }

    private PrintStream out() {
        return new PrintStream(progress, true, StandardCharsets.UTF_8);
    }

    private static Program repeated(Program program) {
        return new Repeated(program, Size.of(2));
    }

    private static Program trial(String simpleName) throws ClassNotFoundException {
        Class<? extends Trial> trial = Class.forName(ThreadsSuite.class.getPackageName() + "." + simpleName)
                .asSubclass(Trial.class);
        return JavaProgram.trial(trial, "map-trivial", "ns", Size.of(100));
    }

    private static Effort effort(int rounds, Duration limit, Duration budget) {
        return new Effort(true, rounds, Duration.ZERO, Duration.ZERO, limit, budget);
    }

    /** A program that never ends. */
    static final class Hanging {
        private Hanging() {}

        public static void main(String[] arguments) throws InterruptedException {
            new CountDownLatch(1).await();
        }
    }

    /** A program whose figure is the id of its process. */
    static final class OwnPid {
        private OwnPid() {}

        public static void main(String[] arguments) {
            System.out.println(new Sample("m", ProcessHandle.current().pid(), "ns").line());
        }
    }

    /** A program that always fails. */
    static final class Failing {
        private Failing() {}

        public static void main(String[] arguments) {
            if (arguments.length > 0) {
                throw new IllegalStateException("on purpose");
            }
        }
    }
}
