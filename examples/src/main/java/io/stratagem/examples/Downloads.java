package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import com.google.common.hash.HashCode;
import com.google.common.hash.Hashing;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.EventLoopStrategy;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.Proxy;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/** Many pages from a server that takes its time, in four ways. */
public final class Downloads {
    private static final String HELP = """
            usage: examples/run downloads [--pages N]

            Starts an HTTP server on this machine that answers each request after 10 to 200 milliseconds, and fetches
            N pages (1,000 by default) from it: on one thread (no more than 50 of them, from which the time for all is
            worked out), on the thread pool, on virtual threads if this JVM has them, and on one event loop. Compares
            the SHA-256 of every page with that of what the server has.

            exit code  0  every page came as it is
                       1  some did not
                       2  bad arguments
            """;

    private static final int MOST_ONE_BY_ONE = 50;
    private static final int LEAST_MILLIS = 10;
    private static final int MOST_MILLIS = 200;
    private static final int MOST_PAGE_BYTES = 8_000;
    private static final int JAVA = Runtime.version().feature();
    private static final boolean HAS_VIRTUAL_THREADS = JAVA >= 21;

    static final Workload<URI, byte[]> FETCH = Workload.async("fetch", HttpGet::body);
    private static final Workload<URI, byte[]> FETCH_BLOCKING =
            Workload.blocking("fetch, blocking", Downloads::fetchBlocking);

    /** What the server has: the same pages and delays each time. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares pages
    private record Page(byte[] body, HashCode sha256, Duration delay) {
        static List<Page> ofNumber(int number) {
            Random random = new Random(1);
            return Stream.generate(() -> random(random)).limit(number).toList();
        }

        private static Page random(Random random) {
            byte[] body = new byte[random.nextInt(MOST_PAGE_BYTES + 1)];
            random.nextBytes(body);
            int millis = LEAST_MILLIS + random.nextInt(MOST_MILLIS - LEAST_MILLIS + 1);
            return new Page(body, Hashing.sha256().hashBytes(body), Duration.ofMillis(millis));
        }
    }

    private final List<Page> pages;
    private final List<URI> uris;
    private final Cli cli;

    private Downloads(List<Page> pages, LocalSite site, Cli cli) {
        this.pages = pages;
        this.cli = cli;
        this.uris = new ArrayList<>();
        for (int i = 0; i < pages.size(); i++) {
            uris.add(site.uri("/" + i));
        }
    }

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("downloads", HELP, args, out, err, Downloads::compare);
    }

    private static void compare(Cli cli) throws Exception {
        int pages = cli.number("--pages", 1_000);
        cli.end();
        compare(pages, MOST_ONE_BY_ONE, cli);
    }

    /** The short form of it. */
    static void show(Cli cli) throws Exception {
        Tour.introduce(FETCH, cli);
        compare(500, 5, cli);
    }

    private static void compare(int number, int oneByOne, Cli cli) throws Exception {
        List<Page> pages = Page.ofNumber(number);
        try (LocalSite site = LocalSite.start((path, loop) -> {
            Page page = page(path, pages);
            return loop.delay(page.delay).thenApply(nothing -> page.body);
        })) {
            cli.println(Units.count(number, "page") + " from " + site.uri("/") + ", which answers after " + LEAST_MILLIS
                    + " to " + MOST_MILLIS + " ms");
            new Downloads(pages, site, cli).compare(Math.min(number, oneByOne));
        }
    }

    private static Page page(String path, List<Page> pages) throws NoSuchFileException {
        try {
            return pages.get(Integer.parseInt(path.substring(1)));
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new NoSuchFileException(path);
        }
    }

