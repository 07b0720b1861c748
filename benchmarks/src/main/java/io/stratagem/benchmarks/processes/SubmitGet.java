package io.stratagem.benchmarks.processes;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.io.IOException;

/** One task submitted and its result waited for. A pass is one round trip, so that the median of the passes is the p50. */
abstract class SubmitGet implements Trial {

    private int input;
    private int result;

    @Override
    public void prepare(String metric, int size) throws Exception {}

    @Override
    public void pass() throws Exception {
        input++;
        result = roundTrip(input);
    }

    abstract int roundTrip(Integer value) throws Exception;

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("result", input + 1L, result);
        Increment.checkRunInWorkers();
    }

    @Override
    public long operations() {
        return 1;
    }

    /** Ours. */
    static final class OnProcessPoolStrategy extends OnOurs {
        OnProcessPoolStrategy() {
            super(Workers.startedStrategy());
        }
    }

    /** Ours, through shared memory. */
    static final class OnBatchedIpcStrategy extends OnOurs {
        OnBatchedIpcStrategy() {
            super(Workers.startedSharing());
        }
    }

    /** Ours, through shared memory, while other processes want the cores, too. */
    static final class OnBusyMachine extends OnOurs {
        private BusyMachine others;

        OnBusyMachine() {
            super(Workers.startedSharing());
        }

        @Override
        public void prepare(String metric, int size) throws IOException {
            others = BusyMachine.start(Workers.COUNT);
        }

        @Override
        public void close() {
            others.close();
            super.close();
        }
    }

    private abstract static class OnOurs extends SubmitGet {
        private final ExecutorStrategy strategy;
        private final Workload<Integer, Integer> workload = Increment.workload();

        OnOurs(ExecutorStrategy strategy) {
            this.strategy = strategy;
        }

        @Override
        int roundTrip(Integer value) throws Exception {
            return strategy.submit(workload, value).get().orElseThrow();
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** The bare limit: a thread and another JVM, and between them as many bytes as ours sends, on a Unix socket. */
    static class OnSocketEcho extends SubmitGet {
        private BareProcess echo;

        @Override
        public void prepare(String metric, int size) throws IOException, InterruptedException {
            echo = BareProcess.start(BareFunction.INCREMENT);
        }

        @Override
        int roundTrip(Integer value) throws IOException {
            BareChannel channel = echo.channel();
            channel.newFrame().putInt(value).position(BareFunction.REQUEST_BYTES);
            channel.send();
            return channel.receive().getInt();
        }

        @Override
        public void close() {
            echo.close();
        }
    }

    /** The same while other processes want the cores, too. */
    static final class OnBusySocketEcho extends OnSocketEcho {
        private BusyMachine others;

        @Override
        public void prepare(String metric, int size) throws IOException, InterruptedException {
            super.prepare(metric, size);
            others = BusyMachine.start(Workers.COUNT);
        }

        @Override
        public void close() {
            others.close();
            super.close();
        }
    }
}
