package io.stratagem.benchmarks.processes;

import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A list of numbers to the list of whether they are primes, with workers that are up and warm. */
abstract class FindPrimes implements Trial {

    List<Long> candidates = List.of();
    private List<Boolean> expected = List.of();
    private List<Boolean> found = List.of();

    @Override
    public void prepare(String metric, int size) throws Exception {
        candidates = Primes.candidates(metric, size);
        expected = candidates.stream().map(Primes::isPrime).toList();
    }

    @Override
    public void pass() throws Exception {
        found = find();
    }

    /** What is timed. */
    abstract List<Boolean> find() throws Exception;

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check("answers", expected.size(), found.size());
        for (int i = 0; i < expected.size(); i++) {
            if (!expected.get(i).equals(found.get(i))) {
                throw new WrongResultException("whether " + candidates.get(i) + " is prime: " + found.get(i));
            }
        }
        found = List.of();
    }

    /** A pass is one operation: all numbers. */
    @Override
    public long operations() {
        return 1;
    }

    /** Ours. */
    static final class OnProcessPoolStrategy extends FindPrimes {
        private final ProcessPoolStrategy strategy = Workers.startedStrategy();
        private final Workload<Long, Boolean> workload =
                Workload.named("prime").isolated().compute(Primes::isPrime);

        @Override
        List<Boolean> find() {
            return Results.failFast(strategy.map(workload, candidates));
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** Processes started by hand; each gets its fixed share of the numbers, every second one, in one frame. */
    static final class OnBareProcesses extends FindPrimes {
        private final List<BareProcess> processes = new ArrayList<>();

        @Override
        public void prepare(String metric, int size) throws Exception {
            super.prepare(metric, size);
            for (int i = 0; i < Workers.COUNT; i++) {
                processes.add(BareProcess.start(BareFunction.PRIMES));
            }
        }

        @Override
        List<Boolean> find() throws IOException {
            for (int first = 0; first < processes.size(); first++) {
                BareChannel channel = processes.get(first).channel();
                ByteBuffer frame = channel.newFrame();
                for (int i = first; i < candidates.size(); i += processes.size()) {
                    frame.putLong(candidates.get(i));
                }
                channel.send();
            }
            List<Boolean> all = new ArrayList<>(Collections.nCopies(candidates.size(), false));
            for (int first = 0; first < processes.size(); first++) {
                ByteBuffer answers = processes.get(first).channel().receive();
                for (int i = first; i < candidates.size(); i += processes.size()) {
                    all.set(i, answers.get() != 0);
                }
            }
            return all;
        }

        @Override
        public void close() {
            processes.forEach(BareProcess::close);
        }
    }

    /** One thread: what speed-ups are measured against. */
    static final class OnOneThread extends FindPrimes {
        @Override
        List<Boolean> find() {
            return candidates.stream().map(Primes::isPrime).toList();
        }
    }
}
