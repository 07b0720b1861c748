package io.stratagem.benchmarks;

/** How many elements a program works on in one pass, at full length and in a quick run. */
public record Size(int full, int quick) {

    public Size {
        if (full <= 0 || quick <= 0) {
            throw new IllegalArgumentException("a size must be positive: " + full + ", " + quick);
        }
    }

    /** The same number of elements for both. */
    public static Size of(int size) {
        return new Size(size, size);
    }
}
