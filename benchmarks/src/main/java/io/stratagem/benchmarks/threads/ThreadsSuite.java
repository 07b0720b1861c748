package io.stratagem.benchmarks.threads;

import io.stratagem.benchmarks.Contest;
import io.stratagem.benchmarks.JavaProgram;
import io.stratagem.benchmarks.Program;
import io.stratagem.benchmarks.PythonProgram;
import io.stratagem.benchmarks.Size;
import io.stratagem.benchmarks.Suite;
import io.stratagem.benchmarks.Trial;
import java.util.List;

/** The thread-pool strategy against what one would use in its place. */
public final class ThreadsSuite implements Suite {

    private static final int VIRTUAL_THREADS_SINCE = 21;

    @Override
    public String name() {
        return "threads";
    }

    @Override
    public String about() {
        return "the thread-pool strategy against the JDK's pools, streams and threads, libraries, Python";
    }

    @Override
    public List<Contest> contests() {
        return List.of(
                mapTrivial(),
                mapChains(MapChains.FIVE_MICROS, "us", new Size(200_000, 60_000), 0.9),
                mapChains(MapChains.ONE_MILLI, "us", new Size(1_000, 300), 0.97),
                submitGet(),
                submitMany(),
                encodeBuffers("gzip", new Size(64, 16), new Size(64, 8)),
                encodeBuffers("xz", new Size(64, 2), new Size(16, 1)),
                encodeBuffers("sha256", Size.of(64), Size.of(64)),
                sleeps());
    }

    private static Contest mapTrivial() {
        String metric = "map-trivial";
        Size size = Size.of(1_000_000);
        Size shorter = new Size(1_000_000, 100_000); // 4 to 12 µs for each element
        return Contest.ofLess(metric, "ns", trial(metric, "ns", size, MapTrivial.OnThreadPoolStrategy.class))
                .peer("ThreadPoolExecutor", trial(metric, "ns", size, MapTrivial.OnThreadPoolExecutor.class), 10)
                .peer("ForkJoinPool", trial(metric, "ns", size, MapTrivial.OnForkJoinPool.class), 3)
                .peer("parallelStream", trial(metric, "ns", size, MapTrivial.OnParallelStream.class), 0.5)
                .peer("parallel-collectors", trial(metric, "ns", shorter, MapTrivial.OnParallelCollectors.class), 10)
                .peer("guava-listening", trial(metric, "ns", size, MapTrivial.OnGuavaListening.class))
                .peer("python-ThreadPoolExecutor", python(metric, "ns", new Size(100_000, 20_000), "map-trivial"));
    }

    private static Contest mapChains(String metric, String unit, Size size, double goal) {
        return Contest.ofLess(metric, unit, trial(metric, unit, size, MapChains.OnThreadPoolStrategy.class))
                .peer("bare-threads", trial(metric, unit, size, MapChains.OnBareThreads.class), goal);
    }

    private static Contest submitGet() {
        String metric = "submit-get";
        Size size = new Size(20_000, 10_000);
        return Contest.ofLess(metric, "us", trial(metric, "us", size, SubmitGet.OnThreadPoolStrategy.class))
                .peer("ThreadPoolExecutor", trial(metric, "us", size, SubmitGet.OnThreadPoolExecutor.class), 1)
                .peer("guava-listening", trial(metric, "us", size, SubmitGet.OnGuavaListening.class))
                .peer("python-ThreadPoolExecutor", python(metric, "us", new Size(20_000, 5_000), "submit-get"));
    }

    private static Contest submitMany() {
        String metric = "submit-many";
        Size size = Size.of(100_000);
        return Contest.ofLess(metric, "ns", trial(metric, "ns", size, SubmitMany.OnThreadPoolStrategy.class))
                .peer("ThreadPoolExecutor", trial(metric, "ns", size, SubmitMany.OnThreadPoolExecutor.class), 1.5)
                .peer("ForkJoinPool", trial(metric, "ns", size, SubmitMany.OnForkJoinPool.class))
                .peer("guava-listening", trial(metric, "ns", size, SubmitMany.OnGuavaListening.class))
                .peer("python-ThreadPoolExecutor", python(metric, "ns", new Size(100_000, 20_000), "submit-many"));
    }

    /** One thread, which is only a reference, may have fewer buffers: the figure is the time for one. */
    private static Contest encodeBuffers(String metric, Size size, Size sizeForOneThread) {
        return Contest.ofLess(metric, "ms", trial(metric, "ms", size, EncodeBuffers.OnThreadPoolStrategy.class))
                .peer("bare-threads", trial(metric, "ms", size, EncodeBuffers.OnBareThreads.class), 0.95)
                .reference("one-thread", trial(metric, "ms", sizeForOneThread, EncodeBuffers.OnOneThread.class))
                .peer("python-ThreadPoolExecutor", python(metric, "ms", size, "encode-threads"))
                .reference("python-one-thread", python(metric, "ms", sizeForOneThread, "encode-one-thread"))
                .speedUp("bare-threads", "one-thread", "one-thread")
                .speedUp("python-ThreadPoolExecutor", "one-thread", "python-one-thread");
    }

    private static Contest sleeps() {
        String metric = "sleeps";
        Size size = Size.of(100_000);
        return Contest.ofLess(metric, "ms", onNewestJdk(metric, size, Sleeps.OnThreadPoolStrategy.class))
                .peer("virtual-threads", onNewestJdk(metric, size, Sleeps.OnVirtualThreads.class), 0.9)
                .peer("asyncio", python(metric, "ms", size, "sleeps-asyncio"), 5);
    }

    private static JavaProgram trial(String metric, String unit, Size size, Class<? extends Trial> trial) {
        return JavaProgram.trial(trial, metric, unit, size);
    }

    private static Program onNewestJdk(String metric, Size size, Class<? extends Trial> trial) {
        return trial(metric, "ms", size, trial).onNewestJdk(VIRTUAL_THREADS_SINCE);
    }

    private static Program python(String metric, String unit, Size size, String trial) {
        return PythonProgram.of("threads.py", size, trial, metric, unit);
    }
}
