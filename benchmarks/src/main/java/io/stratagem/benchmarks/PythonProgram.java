package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A Python script, run by the first interpreter that can import what it needs. Behind its own arguments it gets the
 * size, the milliseconds to warm up and the milliseconds to measure.
 *
 * @param script the file's name in the folder of Python programs
 * @param arguments its own arguments
 * @param size how many elements it works on
 * @param modules what it imports beyond the standard library
 */
public record PythonProgram(String script, List<String> arguments, Size size, List<String> modules) implements Program {

    /** A script that needs only the standard library. */
    public static PythonProgram of(String script, Size size, String... arguments) {
        return new PythonProgram(script, List.of(arguments), size, List.of());
    }

    /** The same with modules that it imports beyond the standard library. */
    public PythonProgram with(String... needed) {
        return new PythonProgram(script, arguments, size, List.of(needed));
    }

    @Override
    public Launch launch(Machine machine, Effort effort) {
        Optional<Python> python = machine.python(modules);
        if (python.isEmpty()) {
            return new Launch.Missing(
                    "python3" + (modules.isEmpty() ? "" : " with " + String.join(", ", modules)) + " is not installed");
        }
        List<String> words = new ArrayList<>();
        words.add(python.get().executable().toString());
        words.add("-B"); // nothing is written next to the sources
        words.add(machine.scripts().resolve(script).toString());
        words.addAll(arguments);
        words.addAll(effort.arguments(size));
        return new Launch.Command(words);
    }
}
