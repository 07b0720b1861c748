package io.stratagem.benchmarks;

import io.stratagem.benchmarks.auto.AutoSuite;
import io.stratagem.benchmarks.eventloop.EventLoopSuite;
import io.stratagem.benchmarks.ipc.IpcSuite;
import io.stratagem.benchmarks.processes.ProcessesSuite;
import io.stratagem.benchmarks.queues.QueuesSuite;
import io.stratagem.benchmarks.threads.ThreadsSuite;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** What {@code benchmarks/compare} runs: takes the command line apart, compares, prints and writes the outcome. */
final class Compare {

    /** All suites: a new one is added here. */
    static final List<Suite> SUITES = List.of(
            new ThreadsSuite(),
            new QueuesSuite(),
            new ProcessesSuite(),
            new IpcSuite(),
            new EventLoopSuite(),
            new AutoSuite());

    /** What stands for all of them. */
    private static final String ALL = "all";

    private static final int BAD_USAGE = 2;

    private final Path benchmarks;
    private final PrintStream out;

    /** Compares with the Python programs under, and writes to the target folder of, this folder. */
    Compare(Path benchmarks, PrintStream out) {
        this.benchmarks = benchmarks;
        this.out = out;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path benchmarks = Path.of(System.getProperty("stratagem.benchmarks", "benchmarks"));
        System.exit(new Compare(benchmarks, System.out).run(List.of(arguments)));
    }

    /** Does what the command line says; gives the exit code. */
    int run(List<String> arguments) throws IOException, InterruptedException {
        Options options;
        try {
            options = Options.parse(arguments);
        } catch (IllegalArgumentException e) {
            out.println(e.getMessage());
            usage();
            return BAD_USAGE;
        }
        if (options.suite().isEmpty()) {
            usage();
            return 0;
        }
        List<Suite> suites = SUITES.stream()
                .filter(suite -> options.suite().equals(ALL) || suite.name().equals(options.suite()))
                .toList();
        if (suites.isEmpty()) {
            out.println("no suite " + options.suite());
            usage();
            return BAD_USAGE;
        }
        int worst = 0;
        for (Suite suite : suites) {
            worst = Math.max(worst, compare(suite, options));
        }
        return worst;
    }

    private void usage() {
        out.println("usage: benchmarks/compare SUITE [--quick] [--rounds N] [--only REGEX] [--publish]");
        out.println("suites:");
        SUITES.forEach(suite -> out.printf("  %-12s %s%n", suite.name(), suite.about()));
        out.printf("  %-12s %s%n", ALL, "one after another");
        out.println("--publish puts the plots where the README shows them");
    }

    private int compare(Suite suite, Options options) throws IOException, InterruptedException {
        List<Contest> contests = suite.contests().stream()
                .filter(contest -> options.only().matcher(contest.metric()).find())
                .toList();
        if (contests.isEmpty()) {
            out.println("no metric of " + suite.name() + " matches " + options.only());
            return BAD_USAGE;
        }
        Machine machine = Machine.here(benchmarks.resolve("src/main/python"));
        List<String> about = about(machine, options.effort());
        about.forEach(out::println);
        Outcome outcome = new Comparison(contests, machine, options.effort(), out).run();
        out.println("load at the end: " + loadAverage());
        Report report = new Report(suite.name(), about, outcome);
        print(report);
        if (options.isPublished()) {
            out.println("written: "
                    + report.publish(benchmarks.resolveSibling("docs").resolve("plots")));
        }
        return outcome.failed().isEmpty() ? 0 : 1;
    }

    private static List<String> about(Machine machine, Effort effort) throws IOException {
        List<String> about = new ArrayList<>();
        about.add("date:    " + Instant.now().truncatedTo(ChronoUnit.SECONDS));
        about.addAll(machine.describe());
        about.add("effort:  " + effort);
        about.add("load at the start: " + loadAverage());
        return about;
    }

    private void print(Report report) throws IOException {
        Outcome outcome = report.outcome();
        for (Path file : report.write(benchmarks.resolve("target"))) {
            out.println("written: " + file);
        }
        outcome.skipped().forEach(line -> out.println("skipped: " + line));
        outcome.failed().forEach(line -> out.println("failed: " + line));
        outcome.rows().stream()
                .filter(Row::missesGoal)
                .forEach(row -> out.println("misses its goal: " + row.againstGoal()));
        out.println();
        outcome.rows().forEach(row -> out.println(row.line(report.suite())));
    }

    private static String loadAverage() throws IOException {
        Path file = Path.of("/proc/loadavg");
        return Files.isReadable(file) ? Files.readString(file).strip() : "unknown";
    }
}
