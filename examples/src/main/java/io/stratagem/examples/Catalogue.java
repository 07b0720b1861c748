package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.base.Stopwatch;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import io.stratagem.ExecutorStrategy;
import io.stratagem.MapOptions;
import io.stratagem.Pipeline;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/** A job of four stages, one stage after another and as a pipeline. */
public final class Catalogue {
    private static final String HELP = """
            usage: examples/run pipeline [--files N] [DIR]

            Makes a catalogue of the first N files (200 by default) below DIR (this repository by default; what tools
            make or keep, in target and in directories with a dot in front, is left out), in four stages:

              fetch     each from a server on this machine, which takes 20 to 60 ms for an answer, on an event loop
              pack      its SHA-256, and how small gzip makes it, on the thread pool
              outline   what is in it, by a parser in a worker process
              register  enters it into a register on that server, which takes its time, too, on the event loop

            No more than 4 requests of a kind are made at a time. The four are run as a pipeline, in which each file goes
            on as soon as it can and no more than 64 are under way; and one after another, each for all files. Both must
            give the same, and the hashes of the files themselves.

            exit code  0  all files are in the catalogue
                       1  DIR does not exist or has no files, or some could not be done; the others were
                       2  bad arguments
            """;

    private static final String REGISTER = "/register/";
    private static final int MOST_REQUESTS = 4;
    private static final int LEAST_MILLIS = 20;
    private static final int MOST_MILLIS = 60;
    private static final int WINDOW = 64;
    private static final int WARM_UP_FILES = 24;
    private static final Duration PARSE_LIMIT = Duration.ofSeconds(30);

    /** A file that was fetched. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares pages
    record Page(String name, byte[] content) {}

    /** With what was computed of it. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares these
    record Packed(String name, byte[] content, String sha256, int packedBytes) implements Serializable {}

    /** What the catalogue says of a file. */
    public record Entry(String name, String sha256, int bytes, int packedBytes, String language, int lines)
            implements Serializable {}

    private static final Workload<Page, Packed> PACK = Workload.compute("pack", Catalogue::pack);

