package io.stratagem.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * A report's ratios as horizontal bars on a logarithmic axis: from the line at 1 to the right where ours is better,
 * to the left where the peer is. A tick marks the goal.
 */
final class SvgPlot {

    private static final int LABELS = 330;
    private static final int BARS = 420;
    private static final int FIGURES = 230;
    private static final int BAR = 22;
    private static final int TOP = 48;
    private static final int GAP = 10;

    private final Report report;
    private final List<Row> rows;
    private final double low;
    private final double high;
    private final StringBuilder svg = new StringBuilder();

    SvgPlot(Report report) {
        this.report = report;
        rows = report.outcome().rows().stream()
                .filter(row -> !Double.isNaN(row.ratio()))
                .toList();
        low = Math.min(0.5, rows.stream().mapToDouble(Row::ratio).min().orElse(1));
        high = Math.max(2, rows.stream().mapToDouble(Row::ratio).max().orElse(1));
    }

    String text() {
        svg.setLength(0);
        int width = LABELS + BARS + FIGURES;
        int bottom = TOP + rows.size() * BAR;
        put(
                "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' font-size='12'>",
                width, bottom + BAR);
        rectangle(0, 0, width, bottom + BAR, "white");
        label(GAP, 20, "start", report.suite() + ": how many times better than the peer (tick: the goal)");
        label(
                GAP,
                38,
                "start",
                String.join("; ", report.about().stream().limit(2).toList()));
        int top = TOP;
        for (Row row : rows) {
            bar(row, top);
            top += BAR;
        }
        verticalLine(x(1), TOP, bottom, 1);
        label(x(1), bottom + BAR - 6, "middle", "1");
        put("</svg>");
        return svg.toString();
    }

    private void bar(Row row, int top) {
        double end = x(row.ratio());
        String colour = row.ratio() >= 1 ? "#2a7ab8" : "#d98032";
        rectangle(Math.min(x(1), end), top + 3, Math.abs(end - x(1)), BAR - 6, colour);
        if (row.goal() >= low && row.goal() <= high) {
            verticalLine(x(row.goal()), top + 1, top + BAR - 1, 2);
        }
        int baseline = top + BAR - 7;
        String ours = Row.figure(row.ours(), row.unit());
        String peer = Row.figure(row.peer(), row.unit());
        label(LABELS - GAP, baseline, "end", row.metric());
        label(LABELS + BARS + GAP, baseline, "start", row.ratioText() + " (" + ours + " against " + peer + ")");
    }

    private double x(double ratio) {
        return LABELS + BARS * Math.log(ratio / low) / Math.log(high / low);
    }

    private void rectangle(double x, int y, double width, int height, String colour) {
        put("<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='%s'/>", x, y, width, height, colour);
    }

    private void verticalLine(double x, int from, int to, int width) {
        put(
                "<line x1='%1$.1f' x2='%1$.1f' y1='%2$d' y2='%3$d' stroke='black' stroke-width='%4$d'/>",
                x, from, to, width);
    }

    private void label(double x, int y, String anchor, String text) {
        put("<text x='%.1f' y='%d' text-anchor='%s'>%s</text>", x, y, anchor, escaped(text));
    }

    private void put(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
