package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import com.google.common.io.MoreFiles;
import io.stratagem.Execution;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/** Thumbnails of pictures from anywhere: what a picture does to its worker, it does to no other picture. */
public final class Render {
    private static final String HELP = """
            usage: examples/run render [--width N] [--heap MB] [--timeout SECONDS] [--out OUT] [DIR|FILE ...]

            Scales pictures (png, jpg, gif, bmp, and whatever else ImageIO reads) to thumbnails: the files given, and
            all below DIR whose names end so. Each is decoded in a worker process with a small heap and little time,
            so that a file that is made to eat memory or time, or that finds a bug in a decoder, costs one worker.

            Without DIR and FILE it draws some pictures and makes three that are bad: a PNG of 1.2 MB that takes 1.2 GB
            of memory, a JPEG of 0.8 MB that takes minutes, and one that was cut off.

              --width N           how wide thumbnails are at most, and how high (320); they are never enlarged
              --heap MB           the heap of a worker (128: enough for some 25 megapixels), at least 8
              --timeout SECONDS   how long one picture may take (10)
              --out OUT           leave the thumbnails in this directory, which must be new or empty: for DIR/a/b.jpg
                                  OUT/a/b.jpg.png

            exit code  0  every picture was scaled; of its own pictures, each fared as it must
                       1  a file does not exist, or there are no pictures, or some were not scaled; the others were
                       2  bad arguments
            """;

    private static final int LEAST_HEAP_MEGABYTES = 8;
    private static final int DRAWING_HEAP_MEGABYTES = 128;