    private void compare(int oneByOne) throws IOException {
        Duration oneThread = onOneThread(oneByOne);
        int threads = Math.min(pages.size(), 256);
        try (ExecutorStrategy pool = ThreadPoolStrategy.builder()
                .virtualThreads(false)
                .blockingThreads(threads)
                .window(threads)
                .build()) {
            fetchAll("thread pool", Units.count(threads, "platform thread"), pool, FETCH_BLOCKING, oneThread);
        }
        if (HAS_VIRTUAL_THREADS) {
            try (ExecutorStrategy pool = ThreadPoolStrategy.builder()
                    .virtualThreads(true)
                    .blockingThreads(pages.size())
                    .window(pages.size())
                    .build()) {
                fetchAll("virtual threads", "one for each page", pool, FETCH_BLOCKING, oneThread);
            }
        } else {
            printLine("virtual threads", "-", "not here: Java " + JAVA + " has none");
        }
        try (ExecutorStrategy loop =
                EventLoopStrategy.builder().loops(1).window(pages.size()).build()) {
            fetchAll("event loop", "1 thread", loop, FETCH, oneThread);
        }
    }

    /** Fetches some, and gives the time for all of them. */
    private Duration onOneThread(int some) throws IOException {
        check(0, fetchBlocking(uris.get(0))); // loads classes
        Stopwatch watch = Stopwatch.createStarted();
        Duration waited = Duration.ZERO;
        try (Stream<URI> first = Progress.of(uris.stream().limit(some), "one by one", some)) {
            int index = 0;
            for (Iterator<URI> uri = first.iterator(); uri.hasNext(); index++) {
                check(index, fetchBlocking(uri.next()));
                waited = waited.plus(pages.get(index).delay);
            }
        }
        Duration time = watch.elapsed();
        if (some == pages.size()) {
            printLine("one thread", Units.time(time), "");
            return time;
        }
        // What is not the server's delay is the same for each page; the delays of all are known.
        Duration each = time.minus(waited).dividedBy(some);
        Duration delays = pages.stream().map(Page::delay).reduce(Duration.ZERO, Duration::plus);
        Duration all = delays.plus(each.multipliedBy(pages.size()));
        String from = "worked out from " + Units.count(some, "page") + " in " + Units.time(time);
        printLine("one thread", Units.time(all), from);
        return all;
    }

    private void fetchAll(
            String name, String with, ExecutorStrategy strategy, Workload<URI, byte[]> fetch, Duration oneThread) {
        List<URI> some = uris.subList(0, (uris.size() + 9) / 10);
        fetchAll(some, strategy, fetch); // loads classes, starts threads
        Stopwatch watch = Stopwatch.createStarted();
        fetchAll(uris, strategy, fetch);
        Duration time = watch.elapsed();
        String factor = String.format(Locale.ROOT, "%.0f times as fast", (double) oneThread.toNanos() / time.toNanos());
        printLine(name, Units.time(time), with + "; " + factor);
    }

    private void fetchAll(List<URI> some, ExecutorStrategy strategy, Workload<URI, byte[]> fetch) {
        try (Stream<Result<byte[]>> results = Progress.of(strategy.map(fetch, some), fetch.name(), some.size())) {
            int index = 0; // map gives one result for each input, in their order
            for (Iterator<Result<byte[]>> each = results.iterator(); each.hasNext(); index++) {
                Result<byte[]> result = each.next();
                if (result instanceof Result.Failure<byte[]> failure) {
                    cli.problem(failure.cause());
                } else {
                    check(index, result.orElseThrow());
                }
            }
        }
    }

    private void check(int index, byte[] body) {
        if (!Hashing.sha256().hashBytes(body).equals(pages.get(index).sha256)) {
            cli.problem(new IOException(uris.get(index) + " came as something else"));
        }
    }

    /** As one writes it for a thread. The JDK keeps a few connections open for the next page. */
    private static byte[] fetchBlocking(URI page) throws IOException {
        URLConnection connection = page.toURL().openConnection(Proxy.NO_PROXY);
        connection.setConnectTimeout((int) HttpHead.PATIENCE.toMillis());
        connection.setReadTimeout((int) HttpHead.PATIENCE.toMillis());
        try (InputStream body = connection.getInputStream()) {
            return body.readAllBytes();
        }
    }

    private void printLine(String what, String time, String remark) {
        cli.println(String.format(Locale.ROOT, "  %-16s %-8s %s", what, time, remark)
                .stripTrailing());
    }
}
