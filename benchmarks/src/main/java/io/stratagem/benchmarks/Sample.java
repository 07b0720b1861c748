package io.stratagem.benchmarks;

import java.util.Locale;
import java.util.Optional;

/**
 * One figure as a program prints it: the line {@code METRIC name value unit}. A program may print several for one
 * name; the process then counts with their median.
 */
public record Sample(String metric, double value, String unit) {

    private static final String KEYWORD = "METRIC";

    /** The sample in a line of a program's output; none in a line that is something else. */
    static Optional<Sample> parse(String line) {
        String[] words = line.strip().split("\\s+", -1);
        if (words.length != 4 || !words[0].equals(KEYWORD)) {
            return Optional.empty();
        }
        try {
            double value = Double.parseDouble(words[2]);
            return Double.isFinite(value) && value >= 0
                    ? Optional.of(new Sample(words[1], value, words[3]))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The line to print. */
    public String line() {
        return String.format(Locale.ROOT, "%s %s %.6g %s", KEYWORD, metric, value, unit);
    }
}
