package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.StrategyFixture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;

/** Pools that start fast, and what tests ask about processes. */
abstract class WorkerFixture extends StrategyFixture {
    /** The system property with the name of another strategy that the tests are to be of. */
    static final String UNDER_TEST = "pool.under.test";

    /** Where its process runs. */
    static final Workload<Integer, Long> PID =
            Workload.blocking("pid", input -> ProcessHandle.current().pid());

    @Override
    protected final ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ProcessPoolBuilder<?> builder = fast(workers);
        options.accept(builder);
        return builder.build();
    }

    private static ProcessPoolBuilder<?> fast(int workers) {
        return bare(workers).jvmOptions("-XX:TieredStopAtLevel=1");
    }

    private static ProcessPoolBuilder<?> bare(int workers) {
        return newBuilder().workerProcesses(workers).maxHeapBytes(64 << 20);
    }

    /** Of the strategy that the tests are of; others with the same workers run these tests, too. */
    static ProcessPoolBuilder<?> newBuilder() {
        String other = System.getProperty(UNDER_TEST, "");
        if (other.isEmpty()) {
            return ProcessPoolStrategy.builder();
        }
        try {
            return (ProcessPoolBuilder<?>)
                    Class.forName(other).getMethod("builder").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(other, e);
        }
    }

    /** A pool named {@code faults}, closed after the test. */
    final WorkerProcessStrategy pool(int workers) {
        return pool(workers, builder -> {});
    }

    final WorkerProcessStrategy pool(int workers, Consumer<ProcessPoolBuilder<?>> options) {
        return build(fast(workers), options);
    }

    /** A pool without JVM options. */
    final WorkerProcessStrategy plainPool(int workers, Consumer<ProcessPoolBuilder<?>> options) {
        return build(bare(workers), options);
    }

    private WorkerProcessStrategy build(ProcessPoolBuilder<?> builder, Consumer<ProcessPoolBuilder<?>> options) {
        builder.name("faults");
        options.accept(builder);
        return closedAfterTest(builder.build());
    }

    @AfterEach
    final void clearHooks() {
        Hooked.clear();
    }

    static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    static void assertUsable(ExecutorStrategy pool) {
        assertThat(pool.run(PID, 0).isSuccess()).as("the pool is usable").isTrue();
    }

    /** Runs such tasks until the last was short, even with its way there and back: others of the workload go ahead then. */
    static <I> void runUntilShort(ExecutorStrategy pool, Workload<I, ?> workload, I input) {
        for (int i = 0; i < 20; i++) {
            pool.run(workload, input).orElseThrow();
        }
        Patience.await().until(() -> {
            long start = System.nanoTime();
            pool.run(workload, input).orElseThrow();
            return System.nanoTime() - start < AtWorker.SHORT_NANOS;
        });
    }

    static void awaitGone(long pid) {
        Patience.await().alias("process " + pid + " is gone").until(() -> isGone(pid));
    }

    /** Whether it has ended, even if nobody has asked yet how. */
    static boolean isGone(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (NoSuchFileException e) {
            return true;
        } catch (IOException e) {
            return ProcessHandle.of(pid).isEmpty();
        }
    }

    static Stream<Path> list(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
