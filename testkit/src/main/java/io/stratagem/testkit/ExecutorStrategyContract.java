package io.stratagem.testkit;

/** The contract that every strategy must pass. */
public abstract class ExecutorStrategyContract extends PipelineContract {
    /** For subclasses. */
    protected ExecutorStrategyContract() {}
}
