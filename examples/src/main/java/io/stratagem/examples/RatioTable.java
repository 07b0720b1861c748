package io.stratagem.examples;

import static java.util.Comparator.comparingLong;

import com.google.common.io.MoreFiles;
import io.stratagem.examples.Compress.Sizes;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How much smaller files became, by their type. */
final class RatioTable {
    private static final int MOST_ROWS = 15;

    private final Map<String, Row> rows = new HashMap<>();

    private record Row(String type, long files, Sizes sizes) {
        Row plus(Row other) {
            return new Row(type, files + other.files, sizes.plus(other.sizes));
        }

        long bytes() {
            return sizes.plain();
        }
    }

    void add(Path file, Sizes sizes) {
        String extension = MoreFiles.getFileExtension(file);
        String type = extension.isEmpty() ? "(none)" : "." + extension;
        rows.merge(type, new Row(type, 1, sizes), Row::plus);
    }

    void print(PrintStream out) {
        List<Row> largestFirst = rows.values().stream()
                .sorted(comparingLong(Row::bytes).reversed().thenComparing(Row::type))
                .toList();
        out.printf("%-12s %9s %10s %10s %7s %10s %7s%n", "type", "files", "size", "gzip", "", "xz", "");
        largestFirst.stream().limit(MOST_ROWS).forEach(row -> print(row, out));
        if (largestFirst.size() > MOST_ROWS) {
            print(sum("others", largestFirst.subList(MOST_ROWS, largestFirst.size())), out);
        }
        print(sum("all", largestFirst), out);
    }

    private static Row sum(String name, List<Row> rows) {
        return rows.stream().reduce(new Row(name, 0, new Sizes(0, 0, 0)), Row::plus);
    }

    private static void print(Row row, PrintStream out) {
        Sizes sizes = row.sizes;
        out.printf(
                Locale.ROOT,
                "%-12s %,9d %10s %10s %7s %10s %7s%n",
                row.type,
                row.files,
                Units.bytes(sizes.plain()),
                Units.bytes(sizes.gzip()),
                percent(sizes.gzip(), sizes.plain()),
                Units.bytes(sizes.xz()),
                percent(sizes.xz(), sizes.plain()));
    }

    private static String percent(long part, long whole) {
        return whole == 0 ? "-" : String.format(Locale.ROOT, "%.1f %%", 100.0 * part / whole);
    }
}
