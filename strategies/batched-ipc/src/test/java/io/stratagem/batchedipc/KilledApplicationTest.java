package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Fn;
import io.stratagem.Results;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An application that is killed, whatever it shares with its workers just then, leaves neither processes nor files. */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class KilledApplicationTest {
    private static final int WORKERS = 2;
    private static final Duration LIMIT = Duration.ofSeconds(1);

    @TempDir
    Path directory;

    /** What the application is at. */
    enum State {
        IDLE {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) throws InterruptedException {
                signs.begun();
                Thread.currentThread().join();
            }
        },
        SMALL_MESSAGES {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) {
                Workload<Integer, Integer> increment = Workload.compute("increment", n -> n + 1);
                run(
                        strategy,
                        increment,
                        Stream.iterate(0, n -> n + 1).limit(Integer.MAX_VALUE).peek(n -> signs.begun()));
            }
        },
        LARGE_MESSAGES {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) {
                Workload<byte[], byte[]> echo = Workload.blocking("echo", bytes -> bytes);
                run(
                        strategy,
                        echo,
                        Stream.generate(() -> new byte[4 << 20])
                                .limit(Integer.MAX_VALUE)
                                .peek(n -> signs.begun()));
            }
        },
        FULL_RINGS {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) throws InterruptedException {
                Workload<byte[], Integer> slow = Workload.blocking("slow", bytes -> {
                    signs.begun();
                    Thread.sleep(600_000);
                    return bytes.length;
                });
                run(strategy, slow, Stream.generate(() -> new byte[1 << 20]).limit(100));
            }
        },
        SHARED_MEMORY {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) throws InterruptedException {
                try (SharedArray array = SharedArray.ofLongs(1 << 20);
                        SharedCounter counter = new SharedCounter();
                        Broadcast<String> broadcast = Broadcast.of("x".repeat(1 << 20))) {
                    Fn<Integer, SharedArray> function = n -> {
                        counter.addAndGet(array.length() + broadcast.value().length());
                        SharedArray mine = SharedArray.ofBytes(1 << 20);
                        signs.begun();
                        Thread.sleep(600_000);
                        return mine;
                    };
                    run(strategy, Workload.blocking("hold", function), Stream.of(1, 2));
                }
            }
        },
        WAITING_IN_A_QUEUE {
            @Override
            void begin(BatchedIpcStrategy strategy, Signs signs) throws InterruptedException {
                try (SharedQueue<Integer> queue = SharedQueue.create()) {
                    Fn<Integer, Integer> function = n -> {
                        signs.begun();
                        return queue.take();
                    };
                    run(strategy, Workload.blocking("take", function), Stream.of(1, 2));
                }
            }
        };

        private static <I, O> void run(BatchedIpcStrategy strategy, Workload<I, O> workload, Stream<I> inputs) {
            Results.failFast(strategy.mapUnordered(workload, inputs));
        }

        /** Does not return. */
        abstract void begin(BatchedIpcStrategy strategy, Signs signs) throws InterruptedException;
    }

    /** Files by which the application and its workers tell the test how far they are. */
    record Signs(String directory) implements Serializable {
        void begun() {
            put("begun");
        }

        void up() {
            put("worker-" + ProcessHandle.current().pid());
        }

        private void put(String name) {
            try {
                Path file = Path.of(directory, name);
                if (!Files.exists(file)) {
                    Files.write(file, new byte[0]);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        boolean haveBegun() {
            return Files.exists(Path.of(directory, "begun"));
        }

        List<Long> workers() {
            return Stream.of(Objects.requireNonNull(Path.of(directory).toFile().list()))
                    .filter(name -> name.startsWith("worker-"))
                    .map(name -> Long.valueOf(name.substring("worker-".length())))
                    .toList();
        }
    }

    /** The application. */
    static final class Main {
        private Main() {}

        public static void main(String[] arguments) throws Exception {
            Signs signs = new Signs(arguments[1]);
            BatchedIpcStrategy strategy = BatchedIpcStrategy.builder()
                    .workerProcesses(WORKERS)
                    .maxHeapBytes(64 << 20)
                    .jvmOptions("-XX:TieredStopAtLevel=1")
                    .build();
            Workload<Integer, Integer> meet = Workload.blocking("meet", n -> {
                signs.up();
                Patience.await().until(() -> signs.workers().size() == WORKERS);
                return n;
            });
            Results.failFast(strategy.map(meet, Stream.of(1, 2)));
            State.valueOf(arguments[0]).begin(strategy, signs);
        }
    }

    /** Whether it has ended, even if nobody has asked yet how. */
    private static boolean isGone(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (IOException e) {
            return ProcessHandle.of(pid).isEmpty();
        }
    }

    /** Files of these processes, wherever shared memory or directories for starts are made. */
    private static List<Path> filesOf(List<Long> pids) throws IOException {
        List<Path> left = new ArrayList<>();
        List<Path> places = new ArrayList<>(SharedMemoryFile.places());
        places.add(Path.of(System.getProperty("java.io.tmpdir")));
        for (Path place : places) {
            try (Stream<Path> files = Files.list(place)) {
                files.filter(file -> pids.stream()
                                .anyMatch(pid -> file.getFileName().toString().startsWith("stratagem-" + pid + "-")))
                        .forEach(left::add);
            }
        }
        return left;
    }

    @ParameterizedTest
    @EnumSource
    void applicationKilled_leavesNothing(State state) throws Exception {
        Signs signs = new Signs(directory.toString());
        try (JavaProcess application = JavaProcess.start(Main.class, state.name(), directory.toString())) {
            Patience.await().until(() -> !application.isAlive() || signs.haveBegun());
            List<Long> workers = signs.workers();
            assertThat(workers).hasSize(WORKERS);
            List<Long> all = new ArrayList<>(workers);
            all.add(application.pid());

            application.kill();

            Patience.await()
                    .atMost(LIMIT)
                    .untilAsserted(() -> assertThat(workers).as("workers").allMatch(KilledApplicationTest::isGone));
            assertThat(filesOf(all)).as("left behind").isEmpty();
        }
    }
}
