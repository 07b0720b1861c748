package io.stratagem;

import io.stratagem.ProfileTable.Column;
import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** A profile as one page of HTML, which is XML as well. Light or dark as its reader's browser is. */
final class ProfilePage {
    private static final String STYLE = """
            :root {
              color-scheme: light dark;
              --page: #f6f6f3; --card: #ffffff; --ink: #1d1e20; --quiet: #62656b; --line: #e3e3de;
              --best: #0a66c2; --best-wash: #e8f1fb; --bar: #aab4c0; --rest: #dfe4ea; --overhead: #d97a2b;
              --wash: #fdf1e3; --edge: #d97a2b;
            }
            @media (prefers-color-scheme: dark) {
              :root {
                --page: #131518; --card: #1b1e23; --ink: #e9e9e6; --quiet: #9ba1aa; --line: #2e333b;
                --best: #62aeff; --best-wash: #16283c; --bar: #5c6775; --rest: #343b45; --overhead: #e39a55;
                --wash: #2c2318; --edge: #e39a55;
              }
            }
            * { box-sizing: border-box; }
            body {
              margin: 0; background: var(--page); color: var(--ink);
              font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
            }
            main { max-width: 1200px; margin: 0 auto; padding: 36px 24px 56px; }
            .over { color: var(--quiet); font-size: 12px; letter-spacing: .08em; text-transform: uppercase; }
            h1 { margin: 2px 0 4px; font-size: 30px; line-height: 1.2; overflow-wrap: anywhere; }
            h2 { margin: 0; font-size: 15px; }
            .sub, .hint { color: var(--quiet); margin: 0; }
            .hint { font-size: 13px; margin-bottom: 12px; }
            .card {
              background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px;
              min-width: 0; overflow-wrap: anywhere;
            }
            .answer { margin-top: 22px; background: var(--best-wash); border-color: var(--best); font-size: 19px; }
            .answer p { margin: 0; }
            .notes { margin-top: 14px; background: var(--wash); border-color: var(--edge); }
            .notes ul { margin: 0; padding-left: 18px; }
            .notes li + li { margin-top: 6px; }
            .plots {
              display: grid; gap: 14px; margin-top: 14px; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr));
            }
            .wide { margin-top: 14px; overflow-x: auto; }
            svg { display: block; width: 100%; height: auto; }
            svg text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; fill: var(--ink); }
            svg .figure, td { font-variant-numeric: tabular-nums; }
            svg .axis { font-size: 11px; fill: var(--quiet); }
            svg .strong { font-weight: 650; fill: var(--best); }
            svg .grid { stroke: var(--line); stroke-width: 1; }
            .best { fill: var(--best); stroke: var(--best); stroke-width: 0; }
            .bar { fill: var(--bar); stroke: var(--bar); stroke-width: 0; }
            .rest { fill: var(--rest); } .overhead { fill: var(--overhead); }
            svg .range { stroke-width: 3; } svg .hollow { fill: var(--card); stroke-width: 2; }
            .key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 5px 0 0; }
            .split { display: flex; height: 22px; border-radius: 5px; overflow: hidden; background: var(--rest); margin: 8px 0; }
            .split span { background: var(--best); }
            table { border-collapse: collapse; width: 100%; font-size: 14px; }
            th, td { text-align: right; padding: 8px 0 8px 18px; border-bottom: 1px solid var(--line); white-space: nowrap; }
            th { color: var(--quiet); font-weight: 500; font-size: 13px; }
            th:first-child, td:first-child { text-align: left; padding-left: 0; }
            td.why { text-align: left; color: var(--quiet); white-space: normal; overflow-wrap: anywhere; }
            tr:last-child td { border-bottom: 0; }
            tr.chosen td { color: var(--best); font-weight: 650; }
            footer { margin-top: 22px; color: var(--quiet); font-size: 13px; }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 0 0 12px; }
            dt { color: var(--ink); } dd { margin: 0; }
            """;

    private final WorkloadProfile profile;
    private final StringBuilder html = new StringBuilder();

    ProfilePage(WorkloadProfile profile) {
        this.profile = profile;
    }

    String text() {
        html.setLength(0);
        put("<!DOCTYPE html>");
        put("<html lang='en' xmlns='http://www.w3.org/1999/xhtml'>");
        put("<head>");
        put("<meta charset='utf-8'/>");
        put("<meta name='viewport' content='width=device-width, initial-scale=1'/>");
        put("<title>Profile of %s</title>", profile.workload());
        html.append("<style>\n").append(STYLE).append("</style>\n");
        put("</head>");
        put("<body><main>");
        put("<div class='over'>Stratagem profile</div>");
        put("<h1>%s</h1>", profile.workload());
        put("<p class='sub'>%s</p>", ProfileTable.label(profile));
        put("<section class='card answer'><p>%s</p></section>", profile.recommendation());
        notes("Found", profile.findings());
        notes("When reading the figures", profile.warnings());
        plots();
        table();
        footer();
        put("</main></body>");
        put("</html>");
        return html.toString();
    }

