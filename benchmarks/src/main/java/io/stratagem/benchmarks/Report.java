package io.stratagem.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What is kept of a comparison.
 *
 * @param suite the suite's name
 * @param about date, machine, JDKs, flags, effort: one line each
 * @param outcome the figures
 */
record Report(String suite, List<String> about, Outcome outcome) {

    /** Writes {@code compare-SUITE.csv}, {@code .json} and {@code .svg}; gives the files. */
    List<Path> write(Path folder) throws IOException {
        Files.createDirectories(folder);
        return List.of(
                Files.writeString(file(folder, "csv"), new CsvTable(this).text()),
                Files.writeString(file(folder, "json"), new JsonDocument(this).text()),
                Files.writeString(file(folder, "svg"), new SvgPlot(this).text()));
    }

    /** Writes {@code SUITE.svg}, for documents that show it. */
    Path publish(Path folder) throws IOException {
        Files.createDirectories(folder);
        return Files.writeString(folder.resolve(suite + ".svg"), new SvgPlot(this).text());
    }

    private Path file(Path folder, String extension) {
        return folder.resolve("compare-" + suite + "." + extension);
    }
}
