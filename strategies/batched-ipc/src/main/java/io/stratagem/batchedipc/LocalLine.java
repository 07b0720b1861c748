package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosted;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way to a host in the same JVM: by a call.
 *
 * @param host at its end
 */
record LocalLine(Host host) implements HostLine {

    /** A thread that waits. */
    private static final class LocalWaiter implements Hosted.Waiter {
        private final CountDownLatch isAnswered = new CountDownLatch(1);
        private volatile @Nullable Object value;
        private volatile @Nullable RuntimeException failure;

        @Override
        public boolean answer(@Nullable Object aValue) {
            value = aValue;
            isAnswered.countDown();
            return true;
        }

        @Override
        public void fail(RuntimeException aFailure) {
            failure = aFailure;
            isAnswered.countDown();
        }

        boolean await(long nanos) throws InterruptedException {
            return isAnswered.await(nanos, TimeUnit.NANOSECONDS);
        }

        @Nullable
        Object answer() {
            RuntimeException thrown = failure;
            if (thrown != null) {
                thrown.setStackTrace(Thread.currentThread().getStackTrace());
                throw thrown;
            }
            return value;
        }
    }

    @Override
    public @Nullable Object ask(int operation, @Nullable Object... arguments) {
        return host.apply(operation, arguments, new LocalWaiter());
    }

    @Override
    public @Nullable Object await(int operation, long limitNanos, @Nullable Object... arguments)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        LocalWaiter waiter = new LocalWaiter();
        Object value = host.apply(operation, arguments, waiter);
        if (value != Hosted.LATER) {
            return value;
        }
        try {
            if (!waiter.await(limitNanos) && host.withdraw(waiter)) {
                return null;
            }
        } catch (InterruptedException e) {
            if (host.withdraw(waiter)) {
                throw e;
            }
            Thread.currentThread().interrupt(); // answered just before
        }
        return waiter.answer(); // which it has if it could not be withdrawn
    }
}
