package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import com.google.common.hash.Hashing;
import io.stratagem.AutoStrategy;
import io.stratagem.Fn;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What the tour shows of work that computes or waits in this JVM, for the most part on threads. */
final class ThreadsSection {
    private static final Duration NAP = Duration.ofMillis(100);

    private final AutoStrategy auto;
    private final Cli cli;

    private ThreadsSection(AutoStrategy auto, Cli cli) {
        this.auto = auto;
        this.cli = cli;
    }

    static void show(Sample sample, Duration round, Cli cli) throws Exception {
        try (AutoStrategy auto = Stratagem.auto()) {
            ThreadsSection section = new ThreadsSection(auto, cli);
            OtherPrograms others = new OtherPrograms();
            section.compute("sha256", content -> Hashing.sha256().hashBytes(content), sample, round);
            section.compute("gzip", content -> compress(content, Codec.GZIP), sample, round);
            section.compute("xz", content -> compress(content, Codec.XZ), sample, round);
            others.report(cli);
            section.waitForAll(Workload.blockingAction("sleep", nap -> Thread.sleep(nap.toMillis())), 1_000);
            section.waitForAll(Workload.async("delay", (nap, loop) -> loop.delay(nap)), 10_000);
            section.failOnce(sample.files().get(0));
            section.timeOut();
        }
    }

    /** Work that keeps a CPU busy. */
    private <O> void compute(String name, Fn<byte[], O> function, Sample sample, Duration round) throws Exception {
        Workload<byte[], O> workload = Workload.compute(name, function);
        Tour.introduce(workload, cli);
        Speedup speedup = Speedup.measure(auto, workload, function, sample.contents(), round);
        printLine("one thread", speedup.loop(), "for " + Units.count(speedup.tasks(), "task"));
        printLine(auto.choose(workload).strategy(), speedup.strategy(), "the same results; " + speedup.factor());
    }

    static ByteBuffer compress(byte[] content, Codec codec) throws IOException {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (OutputStream sink = codec.compress(compressed, content.length)) {
            sink.write(content);
        }
        return ByteBuffer.wrap(compressed.toByteArray());
    }

    /** Work that waits, all of it at the same time. */
    private void waitForAll(Workload<Duration, Void> workload, int tasks) {
        Tour.introduce(workload, cli);
        Stream<Duration> naps = Collections.nCopies(tasks, NAP).stream();
        Stopwatch watch = Stopwatch.createStarted();
        try (Stream<Result<Void>> results =
                Progress.of(auto.map(workload, naps, MapOptions.unordered().window(tasks)), workload.name(), tasks)) {
            Results.failFast(results);
        }
        String each = Units.count(tasks, "task") + " of " + Units.time(NAP);
        printLine("one thread", NAP.multipliedBy(tasks), "for " + each + " (not run)");
        printLine(auto.choose(workload).strategy(), watch.elapsed(), "");
    }

    private void printLine(String what, Duration time, String remark) {
        String line = String.format(Locale.ROOT, "  %-12s %-8s %s", what, Units.time(time), remark);
        cli.println(line.stripTrailing());
    }

    /** One task fails: its result says so, and the others go on. */
    private void failOnce(Path file) {
        cli.println("");
        cli.println("One of three files is not there:");
        List<Path> paths = List.of(file, file.resolveSibling("no-such-file"), file);
        try (Stream<Result<byte[]>> results = auto.map(Sample.READ, paths)) {
            results.map(result -> result.<String>fold(
                            content -> "Success  " + Units.bytes(content.length), cause -> "Failure  " + cause))
                    .forEachOrdered(line -> cli.println("  " + line));
        }
    }

    /** One task takes too long: it is stopped. */
    private void timeOut() {
        cli.println("");
        cli.println("A task that sleeps for an hour has a timeout of 0.2 seconds:");
        Workload<Duration, Void> stuck = Workload.named("stuck")
                .timeout(Duration.ofMillis(200))
                .blockingAction(time -> Thread.sleep(time.toMillis()));
        Stopwatch watch = Stopwatch.createStarted();
        Result<Void> result = auto.run(stuck, Duration.ofHours(1));
        cli.println("  " + result.<String>fold(nothing -> "Success", cause -> "Failure  " + cause));
        cli.println("  after " + Units.time(watch.elapsed()));
    }
}
