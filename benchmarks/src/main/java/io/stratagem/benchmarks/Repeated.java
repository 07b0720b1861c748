package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * A program that is run several times in a row, each time in a fresh process: for what a process can show only once.
 *
 * @param program what is run
 * @param times how often in each round
 */
public record Repeated(Program program, Size times) implements Program {

    /* It only waits, so it must not take memory or cores from those it waits for. */
    private static final List<String> JVM_FLAGS = List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    @Override
    public Launch launch(Machine machine, Effort effort) {
        Launch once = program.launch(machine, effort);
        if (!(once instanceof Launch.Command command)) {
            return once;
        }
        int count = effort.quick() ? times.quick() : times.full();
        List<String> words = new ArrayList<>(List.of(machine.jdk().java()));
        words.addAll(JVM_FLAGS);
        words.addAll(List.of("-cp", machine.classPath(), RepeatedRun.class.getName()));
        words.add(Integer.toString(count));
        words.add(Long.toString(effort.limit().toMillis()));
        words.addAll(command.words());
        return new Launch.Command(words);
    }
}
