package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Each part of a job on the strategy that suits it: fetched on an event loop, hashed on threads, parsed in processes. */
public final class Mixed {
    private static final String HELP = """
            usage: examples/run mixed [DIR]

            Serves the files below DIR (this repository by default; what tools make or keep, in target and in
            directories with a dot in front, is left out) over HTTP on this machine, fetches each on an event loop,
            computes its SHA-256 on the thread pool, and parses it in a worker process, where a parser that runs out of
            memory does no harm: Java with the JDK's compiler, Markdown for headings and links. Each file goes through
            the three as soon as it can. Compares hashes and sizes with the files themselves.

            exit code  0  all files came through as they are
                       1  DIR does not exist or has no files, or some did not; the others are counted
                       2  bad arguments
            """;

    private static final Duration PARSE_LIMIT = Duration.ofSeconds(30);

    /** A file that was fetched. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares pages
    private record Page(Path file, byte[] content) {}

    /** With what was computed of it. */
    private record Hashed(Page page, String sha256) {}

    private static final Workload<Page, Hashed> HASH = Workload.compute(
            "hash",
            page -> new Hashed(page, Hashing.sha256().hashBytes(page.content).toString()));

    static final Workload<Outline.Source, Outline> PARSE =
            Workload.named("parse").isolated().timeout(PARSE_LIMIT).compute(Outline::of);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("mixed", HELP, args, out, err, Mixed::fetchHashParse);
    }

    private static void fetchHashParse(Cli cli) throws Exception {
        Path root = cli.operand().map(Path::of).orElse(Tour.repository());
        cli.end();
        fetchHashParse(FileTree.below(root, Tour::isSource, cli), cli);
    }

    /** The short form of it. */
    static void show(List<Path> files, Cli cli) throws Exception {
        Tour.introduce(PARSE, cli);
        fetchHashParse(files.subList(0, Math.min(files.size(), 100)), cli);
    }

    private static void fetchHashParse(List<Path> files, Cli cli) throws Exception {
        Map<String, Path> byPath = new TreeMap<>();
        files.forEach(file -> byPath.put(path(file), file));
        try (LocalSite site = LocalSite.start((path, loop) -> {
                    Path file = byPath.get(path);
                    if (file == null) {
                        throw new NoSuchFileException(path);
                    }
                    return loop.offload(() -> Files.readAllBytes(file)); // reading a file would hold the loop
                });
                ExecutorStrategy loop = EventLoopStrategy.create();
                ExecutorStrategy threads = ThreadPoolStrategy.create();
                ExecutorStrategy processes = ProcessPoolStrategy.create()) {
            new Mixed(site, cli).run(files, loop, threads, processes);
        }
    }

    private static String path(Path file) {
        return "/"
                + file.toAbsolutePath()
                        .normalize()
                        .toString()
                        .replace('\\', '/')
                        .replaceFirst("^/", "");
    }

    private final LocalSite site;
    private final Cli cli;
    private final Map<String, Outline> outlines = new TreeMap<>();
    private int checked;

    private Mixed(LocalSite site, Cli cli) {
        this.site = site;
        this.cli = cli;
    }

    private void run(List<Path> files, ExecutorStrategy loop, ExecutorStrategy threads, ExecutorStrategy processes) {
        Workload<Path, Page> fetch = Workload.async(
                "fetch",
                (file, onLoop) -> HttpGet.body(site.uri(path(file)), onLoop).thenApply(body -> new Page(file, body)));

        // A stream pulls its input as it is read: who reads the last one moves all three, and no stage runs far ahead.
        Deque<Path> toFetch = new ArrayDeque<>();
        Deque<Path> toHash = new ArrayDeque<>();
        Deque<Hashed> toParse = new ArrayDeque<>();
        Stopwatch watch = Stopwatch.createStarted();
        try (Stream<Result<Page>> fetched = loop.map(fetch, files.stream().peek(toFetch::add));
                Stream<Result<Hashed>> hashed =
                        threads.map(HASH, good(fetched, toFetch).peek(page -> toHash.add(page.file)));
                Stream<Result<Outline>> parsed = processes.map(
                        PARSE, good(hashed, toHash).peek(toParse::add).map(Mixed::source))) {
            Stream<Result<Outline>> results = Progress.of(parsed, "mixed", files.size());
            for (Iterator<Result<Outline>> each = results.iterator(); each.hasNext(); ) {
                take(each.next(), toParse.remove());
            }
        }
        cli.println(Units.count(checked, "file") + " fetched, hashed and parsed in " + Units.time(watch.elapsed()));
        outlines.values().forEach(this::print);
    }

    /** The values of those that succeeded; the others are reported. One result for each input, in their order. */
    private <T> Stream<T> good(Stream<Result<T>> results, Deque<Path> inputs) {
        return results.flatMap(result -> {
            Path file = inputs.remove();
            if (result instanceof Result.Failure<T> failure) {
                cli.problem(file, failure.cause());
                return Stream.empty();
            }
            return Stream.of(result.orElseThrow());
        });
    }

    private static Outline.Source source(Hashed hashed) {
        return new Outline.Source(hashed.page.file.toString(), hashed.page.content);
    }

    private void take(Result<Outline> result, Hashed hashed) {
        Path file = hashed.page.file;
        if (result instanceof Result.Failure<Outline> failure) {
            cli.problem(file, failure.cause());
            return;
        }
        Outline outline = result.orElseThrow();
        try {
            String sha256 = MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString();
            if (!hashed.sha256.equals(sha256) || outline.bytes() != Files.size(file)) {
                cli.problem(file, new IOException("came through as something else, or has changed meanwhile"));
                return;
            }
        } catch (IOException e) {
            cli.problem(file, e);
            return;
        }
        checked++;
        outlines.merge(outline.language(), outline, Outline::plus);
    }

    private void print(Outline all) {
        List<String> parts = new ArrayList<>();
        parts.add(Units.count(all.files(), "file"));
        parts.add(Units.count(all.lines(), "line"));
        if (all.language().equals(Outline.JAVA)) {
            parts.add(Units.count(all.types(), "type"));
            parts.add(Units.count(all.methods(), "method"));
        }
        if (all.language().equals(Outline.MARKDOWN)) {
            parts.add(Units.count(all.headings(), "heading"));
            parts.add(Units.count(all.links(), "link"));
        }
        if (all.errors() > 0) {
            parts.add(Units.count(all.errors()) + " with syntax errors");
        }
        cli.println("  " + all.language() + ": " + String.join(", ", parts));
    }
}
