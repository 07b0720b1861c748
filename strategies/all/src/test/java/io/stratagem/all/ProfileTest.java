package io.stratagem.all;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.Kind;
import io.stratagem.ProfileOptions;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.WorkloadProfile;
import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.ThreadLeaks;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** That a profile measures what it says, survives all that work may do, and leaves nothing. */
@Timeout(Patience.TEST_SECONDS)
final class ProfileTest {
    private static final ProfileOptions SHORT =
            ProfileOptions.defaults().timePerStrategy(Duration.ofMillis(400)).cpus(2);
    private static final ProfileOptions LONGER = SHORT.timePerStrategy(Duration.ofSeconds(1));
    private static final List<Integer> SAMPLE = IntStream.range(0, 8).boxed().toList();
    private static final int TABLE_WIDTH = 120;

    @TempDir
    Path directory;

    private Set<Long> processesBefore = Set.of();

    @BeforeEach
    void noteProcesses() {
        processesBefore = processes();
    }

    @AfterEach
    void nothingIsLeft() {
        Patience.await().untilAsserted(() -> assertThat(processes()).isSubsetOf(processesBefore));
        ThreadLeaks.awaitNone("stratagem-threads");
        ThreadLeaks.awaitNone("stratagem-loops");
        ThreadLeaks.awaitNone("stratagem-processes");
        ThreadLeaks.awaitNone("stratagem-batched-ipc");
        ThreadLeaks.awaitNone("stratagem-profile");
    }

    private static Set<Long> processes() {
        return ProcessHandle.current().descendants().map(ProcessHandle::pid).collect(Collectors.toSet());
    }

    // ---------------------------------------------------------------------------------------------- what is measured

    @Test
    void profile_computation_measuresEachStrategy() {
        List<String> told = new ArrayList<>();
        Workload<Integer, Long> sums = Workload.compute("sums", ProfileTest::sum);

        WorkloadProfile profile = Stratagem.profile(sums, SAMPLE, LONGER.progress(told::add));

        assertThat(profile.rows())
                .extracting(Row::name)
                .containsExactly("one thread", "thread pool", "event loop", "process pool", "batched IPC")
                .isEqualTo(told);
        for (Row row : profile.rows()) {
            Figures figures = figures(row);
            assertThat(figures.tasks()).as(row.name()).isPositive();
            assertThat(figures.failures()).as(row.name()).isZero();
            assertThat(figures.tasksPerSecond()).as(row.name()).isPositive();
            assertThat(figures.p50()).as(row.name()).isPresent();
            assertThat(figures.p99().orElseThrow())
                    .isGreaterThanOrEqualTo(figures.p50().orElseThrow());
            assertThat(figures.cpus()).as(row.name()).isPositive();
        }
        assertThat(profile.findings()).isEmpty();
        assertThat(profile.best()).isPresent();
        assertThat(profile.bestRow()).isPresent();
        assertThat(profile.table()).startsWith(profile.recommendation().substring(0, 8));
    }

    private static long sum(int seed) {
        long sum = seed;
        for (int i = 0; i < 200_000; i++) {
            sum = sum * 31 + i;
        }
        return sum;
    }

    @Test
    void profile_largeInputs_countsTheBytesThatTravel() {
        int bytes = 10_000;
        Workload<byte[], Integer> lengths = Workload.compute("lengths", array -> array.length);

        WorkloadProfile profile = Stratagem.profile(lengths, List.of(new byte[bytes]), LONGER);

        assertThat(figures(profile, "one thread").sentBytesPerTask()).isZero();
        assertThat(figures(profile, "thread pool").sentBytesPerTask()).isZero();
        // What is under way when the time is over counts, and has no result.
        assertThat(figures(profile, "process pool").sentBytesPerTask()).isBetween(1.0 * bytes, 3.0 * bytes);
        assertThat(figures(profile, "batched IPC").sentBytesPerTask()).isBetween(1.0 * bytes, 3.0 * bytes);
    }

