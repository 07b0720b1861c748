package io.stratagem.benchmarks;

import java.util.List;
import java.util.stream.Collectors;

/** A report's rows as comma-separated values; the runs of a figure stand in one cell, separated by spaces. */
final class CsvTable {

    private final Report report;

    CsvTable(Report report) {
        this.report = report;
    }

    String text() {
        return report.outcome().rows().stream()
                .map(this::line)
                .collect(Collectors.joining("", "suite,metric,unit,ours,peer,ratio,goal,our_runs,peer_runs\n", ""));
    }

    private String line(Row row) {
        return String.join(
                        ",",
                        report.suite(),
                        row.metric(),
                        row.unit(),
                        number(row.ours()),
                        number(row.peer()),
                        number(row.ratio()),
                        number(row.goal()),
                        numbers(row.ourRuns()),
                        numbers(row.peerRuns()))
                + "\n";
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "" : Double.toString(value);
    }

    private static String numbers(List<Double> values) {
        return values.stream().map(CsvTable::number).collect(Collectors.joining(" "));
    }
}
