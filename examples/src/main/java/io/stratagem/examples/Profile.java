package io.stratagem.examples;

import com.google.common.collect.Iterators;
import io.stratagem.ProfileOptions;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.WorkloadProfile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Measures the work of another example in every way there is, and says which to take. */
public final class Profile {
    private static final int SECONDS = 2;
    private static final int MOST_FILES = 200;
    private static final int MOST_BYTES_OF_A_FILE = 256 * 1024;
    private static final int LINES_CHARS = 64 * 1024;
    private static final int MOST_BATCHES = 40;
    private static final Duration SHORT_WAIT = Duration.ofMillis(50);

    /** What some example does, and inputs for it. */
    private interface Work {
        WorkloadProfile profile(Inputs inputs) throws Exception;
    }

    /** What can be profiled, by the name of its example. */
    private record Subject(String name, String what, Work work) {}

    private static final List<Subject> SUBJECTS = List.of(
            new Subject("checksums", "the SHA-256 of files", Profile::checksums),
            new Subject("compress", "gzip of what is in files", Profile::compress),
            new Subject("wordcount", "words in batches of lines", Profile::wordcount),
            new Subject("timers", "waits of 50 ms without a thread", Profile::timers),
            new Subject("echo", "a hundred messages to a server and back", Profile::echo),
            new Subject("downloads", "pages from a server that takes its time", Profile::downloads),
            new Subject("mixed", "files parsed in worker processes", Profile::mixed),
            new Subject("primes", "numbers tried for primes", Profile::primes),
            new Subject("montecarlo", "darts thrown, by tasks of a microsecond", Profile::montecarlo),
            new Subject("arraysum", "arrays of 2 MB, sent to be added up", Profile::arraysum),
            new Subject("crashy", "a library that segfaults on every seventh input", Profile::crashy),
            new Subject("render", "thumbnails of pictures", Profile::render));

