package io.stratagem.examples;

import java.time.Duration;
import java.util.Locale;

/** Figures as people read them. */
final class Units {
    private Units() {}

    static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double scaled = bytes;
        int prefix = -1;
        while (scaled >= 999.5) {
            scaled /= 1000;
            prefix++;
        }
        return String.format(Locale.ROOT, scaled < 10 ? "%.1f %sB" : "%.0f %sB", scaled, "kMGTPE".charAt(prefix));
    }

    static String time(Duration time) {
        double seconds = time.getSeconds() + time.getNano() / 1e9; // toNanos() fails for centuries
        if (seconds < 0.1) {
            return String.format(Locale.ROOT, seconds < 0.01 ? "%.1f ms" : "%.0f ms", seconds * 1e3);
        }
        if (seconds < 120) {
            return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.0f s", seconds);
        }
        double minutes = seconds / 60;
        return String.format(
                Locale.ROOT, minutes < 100 ? "%.0f min" : "%.0f h", minutes < 100 ? minutes : minutes / 60);
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String count(long number, String noun) {
        return count(number) + " " + noun + (number == 1 ? "" : "s");
    }
}
