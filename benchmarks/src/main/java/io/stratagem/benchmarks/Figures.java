package io.stratagem.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** What the programs of one contest have given, by the names they have there. */
final class Figures {

    private final Contest contest;
    private final Map<Program, Runs> runs;

    Figures(Contest contest, Map<Program, Runs> runs) {
        this.contest = contest;
        this.runs = runs;
    }

    /** The median over the rounds; none if the program is missing, failed, or printed no figure. */
    OptionalDouble median(String program) {
        return of(program).median(contest.metric());
    }

    /** The program's value in each round. */
    List<Double> values(String program) {
        return of(program).values(contest.metric());
    }

    private Runs of(String program) {
        return runs.get(contest.programs().get(program));
    }
}
