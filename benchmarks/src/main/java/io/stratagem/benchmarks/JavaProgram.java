package io.stratagem.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * A Java class that is run in a fresh JVM with the same flags as all the others. Behind its own arguments it gets the
 * size, the milliseconds to warm up and the milliseconds to measure.
 *
 * @param main the name of the class with the {@code main} method
 * @param arguments its own arguments
 * @param size how many elements it works on
 * @param onNewestJdk whether it is run on the newest JDK installed
 * @param minimumFeature the oldest JDK it runs on
 */
public record JavaProgram(String main, List<String> arguments, Size size, boolean onNewestJdk, int minimumFeature)
        implements Program {

    private static final int BASELINE = 17;

    /** A class of its own kind, which prints its metric lines itself. */
    public static JavaProgram of(Class<?> main, Size size, String... arguments) {
        return new JavaProgram(main.getName(), List.of(arguments), size, false, BASELINE);
    }

    /** A {@link Trial}, whose time for each operation is printed as that metric in that unit: ns, us, ms or s. */
    public static JavaProgram trial(Class<? extends Trial> trial, String metric, String unit, Size size) {
        return of(TrialRun.class, size, trial.getName(), metric, unit);
    }

    /** The same on the newest JDK installed, which must not be older than that. */
    public JavaProgram onNewestJdk(int minimum) {
        return new JavaProgram(main, arguments, size, true, minimum);
    }

    @Override
    public Launch launch(Machine machine, Effort effort) {
        Jdk jdk = onNewestJdk ? machine.newestJdk() : machine.jdk();
        if (jdk.feature() < minimumFeature) {
            return new Launch.Missing("JDK " + minimumFeature + " or newer is not installed");
        }
        List<String> words = new ArrayList<>(List.of(jdk.java()));
        words.addAll(Machine.JVM_FLAGS);
        words.addAll(List.of("-cp", machine.classPath(), main));
        words.addAll(arguments);
        words.addAll(effort.arguments(size));
        return new Launch.Command(words);
    }
}
