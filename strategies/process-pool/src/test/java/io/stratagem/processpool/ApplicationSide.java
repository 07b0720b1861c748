package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.stratagem.ContextPropagator.Captured;
import io.stratagem.ContextPropagator.Scope;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Loop;
import io.stratagem.Result;
import io.stratagem.Snapshot.WorkerView;
import io.stratagem.Workload;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import io.stratagem.spi.Engine;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.Profile;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.spi.StrategyOptions;
import io.stratagem.spi.Worker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.MDC;
import org.slf4j.event.Level;

/**
 * The application's side of a connection to a worker, from the bytes to the results of a map. What the worker sends is
 * given beforehand, and so is what it says in the page that it shares.
 */
final class ApplicationSide implements Engine {
    static final int MAX_MESSAGE_BYTES = 1 << 28;

    /** Of every form that values have on their way. */
    static final List<Object> INPUTS = Arrays.asList(
            7,
            "text",
            Echo.THROW,
            null,
            true,
            -1L,
            1.5,
            'c',
            (byte) 1,
            (short) 2,
            2.5f,
            new byte[] {1, 2, 3},
            new int[] {1, 2, 3},
            new Point(3, 4),
            TimeUnit.DAYS,
            ByteBuffer.wrap(new byte[] {1, 2, 3}),
            ByteBuffer.allocateDirect(3),
            List.of("a", new Point(5, 6), new Point(7, 8)),
            new ArrayList<>(Arrays.asList(1, null, List.of())),
            Map.of("key", List.of(1)),
            new HashMap<>(Map.of(1, 2)),
            BigInteger.TEN,
            new TreeSet<>(Set.of("x", "y")),
            new Object[] {1, "漢字"},
            Duration.ofDays(1),
            "the last");

    /** What any bytes may cost: buffers, lengths that are believed, and whatever is done for the first time. */
    static final long FIXED_BYTES = 32 << 20;

    /** What each byte that is received or sent may cost. */
    static final long FACTOR = 100;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final TaskPage page;
    private final ByteBuffer pageMemory;
    private final ProcessEngine processes = new ProcessEngine(settings(), Clock.system());
    private final WorkerProcess.Start start;
    private final Worker nobody = new Worker("nobody", this);
    private final ExecutorStrategy strategy = new Builder(this).build();
    private final Workload<Object, Object> workload = Workload.named("echo").compute(new Echo());

    private final Deque<Batch> queue = new ArrayDeque<>();
    private boolean isServing;
    private MemoryChannel channel;
    private WorkerDriver driver;

