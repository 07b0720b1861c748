package io.stratagem;

import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** A profile as text. */
final class ProfileTable {
    static final int WIDTH = 120;

    private static final int LONGEST_NAME = 26;
    private static final int SHORTEST_REST = 40;
    private static final String NOTHING = "-";

    private final WorkloadProfile profile;
    private final List<String> lines = new ArrayList<>();

    ProfileTable(WorkloadProfile profile) {
        this.profile = profile;
    }

    /** What a row says in each column, after its name. */
    enum Column {
        RATE("tasks/s", 8),
        MEDIAN("p50", 8),
        SLOW("p99", 8),
        CPUS("CPUs", 5),
        OVERHEAD("overhead", 8),
        BYTES("sent/task", 9),
        MEMORY("memory", 12),
        START("start", 8),
        FAILED("failed", 6);

        private final String title;
        private final int width;

        Column(String title, int width) {
            this.title = title;
            this.width = width;
        }

        String title() {
            return title;
        }

        String of(Figures figures) {
            return switch (this) {
                case RATE -> Quantity.count(figures.tasksPerSecond());
                case MEDIAN -> time(figures.p50());
                case SLOW -> time(figures.p99());
                case CPUS -> Quantity.cpus(figures.cpus());
                case OVERHEAD -> percent(figures.overhead());
                case BYTES -> figures.sentBytesPerTask() == 0 ? NOTHING : Quantity.bytes(figures.sentBytesPerTask());
                case MEMORY -> memory(figures);
                case START -> figures.start().isZero() ? NOTHING : Quantity.time(figures.start());
                case FAILED -> Quantity.percent(figures.failing());
            };
        }

        private static String time(Optional<Duration> time) {
            return time.map(Quantity::time).orElse(NOTHING);
        }

        private static String percent(OptionalDouble part) {
            return part.isEmpty() ? NOTHING : Quantity.percent(part.getAsDouble());
        }

        private static String memory(Figures figures) {
            if (figures.residentBytes().isPresent()) {
                return Quantity.bytes((double) figures.residentBytes().getAsLong());
            }
            return figures.allocatedBytesPerTask().isPresent()
                    ? Quantity.bytes(figures.allocatedBytesPerTask().getAsDouble()) + "/task"
                    : NOTHING;
        }
    }

    String text() {
        lines.clear();
        wrap("", profile.recommendation(), "");
        profile.findings().forEach(finding -> wrap("  found: ", finding, "         "));
        profile.warnings().forEach(warning -> wrap("  warning: ", warning, "           "));
        lines.add("");
        addTable();
        addNotes();
        lines.add("");
        wrap("", OneLine.of(profile.workload()) + ", " + label(profile) + ": " + profile.conditions(), "");
        return String.join("\n", lines);
    }

    static String label(WorkloadProfile profile) {
        return "declared " + profile.kind().name().toLowerCase(Locale.ROOT) + (profile.isolated() ? ", isolated" : "");
    }

    private void addTable() {
        int names = profile.rows().stream()
                .mapToInt(row -> name(row).length())
                .max()
                .orElse(0);
        StringBuilder head = new StringBuilder("  " + " ".repeat(names));
        for (Column column : Column.values()) {
            head.append("  ").append(padded(column.title, column.width));
        }
        lines.add(head.toString());
        for (Row row : profile.rows()) {
            boolean isBest = profile.best().isPresent()
                    && row.name().equals(profile.best().get());
            String start = (isBest ? "> " : "  ")
                    + name(row)
                    + " ".repeat(names - name(row).length());
            if (row.figures().isEmpty()) {
                wrap(start + "  ", row.note(), " ".repeat(names + 4));
                continue;
            }
            StringBuilder line = new StringBuilder(start);
            for (Column column : Column.values()) {
                line.append("  ").append(padded(column.of(row.figures().get()), column.width));
            }
            lines.add(line.toString());
        }
    }

    private void addNotes() {
        for (Row row : profile.rows()) {
            if (row.figures().isPresent() && !row.note().isEmpty()) {
                wrap("  " + name(row) + ": ", row.note(), "    ");
            }
        }
    }

    private static String name(Row row) {
        String name = OneLine.of(row.name());
        return name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME - 1) + "…" : name;
    }

    private static String padded(String text, int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }

    /** Breaks at spaces, and within what has none. */
    private void wrap(String first, String text, String indent) {
        String start = first.length() > WIDTH - SHORTEST_REST ? first.substring(0, WIDTH - SHORTEST_REST) : first;
        StringBuilder line = new StringBuilder(start);
        boolean isEmpty = true;
        for (String word : OneLine.of(text).split(" ", -1)) {
            if (!isEmpty && line.length() + 1 + word.length() > WIDTH) {
                lines.add(line.toString());
                line = new StringBuilder(indent);
                isEmpty = true;
            }
            line.append(isEmpty ? "" : " ").append(word);
            isEmpty = false;
            while (line.length() > WIDTH) {
                lines.add(line.substring(0, WIDTH));
                line = new StringBuilder(indent + line.substring(WIDTH));
            }
        }
        lines.add(line.toString());
    }
}
