package io.stratagem;

import java.time.Duration;

/** The execution of a result that no strategy made. */
enum NoExecution implements Execution {
    INSTANCE;

    @Override
    public String strategy() {
        return "";
    }

    @Override
    public String worker() {
        return "";
    }

    @Override
    public Duration queued() {
        return Duration.ZERO;
    }

    @Override
    public Duration ran() {
        return Duration.ZERO;
    }

    @Override
    public int attempts() {
        return 1;
    }

    @Override
    public int batchSize() {
        return 1;
    }
}
