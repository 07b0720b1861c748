package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One metric: our program, the peers' programs, and the rows that come of their figures. Each peer gives the row
 * {@code METRIC/PEER}; without a peer the figure is ours alone. Immutable: each method returns a contest with more in
 * it.
 */
public final class Contest {

    /** The name of our program among {@link #programs()}. */
    static final String OURS = "ours";

    private final String metric;
    private final String unit;
    private final boolean lessIsBetter;
    private final Map<String, Program> programs;
    private final List<RowRule> rules;

    private Contest(
            String metric, String unit, boolean lessIsBetter, Map<String, Program> programs, List<RowRule> rules) {
        this.metric = metric;
        this.unit = unit;
        this.lessIsBetter = lessIsBetter;
        this.programs = programs;
        this.rules = rules;
    }

    /** A contest in which less is better, as of times. */
    public static Contest ofLess(String metric, String unit, Program ours) {
        return new Contest(metric, unit, true, Map.of(OURS, ours), List.of());
    }

    /** A contest in which more is better, as of throughput. */
    public static Contest ofMore(String metric, String unit, Program ours) {
        return new Contest(metric, unit, false, Map.of(OURS, ours), List.of());
    }

    /** With a peer and its row. */
    public Contest peer(String name, Program program) {
        return peer(name, program, Double.NaN);
    }

    /** With a peer and its row, and the ratio to reach against it. */
    public Contest peer(String name, Program program, double goal) {
        return with(name, program).with(new RowRule.Against(name, goal));
    }

    /** With the row {@code METRIC/NAME} against whichever of these peers is the best, and the ratio to reach. */
    public Contest bestOf(String name, double goal, String... peers) {
        return with(new RowRule.AgainstBest(name, List.of(peers), goal));
    }

    /** With the most that our figure may be, for a figure that is ours alone. */
    public Contest limit(double most) {
        if (!lessIsBetter) {
            throw new IllegalArgumentException(metric + " has a limit, but more is better");
        }
        return with(new RowRule.Alone(most));
    }

    /** With a program that has no row of its own; {@link #speedUp} measures others against it. */
    public Contest reference(String name, Program program) {
        return with(name, program);
    }

    /**
     * With the row {@code METRIC/PEER-speed-up}: how many times better our program is than {@code ourBase}, against
     * how many times better the peer is than {@code peerBase}.
     */
    public Contest speedUp(String peer, String ourBase, String peerBase) {
        return with(new RowRule.SpeedUp(peer, ourBase, peerBase));
    }

    private Contest with(String name, Program program) {
        Map<String, Program> more = new LinkedHashMap<>(programs);
        if (more.put(name, program) != null) {
            throw new IllegalArgumentException(metric + " has " + name + " twice");
        }
        return new Contest(metric, unit, lessIsBetter, Collections.unmodifiableMap(more), rules);
    }

    private Contest with(RowRule rule) {
        List<RowRule> more = new ArrayList<>(rules);
        more.add(rule);
        return new Contest(metric, unit, lessIsBetter, programs, List.copyOf(more));
    }

    /** The name under which the programs print their figures. */
    public String metric() {
        return metric;
    }

    /** The unit that the programs print behind their figures. */
    String unit() {
        return unit;
    }

    /** The programs by name, in the order in which they are run: ours first. */
    Map<String, Program> programs() {
        return programs;
    }

    /** How many times better the one figure is than the other. */
    double ratio(double figure, double other) {
        return lessIsBetter ? other / figure : figure / other;
    }

    /** The rows for which the figures are there. */
    List<Row> rows(Map<Program, Runs> runs) {
        Figures figures = new Figures(this, runs);
        List<RowRule> all = rules.isEmpty() ? List.of(new RowRule.Alone(Double.NaN)) : rules;
        return all.stream()
                .map(rule -> rule.row(this, figures))
                .flatMap(Optional::stream)
                .toList();
    }
}
