package io.stratagem.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * One row of the outcome: {@code SUITE METRIC OURS PEER RATIO}.
 *
 * @param metric what was measured, and against whom
 * @param unit the unit of both figures
 * @param ours our median
 * @param peer the peer's median; NaN where the figure is ours alone
 * @param ratio above 1 if ours is better; NaN where the figure is ours alone
 * @param goal the ratio to reach, or the most that a figure of ours alone may be; NaN if none is set
 * @param ourRuns our value in each round
 * @param peerRuns the peer's value in each round
 */
record Row(
        String metric,
        String unit,
        double ours,
        double peer,
        double ratio,
        double goal,
        List<Double> ourRuns,
        List<Double> peerRuns) {

    /** Whether a goal is set and was missed. */
    boolean missesGoal() {
        return isAlone() ? ours > goal : ratio < goal;
    }

    /** What was reached and what was to be, in words. */
    String againstGoal() {
        return isAlone()
                ? metric + " " + figure(ours, unit) + ", limit " + figure(goal, unit)
                : metric + " " + ratioText() + ", goal " + goal;
    }

    private boolean isAlone() {
        return Double.isNaN(ratio);
    }

    /** The row as it is printed. */
    String line(String suite) {
        return String.join(" ", suite, metric, figure(ours, unit), figure(peer, unit), ratioText());
    }

    String ratioText() {
        return isAlone() ? "-" : String.format(Locale.ROOT, "%.2f", ratio);
    }

    /** Three digits and the unit: {@code 25.1ns}, {@code 310ns}. */
    static String figure(double value, String unit) {
        if (Double.isNaN(value)) {
            return "-";
        }
        int whole = value < 1 ? 1 : (int) Math.floor(Math.log10(value)) + 1;
        return String.format(Locale.ROOT, "%." + Math.max(0, 3 - whole) + "f%s", value, unit);
    }
}
