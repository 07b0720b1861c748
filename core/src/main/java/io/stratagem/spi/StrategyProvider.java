package io.stratagem.spi;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import java.util.List;

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
     * How well this strategy suits a workload. Depends only on its kind, and on whether it is isolated and fine-grained:
     * it is asked once for each combination. Must not start anything.
     *
     * @param workload what is to run
     * @return a score and the reason
     */
    Suitability assess(Workload<?, ?> workload);

    /**
     * What to look out for when this strategy runs a workload. Must not start anything.
     *
     * @param workload what is to run
     * @return sentences about this workload; none by default
     */
    default List<String> warnings(Workload<?, ?> workload) {
        return List.of();
    }

    /**
     * Makes a strategy with its defaults.
     *
     * @param cpus how many CPUs it is to count on, and what it starts with it
     * @param jvmOptions which options its workers' JVMs are to have; empty for a strategy inside this JVM
     * @return a new strategy, to be closed
     */
    ExecutorStrategy create(int cpus, List<String> jvmOptions);

    /**
     * How well a strategy suits a workload.
     *
     * @param score 0 if it does not take it; the highest is chosen; up to 100
     * @param reason why, as a sentence about this workload
     */
    record Suitability(int score, String reason) {
        /**
         * Whether it takes the workload at all.
         *
         * @return true if the score is not 0
         */
        public boolean isPossible() {
            return score > 0;
        }
    }
}
