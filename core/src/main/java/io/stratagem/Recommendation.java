package io.stratagem;

import io.stratagem.Profiler.Candidate;
import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** Which way to run the work is the best: the fastest, unless a simpler one is nearly as fast. */
final class Recommendation {
    /** What is so near to the best is as good. */
    private static final double NEARLY = 0.9;

    /** A strategy on which more tasks fail than on others is not the place for them. */
    private static final double MORE_FAILING = 0.01;

    private final Workload<?, ?> workload;
    private final List<Candidate> candidates;
    private final WorkCharacter character;
    private final Choice choice;

    /** Those that could be measured, and on which not more tasks fail than on others. */
    private final List<Candidate> sound;

    private final Optional<Candidate> best;

    Recommendation(Workload<?, ?> workload, List<Candidate> candidates, WorkCharacter character, Choice choice) {
        this.workload = workload;
        this.candidates = candidates;
        this.character = character;
        this.choice = choice;
        this.sound = findSound();
        this.best = findBest();
    }

    Optional<Candidate> best() {
        return best;
    }

    private List<Candidate> findSound() {
        List<Candidate> measured = candidates.stream()
                .filter(each -> each.row().figures().isPresent() && failing(each) < 1)
                .filter(each -> !(each.isBaseline() && isStrategy(each)))
                .toList();
        double fewest =
                measured.stream().mapToDouble(Recommendation::failing).min().orElse(0);
        return measured.stream()
                .filter(each -> failing(each) <= fewest + MORE_FAILING)
                .toList();
    }

    private Optional<Candidate> findBest() {
        double most = sound.stream().mapToDouble(Recommendation::rate).max().orElse(0);
        return sound.stream()
                .filter(each -> rate(each) >= NEARLY * most)
                .min(Comparator.comparingInt(Recommendation::effort)
                        .thenComparing(each -> !each.strategy().equals(choice.strategy()))
                        .thenComparing(each -> -rate(each)));
    }

    /** No strategy at all is simpler than threads, and they are simpler than processes. */
    private static int effort(Candidate candidate) {
        return !isStrategy(candidate) ? 0 : candidate.isolates() ? 2 : 1;
    }

    private static boolean isStrategy(Candidate candidate) {
        return !candidate.strategy().equals(Profiler.ONE_THREAD);
    }

    private static Figures figures(Candidate candidate) {
        return candidate.row().figures().orElseThrow();
    }

    private static double rate(Candidate candidate) {
        return figures(candidate).tasksPerSecond();
    }

    private static double failing(Candidate candidate) {
        return figures(candidate).failing();
    }

    String text() {
        if (best.isEmpty()) {
            return OneLine.of("No strategy can be recommended: "
                    + sentence(character.obstacle().orElseGet(this::obstacles)));
        }
        Candidate winner = best.get();
        List<String> sentences = new ArrayList<>();
        sentences.add(isStrategy(winner) ? winnerText(winner) : noneIsFaster(winner));
        if (isStrategy(winner) && !winner.strategy().equals(choice.strategy())) {
            sentences.add(insteadOfChoice(winner));
        }
        return OneLine.of(String.join(" ", sentences));
    }

    /** What each strategy met with; those that met with the same together. */
    private String obstacles() {
        Map<String, List<String>> strategies = new LinkedHashMap<>();
        for (Candidate each : candidates) {
            if (!each.isBaseline()) {
                strategies
                        .computeIfAbsent(obstacle(each.row()), text -> new ArrayList<>())
                        .add(each.row().name());
            }
        }
        return strategies.entrySet().stream()
                .map(each -> String.join(" and ", each.getValue()) + ": " + each.getKey())
                .collect(Collectors.joining("; "));
    }

    private static String obstacle(Row row) {
        if (row.figures().isEmpty()) {
            return row.note();
        }
        return row.note().isEmpty() ? "every task failed" : "every task failed, " + row.note();
    }

    private String winnerText(Candidate winner) {
        boolean isRelabelled = winner.workload().kind() != workload.kind();
        String what = isRelabelled
                ? "Declare it as what it is, Workload."
                        + (winner.workload().kind() == Kind.BLOCKING ? "blocking" : "compute") + ", and take the "
                        + winner.strategy()
                : "Take the " + winner.strategy();
        return what + ": " + Quantity.count(rate(winner)) + " tasks/s" + comparedWithBaseline(winner) + ".";
    }

    private String comparedWithBaseline(Candidate winner) {
        Candidate baseline = candidates.get(0);
        if (baseline.row().figures().isEmpty() || rate(baseline) <= 0 || failing(baseline) == 1) {
            return "";
        }
        String other = workload.isolated()
                ? "one worker process"
                : workload.kind() == Kind.ASYNC ? "one at a time" : "one thread";
        return ", " + Quantity.factor(rate(winner) / rate(baseline)) + " times as many as " + other;
    }

    private String noneIsFaster(Candidate winner) {
        OptionalDouble most = sound.stream()
                .filter(Recommendation::isStrategy)
                .mapToDouble(Recommendation::rate)
                .max();
        boolean isAnyMeasured = candidates.stream()
                .anyMatch(each -> isStrategy(each) && each.row().figures().isPresent());
        String others = most.isPresent()
                ? "the fastest strategy does " + Quantity.count(most.getAsDouble())
                : isAnyMeasured ? "on every strategy more tasks fail" : noneMeasured();
        return "Call it directly, without a strategy: one thread does " + Quantity.count(rate(winner)) + " tasks/s, "
                + sentence(others);
    }

    private String noneMeasured() {
        String why = obstacles();
        return "no strategy could be measured" + (why.isEmpty() ? "" : ": " + why);
    }

    private String insteadOfChoice(Candidate winner) {
        String chosen = "Stratagem.choose, which knows only the label, says " + choice.strategy();
        Optional<Candidate> other = candidates.stream()
                .filter(each -> !each.isBaseline() && each.strategy().equals(choice.strategy()))
                .filter(each -> each.row().figures().isPresent() && rate(each) > 0)
                .findFirst();
        if (other.isPresent() && !sound.contains(other.get())) {
            return chosen + ", on which more tasks fail.";
        }
        return chosen
                + other.map(each -> ": the " + winner.strategy() + " did " + Quantity.factor(rate(winner) / rate(each))
                                + " times as much.")
                        .orElse(", which could not be measured.");
    }

    private static String sentence(String text) {
        return text.endsWith(".") ? text : text + ".";
    }
}
