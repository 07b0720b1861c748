package io.stratagem;

import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** Plots of a profile, as SVG that takes its colours from the page around it: a line for each row. */
final class ProfilePlot {
    private static final int WIDTH = 560;
    private static final int LABELS = 178;
    private static final int FIGURES = 84;
    private static final int LEFT = LABELS + 12;
    private static final int SPAN = WIDTH - LEFT - FIGURES;
    private static final int LINE = 30;
    private static final int BAR = 14;
    private static final int AXIS = 26;
    private static final int LONGEST_NAME = 26;
    private static final double LEAST = 2;

    private final List<Row> rows;
    private final Optional<String> best;
    private final StringBuilder svg = new StringBuilder();

    ProfilePlot(WorkloadProfile profile) {
        this.rows =
                profile.rows().stream().filter(row -> row.figures().isPresent()).toList();
        this.best = profile.best();
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /** A bar for each row, from zero on. */
    String bars(String title, ToDoubleFunction<Figures> value, Function<Figures, String> figure) {
        double most = rows.stream()
                .mapToDouble(row -> value.applyAsDouble(figures(row)))
                .max()
                .orElse(0);
        begin(title, rows.size() * LINE + 6);
        int top = 0;
        for (Row row : rows) {
            Figures figures = figures(row);
            double width = most == 0 ? 0 : SPAN * value.applyAsDouble(figures) / most;
            name(row, top);
            bar(LEFT, top, Math.max(LEAST, width), isBest(row) ? "best" : "bar");
            text(
                    LEFT + Math.max(LEAST, width) + 8,
                    top,
                    "start",
                    isBest(row) ? "figure strong" : "figure",
                    figure.apply(figures));
            top += LINE;
        }
        return end();
    }

    /** From the median to the slow ones, on a logarithmic axis. */
    String latencies(String title) {
        List<Row> timed =
                rows.stream().filter(row -> figures(row).p50().isPresent()).toList();
        if (timed.isEmpty()) {
            return "";
        }
        double least = timed.stream()
                .mapToDouble(row -> nanos(figures(row).p50()))
                .min()
                .orElse(1);
        double most = timed.stream()
                .mapToDouble(row -> nanos(figures(row).p99()))
                .max()
                .orElse(1);
        int low = (int) Math.floor(Math.log10(least));
        int high = Math.max(low + 1, (int) Math.ceil(Math.log10(most)));
        int bottom = timed.size() * LINE;
        begin(title, bottom + AXIS);
        int step = high - low > 6 ? 2 : 1;
        for (int decade = low; decade <= high; decade += step) {
            double x = x(Math.pow(10, decade), low, high);
            put("<line class='grid' x1='%1$.1f' x2='%1$.1f' y1='0' y2='%2$d'/>", x, bottom);
            put(
                    "<text class='axis' x='%.1f' y='%d' text-anchor='middle'>%s</text>",
                    x, bottom + 17, Quantity.nanos(Math.pow(10, decade)));
        }
        int top = 0;
        for (Row row : timed) {
            double p50 = nanos(figures(row).p50());
            double p99 = nanos(figures(row).p99());
            String colour = isBest(row) ? "best" : "bar";
            double from = x(p50, low, high);
            double to = x(p99, low, high);
            int middle = top + LINE / 2;
            name(row, top);
            put(
                    "<line class='%s range' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/>",
                    colour, from, Math.max(from, to), middle, middle);
            put("<circle class='%s' cx='%.1f' cy='%d' r='5'/>", colour, from, middle);
            put("<circle class='%s hollow' cx='%.1f' cy='%d' r='4.5'/>", colour, Math.max(from, to), middle);
            text(LEFT + SPAN + 10, top, "start", isBest(row) ? "figure strong" : "figure", Quantity.nanos(p50));
            top += LINE;
        }
        return end();
    }

    /** A bar of full width for each row that has the part, divided in two. */
    String parts(String title, Function<Figures, Optional<Double>> part) {
        List<Row> known = rows.stream()
                .filter(row -> part.apply(figures(row)).isPresent())
                .toList();
        if (known.isEmpty()) {
            return "";
        }
        begin(title, known.size() * LINE + 6);
        int top = 0;
        for (Row row : known) {
            double share = part.apply(figures(row)).orElse(0.0);
            double width = SPAN * share;
            name(row, top);
            bar(LEFT, top, SPAN, "rest");
            if (width >= LEAST / 2) {
                bar(LEFT, top, Math.max(LEAST, width), "overhead");
            }
            text(LEFT + SPAN + 8, top, "start", "figure", Quantity.percent(share));
            top += LINE;
        }
        return end();
    }

    // ---------------------------------------------------------------------------------------------- its parts

    private static Figures figures(Row row) {
        return row.figures().orElseThrow();
    }

    private boolean isBest(Row row) {
        return best.isPresent() && best.get().equals(row.name());
    }

    private static double nanos(Optional<Duration> time) {
        return Math.max(1, time.map(Duration::toNanos).orElse(1L));
    }

    private static double x(double nanos, int low, int high) {
        return LEFT + SPAN * (Math.log10(nanos) - low) / (high - low);
    }

    private void begin(String title, int height) {
        svg.setLength(0);
        put(
                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' role='img' aria-label='%s'>",
                WIDTH, height, ProfilePage.escaped(title));
    }

    private String end() {
        put("</svg>");
        return svg.toString();
    }

    private void name(Row row, int top) {
        String name = row.name();
        String shown = name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME - 1) + "…" : name;
        text(LABELS, top, "end", isBest(row) ? "name strong" : "name", shown);
    }

    private void bar(double x, int top, double width, String colour) {
        put(
                "<rect class='%s' x='%.1f' y='%d' width='%.1f' height='%d' rx='3'/>",
                colour, x, top + (LINE - BAR) / 2, width, BAR);
    }

    private void text(double x, int top, String anchor, String colour, String text) {
        put(
                "<text class='%s' x='%.1f' y='%.1f' text-anchor='%s'>%s</text>",
                colour, x, top + LINE / 2 + 4.5, anchor, ProfilePage.escaped(text));
    }

    private void put(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