    private static final Workload<Packed, Entry> OUTLINE =
            Workload.named("outline").isolated().timeout(PARSE_LIMIT).compute(Catalogue::outline);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("pipeline", HELP, args, out, err, Catalogue::compare);
    }

    private static void compare(Cli cli) throws Exception {
        int most = cli.number("--files", 200);
        Path root = cli.operand().map(Path::of).orElse(Tour.repository());
        cli.end();
        List<Path> files = FileTree.below(root, Tour::isSource, cli);
        compare(files.subList(0, Math.min(files.size(), most)), cli);
    }

    private static void compare(List<Path> files, Cli cli) throws Exception {
        try (Job job = Job.start(files)) {
            cli.println(Units.count(files.size(), "file") + "; each is fetched, packed, outlined and registered, and "
                    + job.site.uri("/") + " answers after " + LEAST_MILLIS + " to " + MOST_MILLIS + " ms");
            job.warmUp();
            // First, so that what is faster the second time is so for the other.
            Stopwatch watch = Stopwatch.createStarted();
            List<Result<Entry>> entries = job.pipeline();
            Duration pipeline = watch.elapsed();
            watch.reset().start();
            List<Result<Entry>> others = job.oneAfterAnother();
            Duration oneAfterAnother = watch.elapsed();

            cli.println("  one after another  " + Units.time(oneAfterAnother));
            cli.println(String.format(
                    Locale.ROOT,
                    "  pipeline           %s, %.2f times as fast",
                    Units.time(pipeline),
                    (double) oneAfterAnother.toNanos() / pipeline.toNanos()));
            List<Entry> catalogue = check(files, entries, others, cli);
            long bytes = catalogue.stream().mapToLong(Entry::bytes).sum();
            long packed = catalogue.stream().mapToLong(Entry::packedBytes).sum();
            long lines = catalogue.stream().mapToLong(Entry::lines).sum();
            cli.println(Units.count(catalogue.size(), "file") + " with " + Units.count(lines, "line") + " are in the"
                    + " catalogue; gzip makes " + Units.bytes(packed) + " of their " + Units.bytes(bytes));
        }
    }

    /** The good ones of both; the others are reported. */
    private static List<Entry> check(
            List<Path> files, List<Result<Entry>> entries, List<Result<Entry>> others, Cli cli) {
        List<Entry> good = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            Path file = files.get(i);
            if (entries.get(i) instanceof Result.Failure<Entry> failure) {
                cli.problem(file, failure.cause());
                continue;
            }
            Entry entry = entries.get(i).orElseThrow();
            try {
                String sha256 =
                        MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString();
                if (!entry.sha256.equals(sha256)) {
                    cli.problem(file, new IOException("came through as something else, or has changed meanwhile"));
                } else if (!entries.get(i).equals(others.get(i))) {
                    cli.problem(file, new IOException("is " + entry + ", and one after another " + others.get(i)));
                } else {
                    good.add(entry);
                }
            } catch (IOException e) {
                cli.problem(file, e);
            }
        }
        return good;
    }

    // ---------------------------------------------------------------------------------------------- the job

    /** The stages, each on the strategy that suits it, and a server to fetch from. For one thread. */
    public static final class Job implements AutoCloseable {
        private final List<Path> files;
        private final LocalSite site;
        private final ExecutorStrategy auto = Stratagem.auto();
        private final Workload<Path, Page> fetch;
        private final Workload<Entry, Entry> register;

        private Job(List<Path> files, LocalSite site) {
            this.files = files;
            this.site = site;
            this.fetch = Workload.named("fetch")
                    .limitPerKey((Path file) -> "files", MOST_REQUESTS)
                    .async((file, onLoop) -> HttpGet.body(site.uri(path(file)), onLoop)
                            .thenApply(content -> new Page(file.toString(), content)));
            this.register = Workload.named("register")
                    .limitPerKey((Entry entry) -> "register", MOST_REQUESTS)
                    .async((entry, onLoop) -> HttpGet.body(site.uri(REGISTER + entry.sha256), onLoop)
                            .thenApply(answer -> entry));
        }

        /** Starts the server, and what runs the stages. */
        public static Job start(List<Path> files) throws IOException {
            Map<String, Path> byPath = new HashMap<>();
            files.forEach(file -> byPath.put(path(file), file));
            return new Job(files, LocalSite.start((path, loop) -> {
                CompletionStage<Void> delay = loop.delay(delay(path));
                if (path.startsWith(REGISTER)) {
                    return delay.thenApply(nothing -> path.getBytes(UTF_8));
                }
                Path file = byPath.get(path);
                if (file == null) {
                    throw new NoSuchFileException(path);
                }
                return delay.thenCompose(nothing -> loop.offload(() -> Files.readAllBytes(file)));
            }));
        }

        /** Loads classes and starts processes, with a few of the files. */
        public void warmUp() {
            List<Path> few = files.subList(0, Math.min(files.size(), WARM_UP_FILES));
            pipeline(few);
            oneAfterAnother(few);
        }

        /** Each file goes on to its next stage as soon as it can. */
        public List<Result<Entry>> pipeline() {
            return pipeline(files);
        }

        private List<Result<Entry>> pipeline(List<Path> some) {
            Pipeline<Path, Entry> pipeline =
                    Pipeline.of(fetch).then(PACK).then(OUTLINE).then(register);
            Stream<Result<Entry>> entries =
                    pipeline.map(auto, some.stream(), MapOptions.ordered().window(WINDOW));
            try (Stream<Result<Entry>> results = Progress.of(entries, "pipeline", some.size())) {
                return results.toList();
            }
        }

        /** Each stage is done for all files before the next one begins. */
        public List<Result<Entry>> oneAfterAnother() {
            return oneAfterAnother(files);
        }

        private List<Result<Entry>> oneAfterAnother(List<Path> some) {
            List<Result<Page>> pages =
                    all(fetch, some.stream().map(Result::success).toList());
            return all(register, all(OUTLINE, all(PACK, pages)));
        }

        /** One stage for all that came through the one before; what failed there stays in its place. */
        private <I, O> List<Result<O>> all(Workload<I, O> workload, List<Result<I>> before) {
            Stream<I> inputs = before.stream().filter(Result::isSuccess).map(Result::orElseThrow);
            try (Stream<Result<O>> results = Progress.of(auto.map(workload, inputs), workload.name(), before.size())) {
                Iterator<Result<O>> next = results.iterator(); // map gives one result for each input, in their order
                List<Result<O>> after = new ArrayList<>();
                for (Result<I> each : before) {
                    after.add(
                            each instanceof Result.Failure<I> failure ? Result.failure(failure.cause()) : next.next());
                }
                return after;
            }
        }

        /** Their names. */
        List<String> stages() {
            return Stream.of(fetch, PACK, OUTLINE, register).map(Workload::name).toList();
        }

        /** What is done with a stage and inputs such as it gets. */
        interface StageVisitor {
            <I, O> void visit(Workload<I, O> stage, List<I> inputs);
        }

        /** Each stage by itself, and of each file no more than so many bytes behind the first stage. */
        void visitStages(StageVisitor visitor, int mostBytes) throws IOException {
            List<Page> pages = new ArrayList<>();
            List<Packed> packed = new ArrayList<>();
            List<Entry> entries = new ArrayList<>();
            for (Path file : files) {
                try (InputStream content = Files.newInputStream(file)) {
                    Page page = new Page(file.toString(), content.readNBytes(mostBytes));
                    Packed small = pack(page);
                    pages.add(page);
                    packed.add(small);
                    // Nothing is parsed here: that is for workers, and the register does not look at it.
                    entries.add(new Entry(page.name, small.sha256, page.content.length, small.packedBytes, "", 0));
                }
            }
            visitor.visit(fetch, files);
            visitor.visit(PACK, pages);
            visitor.visit(OUTLINE, packed);
            visitor.visit(register, entries);
        }

        @Override
        public void close() {
            auto.close();
            site.close();
        }
    }

    private static String path(Path file) {
        return "/files/"
                + file.toAbsolutePath()
                        .normalize()
                        .toString()
                        .replace('\\', '/')
                        .replaceFirst("^/", "");
    }

    /** The same each time. */
    private static Duration delay(String path) {
        return Duration.ofMillis(LEAST_MILLIS + Math.floorMod(path.hashCode(), MOST_MILLIS - LEAST_MILLIS + 1));
    }

    private static Packed pack(Page page) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = Codec.GZIP.compress(packed, page.content.length)) {
            out.write(page.content);
        }
        String sha256 = Hashing.sha256().hashBytes(page.content).toString();
        return new Packed(page.name, page.content, sha256, packed.size());
    }

    private static Entry outline(Packed page) throws IOException {
        Outline outline = Outline.of(new Outline.Source(page.name, page.content));
        return new Entry(
                page.name, page.sha256, page.content.length, page.packedBytes, outline.language(), outline.lines());
    }
}