    ApplicationSide() {
        try (PrivateDirectory directory =
                PrivateDirectory.choose(HostSystem.present()).create()) {
            page = TaskPage.create(directory.page());
            try (FileChannel file =
                    FileChannel.open(directory.page(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                pageMemory =
                        file.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES).order(ByteOrder.nativeOrder());
            }
            start = new WorkerProcess.Start(
                    processes.settings(), "worker", processes.origin(), Map.of(), new EndedProcess(), directory, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PoolSettings settings() {
        return new PoolSettings(
                HostSystem.present(),
                "fuzzed",
                1,
                1,
                Path.of(System.getProperty("java.home")),
                List.of(),
                null,
                Map.of(),
                null,
                null,
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                MAX_MESSAGE_BYTES,
                Set.of("io.stratagem.processpool"),
                Level.INFO,
                null);
    }

    private static final class Builder extends StrategyBuilder<Builder> {
        private final Engine engine;

        Builder(Engine engine) {
            super("fuzzed");
            this.engine = engine;
            propagator(Tagged::new);
        }

        @Override
        protected Builder self() {
            return this;
        }

        ExecutorStrategy build() {
            return new Strategy(engine, options());
        }
    }

    private static final class Strategy extends EngineStrategy {
        Strategy(Engine engine, StrategyOptions options) {
            super(engine, options);
        }
    }

    record Point(int x, int y) {}

    /** The workload's function. */
    record Echo() implements Fn<Object, Object> {
        static final String THROW = "throw";

        @Override
        public Object apply(Object input) throws Exception {
            if (THROW.equals(input)) {
                Exception failure = new IllegalStateException("on purpose", new IOException("the cause"));
                failure.setStackTrace(Arrays.copyOf(failure.getStackTrace(), 2));
                failure.getCause().setStackTrace(failure.getStackTrace());
                throw failure;
            }
            return input;
        }
    }

    /** The context that goes with every task. */
    record Tagged() implements Captured {
        @Override
        public Scope apply() {
            return () -> {};
        }
    }

    /**
     * What became of a worker.
     *
     * @param results of a task for each input
     * @param sent what the worker was sent
     * @param isConnected whether it is still of use
     * @param allocatedBytes by this thread
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Taken(List<Result<Object>> results, byte[] sent, boolean isConnected, long allocatedBytes) {}

    /** Maps the inputs, with a worker that sends these bytes, whatever it is sent, and then is gone. */
    Taken take(long pageWord, ByteBuffer fromWorker) {
        pageMemory.putLong(0, pageWord);
        channel = new MemoryChannel(fromWorker, frame -> {});
        long before = THREADS.getCurrentThreadAllocatedBytes();
        driver = new WorkerDriver(processes, "worker");
        Link link = new Link(channel, processes.settings().maxFrameBytes());
        driver.attach(new WorkerProcess(start, page, link));
        List<Result<Object>> results;
        MDC.put("key", "value");
        try (Stream<Result<Object>> stream = strategy.map(workload, INPUTS)) {
            results = stream.toList();
        } catch (OutOfMemoryError e) {
            throw new AssertionError("more memory than there is", e); // the other would end the tests
        } finally {
            MDC.remove("key");
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        return new Taken(results, channel.sent(), channel.isOpen(), allocated);
    }

    /** As {@link #takeAndCheck} wants it. */
    static byte[] withPageWord(long pageWord, byte[] fromWorker) {
        return ByteBuffer.allocate(Long.BYTES + fromWorker.length)
                .order(ByteOrder.nativeOrder())
                .putLong(pageWord)
                .put(fromWorker)
                .array();
    }

    /** What must hold whatever the bytes are: first the word of the page, then what the worker sends. */
    void takeAndCheck(byte[] bytes) {
        Taken taken = takeAll(bytes);
        assertThat(taken.results()).hasSameSizeAs(INPUTS);
        if (taken.allocatedBytes() >= limit(bytes, taken)) {
            taken = takeAll(bytes); // a class that is loaded, and instrumented, takes much the first time
        }
        assertThat(taken.allocatedBytes()).isLessThan(limit(bytes, taken));
    }

    private Taken takeAll(byte[] bytes) {
        ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        return take(all.remaining() < Long.BYTES ? 0 : all.getLong(), all);
    }

    private static long limit(byte[] bytes, Taken taken) {
        return FIXED_BYTES + FACTOR * (bytes.length + taken.sent().length);
    }

    // ---------------------------------------------------------------------------------------------- the engine

    /** Lets the driver serve one batch after another, on this thread, and fails them when its process is gone. */
    @Override
    public void execute(Batch batch) {
        queue.add(batch);
        if (isServing) {
            return; // what the driver gives back
        }
        isServing = true;
        try {
            for (Batch next = queue.poll(); next != null; next = queue.poll()) {
                if (channel.isOpen()) {
                    driver.serve(next);
                } else {
                    fail(next);
                }
            }
        } finally {
            isServing = false;
        }
    }

    private void fail(Batch batch) {
        Object[] inputs = batch.claim(nobody);
        for (int i = 0; inputs != null && i < inputs.length; i++) {
            batch.failed(i, new IllegalStateException("there is no other worker"));
        }
    }

    @Override
    public Profile profile(Kind kind) {
        return new Profile(1, TaskPage.MAX_BATCH, 1, TimeUnit.HOURS.toNanos(1), true);
    }

    @Override
    public Loop loop() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void stop(Batch batch, int index, Worker worker) {}

    @Override
    public List<WorkerView> workers(long nowNanos) {
        return List.of();
    }

    @Override
    public int abandoned() {
        return 0;
    }

    @Override
    public void close() {}

    @Override
    public Collection<Batch> closeNow() {
        return List.of();
    }

    @Override
    public boolean awaitTermination(Duration limit) {
        return true;
    }
}
