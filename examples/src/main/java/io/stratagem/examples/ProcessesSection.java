package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** What the tour shows of the process strategy. */
final class ProcessesSection {
    private ProcessesSection() {}

    static void show(Cli cli) {
        Workload<String, String> risky = Workload.named("risky")
                .isolated()
                .timeout(Duration.ofSeconds(2))
                .compute(ProcessesSection::takeRisks);
        Tour.introduce(risky, cli);
        cli.println("  One of four tasks exits its JVM, and one never ends:");
        Stopwatch watch = Stopwatch.createStarted();
        try (ExecutorStrategy processes =
                        ProcessPoolStrategy.builder().maxHeapBytes(64 << 20).build();
                Stream<Result<String>> results = processes.map(risky, List.of("work", "exit", "hang", "work"))) {
            results.map(result -> result.<String>fold(
                            value -> "Success  " + value,
                            cause -> "Failure  "
                                    + cause.toString().lines().findFirst().orElseThrow()))
                    .forEachOrdered(line -> cli.println("  " + line));
        }
        cli.println("  after " + Units.time(watch.elapsed()));
    }

    private static String takeRisks(String what) {
        if (what.equals("exit")) {
            System.exit(1);
        }
        while (what.equals("hang")) {
            Thread.onSpinWait();
        }
        return what + " done in process " + ProcessHandle.current().pid();
    }
}
