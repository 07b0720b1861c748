package io.stratagem.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Runs the programs of contests in turn, each in a fresh process, round after round: what disturbs the machine for a
 * while so disturbs ours and the peers' alike.
 */
final class Comparison {

    private final List<Contest> contests;
    private final Machine machine;
    private final Effort effort;
    private final PrintStream progress;
    private final Map<Program, Runs> runs = new LinkedHashMap<>();

    Comparison(List<Contest> contests, Machine machine, Effort effort, PrintStream progress) {
        this.contests = contests;
        this.machine = machine;
        this.effort = effort;
        this.progress = progress;
    }

    /** Runs all the rounds that the effort's budget has room for, and at least one. */
    Outcome run() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        int done = 0;
        do {
            done++;
            round(done);
        } while (done < effort.rounds() && hasRoomForAnother(done, System.nanoTime() - begin));
        return new Outcome(contests, runs, done);
    }

    private boolean hasRoomForAnother(int done, long spentNanos) {
        return spentNanos / done * (done + 1) <= effort.budget().toNanos();
    }

    private void round(int number) throws IOException, InterruptedException {
        Map<Program, Runs> thisRound = new LinkedHashMap<>();
        for (Contest contest : contests) {
            long begin = System.nanoTime();
            for (Program program : contest.programs().values()) {
                if (!thisRound.containsKey(program)) {
                    thisRound.put(program, runOnce(program));
                }
            }
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
            progress.println("round " + number + "  " + contest.metric() + "  " + summary(contest, thisRound) + " ("
                    + seconds + " s)");
        }
    }

    /** Runs the program once; adds its samples to those of earlier rounds and gives those of this round alone. */
    private Runs runOnce(Program program) throws IOException, InterruptedException {
        Runs all = runs.computeIfAbsent(program, key -> new Runs());
        if (all.isOver()) {
            return all;
        }
        Launch launch = program.launch(machine, effort);
        if (launch instanceof Launch.Missing missing) {
            all.miss(missing.what());
            return all;
        }
        Runs now = new Runs();
        try {
            List<Sample> samples = ProgramProcess.run(((Launch.Command) launch).words(), effort.limit());
            now.add(samples);
            all.add(samples);
        } catch (ProgramFailedException e) {
            now.fail(e.getMessage());
            all.fail(e.getMessage());
        }
        return now;
    }

    private static String summary(Contest contest, Map<Program, Runs> round) {
        return contest.programs().entrySet().stream()
                .map(entry -> entry.getKey() + " " + summary(contest, round.get(entry.getValue())))
                .collect(Collectors.joining(", "));
    }

    private static String summary(Contest contest, Runs round) {
        OptionalDouble value = round.median(contest.metric());
        if (value.isPresent()) {
            return Row.figure(value.getAsDouble(), contest.unit());
        }
        return round.missing().isEmpty() ? "failed" : "skipped";
    }
}