    private void notes(String title, List<String> sentences) {
        if (sentences.isEmpty()) {
            return;
        }
        put("<section class='card notes'><h2>%s</h2><ul>", title);
        sentences.forEach(sentence -> put("<li>%s</li>", sentence));
        put("</ul></section>");
    }

    private void plots() {
        put("<div class='plots'>");
        profile.waiting().ifPresent(this::waiting);
        ProfilePlot plot = new ProfilePlot(profile);
        if (!plot.isEmpty()) {
            String rates = plot.bars(
                    "Tasks per second", Figures::tasksPerSecond, each -> Quantity.count(each.tasksPerSecond()));
            card("Tasks per second", "with always enough to do", rates);
            card(
                    "How long a lone task takes",
                    "from the median (dot, figure) to the 99th percentile (ring); each gridline is ten times the one before",
                    plot.latencies("How long a lone task takes"));
            card(
                    "Overhead of a lone task",
                    "which part of its time is not spent in the function",
                    plot.parts("Overhead of a lone task", each -> boxed(each.overhead())));
            card(
                    "CPUs in use",
                    "by this process and its workers; on one thread, by that thread",
                    plot.bars("CPUs in use", Figures::cpus, each -> Quantity.cpus(each.cpus())));
        }
        put("</div>");
    }

    private static Optional<Double> boxed(OptionalDouble value) {
        return value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
    }

    private void waiting(double waits) {
        put("<section class='card'><h2>Waiting or computing</h2>");
        put("<p class='hint'>when it ran alone, without the time that others had the CPUs</p>");
        put(
                "<div class='split'><span style='width: %s%%'></span></div>",
                String.format(Locale.ROOT, "%.1f", 100 * (1 - waits)));
        put(
                "<div><span class='key' style='background: var(--best)'></span>computes %s &#160; "
                        + "<span class='key' style='background: var(--rest)'></span>waits %s</div>",
                Quantity.percent(1 - waits), Quantity.percent(waits));
        put("</section>");
    }

    private void card(String title, String hint, String svg) {
        if (!svg.isEmpty()) {
            put("<section class='card'><h2>%s</h2><p class='hint'>%s</p>", title, hint);
            html.append(svg);
            put("</section>");
        }
    }

    private void table() {
        put("<section class='card wide'><table><thead><tr><th>strategy</th>");
        for (Column column : Column.values()) {
            put("<th>%s</th>", column.title());
        }
        put("</tr></thead><tbody>");
        for (Row row : profile.rows()) {
            boolean isBest = profile.best().isPresent()
                    && row.name().equals(profile.best().get());
            put(isBest ? "<tr class='chosen'>" : "<tr>");
            put("<td>%s</td>", row.name());
            if (row.figures().isPresent()) {
                for (Column column : Column.values()) {
                    put("<td>%s</td>", column.of(row.figures().get()));
                }
            } else {
                put("<td class='why' colspan='" + Column.values().length + "'>%s</td>", row.note());
            }
            put("</tr>");
            if (row.figures().isPresent() && !row.note().isEmpty()) {
                put("<tr><td></td><td class='why' colspan='" + Column.values().length + "'>%s</td></tr>", row.note());
            }
        }
        put("</tbody></table></section>");
    }

    private void footer() {
        put("<footer><dl>");
        put("<dt>p50, p99</dt><dd>how long half, and 99 of 100, of the lone tasks took at most</dd>");
        put("<dt>sent/task</dt><dd>bytes that went to worker processes and came back</dd>");
        put(
                "<dt>memory</dt><dd>what worker processes have resident, all together; on one thread, what a task allocates</dd>");
        put("<dt>start</dt><dd>from handing in the first task of a new strategy until its result</dd>");
        put("</dl><p>%s</p></footer>", profile.conditions());
    }

    /** The format is ours, the arguments are anybody's. */
    private void put(String format, Object... arguments) {
        Object[] safe = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            safe[i] = escaped(String.valueOf(arguments[i]));
        }
        html.append(arguments.length == 0 ? format : String.format(Locale.ROOT, format, safe))
                .append('\n');
    }

    /** For content and for attributes. What XML cannot have is replaced. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(character -> {
            switch (character) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isInXml(character) ? character : 0xFFFD);
            }
        });
        return escaped.toString();
    }

    private static boolean isInXml(int character) {
        return character == '\t'
                || character == '\n'
                || character == '\r'
                || (character >= 0x20 && character <= 0xD7FF)
                || (character >= 0xE000 && character <= 0xFFFD)
                || character >= 0x10000;
    }
}