    /** What a worker may send: more than a thumbnail needs, less than this JVM's heap. */
    private static final int MAX_THUMBNAIL_BYTES = 8 << 20;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("render", HELP, args, out, err, Render::renderAll);
    }

    /**
     * How pictures are scaled.
     *
     * @param width of a thumbnail at most
     * @param heapMegabytes of a worker
     * @param timeout for one picture
     */
    record Settings(int width, int heapMegabytes, Duration timeout) {
        static final Settings DEFAULT = new Settings(320, 128, Duration.ofSeconds(10));

        static Settings of(Cli cli) throws Cli.Refused {
            int heap = cli.number("--heap", DEFAULT.heapMegabytes);
            if (heap < LEAST_HEAP_MEGABYTES) {
                throw cli.usage("--heap takes at least " + LEAST_HEAP_MEGABYTES + " MB, which a worker needs");
            }
            int width = cli.number("--width", DEFAULT.width);
            Duration timeout = Duration.ofSeconds(cli.number("--timeout", (int) DEFAULT.timeout.toSeconds()));
            return new Settings(width, heap, timeout);
        }
    }

    /**
     * A picture to scale.
     *
     * @param file where it is
     * @param name what it is called, relative to the directory it was found in
     * @param expected what must become of it
     */
    record Order(Path file, Path name, Fate expected) {}

    private static void renderAll(Cli cli) throws Exception {
        Settings settings = Settings.of(cli);
        Optional<Path> out = cli.option("--out").map(Path::of);
        List<Order> orders = ordersFor(cli);
        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-render-")) {
            Path target = out.orElse(temporary.path().resolve("thumbnails"));
            if (out.isPresent()) {
                requireNewOrEmpty(target);
            }
            if (orders.isEmpty()) {
                orders = draw(List.of(Picture.values()), temporary);
            }
            render(orders, settings, target, cli);
        }
        out.ifPresent(path -> cli.println("The thumbnails are in " + path));
    }

    // ---------------------------------------------------------------------------------------------- the work

    /** Has pictures made by workers as well: it takes memory, of which this JVM is to need little. */
    static List<Order> draw(List<Picture> pictures, TemporaryDirectory temporary) {
        String directory = temporary.path().toString(); // paths do not travel
        Workload<Picture, Void> draw = Workload.named("draw")
                .isolated()
                .computeAction(picture -> picture.write(Path.of(directory, picture.fileName())));
        try (ExecutorStrategy workers = workers(DRAWING_HEAP_MEGABYTES);
                Stream<Result<Void>> drawn = Progress.of(workers.map(draw, pictures), "draw", pictures.size())) {
            Results.failFast(drawn);
        }
        return pictures.stream()
                .map(picture ->
                        new Order(Path.of(directory, picture.fileName()), Path.of(picture.fileName()), picture.fate()))
                .toList();
    }

    static void render(List<Order> orders, Settings settings, Path target, Cli cli) {
        int width = settings.width();
        Workload<String, Thumbnail> render = Workload.named("render")
                .isolated()
                .timeout(settings.timeout())
                .compute(file -> Thumbnail.of(Path.of(file), width));
        List<String> files =
                orders.stream().map(order -> order.file().toString()).toList();
        cli.println(Units.count(files.size(), "picture") + ", each in a process with a heap of "
                + settings.heapMegabytes() + " MB, for " + Units.time(settings.timeout()) + " at most");
        Map<Fate, Long> fates = new EnumMap<>(Fate.class);
        Stopwatch watch = Stopwatch.createStarted();
        try (ExecutorStrategy workers = workers(settings.heapMegabytes());
                Stream<Result<Thumbnail>> thumbnails =
                        Progress.of(workers.map(render, files), "render", files.size())) {
            Iterator<Order> order = orders.iterator(); // map gives one result for each input, in their order
            thumbnails.forEachOrdered(thumbnail -> {
                fates.merge(Fate.of(thumbnail), 1L, Long::sum);
                report(order.next(), thumbnail, target, cli);
            });
        }
        String summary = fates.entrySet().stream()
                .map(fate -> fate.getKey().times(fate.getValue()))
                .collect(Collectors.joining(", "));
        cli.println(summary + ", in " + Units.time(watch.elapsed()));
    }

    private static ExecutorStrategy workers(int heapMegabytes) {
        return ProcessPoolStrategy.builder()
                .name("render")
                .maxHeapBytes((long) heapMegabytes << 20)
                .maxMessageBytes(MAX_THUMBNAIL_BYTES)
                .jvmOptions("-Djava.awt.headless=true")
                .initializer(() -> ImageIO.setUseCache(false)) // a worker that is killed leaves no temporary files
                .build();
    }

    private static void report(Order order, Result<Thumbnail> result, Path target, Cli cli) {
        boolean isAsExpected = Fate.of(result) == order.expected();
        if (result instanceof Result.Failure<Thumbnail> failure) {
            if (isAsExpected) {
                cli.println("  " + order.name() + ": " + Cli.inOneLine(failure.cause()));
            } else {
                cli.problem(order.file(), failure.cause());
            }
            return;
        }
        Thumbnail thumbnail = result.orElseThrow();
        Execution execution = result.execution();
        try {
            Path file = target.resolve(order.name() + ".png");
            Files.createDirectories(file.getParent());
            Files.write(file, thumbnail.png());
        } catch (IOException e) {
            cli.problem(order.file(), e);
            return;
        }
        cli.println("  " + order.name() + ": " + thumbnail.from() + " -> " + thumbnail.to() + ", in "
                + Units.time(execution.ran()) + " by " + execution.worker());
        if (!isAsExpected) {
            cli.problem(order.file(), new IllegalStateException("was scaled, and should not have been"));
        }
    }

    // ---------------------------------------------------------------------------------------------- what to do

    /** The pictures that are asked for; empty if none are. */
    private static List<Order> ordersFor(Cli cli) throws IOException, Cli.Refused {
        Map<Path, Path> filesByName = new TreeMap<>();
        for (Optional<String> operand = cli.operand(); operand.isPresent(); operand = cli.operand()) {
            Path path = Path.of(operand.get());
            if (Files.isDirectory(path)) {
                for (Path file : picturesBelow(path, cli)) {
                    add(file, path.relativize(file), filesByName);
                }
            } else if (Files.exists(path)) {
                add(path, path.getFileName(), filesByName);
            } else {
                throw Cli.refused("no such file or directory: " + path);
            }
        }
        List<Order> orders = new ArrayList<>();
        filesByName.forEach((name, file) -> orders.add(new Order(file, name, Fate.SCALED)));
        return orders;
    }

    private static void add(Path file, Path name, Map<Path, Path> filesByName) throws Cli.Refused {
        Path other = filesByName.putIfAbsent(name, file);
        if (other != null) {
            throw Cli.refused("the thumbnails of " + other + " and " + file + " would have the same name");
        }
    }

    /** The files whose names end as those of pictures do, sorted. */
    static List<Path> picturesBelow(Path directory, Cli cli) throws IOException, Cli.Refused {
        Set<String> suffixes = new TreeSet<>();
        for (String suffix : ImageIO.getReaderFileSuffixes()) {
            suffixes.add(suffix.toLowerCase(Locale.ROOT));
        }
        List<Path> pictures = FileTree.below(directory, cli).stream()
                .filter(file ->
                        suffixes.contains(MoreFiles.getFileExtension(file).toLowerCase(Locale.ROOT)))
                .toList();
        if (pictures.isEmpty()) {
            throw Cli.refused("no pictures in " + directory + ", that is no " + String.join(", ", suffixes));
        }
        return pictures;
    }

    private static void requireNewOrEmpty(Path target) throws Cli.Refused {
        boolean isEmpty;
        try {
            Files.createDirectories(target);
            try (Stream<Path> present = Files.list(target)) {
                isEmpty = present.findAny().isEmpty();
            }
        } catch (IOException e) {
            throw Cli.refused("cannot write to " + target);
        }
        if (!isEmpty) {
            throw Cli.refused("--out takes a new or an empty directory, and this one is not empty: " + target);
        }
    }
}
