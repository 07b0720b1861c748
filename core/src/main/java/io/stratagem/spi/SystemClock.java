package io.stratagem.spi;

import java.util.concurrent.Future;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Time and timers of the JDK. */
final class SystemClock implements Clock {
    static final SystemClock INSTANCE = new SystemClock(ClockThread::new);
    private static final Logger log = LoggerFactory.getLogger(Clock.class);

    private final ScheduledThreadPoolExecutor timers;

    /** Whether it is known that there is no thread to be had. */
    private volatile boolean isShort;

    SystemClock(ThreadFactory factory) {
        timers = new ScheduledThreadPoolExecutor(1, factory) {
            @Override
            protected <V> RunnableScheduledFuture<V> decorateTask(Runnable action, RunnableScheduledFuture<V> task) {
                ((Alarm) action).task = task;
                return task;
            }
        };
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
        Alarm alarm = new Alarm(action);
        try {
            var unused = timers.schedule(alarm, delayNanos, TimeUnit.NANOSECONDS);
            if (isShort) {
                isShort = false;
            }
        } catch (Throwable e) {
            if (timers.getQueue().stream().noneMatch(queued -> queued == alarm.task)) {
                throw e;
            }
            if (!isShort) {
                isShort = true;
                log.error("The clock's thread could not be started; what is due waits until it can", e);
            }
        }
        return alarm;
    }

    private static final class Alarm implements Runnable, Timer {
        private final Runnable action;

        /** What the executor makes of it; null for a moment. */
        private volatile @Nullable Future<?> task;

        Alarm(Runnable action) {
            this.action = action;
        }

        /** The executor would keep the exception in a future that nobody reads. */
        @Override
        public void run() {
            try {
                action.run();
            } catch (Throwable e) {
                log.error("A timer's action failed", e);
            }
        }

        @Override
        public void cancel() {
            Future<?> scheduled = task;
            if (scheduled != null) {
                scheduled.cancel(false);
            }
        }
    }
}