    private static final String HELP = """
            usage: examples/run profile [--html FILE] [--seconds N] NAME [DIR]

            Runs the work of the example NAME on one thread, and then on every strategy that takes it, for N seconds each
            (2 by default). Prints which to take and why, and what was measured, and writes a page with plots.
            Real input is that of the example; files are those below DIR, or of this repository.

            NAME is one of

              checksums    the SHA-256 of files
              compress     gzip of what is in files
              wordcount    words in batches of lines
              timers       waits of 50 ms without a thread
              echo         a hundred messages to a server and back
              downloads    pages from a server that takes its time
              mixed        files parsed in worker processes
              primes       numbers tried for primes
              montecarlo   darts thrown, by tasks of a microsecond
              arraysum     arrays of 2 MB, sent to be added up
              crashy       a library that segfaults on every seventh input
              render       thumbnails of pictures

              --html FILE  where to write the page; by default a new file in the directory for temporary ones
              --seconds N  how long each strategy runs

            exit code  0  a strategy, or none, can be recommended
                       1  nothing could be measured, or DIR does not exist or has no files
                       2  bad arguments
            """;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("profile", HELP, args, out, err, Profile::profile);
    }

    static List<String> names() {
        return SUBJECTS.stream().map(Subject::name).toList();
    }

    private static void profile(Cli cli) throws Exception {
        Optional<Path> html = cli.option("--html").map(Path::of);
        int seconds = cli.number("--seconds", SECONDS);
        Subject subject = subject(cli);
        Optional<Path> directory = cli.operand().map(Path::of);
        cli.end();
        if (directory.isPresent()) {
            Cli.requireDirectory(directory.get());
        }
        WorkloadProfile profile;
        try (Progress.Status status = Progress.status()) {
            ProfileOptions options = ProfileOptions.defaults()
                    .timePerStrategy(Duration.ofSeconds(seconds))
                    .progress(strategy -> status.show("measuring: " + strategy));
            profile = subject.work().profile(new Inputs(directory, options, cli));
        }
        cli.println(profile.table());
        Path page = html.isPresent() ? html.get() : Files.createTempFile("stratagem-profile-", ".html");
        profile.writeHtml(page);
        cli.println("");
        cli.println("The page with plots is " + page.toAbsolutePath());
        if (profile.best().isEmpty()) {
            throw Cli.refused("no strategy can be recommended");
        }
    }

    private static Subject subject(Cli cli) throws Cli.Refused {
        String oneOf = "; it is one of " + String.join(", ", names());
        String name = cli.operand().orElseThrow(() -> cli.usage("NAME is missing" + oneOf));
        return SUBJECTS.stream()
                .filter(subject -> subject.name().equals(name))
                .findFirst()
                .orElseThrow(() -> cli.usage("there is no work of the name " + name + oneOf));
    }

    /** Where inputs come from, and how they are measured. */
    private record Inputs(Optional<Path> directory, ProfileOptions options, Cli cli) {

        <I, O> WorkloadProfile profile(Workload<I, O> workload, Collection<? extends I> sample) {
            return Stratagem.profile(workload, sample, options);
        }

        /** Some of them, from all over the directory. */
        List<Path> files() throws IOException, Cli.Refused {
            List<Path> all = directory.isPresent()
                    ? FileTree.below(directory.get(), cli)
                    : FileTree.below(Tour.repository(), Tour::isSource, cli);
            List<Path> some = new ArrayList<>(all);
            Collections.shuffle(some, new Random(1));
            return some.subList(0, Math.min(MOST_FILES, some.size()));
        }

        byte[] contentOf(Path file) throws IOException {
            try (var in = Files.newInputStream(file)) {
                return in.readNBytes(MOST_BYTES_OF_A_FILE);
            }
        }

        List<byte[]> contents() throws IOException, Cli.Refused {
            List<byte[]> contents = new ArrayList<>();
            for (Path file : files()) {
                contents.add(contentOf(file));
            }
            return contents;
        }
    }

    // ---------------------------------------------------------------------------------------------- what is measured

    private static WorkloadProfile checksums(Inputs inputs) throws Exception {
        return inputs.profile(Checksums.SHA256, inputs.files());
    }

    private static WorkloadProfile compress(Inputs inputs) throws Exception {
        Workload<byte[], Integer> gzip = Workload.compute(
                "gzip", content -> ThreadsSection.compress(content, Codec.GZIP).remaining());
        return inputs.profile(gzip, inputs.contents());
    }

    private static WorkloadProfile wordcount(Inputs inputs) throws Exception {
        try (LineBatches batches = new LineBatches(inputs.files(), LINES_CHARS, inputs.cli())) {
            List<String> lines = new ArrayList<>();
            Iterators.addAll(lines, Iterators.limit(batches, MOST_BATCHES));
            if (lines.isEmpty()) {
                throw Cli.refused("nothing in these files");
            }
            return inputs.profile(WordCount.COUNT, lines);
        }
    }

    private static WorkloadProfile timers(Inputs inputs) {
        return inputs.profile(Timers.DELAY, List.of(SHORT_WAIT));
    }

    private static WorkloadProfile echo(Inputs inputs) throws Exception {
        int messages = 100;
        try (LoopServer server = LoopServer.start("servers", 0, (connection, loop) -> Echo.sendBack(connection))) {
            return inputs.profile(
                    Echo.asking(server.address(), messages, null),
                    IntStream.range(0, messages).boxed().toList());
        }
    }

    private static WorkloadProfile downloads(Inputs inputs) throws Exception {
        byte[] body = new byte[4_000];
        try (LocalSite site =
                LocalSite.start((path, loop) -> loop.delay(SHORT_WAIT).thenApply(nothing -> body))) {
            return inputs.profile(
                    Downloads.FETCH,
                    IntStream.range(0, 100).mapToObj(i -> site.uri("/" + i)).toList());
        }
    }

    private static WorkloadProfile mixed(Inputs inputs) throws Exception {
        List<Outline.Source> sources = new ArrayList<>();
        for (Path file : inputs.files()) {
            sources.add(new Outline.Source(file.getFileName().toString(), inputs.contentOf(file)));
        }
        return inputs.profile(Mixed.PARSE, sources);
    }

    private static WorkloadProfile primes(Inputs inputs) {
        List<Long> candidates =
                LongStream.range(0, 1_000).map(i -> Primes.FROM + 2 * i).boxed().toList();
        return inputs.profile(Primes.PRIME, candidates);
    }

    private static WorkloadProfile montecarlo(Inputs inputs) {
        return inputs.profile(
                MonteCarlo.HITS,
                IntStream.range(0, 1_000)
                        .mapToObj(seed -> new MonteCarlo.Throws(seed, 100))
                        .toList());
    }

    private static WorkloadProfile arraysum(Inputs inputs) {
        Random random = new Random(1);
        return inputs.profile(
                ArraySum.SUM_OF_COPY,
                List.of(
                        random.doubles(250_000).toArray(),
                        random.doubles(250_000).toArray()));
    }

    private static WorkloadProfile crashy(Inputs inputs) {
        return inputs.profile(
                Crashy.LIBRARY, IntStream.rangeClosed(1, 21).boxed().toList());
    }

    /** Of its own pictures those that are none of the bombs: what those do to a worker takes all the time there is. */
    private static WorkloadProfile render(Inputs inputs) throws Exception {
        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-profile-")) {
            List<Render.Order> drawn = Render.draw(List.of(Picture.VALLEY, Picture.CLIFF, Picture.ICON), temporary);
            Workload<String, Integer> render = Workload.named("render")
                    .isolated()
                    .timeout(Render.Settings.DEFAULT.timeout())
                    .compute(file -> Thumbnail.of(Path.of(file), Render.Settings.DEFAULT.width())
                            .png()
                            .length);
            return inputs.profile(
                    render, drawn.stream().map(order -> order.file().toString()).toList());
        }
    }
}
