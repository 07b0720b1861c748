package io.stratagem;

import io.stratagem.spi.StrategyProvider;
import io.stratagem.spi.StrategyProvider.Suitability;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** Where to begin: which strategy suits a workload, and why. */
public final class Stratagem {
    private static final int UNSUITABLE = 0;

    private Stratagem() {}

    /**
     * Chooses among the strategies on the class path or module path. Starts nothing.
     *
     * @param workload what is to run
     * @return the choice with its reasons
     * @throws IllegalStateException if no strategy that is there takes it; the message names the Maven coordinates of
     *     one that does
     */
    public static Choice choose(Workload<?, ?> workload) {
        List<Assessed> suitable = new ArrayList<>();
        for (StrategyProvider provider :
                ServiceLoader.load(StrategyProvider.class, StrategyProvider.class.getClassLoader())) {
            Suitability suitability = provider.assess(workload);
            if (suitability.score() > UNSUITABLE) {
                suitable.add(new Assessed(provider.name(), suitability));
            }
        }
        suitable.sort(Comparator.comparingInt((Assessed each) -> each.suitability.score())
                .reversed());
        if (suitable.isEmpty()) {
            throw new IllegalStateException("no strategy on the class path takes " + workload + ": add "
                    + coordinatesFor(workload) + " to the dependencies");
        }
        Assessed best = suitable.get(0);
        return new Choice(
                workload.name(),
                best.name,
                List.of(best.suitability.reason()),
                suitable.stream()
                        .skip(1)
                        .map(other -> other.name + ": " + other.suitability.reason())
                        .toList(),
                warnings(workload));
    }

    /**
     * How many CPUs strategies count on: {@link Runtime#availableProcessors()}, or the system property
     * {@code stratagem.cpus} if it is set.
     *
     * @return at least 1
     * @throws IllegalArgumentException if the property is not a positive number
     */
    public static int cpus() {
        return Cpus.count();
    }

    private static List<String> warnings(Workload<?, ?> workload) {
        List<String> warnings = new ArrayList<>();
        if (workload.fineGrained() && workload.kind() != Kind.COMPUTE) {
            warnings.add("only compute work is batched: fineGrained changes nothing for " + workload.kind() + " work");
        }
        if (!workload.isolated() && workload.timeout().isPresent() && workload.kind() == Kind.COMPUTE) {
            warnings.add(
                    "a computation that does not look at its interrupt cannot be stopped by its timeout: it fails in "
                            + "time, but its thread goes on; only an isolated workload can be killed");
        }
        return warnings;
    }

    private static String coordinatesFor(Workload<?, ?> workload) {
        return workload.isolated() ? "io.stratagem:stratagem-process-pool" : "io.stratagem:stratagem-thread-pool";
    }

    private record Assessed(String name, Suitability suitability) {}
}
