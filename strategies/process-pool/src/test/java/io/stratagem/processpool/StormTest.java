package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.RetryPolicy;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import io.stratagem.testkit.ThreadLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Tasks go on while somebody kills the workers again and again, whatever they are at: each task has exactly one result,
 * which is true, and nothing is left.
 */
/* Three threads give tasks to one pool, each in its own way, wave after wave. A fourth kills: one worker for so many
 * tasks that have begun, so that the storm is as strong on a slow machine as on a fast one; and between the waves all
 * workers, which are idle then.
 *
 * What may fail follows from how a worker works: one batch after another, and the outcomes of a batch have left it before
 * it begins the next. So what one death takes with it are tasks of one batch that follow on one another; all of them had
 * been started, and all but the last had ended. The worker notes a start a moment before the task does: so of the last
 * one the task's own note may be missing.
 */
@Tag("stress")
@Timeout(value = Patience.TEST_SECONDS * 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class StormTest extends WorkerFixture {
    private static final int WORKERS = 3;
    private static final int TASKS_PER_WAVE = 2_500;
    private static final int TASKS = Math.min(100_000, 2 * TASKS_PER_WAVE * Integer.getInteger("stress.rounds", 1));
    private static final int TASKS_PER_KILL = 250;
    private static final int LEAST_KILLS = TASKS / 500;
    private static final Duration WAVE_LIMIT = Duration.ofMinutes(2);

    /** The tasks of a wave: first those of an ordered map, then those of one without order, then single ones. */
    private static final int UNORDERED_FROM = TASKS_PER_WAVE * 4 / 10;

    private static final int SINGLE_FROM = TASKS_PER_WAVE * 8 / 10;

    /** More than the connection's buffers hold: so that workers are killed while a frame is under way. */
    private static final int LARGE_BYTES = 400_000;

    private static final int MOST_PENDING = 20;
    private static final int ATTEMPTS = 50;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private final long seed = Long.getLong("stress.seed", System.nanoTime());
    private final AtomicInteger givers = new AtomicInteger();
    private final Set<Long> killed = new HashSet<>(); // of the killer, and of the test between waves

    /** Of the unordered map's the successes only: which of its tasks failed, no result says. */
    private final Result<?>[] results = new Result<?>[TASKS]; // each element is of the thread that gave the task

    private final List<Result<?>> unorderedFailures = new ArrayList<>(); // of the thread with that map

    @TempDir(factory = SharedMemory.class)
    Path home;

    private Tally tally;
    private Set<ProcessHandle> childrenBefore;
    private List<String> openBefore;
    private List<String> mappedBefore;

    /** A JVM stands still when it writes to a mapped file of a disk that does. */
    static final class SharedMemory implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
            return Files.createTempDirectory(SHARED_MEMORY, "storm");
        }
    }

    @BeforeEach
    void lookBefore() throws IOException {
        try (WorkerProcessStrategy first = newBuilder().build()) {
            assertUsable(first); // so that what a JVM opens once is open
        }
        tally = new Tally(home.resolve("tally"), TASKS);
        childrenBefore = children();
        openBefore = open();
        mappedBefore = mapped();
    }

    // ---------------------------------------------------------------------------------------------- the tasks

    private static long valueOf(int task) {
        return task * 0x9E3779B97F4A7C15L;
    }

    /** Mostly a moment, sometimes some milliseconds: so batches are of all sizes. */
    private static long run(int task, Tally tally) {
        tally.begin(task);
        long until = System.nanoTime() + (task % 97 == 0 ? 3_000_000 : 100_000);
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        tally.end(task);
        return valueOf(task);
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Load(int task, byte[] bytes) {
        static Load of(int task) {
            byte[] bytes = new byte[task % 10 == 0 ? LARGE_BYTES : 10];
            Arrays.fill(bytes, (byte) task);
            return new Load(task, bytes);
        }

        byte[] turned(Tally tally) {
            tally.begin(task);
            byte[] turned = new byte[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                turned[i] = (byte) ~bytes[i];
            }
            tally.end(task);
            return turned;
        }

        boolean isTurned(byte[] turned) {
            return turned.length == bytes.length
                    && IntStream.range(0, bytes.length).allMatch(i -> turned[i] == (byte) ~bytes[i]);
        }
    }

    private static Workload.Builder<Object> named(String name, int attempts) {
        Workload.Builder<Object> builder = Workload.named(name);
        return attempts > 1 ? builder.retry(RetryPolicy.attempts(attempts)) : builder;
    }

    private void mapOrdered(WorkerProcessStrategy pool, int from, int to, int attempts) {
        Tally counts = tally;
        Workload<Integer, Long> tiny = named("ordered", attempts).compute(task -> run(task, counts));
        int[] next = {from};
        try (Stream<Result<Long>> stream = pool.map(tiny, numbers(from, to))) {
            stream.forEachOrdered(result -> {
                int task = next[0]++;
                accept(task, result, value -> value == valueOf(task));
            });
        }
        assertThat(next[0]).as("the end of the ordered results").isEqualTo(to);
    }

    private record Answer(int task, long value) {}

    private void mapUnordered(WorkerProcessStrategy pool, int from, int to, int attempts) {
        Tally counts = tally;
        Workload<Integer, Answer> tiny =
                named("unordered", attempts).compute(task -> new Answer(task, run(task, counts)));
        int count = 0;
        try (Stream<Result<Answer>> stream = pool.mapUnordered(tiny, numbers(from, to))) {
            for (Result<Answer> result : (Iterable<Result<Answer>>) stream::iterator) {
                count++;
                if (result.isSuccess()) {
                    int task = result.orElseThrow().task();
                    assertThat(task).isBetween(from, to - 1);
                    accept(task, result, answer -> answer.value() == valueOf(task));
                } else {
                    unorderedFailures.add(result);
                }
            }
        }
        assertThat(count).as("unordered results").isEqualTo(to - from);
    }

    private void submit(WorkerProcessStrategy pool, int from, int to, int attempts) throws Exception {
        Tally counts = tally;
        Workload<Load, byte[]> single = named("single", attempts).blocking(load -> load.turned(counts));
        Deque<CompletableFuture<Result<byte[]>>> pending = new ArrayDeque<>();
        int given = from;
        for (int task = from; task < to; task++) {
            while (given < to && pending.size() < MOST_PENDING) {
                pending.add(pool.submit(single, Load.of(given++)));
            }
            accept(task, Patience.get(pending.remove()), Load.of(task)::isTurned);
        }
    }

    private static Stream<Integer> numbers(int from, int to) {
        return IntStream.range(from, to).boxed();
    }

    private <T> void accept(int task, Result<T> result, Predicate<T> isRight) {
        assertThat(results[task]).as("an earlier result of task %s", task).isNull();
        results[task] = result.isSuccess() ? Result.success(true) : result; // what a large one holds is let go
        if (result.isSuccess()) {
            assertThat(isRight.test(result.orElseThrow()))
                    .as("%s is right for task %s", result, task)
                    .isTrue();
        }
    }

    // ---------------------------------------------------------------------------------------------- the killer

    private static Set<ProcessHandle> children() {
        return new HashSet<>(ProcessHandle.current().children().toList());
    }

    private List<ProcessHandle> workers() {
        return ProcessHandle.current()
                .children()
                .filter(child -> !childrenBefore.contains(child) && !killed.contains(child.pid()))
                .toList();
    }

    private void kill(ProcessHandle worker) {
        killed.add(worker.pid());
        worker.destroyForcibly(); // SIGKILL
    }

    private void killUntilGiversEnd(Random random) {
        int due = tally.begunInAll() + TASKS_PER_KILL;
        while (hasBegun(due)) {
            strike(random);
            due = tally.begunInAll() + TASKS_PER_KILL; // and not sooner, or no worker might ever get through its start
        }
    }

    /** Waits until so many tasks have begun; false if all have their results before that. */
    private boolean hasBegun(int tasks) {
        Patience.await().until(() -> givers.get() == 0 || tally.begunInAll() >= tasks);
        return givers.get() > 0;
    }

    private void strike(Random random) {
        int aim = random.nextInt(4);
        long busy = tally.lastProcess();
        List<ProcessHandle> present = workers();
        List<ProcessHandle> atWork =
                present.stream().filter(worker -> worker.pid() == busy).toList();
        killOneOf(aim == 0 || atWork.isEmpty() ? present : atWork, random);
        if (aim == 1) {
            killOneOf(newborn(random.nextInt(100)), random);
        }
    }

    private void killOneOf(List<ProcessHandle> candidates, Random random) {
        if (!candidates.isEmpty()) {
            kill(candidates.get(random.nextInt(candidates.size())));
        }
    }

    /** Waits for a worker to be started, and for some tasks of the others, so that it is anywhere in its start. */
    private List<ProcessHandle> newborn(int tasks) {
        Set<ProcessHandle> present = children();
        Patience.await().until(() -> givers.get() == 0 || !present.containsAll(workers()));
        hasBegun(tally.begunInAll() + tasks);
        return workers().stream().filter(worker -> !present.contains(worker)).toList();
    }

    // ---------------------------------------------------------------------------------------------- the storm

    private void storm(WorkerProcessStrategy pool, int attempts) {
        Random random = new Random(seed);
        try {
            for (int from = 0; from < TASKS; from += TASKS_PER_WAVE) {
                wave(pool, from, attempts, random);
                workers().forEach(this::kill); // which are idle now
            }
            assertUsable(pool);
        } catch (Throwable e) {
            throw new AssertionError(
                    "storm with -Dstress.seed=" + seed + ", after " + killed.size() + " kills and " + tally.begunInAll()
                            + " starts of tasks: " + pool.snapshot(),
                    e);
        }
        assertThat(killed).hasSizeGreaterThanOrEqualTo(LEAST_KILLS);
    }

    private void wave(WorkerProcessStrategy pool, int from, int attempts, Random random) {
        int unordered = from + UNORDERED_FROM;
        int single = from + SINGLE_FROM;
        int end = from + TASKS_PER_WAVE;
        List<RacingThreads.Body> bodies = List.of(
                () -> mapOrdered(pool, from, unordered, attempts),
                () -> mapUnordered(pool, unordered, single, attempts),
                () -> submit(pool, single, end, attempts));
        givers.set(bodies.size());
        RacingThreads.run(bodies.size() + 1, WAVE_LIMIT, thread -> {
            if (thread == bodies.size()) {
                killUntilGiversEnd(random);
                return;
            }
            try {
                bodies.get(thread).run();
            } finally {
                givers.decrementAndGet();
            }
        });
    }

    private static boolean isUnordered(int task) {
        int inWave = task % TASKS_PER_WAVE;
        return inWave >= UNORDERED_FROM && inWave < SINGLE_FROM;
    }

    private static boolean isSingle(int task) {
        return task % TASKS_PER_WAVE >= SINGLE_FROM;
    }

    @Test
    void tasks_whoseWorkersAreKilled_haveOneTrueResultEachAndRunOnce() {
        WorkerProcessStrategy pool = pool(WORKERS);

        storm(pool, 1);

        List<Integer> unorderedLost = new ArrayList<>();
        Map<Long, List<Integer>> lostBy = new TreeMap<>();
        for (int task = 0; task < TASKS; task++) {
            assertThat(tally.begun(task)).as("runs of task %s", task).isLessThanOrEqualTo(1);
            Result<?> result = results[task];
            if (result == null) {
                assertThat(isUnordered(task)).as("task %s has a result", task).isTrue();
                unorderedLost.add(task);
            } else if (result.isSuccess()) {
                assertThat(tally.ended(task)).as("ends of task %s", task).isEqualTo(1);
            } else {
                lostBy.computeIfAbsent(deathOf(result).pid(), pid -> new ArrayList<>())
                        .add(task);
            }
        }
        lostBy.values().forEach(this::assertLostTogether);
        assertLost(unorderedLost, unorderedFailures.stream().map(this::deathOf).toList(), lostBy.keySet());
        assertNothingLeft(pool);
    }

    /** The same as far as it can be known where no result says of which task it is. */
    private void assertLost(List<Integer> lost, List<WorkerDiedException> deaths, Set<Long> deathsOfOthers) {
        assertThat(deaths).hasSameSizeAs(lost);
        assertThat(deaths).map(WorkerDiedException::pid).noneMatch(deathsOfOthers::contains);
        List<Long> running = deaths.stream()
                .filter(death -> !death.mayHaveFinished())
                .map(WorkerDiedException::pid)
                .toList();
        assertThat(running).as("one task was running in each").doesNotHaveDuplicates();
        assertThat(lost.stream().filter(task -> tally.ended(task) == 0))
                .as("all others had ended")
                .hasSizeLessThanOrEqualTo(running.size());
    }

    /** What one death may have taken with it, apart from tasks of the unordered map. */
    private void assertLostTogether(List<Integer> lost) {
        int last = lost.get(lost.size() - 1);
        assertThat(last - lost.get(0))
                .as("tasks that follow on one another: %s", lost)
                .isEqualTo(lost.size() - 1);
        assertThat(lost.size() == 1 || !isSingle(last))
                .as("single tasks: %s", lost)
                .isTrue();
        for (int task : lost) {
            boolean mayHaveFinished = deathOf(results[task]).mayHaveFinished();
            assertThat(mayHaveFinished || task == last)
                    .as("only the last of %s was running: %s", lost, task)
                    .isTrue();
            assertThat(!mayHaveFinished || tally.ended(task) == 1)
                    .as("task %s ended", task)
                    .isTrue();
        }
    }

    private WorkerDiedException deathOf(Result<?> failure) {
        assertThat(causeOf(failure)).isInstanceOf(WorkerDiedException.class);
        WorkerDiedException death = (WorkerDiedException) causeOf(failure);
        assertThat(killed).contains(death.pid());
        assertThat(death.exitCode()).isEqualTo(137);
        assertThat(death.isOutOfMemory()).isFalse();
        return death;
    }

    @Test
    void tasks_whoseWorkersAreKilledAndThatMayRunAgain_allSucceed() {
        WorkerProcessStrategy pool = pool(WORKERS);

        storm(pool, ATTEMPTS);

        assertThat(unorderedFailures).isEmpty();
        for (int task = 0; task < TASKS; task++) {
            assertThat(results[task].isSuccess())
                    .as("task %s: %s", task, results[task])
                    .isTrue();
            assertThat(tally.ended(task)).as("ends of task %s", task).isPositive();
        }
        assertNothingLeft(pool);
    }

    // ---------------------------------------------------------------------------------------------- what is left

    private static List<String> open() {
        return list(Path.of("/proc/self/fd"))
                .map(StormTest::target)
                .filter(target ->
                        target.startsWith("socket:") || target.startsWith("pipe:") || target.contains("stratagem-"))
                .sorted()
                .toList();
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "closed meanwhile";
        }
    }

    /** The pages of workers that this process has in memory, by other tests as well. */
    private static List<String> mapped() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.contains("/stratagem-"))
                .toList();
    }

    private void assertNothingLeft(WorkerProcessStrategy pool) {
        pool.close();

        String ours = "stratagem-" + ProcessHandle.current().pid() + "-";
        Patience.await().untilAsserted(() -> assertThat(children()).isEqualTo(childrenBefore));
        assertThat(killed).allMatch(WorkerFixture::isGone);
        ThreadLeaks.awaitNone("stratagem-");
        assertThat(Stream.of(Path.of(System.getProperty("java.io.tmpdir")), SHARED_MEMORY)
                        .flatMap(WorkerFixture::list)
                        .map(file -> file.getFileName().toString()))
                .noneMatch(name -> name.startsWith(ours));
        Patience.await()
                .untilAsserted(() -> assertThat(openBefore).as("opened before").containsAll(open()));
        Patience.await().untilAsserted(() -> {
            System.gc();
            assertThat(mappedBefore).as("mapped before").containsAll(mapped());
        });
    }
}
