package io.stratagem.testkit;

/** The contract that every strategy must pass. */
public abstract class ExecutorStrategyContract extends ViewContract {
    /** For subclasses. */
    protected ExecutorStrategyContract() {}
}
