package io.stratagem.spi;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs callbacks, of which any may block, and wait for others that are queued behind it: so there is no limit to the
 * threads. But a hundred thousand short ones that come at once must not start as many threads: beyond a few, another
 * one is started only when none of the queued callbacks has begun for a while.
 */
final class CallbackThreads implements Executor {
    private static final int FEW = 4;
    private static final long STUCK_NANOS = 5_000_000;
    private static final Logger log = LoggerFactory.getLogger(CallbackThreads.class);

    private final AtomicLong begun = new AtomicLong();
    private final AtomicBoolean isWatched = new AtomicBoolean();

    /** Whether it is known that there is no thread to be had. */
    private volatile boolean isShort;

    private final Clock clock;
    private final ThreadPoolExecutor pool;

    CallbackThreads(Clock clock, ThreadFactory factory) {
        this.clock = clock;
        this.pool =
                new ThreadPoolExecutor(
                        FEW,
                        Integer.MAX_VALUE,
                        SharedThreads.KEEP_ALIVE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        factory) {
                    @Override
                    protected void beforeExecute(Thread thread, Runnable action) {
                        begun.incrementAndGet();
                    }
                };
        pool.allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable action) {
        try {
            pool.execute(action);
            if (isShort) {
                isShort = false;
            }
        } catch (Throwable e) {
            cannotStart(e);
            pool.getQueue().add(action);
        }
        watch();
    }

    private void cannotStart(Throwable why) {
        if (!isShort) {
            isShort = true;
            log.error("A thread for callbacks could not be started; they wait until one can", why);
        }
    }

    private void watch() {
        if (!pool.getQueue().isEmpty() && isWatched.compareAndSet(false, true)) {
            long before = begun.get();
            clock.schedule(() -> look(before), STUCK_NANOS);
        }
    }

    private void look(long before) {
        isWatched.set(false);
        try {
            if (pool.getQueue().isEmpty()) {
                pool.setCorePoolSize(FEW);
            } else if (begun.get() == before) {
                pool.setCorePoolSize(Math.max(FEW, pool.getPoolSize() + 1));
                pool.prestartCoreThread(); // if the size was that already, since one has just ended
            }
        } catch (Throwable e) {
            cannotStart(e);
        }
        watch();
    }
}
