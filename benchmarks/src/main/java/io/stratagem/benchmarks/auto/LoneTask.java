package io.stratagem.benchmarks.auto;

import io.stratagem.ExecutorStrategy;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import org.slf4j.LoggerFactory;

/** One task submitted and its result waited for: so the median of the passes is the p50 of the round trip. */
class LoneTask implements Trial {
    private OnStrategy on;
    private ExecutorStrategy strategy;
    private int input;
    private int result;

    @Override
    public void prepare(String metric, int size) {
        on = OnStrategy.of(metric);
        if (!isCold()) {
            strategy = on.create();
        }
    }

    @Override
    public final void pass() throws Exception {
        if (isCold()) {
            strategy = on.create();
        }
        input++;
        result = strategy.submit(on.workload(), input).get().orElseThrow();
    }

    @Override
    public final void verify() throws WrongResultException {
        WrongResultException.check("result", input + 1L, result);
    }

    @Override
    public final long operations() {
        return 1;
    }

    @Override
    public final void close() {
        strategy.close();
    }

    /** In a JVM that has done nothing before but to bring up logging: from the strategy's making to the result. */
    static final class First extends LoneTask {
        @Override
        public void prepare(String metric, int size) {
            super.prepare(metric, size);
            LoggerFactory.getLogger(LoneTask.class).debug("logging is up"); // whoever has a logger pays for that anyway
        }

        @Override
        public boolean isCold() {
            return true;
        }
    }
}
