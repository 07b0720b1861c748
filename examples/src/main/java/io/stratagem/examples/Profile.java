package io.stratagem.examples;

import com.google.common.collect.Iterators;
import com.google.common.io.MoreFiles;
import io.stratagem.ProfileOptions;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.WorkloadProfile;
import io.stratagem.batchedipc.SharedArray;
import io.stratagem.batchedipc.SharedCounter;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Measures the work of another example in every way there is, and says which to take. */
public final class Profile {
    private static final BigDecimal SECONDS = BigDecimal.valueOf(2);
    private static final BigDecimal LEAST_SECONDS = new BigDecimal("0.01");
    private static final BigDecimal MOST_SECONDS = BigDecimal.valueOf(3_600);
    private static final int MOST_FILES = 200;
    private static final int MOST_BYTES_OF_A_FILE = 256 * 1024;
    private static final int LINES_CHARS = 64 * 1024;
    private static final int MOST_BATCHES = 40;
    private static final Duration SHORT_WAIT = Duration.ofMillis(50);
    private static final int ROWS = 1_024;
    private static final int QUERIES = 64;

    /** What some example does, and inputs for it. */
    private interface Work {
        void measure(Inputs inputs) throws Exception;
    }

    /** What can be profiled, by the name of its example. */
    private record Subject(String name, String what, Input input, Work work, boolean hasStages) {
        Subject(String name, String what, Input input, Work work) {
            this(name, what, input, work, false);
        }
    }

    /** What the tasks of some work get. */
    private enum Input {
        /** What the example makes up; there is no directory to take it from. */
        MADE_UP,
        /** What was in files before the work began. */
        CONTENT,
        /** Files, which each task reads. */
        FILES
    }

    private static final List<Subject> SUBJECTS = List.of(
            new Subject("checksums", "the SHA-256 of files", Input.FILES, Profile::checksums),
            new Subject("compress", "gzip of what is in files", Input.CONTENT, Profile::compress),
            new Subject("wordcount", "words in batches of lines", Input.CONTENT, Profile::wordcount),
            new Subject("timers", "waits of 50 ms without a thread", Input.MADE_UP, Profile::timers),
            new Subject("echo", "a hundred messages to a server and back", Input.MADE_UP, Profile::echo),
            new Subject("downloads", "pages from a server that takes its time", Input.MADE_UP, Profile::downloads),
            new Subject("mixed", "files parsed in worker processes", Input.CONTENT, Profile::mixed),
            new Subject("pipeline", "each stage of a job by itself", Input.FILES, Profile::pipeline, true),
            new Subject("primes", "numbers tried for primes", Input.MADE_UP, Profile::primes),
            new Subject("vector", "a loop with SIMD vectors, in worker processes", Input.MADE_UP, Profile::vector),
            new Subject("montecarlo", "darts thrown, by tasks of a microsecond", Input.MADE_UP, Profile::montecarlo),
            new Subject("arraysum", "arrays of 2 MB, sent to be added up", Input.MADE_UP, Profile::arraysum),
            new Subject("sharedcounter", "primes counted in shared memory", Input.MADE_UP, Profile::sharedcounter),
            new Subject("crashy", "a library that segfaults on every seventh input", Input.MADE_UP, Profile::crashy),
            new Subject("render", "thumbnails of pictures", Input.FILES, Profile::render));

    /** Examples that cannot be profiled, and why. */
    private static final Map<String, String> WITHOUT_WORK = Map.of(
            "tour", "the tour shows the work of other examples, each of which can be profiled by itself",
            "proxy", "the proxy runs no tasks, it carries the bytes of others",
            "profile", "profile runs the work of other examples");

