package io.stratagem.benchmarks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The command line.
 *
 * @param suite the suite's name; empty if none is given
 * @param effort how much to measure
 * @param only which metrics
 * @param isPublished whether the plots are put where the README shows them
 */
record Options(String suite, Effort effort, Pattern only, boolean isPublished) {

    /** Throws {@link IllegalArgumentException} with a message for the user. */
    static Options parse(List<String> arguments) {
        Options options = new Options("", Effort.FULL, Pattern.compile(""), false);
        int rounds = 0;
        Deque<String> words = new ArrayDeque<>(arguments);
        while (!words.isEmpty()) {
            String word = words.poll();
            switch (word) {
                case "--quick" -> options = options.withEffort(Effort.QUICK);
                case "--rounds" -> rounds = positive(word, words.poll());
                case "--only" ->
                    options = new Options(
                            options.suite, options.effort, pattern(word, words.poll()), options.isPublished);
                case "--publish" -> options = new Options(options.suite, options.effort, options.only, true);
                default -> options = options.withSuite(word);
            }
        }
        return rounds == 0 ? options : options.withEffort(options.effort.withRounds(rounds));
    }

    private Options withSuite(String word) {
        if (word.startsWith("-")) {
            throw new IllegalArgumentException("no option " + word);
        }
        if (!suite.isEmpty()) {
            throw new IllegalArgumentException("one suite at a time: " + suite + ", " + word);
        }
        return new Options(word, effort, only, isPublished);
    }

    private Options withEffort(Effort other) {
        return new Options(suite, other, only, isPublished);
    }

    private static int positive(String option, String word) {
        try {
            int number = Integer.parseInt(String.valueOf(word));
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException(option + " needs a positive number");
    }

    private static Pattern pattern(String option, String word) {
        if (word == null) {
            throw new IllegalArgumentException(option + " needs a regular expression");
        }
        try {
            return Pattern.compile(word);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }
}
