package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.spi.StrategyProvider;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is measured on one thread; the only strategy there cannot be made. */
@Timeout(60)
final class ProfilerTest {
    private final AtomicBoolean isReleased = new AtomicBoolean();

    @AfterEach
    void release() {
        isReleased.set(true);
    }

    @Test
    void warnings_nameHasLineBreaks_areOneLineEach() {
        Workload<Integer, Integer> stubborn = Workload.compute("stub\nborn\u001b", n -> {
            spinUntilReleased();
            return n;
        });

        assertThat(profile(stubborn).warnings())
                .anyMatch(warning -> warning.contains("still has its thread, 'stub born ', and"))
                .allSatisfy(warning -> assertThat(warning.lines()).hasSize(1));
    }

    @Test
    void warnings_textOfAFailureNeverEnds_sayThatItsThreadGoesOn() {
        Workload<Integer, Integer> fails = Workload.compute("fails", n -> {
            throw new Endless();
        });

        assertThat(profile(fails).warnings())
                .anyMatch(warning -> warning.startsWith("one thread: the toString() of a failure does not stop"));
    }

    private final class Endless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            spinUntilReleased();
            return "at last";
        }
    }

    @Test
    void warnings_textOfAFailureEndsWhenInterrupted_sayNothing() {
        Workload<Integer, Integer> fails = Workload.compute("fails", n -> {
            throw new Waiting();
        });

        assertThat(profile(fails).warnings()).noneMatch(warning -> warning.contains("toString()"));
    }

    private static final class Waiting extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            LockSupport.park();
            return "at last";
        }
    }

    private void spinUntilReleased() {
        while (!isReleased.get()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static WorkloadProfile profile(Workload<Integer, Integer> workload) {
        ProfileOptions options =
                ProfileOptions.defaults().timePerStrategy(Duration.ofMillis(50)).cpus(1);
        return new Profiler<>(new Chooser(List.of(new Unmade())), workload, List.of(1), options).profile();
    }

    private static final class Unmade implements StrategyProvider {
        @Override
        public String name() {
            return "unmade";
        }

        @Override
        public Suitability assess(Workload<?, ?> workload) {
            return new Suitability(1, "it is the only one");
        }

        @Override
        public ExecutorStrategy create(int cpus, List<String> jvmOptions) {
            throw new UnsupportedOperationException("never made");
        }
    }
}
