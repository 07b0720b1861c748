package io.stratagem.examples;

import io.stratagem.Choice;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** Every strategy at work on real files, and why it was chosen. */
public final class Tour {
    private static final String HELP = """
            usage: examples/run tour [--quick] [DIR]

            Says for each kind of work which strategy is chosen, and why. Then it reads, hashes and compresses the files
            below DIR (this repository by default; what tools make or keep, in target and in directories with a dot in
            front, is left out), and tells how much faster that is than one thread that does the same, measured side by
            side. Then it shows work that waits, work that fails, work that hangs, work on the network, work that shares
            memory, work that needs a JVM of its own, work that takes its JVM with it, and pictures that one had better
            not open.

            Of large files it takes the first megabyte, and 8 MB in all.

              --quick  take seconds instead of half a minute; the speed-up is then a rough guess

            exit code  0  all went well
                       1  DIR does not exist or has no files, or some could not be read; the others were used
                       2  bad arguments
            """;

    /** How long a measured round takes one thread at least. */
    private static final Duration ROUND = Duration.ofMillis(500);

    private static final Duration QUICK_ROUND = Duration.ofMillis(50);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("tour", HELP, args, out, err, Tour::showAll);
    }

    private static void showAll(Cli cli) throws Exception {
        boolean isQuick = cli.flag("--quick");
        Path root = cli.operand().map(Path::of).orElse(repository());
        cli.end();
        List<Path> files = FileTree.below(root, Tour::isSource, cli);

        String cpus = Units.count(Stratagem.cpus(), "CPU");
        cli.println("Stratagem on Java " + System.getProperty("java.version") + " and " + cpus);
        cli.println(Units.count(files.size(), "file") + " below " + root.toRealPath());
        cli.println("Each workload runs on a strategy and in a plain loop, in turns; few files are taken many times.");
        cli.println(isQuick ? "The rounds are short, and the times rough." : "The times are the best of some rounds.");
        printChoices(cli);
        Sample sample = Sample.read(files, cli);
        ThreadsSection.show(sample, isQuick ? QUICK_ROUND : ROUND, cli);
        NetworkSection.show(sample.files(), cli);
        ProcessesSection.show(isQuick, cli);
    }

    /** One workload of each kind. */
    private static void printChoices(Cli cli) {
        cli.println("");
        cli.println("Which strategy Stratagem.auto() gives what work to:");
        List<Workload<?, ?>> each =
                List.of(Sample.READ, Primes.PRIME, Downloads.FETCH, Mixed.PARSE, MonteCarlo.HITS, VectorLoop.VECTOR);
        for (Workload<?, ?> workload : each) {
            Choice choice = Stratagem.choose(workload);
            cli.println(String.format(
                    Locale.ROOT, "  %-12s %-24s -> %s", workload.name(), traits(workload), choice.strategy()));
            choice.reasons().forEach(reason -> cli.println("    because " + reason));
        }
    }

    /** What it says of itself. */
    private static String traits(Workload<?, ?> workload) {
        String kind = workload.kind().name().toLowerCase(Locale.ROOT);
        if (!workload.isolated()) {
            return kind;
        }
        return kind + ", "
                + (!workload.jvmOptions().isEmpty() ? "own JVM" : "isolated")
                + (workload.fineGrained() ? ", tiny" : "");
    }

    /** The heading of a workload: which strategy suits it, and why. */
    static void introduce(Workload<?, ?> workload, Cli cli) {
        cli.println("");
        cli.println(Stratagem.choose(workload).explain());
    }

    static Path repository() {
        return Path.of(System.getProperty("examples.repository", ".")); // set by examples/run
    }

    static boolean isSource(Path directory) {
        String name = directory.getFileName().toString();
        return !name.startsWith(".") && !name.equals("target");
    }
}
