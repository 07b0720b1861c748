package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.Uninterruptibles;
import io.stratagem.Loop;
import io.stratagem.MapOptions;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Batches of asynchronous tasks, which the test starts when it likes. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class AsyncBatchTest {
    private static final int LARGE = 8;
    private static final Executor THREADS = action -> {
        Thread thread = new Thread(action, "async-batch-test");
        thread.setDaemon(true);
        thread.start();
    };

    /** Starts each task; it succeeds at once until the test sets another. */
    private final AtomicReference<Supplier<CompletableFuture<Integer>>> start =
            new AtomicReference<>(() -> CompletableFuture.completedFuture(0));

    private final CompletableFuture<Stream<Result<Integer>>> opened = new CompletableFuture<>();
    private final AtomicInteger read = new AtomicInteger();
    private final ScriptedEngine engine = new ScriptedEngine(64);
    private final EngineStrategy strategy =
            new ScriptedEngine.Builder(engine).clock(new FakeClock()).build();

    @AfterEach
    void close() {
        strategy.closeNow();
        strategy.close();
    }

    private static final class ToldLoop extends NoLoop implements TaskLoop {
        final List<Boolean> told = new CopyOnWriteArrayList<>();

        @Override
        public void ended(boolean succeeded) {
            told.add(succeeded);
        }
    }

    /** No task here uses it. */
    private static class NoLoop implements Loop {
        @Override
        public CompletableFuture<Void> delay(Duration delay) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> CompletableFuture<T> offload(Callable<? extends T> call) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean inLoop() {
            return false;
        }

        @Override
        public Executor executor() {
            throw new UnsupportedOperationException();
        }
    }

    /** Runs the batches of a map, which another thread reads, until one is large. */
    private <I> Batch largeBatch(Stream<I> inputs, MapOptions options) {
        Workload<I, Integer> workload =
                Workload.async("scripted", (input, loop) -> start.get().get());
        THREADS.execute(() -> {
            Stream<Result<Integer>> results = strategy.map(workload, inputs, options);
            opened.complete(results);
            results.forEach(result -> read.incrementAndGet());
        });
        Batch batch = engine.next();
        while (batch.size() < LARGE) {
            batch.runAsync(engine.worker("one"), NoLoop::new);
            batch = engine.next();
        }
        return batch;
    }

    private Batch largeBatch() {
        return largeBatch(Stream.iterate(0, n -> n + 1), MapOptions.ordered());
    }

    /**
     * The cancellation of a stream has made its list of what is to be cancelled when a task comes to wait: what is cut off
     * then is not in that list.
     */
    @Test
    void close_justBeforeATaskWaits_startsNothingBehindIt() throws Exception {
        Batch older = largeBatch();
        Batch newer = engine.next(); // is cancelled first

        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch cancelling = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        start.set(() -> new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                cancelling.countDown();
                Uninterruptibles.awaitUninterruptibly(done);
                return super.cancel(mayInterruptIfRunning);
            }
        });
        newer.runAsync(engine.worker("one"), NoLoop::new);
        AtomicInteger started = new AtomicInteger();
        start.set(() -> {
            started.incrementAndGet();
            begun.countDown();
            Uninterruptibles.awaitUninterruptibly(cancelling);
            return new CompletableFuture<>();
        });
        THREADS.execute(() -> {
            older.runAsync(engine.worker("two"), NoLoop::new);
            done.countDown();
        });
        begun.await();
        Patience.get(opened).close();

        assertThat(started).hasValue(1);
        Patience.await()
                .until(() -> strategy.snapshot().running() + strategy.snapshot().queued() == 0);
    }

    /** Nobody else knows the stage, nor the loop, of a task whose function has not returned. */
    @Test
    void close_whileATaskIsStarted_cancelsItsStageAndTellsItsLoop() throws Exception {
        Batch batch = largeBatch();

        List<ToldLoop> loops = new CopyOnWriteArrayList<>();
        CompletableFuture<Integer> stage = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        start.set(() -> {
            if (loops.size() == 1) {
                return CompletableFuture.completedFuture(0);
            }
            begun.countDown();
            Uninterruptibles.awaitUninterruptibly(closed);
            return stage;
        });
        CompletableFuture<Void> left = CompletableFuture.runAsync(
                () -> batch.runAsync(engine.worker("two"), () -> {
                    ToldLoop loop = new ToldLoop();
                    loops.add(loop);
                    return loop;
                }),
                THREADS);
        begun.await();
        Patience.get(opened).close();
        assertThat(strategy.snapshot().running() + strategy.snapshot().queued()).isZero();
        closed.countDown();
        Patience.get(left);

        assertThat(stage).isCancelled();
        assertThat(loops).extracting(loop -> loop.told).containsExactly(List.of(true), List.of(false));
    }

    /** It may wait for long. */
    @Test
    void task_thatWaits_doesNotKeepTheInputsBehindIt() throws Exception {
        int inputs = 400;
        List<WeakReference<Object>> given = new CopyOnWriteArrayList<>();
        Batch batch = largeBatch(
                Stream.generate(() -> {
                            Object made = new Object();
                            given.add(new WeakReference<>(made));
                            return made;
                        })
                        .limit(inputs),
                MapOptions.unordered().window(4 * LARGE));
        start.set(() -> {
            start.set(() -> CompletableFuture.completedFuture(0));
            return new CompletableFuture<>();
        });
        batch.runAsync(engine.worker("one"), NoLoop::new);
        while (read.get() < inputs - 1) {
            Batch next = engine.poll();
            if (next != null) {
                next.runAsync(engine.worker("one"), NoLoop::new);
            }
        }

        assertThat(strategy.snapshot().waits()).hasSize(1);
        // The last one may be in what made it.
        Patience.await().until(() -> {
            System.gc();
            return given.stream().filter(each -> each.get() != null).count() <= 2;
        });
        assertThat(strategy.snapshot().waits()).hasSize(1);
    }
}
