package io.stratagem.testkit;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** How long tests wait for what must happen. Generous: only a test that fails ever waits that long. */
public final class Patience {
    /** For one event. */
    public static final Duration LIMIT = Duration.ofSeconds(Long.getLong("testkit.patience", 20));

    /** For a whole test, in seconds: a constant for annotations. */
    public static final long TEST_SECONDS = 60;

    private static final Duration POLL = Duration.ofMillis(2);

    private Patience() {}

    /**
     * Polls for what must become true.
     *
     * @return a condition to be completed
     */
    public static ConditionFactory await() {
        return Awaitility.await().atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(POLL);
    }

    /**
     * The value of a future that must complete.
     *
     * @param future what to wait for
     * @param <T> its type
     * @return the value
     * @throws AssertionError if it takes too long
     * @throws ExecutionException as the future
     * @throws InterruptedException as the future
     */
    public static <T> T get(Future<T> future) throws ExecutionException, InterruptedException {
        try {
            return future.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("not done within " + LIMIT + ": " + future, e);
        }
    }
}
