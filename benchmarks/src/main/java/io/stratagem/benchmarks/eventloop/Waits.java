package io.stratagem.benchmarks.eventloop;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.eventloop.EventLoopStrategy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Very many asynchronous tasks on one loop: such that wait 100 ms all at once, and such that do nothing. */
abstract class Waits implements Trial {
    static final int MILLIS = 100;

    int size;
    boolean areDelays;
    private long done;

    @Override
    public void prepare(String metric, int newSize) {
        size = newSize;
        areDelays = metric.startsWith("delays");
    }

    @Override
    public final void pass() throws Exception {
        done = run();
    }

    /** Gives how many have been run. */
    abstract long run() throws Exception;

    @Override
    public final void verify() throws WrongResultException {
        WrongResultException.check("tasks", size, done);
    }

    /** A pass of delays is one operation. */
    @Override
    public final long operations() {
        return areDelays ? 1 : size;
    }

    /** Ours: through map. */
    static final class OnEventLoop extends Waits {
        private final Workload<Integer, Void> delay =
                Workload.async("delay", (n, loop) -> loop.delay(Duration.ofMillis(MILLIS)));
        private final Workload<Integer, Integer> trivial =
                Workload.async("trivial", (n, loop) -> CompletableFuture.completedFuture(n + 1));
        private EventLoopStrategy strategy;

        @Override
        public void prepare(String metric, int newSize) {
            super.prepare(metric, newSize);
            strategy = EventLoopStrategy.builder()
                    .loops(1)
                    .window(areDelays ? newSize : 4096)
                    .build();
        }

        @Override
        long run() {
            Stream<Integer> inputs = IntStream.range(0, size).boxed();
            if (areDelays) {
                try (Stream<Result<Void>> results = strategy.map(delay, inputs)) {
                    return results.filter(Result::isSuccess).count();
                }
            }
            try (Stream<Result<Integer>> results = strategy.map(trivial, inputs)) {
                return results.filter(Result::isSuccess).count();
            }
        }

        @Override
        public void close() {
            strategy.close();
        }
    }

    /** Netty: one call of schedule or execute for each. */
    static final class OnNetty extends Waits {
        private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

        @Override
        long run() throws InterruptedException {
            EventLoop loop = group.next();
            CountDownLatch left = new CountDownLatch(size);
            for (int i = 0; i < size; i++) {
                if (areDelays) {
                    var unused = loop.schedule(left::countDown, MILLIS, TimeUnit.MILLISECONDS);
                } else {
                    loop.execute(left::countDown);
                }
            }
            left.await();
            return size - left.getCount();
        }

        @Override
        public void close() {
            var unused = group.shutdownGracefully();
        }
    }
}
