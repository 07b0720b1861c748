package io.stratagem.spi;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;

/**
 * How a strategy module makes itself known, through {@link java.util.ServiceLoader}: what it is good for, and how to
 * make one with its defaults.
 */
public interface StrategyProvider {

    /**
     * The strategy's name in choices.
     *
     * @return the name
     */
    String name();

    /**
     * How well this strategy suits a workload. Must not start anything.
     *
     * @param workload what is to run
     * @return a score and the reason
     */
    Suitability assess(Workload<?, ?> workload);

    /**
     * Makes a strategy with its defaults.
     *
     * @return a new strategy
     */
    ExecutorStrategy create();

    /**
     * How well a strategy suits a workload.
     *
     * @param score 0 if it does not take it; the highest is chosen; up to 100
     * @param reason why, as a sentence about this workload
     */
    record Suitability(int score, String reason) {}
}
