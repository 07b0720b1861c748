package io.stratagem.spi;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Time and timers of the JDK. */
final class SystemClock implements Clock {
    static final SystemClock INSTANCE = new SystemClock();
    private static final Logger log = LoggerFactory.getLogger(Clock.class);

    private final ScheduledThreadPoolExecutor timers;

    private SystemClock() {
        timers = new ScheduledThreadPoolExecutor(1, ClockThread::new);
        timers.setRemoveOnCancelPolicy(true);
        timers.setKeepAliveTime(SharedThreads.KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
        timers.allowCoreThreadTimeOut(true);
    }

    private static final class ClockThread extends Thread implements ServiceThread {
        ClockThread(Runnable action) {
            super(null, action, "stratagem-clock", 0, false);
            setDaemon(true);
            setContextClassLoader(SystemClock.class.getClassLoader());
        }
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(Runnable action, long delayNanos) {
        var scheduled = timers.schedule(() -> runLogged(action), delayNanos, TimeUnit.NANOSECONDS);
        return () -> scheduled.cancel(false);
    }

    /** The executor would keep the exception in a future that nobody reads. */
    private static void runLogged(Runnable action) {
        try {
            action.run();
        } catch (Throwable e) {
            log.error("A timer's action failed", e);
        }
    }
}
