package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.spi.StrategyProvider;
import io.stratagem.spi.StrategyProvider.Suitability;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** Knows the strategies that are there, and which of them suits a workload. Any thread may use it. */
final class Chooser {
    private final List<StrategyProvider> providers;

    Chooser(List<StrategyProvider> providers) {
        this.providers = List.copyOf(providers);
    }

    /** Of all on the class path or module path. */
    static Chooser ofThoseThere() {
        List<StrategyProvider> found = new ArrayList<>();
        ServiceLoader.load(StrategyProvider.class, StrategyProvider.class.getClassLoader())
                .forEach(found::add);
        return new Chooser(found);
    }

    List<StrategyProvider> providers() {
        return providers;
    }

    /**
     * The provider of a strategy.
     *
     * @throws IllegalStateException if it is one of ours and is not there; says what to add
     * @throws IllegalArgumentException if there is none of that name
     */
    StrategyProvider named(String strategy) {
        for (StrategyProvider provider : providers) {
            if (provider.name().equals(strategy)) {
                return provider;
            }
        }
        for (StrategyModule module : StrategyModule.values()) {
            if (module.strategy().equals(strategy)) {
                throw new IllegalStateException("there is no " + strategy + ": " + module.remedy());
            }
        }
        throw new IllegalArgumentException("there is no strategy '" + strategy + "', only " + names());
    }

    private List<String> names() {
        return providers.stream().map(StrategyProvider::name).sorted().toList();
    }

    /**
     * The provider of the strategy that suits a workload best.
     *
     * @throws IllegalStateException if none takes it
     */
    StrategyProvider best(Workload<?, ?> workload) {
        return ranked(workload).get(0).provider;
    }

    /**
     * The choice, with its reasons.
     *
     * @param threadsThatCompute how many threads of this JVM compute at once
     * @throws IllegalStateException if no strategy takes it
     */
    Choice choose(Workload<?, ?> workload, int threadsThatCompute) {
        List<Ranked> ranked = ranked(workload);
        Ranked best = ranked.get(0);
        List<String> warnings = new ArrayList<>(best.provider.warnings(workload));
        warnings.addAll(warnings(workload, threadsThatCompute));
        StrategyModule module = StrategyModule.bestFor(workload);
        if (providers.stream().noneMatch(provider -> provider.name().equals(module.strategy()))) {
            warnings.add("the " + module.strategy() + " would suit it better, and is not there: " + module.remedy());
        }
        return new Choice(
                workload.name(),
                best.provider.name(),
                reasons(workload, best),
                ranked.stream()
                        .skip(1)
                        .map(other -> other.provider.name() + ": " + other.suitability.reason())
                        .toList(),
                warnings);
    }

    private static List<String> reasons(Workload<?, ?> workload, Ranked best) {
        String reason = best.suitability.reason();
        return workload.jvmOptions().isEmpty()
                ? List.of(reason)
                : List.of(
                        reason,
                        "it needs a JVM with " + String.join(" ", workload.jvmOptions())
                                + ", and worker processes can be given that");
    }

    /** All that take a workload, the best first. */
    private List<Ranked> ranked(Workload<?, ?> workload) {
        List<Ranked> possible = new ArrayList<>();
        for (StrategyProvider provider : providers) {
            Suitability suitability = provider.assess(workload);
            checkArgument(suitability != null, "provider %s gave no assessment", provider);
            if (suitability.isPossible()) {
                possible.add(new Ranked(provider, suitability));
            }
        }
        if (possible.isEmpty()) {
            throw new IllegalStateException("no strategy that is there takes " + workload + ": "
                    + StrategyModule.bestFor(workload).remedy());
        }
        possible.sort(Comparator.comparingInt((Ranked each) -> -each.suitability.score())
                .thenComparing(each -> each.provider.name()));
        return possible;
    }

    private static List<String> warnings(Workload<?, ?> workload, int threadsThatCompute) {
        List<String> warnings = new ArrayList<>();
        if (workload.fineGrained() && workload.kind() != Kind.COMPUTE) {
            warnings.add("only compute work is batched: fineGrained changes nothing for " + workload.kind() + " work");
        }
        if (!workload.isolated() && workload.timeout().isPresent() && workload.kind() == Kind.COMPUTE) {
            warnings.add(
                    "a computation that does not look at its interrupt cannot be stopped by its timeout: it fails in "
                            + "time, but its thread goes on; only an isolated workload can be killed");
        }
        int cpus = Runtime.getRuntime().availableProcessors();
        if (!workload.isolated() && workload.kind() == Kind.COMPUTE && threadsThatCompute > cpus) {
            warnings.add(threadsThatCompute + " threads compute on " + cpus
                    + " CPUs: more threads than CPUs do not make it faster");
        }
        return warnings;
    }

    private record Ranked(StrategyProvider provider, Suitability suitability) {}
}
