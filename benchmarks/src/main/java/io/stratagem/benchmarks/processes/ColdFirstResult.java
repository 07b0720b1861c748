package io.stratagem.benchmarks.processes;

import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.Serializable;
import java.util.concurrent.Callable;
import net.viktorc.pp4j.api.JavaProcessExecutorService;
import net.viktorc.pp4j.impl.ProcessExecutors;
import org.slf4j.LoggerFactory;

/**
 * From before a pool is made to its first result, in a process that runs already and has not used the library before.
 *
 * <p>The library's classes are loaded within that time, since that is when a JVM loads them, and so Python's imports of
 * the library are within it as well. Logging is up before, in Java as in Python: an application that runs has it, and
 * what its start costs is neither our doing nor the peers'.
 */
abstract class ColdFirstResult implements Trial {

    private static final int INPUT = 1;

    private int result;

    @Override
    public void prepare(String metric, int size) {
        LoggerFactory.getLogger(ColdFirstResult.class).debug("logging is up");
    }

    @Override
    public void pass() throws Exception {
        result = firstResult(INPUT);
    }

    /** Makes a pool and gives one more than the input, by a worker of it. */
    abstract int firstResult(Integer input) throws Exception;

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("first result", INPUT + 1L, result);
        Increment.checkRunInWorkers();
    }

    @Override
    public long operations() {
        return 1;
    }

    @Override
    public boolean isCold() {
        return true;
    }

    /** Ours. */
    static final class OnProcessPoolStrategy extends ColdFirstResult {
        private ProcessPoolStrategy strategy;

        @Override
        int firstResult(Integer input) throws Exception {
            strategy = Workers.strategy();
            return strategy.submit(Increment.workload(), input).get().orElseThrow();
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** net.viktorc:pp4j. Its pool too may grow to two processes, and starts them when there is work: its fastest way. */
    static final class OnPp4j extends ColdFirstResult {
        private JavaProcessExecutorService executor;

        @Override
        int firstResult(Integer input) throws Exception {
            executor = ProcessExecutors.newCustomJavaProcessPool(0, Workers.COUNT, 0);
            Callable<Integer> task = (Callable<Integer> & Serializable) () -> Increment.apply(input);
            return executor.submit(task).get();
        }

        @Override
        public void close() {
            executor.shutdownNow();
        }
    }
}