    @Test
    void profile_sleepsDeclaredCompute_saysThatItWaitsAndMeasuresItAsBlocking() {
        Workload<Integer, Integer> sleeps = Workload.compute("sleeps", n -> {
            Thread.sleep(20);
            return n;
        });

        WorkloadProfile profile = Stratagem.profile(sleeps, SAMPLE, SHORT);

        assertThat(profile.waiting().orElseThrow()).isGreaterThan(0.8);
        assertThat(profile.findings())
                .first()
                .asString()
                .startsWith("declared compute, waits ")
                .contains("Workload.blocking");
        assertThat(figures(profile, "thread pool, as blocking").tasks()).isPositive();
        assertThat(figures(profile, "one thread").tasksPerSecond()).isLessThanOrEqualTo(50);
        assertThat(figures(profile, "one thread").p50().orElseThrow()).isGreaterThanOrEqualTo(Duration.ofMillis(20));
    }

    @Test
    void profile_computationDeclaredBlocking_saysThatItComputes() {
        Workload<Integer, Long> sums = Workload.blocking("sums", ProfileTest::sum);

        WorkloadProfile profile = Stratagem.profile(sums, SAMPLE, SHORT);

        // On a machine that is busy with something else it may not be possible to tell.
        boolean isSeen = profile.waiting().isPresent() && profile.waiting().getAsDouble() <= 0.2;
        assertThat(profile.findings().toString().contains("declared blocking, computes "))
                .isEqualTo(isSeen);
        assertThat(profile.rows().stream().anyMatch(row -> row.name().equals("thread pool, as compute")))
                .isEqualTo(isSeen);
    }

    @Test
    void profile_sleepsDeclaredBlocking_findsNothing() {
        Workload<Integer, Integer> sleeps = Workload.blocking("sleeps", n -> {
            Thread.sleep(5);
            return n;
        });

        WorkloadProfile profile = Stratagem.profile(sleeps, SAMPLE, LONGER);

        assertThat(profile.findings()).isEmpty();
        assertThat(profile.waiting().orElseThrow()).isGreaterThan(0.5);
        assertThat(profile.rows()).allSatisfy(row -> assertThat(row.figures()).isPresent());
        assertThat(profile.best())
                .as("which are within 10 % of each other is chance")
                .isPresent();
    }

    @Test
    void profile_asynchronousDelays_findsNothing() {
        Workload<Integer, Void> delays = Workload.async("delays", (n, loop) -> loop.delay(Duration.ofMillis(10)));

        WorkloadProfile profile = Stratagem.profile(delays, SAMPLE, SHORT);

        assertThat(profile.findings()).isEmpty();
        assertThat(profile.rows())
                .extracting(Row::name)
                .startsWith("event loop, one at a time", "event loop", "thread pool");
        assertThat(figures(profile.rows().get(0)).tasksPerSecond()).isLessThanOrEqualTo(100);
        assertThat(figures(profile.rows().get(0)).p50().orElseThrow()).isGreaterThanOrEqualTo(Duration.ofMillis(10));
    }

    @Test
    void profile_asynchronousWorkThatBlocks_saysThatItHoldsTheLoop() {
        Workload<Integer, Integer> blocks = Workload.async("blocks", (n, loop) -> {
            Thread.sleep(30);
            return CompletableFuture.completedFuture(n);
        });

        WorkloadProfile profile = Stratagem.profile(blocks, SAMPLE, SHORT);

        assertThat(profile.findings()).first().asString().contains("its function blocks for", "loop.offload");
    }

    @Test
    void profile_isolated_runsInWorkersOnly() {
        long here = ProcessHandle.current().pid();
        Workload<Integer, Boolean> elsewhere = Workload.named("elsewhere")
                .isolated()
                .compute((Integer n) -> {
                    if (ProcessHandle.current().pid() == here) {
                        throw new AssertionError("in this JVM");
                    }
                    return true;
                });

        WorkloadProfile profile = Stratagem.profile(elsewhere, SAMPLE, SHORT);

        assertThat(profile.rows())
                .extracting(Row::name)
                .containsExactly("process pool, one worker", "process pool", "batched IPC");
        assertThat(profile.rows()).allSatisfy(row -> {
            assertThat(figures(row).failures()).isZero();
            assertThat(figures(row).sentBytesPerTask()).isPositive();
            assertThat(figures(row).start()).isPositive();
        });
        assertThat(profile.best().orElseThrow()).isIn("process pool", "batched IPC");
        assertThat(profile.findings()).singleElement().asString().contains("tiny", "fineGrained");
    }

    @Test
    void profile_jvmOptions_areThoseOfTheWorkers() {
        Workload<Integer, Integer> needsProperty = Workload.named("needs property")
                .jvmOptions("-Dprofile.colour=blue")
                .compute((Integer n) -> System.getProperty("profile.colour").length());

        WorkloadProfile profile = Stratagem.profile(needsProperty, SAMPLE, SHORT);

        assertThat(profile.rows())
                .allSatisfy(row -> assertThat(figures(row).failures()).isZero());
    }

