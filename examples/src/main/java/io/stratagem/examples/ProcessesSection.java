package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** What the tour shows of the process strategy. */
final class ProcessesSection {
    private final Cli cli;

    private ProcessesSection(Cli cli) {
        this.cli = cli;
    }

    static void show(boolean isQuick, Cli cli) throws Exception {
        ProcessesSection section = new ProcessesSection(cli);
        section.compute(isQuick ? Primes.NUMBERS / 10 : Primes.NUMBERS);
        MonteCarlo.show(cli);
        ArraySum.show(cli);
        SharedCount.show(cli);
        VectorLoop.show(cli);
        section.takeRisks();
        section.openPictures();
    }

    /** Work that needs no process, but takes no harm in one. */
    private void compute(int numbers) throws Exception {
        Tour.introduce(Primes.PRIME, cli);
        Primes.compare(numbers, Primes.FROM, cli);
    }

    private void takeRisks() {
        Workload<String, String> risky = Workload.named("risky")
                .isolated()
                .timeout(Duration.ofSeconds(2))
                .compute(ProcessesSection::takeRisk);
        Tour.introduce(risky, cli);
        cli.println("  One of five tasks exits its JVM, one crashes it, and one never ends:");
        Stopwatch watch = Stopwatch.createStarted();
        try (ExecutorStrategy processes =
                        ProcessPoolStrategy.builder().maxHeapBytes(64 << 20).build();
                Stream<Result<String>> results =
                        processes.map(risky, List.of("work", "exit", "crash", "hang", "work"))) {
            results.map(result -> result.<String>fold(
                            value -> "Success  " + value, cause -> "Failure  " + Cli.inOneLine(cause)))
                    .forEachOrdered(line -> cli.println("  " + line));
        }
        cli.println("  after " + Units.time(watch.elapsed()));
    }

    private static String takeRisk(String what) throws ReflectiveOperationException {
        if (what.equals("exit")) {
            System.exit(1);
        }
        if (what.equals("crash")) {
            Crashy.segfault();
        }
        while (what.equals("hang")) {
            Thread.onSpinWait();
        }
        return what + " done in process " + ProcessHandle.current().pid();
    }

    private void openPictures() throws IOException {
        cli.println("");
        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-tour-")) {
            List<Picture> pictures = List.of(Picture.COAST, Picture.BOMB, Picture.VALLEY);
            List<Render.Order> orders = Render.draw(pictures, temporary);
            Render.render(orders, Render.Settings.DEFAULT, temporary.path().resolve("thumbnails"), cli);
        }
    }
}
