package io.stratagem.spi;

import io.stratagem.Loop;

/**
 * A loop that an engine makes for one task, to be told of its end: what the task opened through it can be closed then.
 * When the task is given up, its stage is cancelled by this loop's executor.
 */
public interface TaskLoop extends Loop {

    /**
     * Told that the task has its outcome. Called once, on any thread, after what cancels the stage was handed to the
     * executor; must neither block nor throw. A task that is given up before its function has returned has no stage yet:
     * that is cancelled when the function returns, on its thread.
     *
     * @param succeeded whether the outcome is a success; another attempt has a loop of its own
     */
    void ended(boolean succeeded);

    /**
     * The loop that an engine handed to {@link Batch#runAsync}, of which the task was given a wrapper.
     *
     * @param given what the task was given
     * @return the engine's loop; the same if there is no wrapper
     */
    static Loop unwrapped(Loop given) {
        return given instanceof ContextLoop wrapper ? wrapper.loop() : given;
    }
}
