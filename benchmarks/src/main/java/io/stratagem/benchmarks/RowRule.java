package io.stratagem.benchmarks;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Makes one row of a contest's figures, or none if one of them is missing. */
sealed interface RowRule {

    Optional<Row> row(Contest contest, Figures figures);

    /** Our figure against a peer's. */
    record Against(String peer, double goal) implements RowRule {
        @Override
        public Optional<Row> row(Contest contest, Figures figures) {
            return row(peer, contest, figures);
        }

        private Optional<Row> row(String name, Contest contest, Figures figures) {
            OptionalDouble ours = figures.median(Contest.OURS);
            OptionalDouble theirs = figures.median(peer);
            if (ours.isEmpty() || theirs.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new Row(
                    contest.metric() + "/" + name,
                    contest.unit(),
                    ours.getAsDouble(),
                    theirs.getAsDouble(),
                    contest.ratio(ours.getAsDouble(), theirs.getAsDouble()),
                    goal,
                    figures.values(Contest.OURS),
                    figures.values(peer)));
        }
    }

    /** Our figure against the best of several peers', of those that are there. */
    record AgainstBest(String name, List<String> peers, double goal) implements RowRule {
        @Override
        public Optional<Row> row(Contest contest, Figures figures) {
            return peers.stream()
                    .map(peer -> new Against(peer, goal).row(name, contest, figures))
                    .flatMap(Optional::stream)
                    .min(Comparator.comparingDouble(Row::ratio));
        }
    }

    /** Our figure, for which there is no peer. */
    record Alone(double limit) implements RowRule {
        @Override
        public Optional<Row> row(Contest contest, Figures figures) {
            OptionalDouble ours = figures.median(Contest.OURS);
            if (ours.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new Row(
                    contest.metric(),
                    contest.unit(),
                    ours.getAsDouble(),
                    Double.NaN,
                    Double.NaN,
                    limit,
                    figures.values(Contest.OURS),
                    List.of()));
        }
    }

    /** Our speed-up over one base against a peer's speed-up over another. */
    record SpeedUp(String peer, String ourBase, String peerBase) implements RowRule {
        @Override
        public Optional<Row> row(Contest contest, Figures figures) {
            if (Stream.of(Contest.OURS, ourBase, peer, peerBase)
                    .anyMatch(program -> figures.median(program).isEmpty())) {
                return Optional.empty();
            }
            double ours = gain(contest, figures, Contest.OURS, ourBase);
            double theirs = gain(contest, figures, peer, peerBase);
            return Optional.of(new Row(
                    contest.metric() + "/" + peer + "-speed-up",
                    "x",
                    ours,
                    theirs,
                    ours / theirs,
                    Double.NaN,
                    List.of(ours),
                    List.of(theirs)));
        }

        private static double gain(Contest contest, Figures figures, String program, String base) {
            return contest.ratio(
                    figures.median(program).getAsDouble(), figures.median(base).getAsDouble());
        }
    }
}