    private static final String HELP = """
            usage: examples/run profile [--html FILE] [--seconds N] NAME [DIR]

            Runs the work of the example NAME on one thread, and then on every strategy that takes it (isolated work: in
            one worker process; async work: one at a time), for N seconds each (2 by default). Prints which to take and
            why, and what was measured, and writes a page with plots.
            Real input is that of the example; files are those below DIR, or of this repository. Pictures are those below
            DIR, or drawn; work without files takes no DIR.
            The stages of the pipeline are measured one after the other, each with what it gets from the one before.
            Files are read again and again, so from the memory of the system: what a disk or a network takes is not in it.

            NAME is one of

              checksums      the SHA-256 of files
              compress       gzip of what is in files
              wordcount      words in batches of lines
              timers         waits of 50 ms without a thread
              echo           a hundred messages to a server and back
              downloads      pages from a server that takes its time
              mixed          files parsed in worker processes
              pipeline       each stage of a job by itself
              primes         numbers tried for primes
              vector         a loop with SIMD vectors, in worker processes
              montecarlo     darts thrown, by tasks of a microsecond
              arraysum       arrays of 2 MB, sent to be added up
              sharedcounter  primes counted in shared memory
              crashy         a library that segfaults on every seventh input
              render         thumbnails of pictures

              --html FILE    where to write the page; by default a new file in the directory for temporary ones. Where
                             there are several, their names have the stage before the ending
              --seconds N    how long each strategy runs, from 0.01 to 3,600

            exit code  0  the work was measured; the advice may be to use no strategy
                       1  it could not be, or FILE cannot be written, or DIR does not exist or has no such files
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
        Duration time = cli.seconds(LEAST_SECONDS, MOST_SECONDS, "--seconds", SECONDS);
        Subject subject = subject(cli);
        Optional<Path> directory = cli.operand().map(Path::of);
        cli.end();
        if (directory.isPresent()) {
            if (subject.input() == Input.MADE_UP) {
                throw cli.usage("the work of " + subject.name() + " takes no DIR");
            }
            Cli.requireDirectory(directory.get());
        }
        if (html.isPresent() && !subject.hasStages()) { // the pages of stages have other names
            Cli.requireWritable(html.get());
        }
        List<WorkloadProfile> profiles = new ArrayList<>();
        try (Progress.Status status = Progress.status()) {
            ProfileOptions options = ProfileOptions.defaults().timePerStrategy(time);
            subject.work().measure(new Inputs(directory, html, options, cli, status, profiles::add));
        }
        show(profiles, cli);
        if (subject.input() == Input.FILES) {
            cli.println("");
            cli.println("Files were read again and again, so from the memory of the system:");
            cli.println("what a disk or a network takes is not in it.");
        }
        cli.println("");
        for (WorkloadProfile profile : profiles) {
            Path page = page(html, profiles.size() == 1 ? "" : stageAddition(profile.workload()));
            profile.writeHtml(page);
            cli.println("The page with plots is " + page.toAbsolutePath());
        }
        for (WorkloadProfile profile : profiles) {
            if (profile.best().isEmpty()) {
                throw Cli.refused("no strategy can be recommended for " + profile.workload());
            }
        }
    }

    /** What is recommended comes first, for all stages where there are several. */
    private static void show(List<WorkloadProfile> profiles, Cli cli) {
        if (profiles.size() == 1) {
            cli.println(profiles.get(0).table());
            return;
        }
        profiles.forEach(profile -> cli.println(profile.toString()));
        cli.println("");
        cli.println("Each of these stages was measured by itself, the others stood still meanwhile.");
        for (WorkloadProfile profile : profiles) {
            cli.println("");
            cli.println("Stage " + profile.workload() + ":");
            cli.println(profile.table());
        }
    }

    private static Path page(Optional<Path> html, String addition) throws IOException {
        return html.isPresent()
                ? withAddition(html.get(), addition)
                : Files.createTempFile("stratagem-profile" + addition + "-", ".html");
    }

    private static String stageAddition(String stage) {
        return "-" + stage;
    }

    /** With the addition before the ending of its name, if it has one, which the root has not. */
    private static Path withAddition(Path html, String addition) {
        if (html.getFileName() == null) {
            return html;
        }
        String name = html.getFileName().toString();
        String stem = MoreFiles.getNameWithoutExtension(html);
        return html.resolveSibling(stem + addition + name.substring(stem.length()));
    }

    private static Subject subject(Cli cli) throws Cli.Refused {
        String oneOf = "; it is one of " + String.join(", ", names());
        String name = cli.operand().orElseThrow(() -> cli.usage("NAME is missing" + oneOf));
        if (WITHOUT_WORK.containsKey(name)) {
            throw cli.usage(WITHOUT_WORK.get(name) + oneOf);
        }
        return SUBJECTS.stream()
                .filter(subject -> subject.name().equals(name))
                .findFirst()
                .orElseThrow(() -> cli.usage("there is no work of the name " + name + oneOf));
    }

    /** Where inputs come from, and how they are measured. */
    private record Inputs(
            Optional<Path> directory,
            Optional<Path> html,
            ProfileOptions options,
            Cli cli,
            Progress.Status status,
            Consumer<WorkloadProfile> profiles) {

        <I, O> void measure(Workload<I, O> workload, Collection<? extends I> sample) {
            profiles.accept(Stratagem.profile(
                    workload,
                    sample,
                    options.progress(row -> status.show("measuring " + workload.name() + ": " + row))));
        }

        /** Finds out before the first stage is measured. */
        void requireWritablePages(List<String> stages) throws Cli.Refused {
            if (html.isPresent()) {
                for (String stage : stages) {
                    Cli.requireWritable(withAddition(html.get(), stageAddition(stage)));
                }
            }
        }

        /** Some files, from all over the directory. */
        List<Path> files() throws IOException, Cli.Refused {
            List<Path> all = directory.isPresent()
                    ? FileTree.below(directory.get(), cli)
                    : FileTree.below(Tour.repository(), Tour::isSource, cli);
            return someOf(all);
        }

        private static List<Path> someOf(List<Path> all) {
            List<Path> some = new ArrayList<>(all);
            Collections.shuffle(some, new Random(1));
            return some.subList(0, Math.min(MOST_FILES, some.size()));
        }

        /** Those of the directory, or some that are drawn there. */
        List<Path> pictures(TemporaryDirectory drawn) throws IOException, Cli.Refused {
            if (directory.isPresent()) {
                return someOf(Render.picturesBelow(directory.get(), cli));
            }
            // None of the bombs: what those do to a worker takes all the time there is.
            return Render.draw(List.of(Picture.VALLEY, Picture.CLIFF, Picture.ICON), drawn).stream()
                    .map(Render.Order::file)
                    .toList();
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

    private static void checksums(Inputs inputs) throws Exception {
        inputs.measure(Checksums.SHA256, inputs.files());
    }

    private static void compress(Inputs inputs) throws Exception {
        Workload<byte[], Integer> gzip = Workload.compute(
                "gzip", content -> ThreadsSection.compress(content, Codec.GZIP).remaining());
        inputs.measure(gzip, inputs.contents());
    }

    private static void wordcount(Inputs inputs) throws Exception {
        try (LineBatches batches = new LineBatches(inputs.files(), LINES_CHARS, inputs.cli())) {
            List<String> lines = new ArrayList<>();
            Iterators.addAll(lines, Iterators.limit(batches, MOST_BATCHES));
            if (lines.isEmpty()) {
                throw Cli.refused("nothing in these files");
            }
            inputs.measure(WordCount.COUNT, lines);
        }
    }

    private static void timers(Inputs inputs) {
        inputs.measure(Timers.DELAY, List.of(SHORT_WAIT));
    }

    private static void echo(Inputs inputs) throws Exception {
        int messages = 100;
        try (LoopServer server = LoopServer.start("servers", 0, (connection, loop) -> Echo.sendBack(connection))) {
            inputs.measure(
                    Echo.asking(server.address(), messages, null),
                    IntStream.range(0, messages).boxed().toList());
        }
    }

    private static void downloads(Inputs inputs) throws Exception {
        byte[] body = new byte[4_000];
        try (LocalSite site =
                LocalSite.start((path, loop) -> loop.delay(SHORT_WAIT).thenApply(nothing -> body))) {
            inputs.measure(
                    Downloads.FETCH,
                    IntStream.range(0, 100).mapToObj(i -> site.uri("/" + i)).toList());
        }
    }

    private static void mixed(Inputs inputs) throws Exception {
        List<Outline.Source> sources = new ArrayList<>();
        for (Path file : inputs.files()) {
            sources.add(new Outline.Source(file.getFileName().toString(), inputs.contentOf(file)));
        }
        inputs.measure(Mixed.PARSE, sources);
    }

    private static void pipeline(Inputs inputs) throws Exception {
        List<Path> files = inputs.files();
        try (Catalogue.Job job = Catalogue.Job.start(files)) {
            inputs.requireWritablePages(job.stages());
            job.visitStages(inputs::measure, MOST_BYTES_OF_A_FILE);
        }
    }

    private static void primes(Inputs inputs) {
        List<Long> candidates =
                LongStream.range(0, 1_000).map(i -> Primes.FROM + 2 * i).boxed().toList();
        inputs.measure(Primes.PRIME, candidates);
    }

    private static void vector(Inputs inputs) throws Exception {
        VectorLoop.require(VectorLoop.MODULE);
        try (SharedArray rows = VectorLoop.random(ROWS, 1);
                SharedArray queries = VectorLoop.random(QUERIES, 2)) {
            inputs.measure(VectorLoop.VECTOR, VectorLoop.parts(ROWS, rows, queries));
        }
    }

    private static void montecarlo(Inputs inputs) {
        inputs.measure(
                MonteCarlo.HITS,
                IntStream.range(0, 1_000)
                        .mapToObj(seed -> new MonteCarlo.Throws(seed, 100))
                        .toList());
    }

    private static void arraysum(Inputs inputs) {
        Random random = new Random(1);
        inputs.measure(
                ArraySum.SUM_OF_COPY,
                List.of(
                        random.doubles(250_000).toArray(),
                        random.doubles(250_000).toArray()));
    }

    private static void sharedcounter(Inputs inputs) {
        try (SharedCounter primes = new SharedCounter();
                SharedCounter numbers = new SharedCounter()) {
            inputs.measure(
                    SharedCount.COUNT,
                    IntStream.range(0, 100)
                            .mapToObj(i -> new SharedCount.Block(i * 5_000, (i + 1) * 5_000, primes, numbers))
                            .toList());
        }
    }

    private static void crashy(Inputs inputs) {
        inputs.measure(Crashy.LIBRARY, IntStream.rangeClosed(1, 21).boxed().toList());
    }

    private static void render(Inputs inputs) throws Exception {
        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-profile-")) {
            List<String> files =
                    inputs.pictures(temporary).stream().map(Path::toString).toList();
            Workload<String, Integer> render = Workload.named("render")
                    .isolated()
                    .timeout(Render.Settings.DEFAULT.timeout())
                    .compute(file -> Thumbnail.of(Path.of(file), Render.Settings.DEFAULT.width())
                            .png()
                            .length);
            inputs.measure(render, files);
        }
    }
}
