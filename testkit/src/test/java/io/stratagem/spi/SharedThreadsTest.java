package io.stratagem.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.testkit.FakeClock;
import io.stratagem.testkit.Patience;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** That nothing is lost when the system has no thread for what all strategies share. */
@Timeout(value = Patience.TEST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedThreadsTest {
    private final List<String> ran = new CopyOnWriteArrayList<>();
    private volatile boolean isShort = true;

    /** The JVM would throw an {@link OutOfMemoryError}, but that ends all of JUnit if it gets there. */
    private final ThreadFactory factory = action -> {
        if (isShort) {
            throw new InternalError("unable to create native thread, says the test");
        }
        Thread thread = new Thread(action, "shared-threads-test");
        thread.setDaemon(true);
        return thread;
    };

    @Test
    void execute_noThreadCanStart_runsWithTheNextThatCan() {
        CallbackThreads threads = new CallbackThreads(new FakeClock(), factory);
        threads.execute(() -> ran.add("first"));
        threads.execute(() -> ran.add("second"));
        isShort = false;
        threads.execute(() -> ran.add("third"));
        Patience.await().until(() -> ran.size() == 3);
        assertThat(ran).containsExactlyInAnyOrder("first", "second", "third");
    }

    @Test
    void execute_noThreadCanStart_isTriedAgainLater() {
        FakeClock clock = new FakeClock();
        CallbackThreads threads = new CallbackThreads(clock, factory);
        threads.execute(() -> ran.add("first"));
        clock.advance(Duration.ofSeconds(1));
        assertThat(ran).isEmpty();
        isShort = false;
        clock.advance(Duration.ofSeconds(1));
        Patience.await().until(() -> ran.size() == 1);
    }

    @Test
    void schedule_noThreadCanStart_runsWithTheNextThatCan() {
        Clock clock = new SystemClock(factory);
        clock.schedule(() -> ran.add("first"), 0);
        clock.schedule(() -> ran.add("cancelled"), 0).cancel();
        isShort = false;
        clock.schedule(() -> ran.add("last"), 0);
        Patience.await().until(() -> ran.contains("last"));
        assertThat(ran).containsExactly("first", "last");
    }
}