    // ---------------------------------------------------------------------------------------------- what goes wrong

    @Test
    void profile_hangs_isCutOff() {
        Workload<Integer, Integer> hangs = Workload.blocking("hangs", n -> {
            new CountDownLatch(1).await();
            return n;
        });

        WorkloadProfile profile = Stratagem.profile(hangs, SAMPLE, SHORT);

        assertThat(profile.best()).isEmpty();
        assertThat(profile.findings())
                .first()
                .asString()
                .contains("no task ended within 400 ms", "It waited meanwhile.");
        assertThat(profile.recommendation()).startsWith("No strategy can be recommended: no task ended");
        assertThat(profile.rows()).hasSize(5).allSatisfy(row -> {
            assertThat(row.figures()).isEmpty();
            assertThat(row.note()).contains("no task ended within 400 ms");
        });
    }

    @Test
    void profile_ignoresInterrupts_isNotTriedAgainInThisJvm() {
        Released.gate = new AtomicBoolean();
        Workload<Integer, Integer> stubborn = Workload.compute("stubborn", Released::spin);
        try {
            WorkloadProfile profile = Stratagem.profile(stubborn, SAMPLE, SHORT);

            assertThat(profile.findings()).first().asString().contains("did not stop when it was interrupted");
            assertThat(profile.warnings()).anyMatch(warning -> warning.contains("'stubborn'"));
            assertThat(row(profile, "thread pool").note()).startsWith("not tried: ");
            assertThat(row(profile, "event loop").note()).startsWith("not tried: ");
            assertThat(row(profile, "process pool").note()).contains("no task ended");
            assertThat(ThreadLeaks.named("stratagem-profile-stubborn")).hasSize(1);
        } finally {
            Released.gate.set(true);
        }
    }

    /** In a worker the gate is its own, and never opened: there it is killed. */
    private static final class Released {
        static volatile AtomicBoolean gate = new AtomicBoolean();

        static int spin(int n) {
            while (!gate.get()) {
                LockSupport.parkNanos(1_000_000);
            }
            return n;
        }
    }

    @Test
    void profile_asynchronousWorkThatNeverEnds_isCutOff() {
        Workload<Integer, Integer> never = Workload.async("never", (n, loop) -> new CompletableFuture<>());

        WorkloadProfile profile = Stratagem.profile(never, SAMPLE, SHORT);

        assertThat(profile.best()).isEmpty();
        assertThat(profile.findings()).first().asString().contains("no task ended within 400 ms");
        assertThat(profile.rows()).allSatisfy(row -> assertThat(row.note()).contains("no task ended"));
    }

    @Test
    void profile_failsAlways_saysSo() {
        Workload<Integer, Integer> fails = Workload.compute("fails", n -> {
            throw new IOException("no such luck");
        });

        WorkloadProfile profile = Stratagem.profile(fails, SAMPLE, SHORT);

        assertThat(profile.best()).isEmpty();
        assertThat(profile.waiting())
                .as("what only fails has not shown what it does")
                .isEmpty();
        assertThat(profile.findings())
                .singleElement()
                .isEqualTo("every task failed, the first one with java.io.IOException: no such luck");
        assertThat(profile.rows()).allSatisfy(row -> {
            assertThat(figures(row).failures()).isEqualTo(figures(row).tasks());
            assertThat(row.note()).contains("java.io.IOException: no such luck");
        });
    }

    @Test
    void profile_failureHasNoText_isNamedByItsClass() {
        Workload<Integer, Integer> fails = Workload.compute("fails", n -> {
            throw new Speechless();
        });

        WorkloadProfile profile = Stratagem.profile(fails, SAMPLE, SHORT);

        assertThat(profile.findings())
                .singleElement()
                .asString()
                .endsWith("the first one with all.ProfileTest$Speechless");
        assertThat(profile.rows())
                .allSatisfy(row -> assertThat(figures(row).failures())
                        .isEqualTo(figures(row).tasks()));
    }

