package io.stratagem.benchmarks;

import java.util.List;
import java.util.stream.Collectors;

/** A report as JSON; a figure that is not there is null. */
final class JsonDocument {

    private static final int FIRST_PRINTABLE = 0x20;

    private final Report report;

    JsonDocument(Report report) {
        this.report = report;
    }

    String text() {
        Outcome outcome = report.outcome();
        return String.join(
                "\n",
                "{",
                "  \"suite\": " + string(report.suite()) + ",",
                "  \"about\": " + strings(report.about()) + ",",
                "  \"rounds\": " + outcome.rounds() + ",",
                "  \"rows\": "
                        + outcome.rows().stream()
                                .map(JsonDocument::row)
                                .collect(Collectors.joining(",\n    ", "[\n    ", "\n  ]"))
                        + ",",
                "  \"skipped\": " + strings(outcome.skipped()) + ",",
                "  \"failed\": " + strings(outcome.failed()),
                "}",
                "");
    }

    private static String row(Row row) {
        return String.join(
                ", ",
                "{\"metric\": " + string(row.metric()),
                "\"unit\": " + string(row.unit()),
                "\"ours\": " + number(row.ours()),
                "\"peer\": " + number(row.peer()),
                "\"ratio\": " + number(row.ratio()),
                "\"goal\": " + number(row.goal()),
                "\"ourRuns\": " + numbers(row.ourRuns()),
                "\"peerRuns\": " + numbers(row.peerRuns()) + "}");
    }

    private static String number(double value) {
        return Double.isFinite(value) ? Double.toString(value) : "null";
    }

    private static String numbers(List<Double> values) {
        return values.stream().map(JsonDocument::number).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String strings(List<String> texts) {
        return texts.stream().map(JsonDocument::string).collect(Collectors.joining(", ", "[", "]"));
    }

    static String string(String text) {
        return text.chars().mapToObj(JsonDocument::escaped).collect(Collectors.joining("", "\"", "\""));
    }

    private static String escaped(int character) {
        if (character == '"' || character == '\\') {
            return "\\" + (char) character;
        }
        return character < FIRST_PRINTABLE ? String.format("\\u%04x", character) : Character.toString(character);
    }
}
