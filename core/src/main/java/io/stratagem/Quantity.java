package io.stratagem;

import java.time.Duration;
import java.util.Locale;

/** Figures as people read them in a profile: two or three digits that count, and a unit. */
final class Quantity {
    private static final double THOUSAND = 1e3;
    private static final String[] TIMES = {"ns", "µs", "ms", "s"};
    private static final String[] PREFIXES = {"", "k", "M", "G", "T", "P"};

    private Quantity() {}

    static String time(Duration time) {
        return nanos((double) time.toNanos());
    }

    static String nanos(double nanos) {
        double value = nanos;
        int unit = 0;
        while (rounded(value) >= THOUSAND && unit < TIMES.length - 1) {
            value /= THOUSAND;
            unit++;
        }
        return digits(value) + " " + TIMES[unit];
    }

    static String bytes(double bytes) {
        return scaled(bytes, " ") + "B";
    }

    /** How many, with a prefix from a hundred thousand on. */
    static String count(double number) {
        if (number < 1e5) {
            return number < 100 ? digits(number) : String.format(Locale.ROOT, "%,.0f", number);
        }
        return scaled(number, " ").stripTrailing();
    }

    /** By how much something is more than another: 24, or 1.85. */
    static String factor(double factor) {
        return factor < 10 ? String.format(Locale.ROOT, "%.2f", factor) : String.format(Locale.ROOT, "%,.0f", factor);
    }

    static String percent(double part) {
        double percent = 100 * part;
        return percent > 0 && percent < 1 ? "<1 %" : Math.round(percent) + " %";
    }

    static String cpus(double cpus) {
        return String.format(Locale.ROOT, "%.2f", cpus);
    }

    private static String scaled(double number, String space) {
        double value = number;
        int prefix = 0;
        while (rounded(value) >= THOUSAND && prefix < PREFIXES.length - 1) {
            value /= THOUSAND;
            prefix++;
        }
        return digits(value) + space + PREFIXES[prefix];
    }

    /** What is shown must not be 1000 of one unit when it would be 1 of the next. */
    private static double rounded(double value) {
        return value >= 99.95 ? Math.round(value) : value;
    }

    private static String digits(double value) {
        return value == Math.rint(value) || value >= 99.95
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, value < 9.995 ? "%.2f" : "%.1f", value);
    }
}