    private static final class Speechless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        @SuppressWarnings({"OverrideThrowableToString", "ToStringReturnsNull"}) // as an application may
        public String toString() {
            return null;
        }
    }

    @Test
    void profile_failureWhoseTextNeverComes_isNamedByItsClass() {
        Workload<Integer, Integer> fails = Workload.compute("fails", n -> {
            throw new Endless();
        });

        WorkloadProfile profile = Stratagem.profile(fails, SAMPLE, SHORT);

        assertThat(profile.findings())
                .singleElement()
                .asString()
                .endsWith("the first one with all.ProfileTest$Endless, whose toString() does not return");
        for (String inThisJvm : List.of("one thread", "thread pool", "event loop")) {
            assertThat(row(profile, inThisJvm).note()).contains("all.ProfileTest$Endless, whose");
        }
    }

    private static final class Endless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return "at last";
        }
    }

    @Test
    void profile_failsSometimes_countsIt() {
        Workload<Integer, Long> sometimes = Workload.compute("sometimes", n -> {
            if (n == 3) {
                throw new IllegalStateException("three");
            }
            return sum(n);
        });

        WorkloadProfile profile = Stratagem.profile(sometimes, SAMPLE, SHORT);

        assertThat(profile.best()).isPresent();
        assertThat(profile.findings())
                .first()
                .asString()
                .contains("of the tasks failed", "IllegalStateException: three");
        Figures figures = figures(profile, "one thread");
        assertThat((double) figures.failures() / figures.tasks()).isBetween(0.05, 0.2);
    }

    @Test
    void profile_overflowsTheStack_advisesToIsolate() {
        Workload<Integer, Integer> recursive = Workload.compute("recursive", ProfileTest::recurse);

        WorkloadProfile profile = Stratagem.profile(recursive, SAMPLE, SHORT);

        assertThat(profile.findings()).first().asString().contains("StackOverflowError", "make it isolated");
        assertThat(profile.best()).isEmpty();
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int recurse(int n) {
        return recurse(n) + 1;
    }

    @ParameterizedTest
    @EnumSource(names = {"COMPUTE", "ASYNC"})
    void profile_needsTooMuchMemory_isNotTriedAgainInThisJvm(Kind kind) {
        AtomicInteger calls = new AtomicInteger(); // each worker process counts in a copy of its own
        Workload<Integer, Integer> greedy = kind == Kind.ASYNC
                ? Workload.async("greedy", (n, loop) -> CompletableFuture.completedFuture(tooMuch(calls)))
                : Workload.compute("greedy", n -> tooMuch(calls));

        WorkloadProfile profile = Stratagem.profile(greedy, SAMPLE, SHORT);

        assertThat(calls).as("it is not tried again").hasValue(1);
        assertThat(figures(profile.rows().get(0)).tasks()).isEqualTo(1);
        assertThat(profile.findings()).first().asString().contains("OutOfMemoryError", "make it isolated");
        assertThat(row(profile, "event loop").note()).contains("needs more memory than this JVM has");
        assertThat(row(profile, "thread pool").note()).contains("needs more memory than this JVM has");
    }

    private static int tooMuch(AtomicInteger calls) {
        calls.incrementAndGet();
        return new long[Integer.MAX_VALUE].length;
    }

    @Test
    void profile_needsTooMuchMemoryOnStrategiesOnly_isTriedOnOneOfThisJvm() {
        AtomicInteger calls = new AtomicInteger(); // each worker process counts in a copy of its own
        Workload<Integer, Integer> greedy = Workload.compute("greedy", n -> {
            if (Thread.currentThread().getName().startsWith("stratagem-profile")) {
                return n;
            }
            calls.incrementAndGet();
            throw new OutOfMemoryError("many of these are too many");
        });

        WorkloadProfile profile = Stratagem.profile(greedy, SAMPLE, SHORT);

        assertThat(calls).as("it is not tried again").hasValue(1);
        assertThat(figures(profile, "thread pool").tasks()).isEqualTo(1);
        assertThat(figures(profile, "thread pool").failures()).isEqualTo(1);
        assertThat(row(profile, "event loop").note()).contains("needs more memory than this JVM has");
        assertThat(figures(profile, "process pool").tasks())
                .as("workers can be replaced")
                .isGreaterThan(1);
    }

    @Test
    void profile_cannotBeSerialised_hasNoFiguresForProcesses() {
        Object lock = new Object();
        Workload<Integer, Integer> captures = Workload.compute("captures", n -> n + lock.hashCode());

        WorkloadProfile profile = Stratagem.profile(captures, SAMPLE, SHORT);

        assertThat(profile.best()).isPresent();
        for (String strategy : List.of("process pool", "batched IPC")) {
            assertThat(row(profile, strategy).figures()).isEmpty();
            assertThat(row(profile, strategy).note())
                    .startsWith("it cannot be sent: ")
                    .contains("java.lang.Object");
        }
        assertThat(profile.table()).contains("it cannot be sent: ");
    }

    @Test
    void profile_exitsTheJvm_costsWorkersOnly() {
        Workload<Integer, Integer> exits = Workload.named("exits").isolated().compute((Integer n) -> {
            Runtime.getRuntime().halt(7);
            return n;
        });

        WorkloadProfile profile = Stratagem.profile(exits, SAMPLE, SHORT.timePerStrategy(Duration.ofSeconds(2)));

        assertThat(profile.best()).isEmpty();
        assertThat(profile.findings()).anyMatch(finding -> finding.contains("killed their worker process"));
        assertThat(profile.rows())
                .allSatisfy(row -> assertThat(row.figures())
                        .hasValueSatisfying(
                                figures -> assertThat(figures.failures()).isEqualTo(figures.tasks())));
    }

    @Test
    void profile_timeout_endsWhatHangs() {
        Workload<Integer, Integer> hangsAtThree = Workload.named("hangs at three")
                .timeout(Duration.ofMillis(20))
                .blocking((Integer n) -> {
                    if (n == 3) {
                        new CountDownLatch(1).await();
                    }
                    return n;
                });

        WorkloadProfile profile = Stratagem.profile(hangsAtThree, SAMPLE, SHORT);

        Figures figures = figures(profile, "one thread");
        assertThat(figures.failures()).isBetween(1L, figures.tasks() - 1);
        assertThat(row(profile, "one thread").note()).contains("TaskTimeoutException");
        assertThat(figures(profile, "thread pool").failures()).isPositive();
    }

    @Test
    void profile_interrupted_stopsAndKeepsTheInterrupt() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        AtomicInteger outcome = new AtomicInteger();
        Workload<Integer, Integer> waits = Workload.blocking("waits", n -> {
            begun.countDown();
            new CountDownLatch(1).await();
            return n;
        });
        Thread caller = new Thread(() -> {
            assertThatThrownBy(() -> Stratagem.profile(
                            waits, SAMPLE, SHORT.timePerStrategy(Duration.ofSeconds(Patience.TEST_SECONDS))))
                    .isInstanceOf(CancellationException.class);
            outcome.set(Thread.currentThread().isInterrupted() ? 1 : 2);
        });
        caller.start();
        assertThat(begun.await(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();

        caller.interrupt();

        caller.join(Patience.LIMIT.toMillis());
        assertThat(outcome).hasValue(1);
    }

    @Test
    void profile_interruptedInAStrategy_stopsAndKeepsTheInterrupt() {
        Workload<Integer, Integer> waits = Workload.blocking("waits", n -> n);
        ProfileOptions interrupting = SHORT.progress(name -> {
            if (name.equals("process pool")) {
                Thread.currentThread().interrupt();
            }
        });

        assertThatThrownBy(() -> Stratagem.profile(waits, SAMPLE, interrupting))
                .isInstanceOf(CancellationException.class);

        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void profile_noSample_isRefused() {
        assertThatThrownBy(() -> Stratagem.profile(Workload.compute("nothing", n -> n), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sample is empty");
    }

    // ---------------------------------------------------------------------------------------------- the report

    @Test
    void report_isWrittenAsTextAndAsAPage() throws IOException {
        Workload<Integer, Long> sums = Workload.compute("<sums>", ProfileTest::sum);
        Path file = directory.resolve("profile.html");

        WorkloadProfile profile = Stratagem.profile(sums, SAMPLE, SHORT);
        profile.writeHtml(file);

        assertThat(file).content().isEqualTo(profile.html()).contains("<svg ", "&lt;sums&gt;");
        assertThat(profile.table().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(TABLE_WIDTH));
        assertThat(profile.toString().lines()).hasSize(1);
    }

    private static Row row(WorkloadProfile profile, String name) {
        return profile.rows().stream()
                .filter(row -> row.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Figures figures(WorkloadProfile profile, String name) {
        return figures(row(profile, name));
    }

    private static Figures figures(Row row) {
        assertThat(row.figures()).as(row.toString()).isPresent();
        return row.figures().orElseThrow();
    }
}
