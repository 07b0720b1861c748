package io.stratagem.benchmarks.processes;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Program;
import io.stratagem.benchmarks.PythonProgram;
import io.stratagem.benchmarks.Repeated;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import java.util.List;

/** The process-pool strategy against other pools of processes, and against what one writes by hand. */
public final class ProcessesSuite implements Suite {

    private static final Size ONE = Size.of(1);
    private static final Size FRESH_PARENTS = new Size(5, 2);

    @Override
    public String name() {
        return "processes";
    }

    @Override
    public String about() {
        return "the process-pool strategy against Python's pools, joblib, PP4J, processes started by hand";
    }

    @Override
    public List<Contest> contests() {
        return List.of(
                coldFirstResult(),
                submitGet(),
                oneForEachFrame(),
                mapTrivial(),
                primes(),
                primesLight(),
                payload(),
                idleWorkerMemory(),
                fullStrengthAfterKill());
    }

    private static Contest coldFirstResult() {
        String metric = "cold-first-result";
        return Contest.ofLess(metric, "ms", cold(trial(metric, "ms", ONE, ColdFirstResult.OnProcessPoolStrategy.class)))
                .peer("pp4j", cold(trial(metric, "ms", ONE, ColdFirstResult.OnPp4j.class)), 2)
                .peer(
                        "joblib",
                        cold(python("cold.py", metric, "ms", ONE, "joblib").with("joblib")),
                        1.5)
                .peer("ProcessPoolExecutor-spawn", cold(python("cold.py", metric, "ms", ONE, "spawn")), 0.4)
                .peer("ProcessPoolExecutor-fork", cold(python("cold.py", metric, "ms", ONE, "fork")));
    }

    private static Contest submitGet() {
        String metric = "submit-get-p50";
        return Contest.ofLess(metric, "us", trial(metric, "us", ONE, SubmitGet.OnProcessPoolStrategy.class))
                .peer("ProcessPoolExecutor", python("processes.py", metric, "us", ONE, "submit-get"), 4)
                .peer("socket-echo", trial(metric, "us", ONE, SubmitGet.OnSocketEcho.class), 0.6);
    }

    private static Contest oneForEachFrame() {
        String metric = "one-per-frame";
        Size size = new Size(100_000, 30_000);
        Size shorter = new Size(10_000, 2_000); // 100 µs for each element
        return Contest.ofLess(metric, "us", trial(metric, "us", size, MapIncrements.OneByOne.class))
                .peer("ProcessPoolExecutor", python("processes.py", metric, "us", shorter, "map-executor-1"), 15)
                .peer("Pool", python("processes.py", metric, "us", size, "map-pool-1"), 3);
    }

    private static Contest mapTrivial() {
        String metric = "map-trivial";
        Size size = Size.of(1_000_000);
        Size shorter = new Size(1_000_000, 100_000); // 2 to 12 µs for each element
        return Contest.ofLess(metric, "ns", trial(metric, "ns", size, MapIncrements.InBatches.class))
                .peer(
                        "joblib",
                        python("processes.py", metric, "ns", shorter, "map-joblib")
                                .with("joblib"),
                        5)
                .peer("ProcessPoolExecutor-1000", python("processes.py", metric, "ns", size, "map-executor-1000"), 1.5);
    }

    /** The light numbers and the heavy ones. */
    private static Contest primes() {
        String metric = "primes";
        Size size = Size.of(1_000);
        return Contest.ofLess(metric, "ms", trial(metric, "ms", size, FindPrimes.OnProcessPoolStrategy.class))
                .peer("bare-processes", trial(metric, "ms", size, FindPrimes.OnBareProcesses.class), 0.95)
                .reference("one-thread", trial(metric, "ms", size, FindPrimes.OnOneThread.class))
                .speedUp("bare-processes", "one-thread", "one-thread");
    }

    /** The light ones alone, which one core has done in the time of a few round trips. */
    private static Contest primesLight() {
        String metric = Primes.LIGHT_METRIC;
        return Contest.ofLess(metric, "us", trial(metric, "us", ONE, FindPrimes.OnProcessPoolStrategy.class))
                .peer("bare-processes", trial(metric, "us", ONE, FindPrimes.OnBareProcesses.class));
    }

    private static Contest payload() {
        String metric = "payload-1MiB";
        Size size = Size.of(1 << 20);
        return Contest.ofLess(metric, "us", trial(metric, "us", size, EchoPayload.class))
                .peer("ProcessPoolExecutor", python("processes.py", metric, "us", size, "payload"), 1.5);
    }

    private static Contest idleWorkerMemory() {
        String metric = "idle-worker-rss-mb";
        return Contest.ofLess(metric, "MB", JavaProgram.of(IdleWorkerMemory.class, Size.of(10_000), metric))
                .limit(60);
    }

    private static Contest fullStrengthAfterKill() {
        String metric = "full-strength-after-kill-ms";
        return Contest.ofLess(metric, "ms", JavaProgram.of(FullStrengthAfterKill.class, new Size(7, 3), metric))
                .limit(300);
    }

    private static Repeated cold(Program program) {
        return new Repeated(program, FRESH_PARENTS);
    }

    private static JavaProgram trial(String metric, String unit, Size size, Class<? extends Trial> trial) {
        return JavaProgram.trial(trial, metric, unit, size);
    }

    private static PythonProgram python(String script, String metric, String unit, Size size, String trial) {
        return PythonProgram.of(script, size, trial, metric, unit);
    }
}
