package io.stratagem.benchmarks;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The main class of a JVM that measures one {@link Trial}: warms it up, then prints the time of each pass as one
 * {@linkplain Sample metric line}. Every pass is verified, the warming ones too.
 * Of a {@linkplain Trial#isCold() cold} trial there is one pass.
 */
public final class TrialRun {

    private static final int ARGUMENTS = 6;

    private final Trial trial;
    private final String metric;
    private final String unit;

    private TrialRun(Trial trial, String metric, String unit) {
        this.trial = trial;
        this.metric = metric;
        this.unit = unit;
    }

    public static void main(String[] arguments) throws Exception {
        samples(arguments).forEach(sample -> System.out.println(sample.line()));
    }

    /** What {@link #main} prints for these arguments. */
    static List<Sample> samples(String[] arguments) throws Exception {
        if (arguments.length != ARGUMENTS) {
            throw new IllegalArgumentException("expected: TRIAL METRIC UNIT SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        try (Trial trial = create(arguments[0])) {
            TrialRun run = new TrialRun(trial, arguments[1], arguments[2]);
            run.trial.prepare(run.metric, Integer.parseInt(arguments[3]));
            if (trial.isCold()) {
                return List.of(run.pass());
            }
            run.passes(arguments[4]);
            return run.passes(arguments[5]);
        }
    }

    private static Trial create(String className) throws ReflectiveOperationException {
        Constructor<? extends Trial> constructor =
                Class.forName(className).asSubclass(Trial.class).getDeclaredConstructor();
        constructor.setAccessible(true); // trials are package-private
        return constructor.newInstance();
    }

    /** Passes until the time is over, and at least one. */
    private List<Sample> passes(String millis) throws Exception {
        List<Sample> samples = new ArrayList<>();
        long begin = System.nanoTime();
        do {
            samples.add(pass());
        } while (System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(Long.parseLong(millis)));
        return samples;
    }

    private Sample pass() throws Exception {
        long begin = System.nanoTime();
        trial.pass();
        long nanos = System.nanoTime() - begin;
        trial.verify();
        return new Sample(metric, nanos / nanosIn(unit) / trial.operations(), unit);
    }

    private static double nanosIn(String unit) {
        return switch (unit) {
            case "ns" -> 1;
            case "us" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            default -> throw new IllegalArgumentException("not a unit of time: " + unit);
        };
    }
}
