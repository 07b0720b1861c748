package io.stratagem;

import java.util.regex.Pattern;

/** Text of others, such as a name, that is to stay on its line of a report, and move no cursor. */
final class OneLine {
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");

    private OneLine() {}

    /** With a space for each line break, and for each other control character. */
    static String of(String text) {
        return CONTROLS.matcher(text).replaceAll(" ");
    }
}
