package io.stratagem;

import java.util.List;

/**
 * Which strategy suits a workload, and why. {@link #explain()} is for people; {@code toString} is one line.
 *
 * @param workload the workload's name
 * @param strategy the name of the strategy that suits it best, of those that are there
 * @param reasons why, each a sentence
 * @param alternatives the other strategies that would take it, and what speaks against them
 * @param warnings what to look out for
 */
public record Choice(
        String workload, String strategy, List<String> reasons, List<String> alternatives, List<String> warnings) {

    /**
     * Copies the lists.
     *
     * @param workload see the record
     * @param strategy see the record
     * @param reasons see the record
     * @param alternatives see the record
     * @param warnings see the record
     */
    public Choice {
        reasons = List.copyOf(reasons);
        alternatives = List.copyOf(alternatives);
        warnings = List.copyOf(warnings);
    }

    /**
     * The choice in words, several lines. Line breaks and other control characters in names are spaces.
     *
     * @return the text, without a line break at its end
     */
    public String explain() {
        StringBuilder text = new StringBuilder(toString());
        reasons.forEach(reason -> text.append("\n  because ").append(OneLine.of(reason)));
        alternatives.forEach(other -> text.append("\n  or ").append(OneLine.of(other)));
        warnings.forEach(warning -> text.append("\n  warning: ").append(OneLine.of(warning)));
        return text.toString();
    }

    @Override
    public String toString() {
        return OneLine.of(workload + " -> " + strategy);
    }
}
