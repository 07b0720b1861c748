package io.stratagem.examples;

import com.google.common.collect.Comparators;
import com.google.common.collect.Iterables;
import com.google.common.collect.Streams;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Counts the words in text of any size: what is in memory is the words, a few batches of lines, and no more. */
public final class WordCount {
    private static final String HELP = """
            usage: examples/run wordcount [--top K] [--out RESULT] FILE|DIR

            Counts the words in FILE, or in every file below DIR, read as UTF-8, and prints the most frequent. A word
            is a run of letters and digits, in upper or lower case. The text may be of any size: memory is needed only
            for the different words.

              --top K       how many words to print, 10 by default
              --out RESULT  write all words with their counts to this file, in alphabetical order

            exit code  0  every file was counted
                       1  the input does not exist, has no files, or some could not be read; the others were counted
                       2  bad arguments
            """;

    private static final int BATCH_CHARS = 64 * 1024;
    private static final int LINES_PER_WRITE = 10_000;

    /** What to do with one batch of lines. */
    static final Workload<String, Map<String, Long>> COUNT = Workload.compute("count words", WordCount::count);

    private static final Comparator<Entry<String, Long>> BY_FREQUENCY = Entry.<String, Long>comparingByValue()
            .thenComparing(Entry.<String, Long>comparingByKey().reversed());

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("wordcount", HELP, args, out, err, WordCount::countAll);
    }

    private static void countAll(Cli cli) throws IOException, Cli.Refused {
        int top = cli.number("--top", 10);
        Optional<Path> target = cli.option("--out").map(Path::of);
        Path input = cli.lastPath("FILE or DIR");
        if (!Files.exists(input)) {
            throw Cli.refused("no such file or directory: " + input);
        }
        List<Path> files = Files.isDirectory(input) ? FileTree.below(input, cli) : List.of(input);
        if (target.isPresent()) {
            Cli.requireWritable(target.get());
            requireOther(target.get(), files);
        }

        try (ExecutorStrategy auto = Stratagem.auto()) {
            Map<String, Long> totals = countAll(files, auto, cli);
            printTop(top, totals, cli.out());
            if (target.isPresent()) {
                write(totals, target.get(), auto);
            }
        }
    }

    private static void requireOther(Path target, List<Path> files) throws IOException, Cli.Refused {
        for (Path file : files) {
            if (Files.exists(target) && Files.exists(file) && Files.isSameFile(target, file)) {
                throw Cli.refused("would overwrite what it reads: " + target);
            }
        }
    }

    private static Map<String, Long> countAll(List<Path> files, ExecutorStrategy auto, Cli cli) throws IOException {
        Map<String, Long> totals = new HashMap<>();
        try (LineBatches batches = new LineBatches(files, BATCH_CHARS, cli);
                Stream<Result<Map<String, Long>>> counts =
                        Progress.of(auto.mapUnordered(COUNT, Streams.stream(batches)), "count", batchesIn(files))) {
            counts.forEach(result -> result.orElseThrow().forEach((word, n) -> totals.merge(word, n, Long::sum)));
        }
        return totals;
    }

    static Map<String, Long> count(String text) {
        Map<String, Long> counts = new HashMap<>();
        int start = 0;
        int end = 0;
        while (end < text.length()) {
            int character = text.codePointAt(end);
            int next = end + Character.charCount(character);
            if (!Character.isLetterOrDigit(character)) {
                add(text, start, end, counts);
                start = next;
            }
            end = next;
        }
        add(text, start, end, counts);
        return counts;
    }

    private static void add(String text, int start, int end, Map<String, Long> counts) {
        if (start < end) {
            counts.merge(text.substring(start, end).toLowerCase(Locale.ROOT), 1L, Long::sum);
        }
    }

    private static void printTop(int top, Map<String, Long> totals, PrintStream out) {
        long words = totals.values().stream().mapToLong(Long::longValue).sum();
        out.println(Units.count(words, "word") + ", " + Units.count(totals.size()) + " different");
        // Keeps the best seen so far; sorting everything to print ten would cost more than counting.
        totals.entrySet().stream()
                .collect(Comparators.greatest(Math.min(top, totals.size()), BY_FREQUENCY))
                .forEach(entry -> out.printf(Locale.ROOT, "%,12d  %s%n", entry.getValue(), entry.getKey()));
    }

    private static void write(Map<String, Long> totals, Path target, ExecutorStrategy auto) throws IOException {
        List<String> words = totals.keySet().stream().sorted().toList();
        Workload<List<String>, String> format = Workload.compute("format", batch -> format(batch, totals));
        try (Writer writer = Files.newBufferedWriter(target);
                Stream<Result<String>> batches = auto.map(format, Iterables.partition(words, LINES_PER_WRITE))) {
            for (Result<String> batch : (Iterable<Result<String>>) batches::iterator) {
                writer.append(batch.orElseThrow());
            }
        }
    }

    private static String format(List<String> words, Map<String, Long> totals) {
        return words.stream().map(word -> word + "\t" + totals.get(word) + "\n").collect(Collectors.joining());
    }

    /** For the progress bar: exact enough. */
    private static long batchesIn(List<Path> files) {
        return files.stream()
                .mapToLong(file -> file.toFile().length() / BATCH_CHARS + 1)
                .sum();
    }
}
