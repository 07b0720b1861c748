package io.stratagem.all;

import static com.google.common.base.Preconditions.checkState;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.AutoStrategy;
import io.stratagem.Choice;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Fn;
import io.stratagem.Kind;
import io.stratagem.Pipeline;
import io.stratagem.Rejection;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.batchedipc.BatchedIpcStrategy;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.spi.EngineStrategy;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.StrategyFixture;
import io.stratagem.testkit.ThreadLeaks;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That each workload gets to its strategy, and what becomes of the strategies. */
final class AutoStrategyTest extends StrategyFixture {
    private static final Workload<Integer, Integer> COMPUTES = Workload.compute("computes", n -> n + 1);
    private static final Workload<Integer, Integer> BLOCKS = Workload.blocking("blocks", n -> n + 1);
    private static final Workload<Integer, Integer> WAITS =
            Workload.async("waits", (n, loop) -> CompletableFuture.completedFuture(n + 1));
    private static final Workload<Integer, Integer> ISOLATED =
            Workload.named("isolated").isolated().compute((Integer n) -> n + 1);
    private static final Workload<Integer, Integer> TINY =
            Workload.named("tiny").isolated().fineGrained().compute((Integer n) -> n + 1);
    private static final Workload<Integer, Long> PID = Workload.named("pid")
            .isolated()
            .compute((Integer n) -> ProcessHandle.current().pid());
    private static final Workload<String, String> PROPERTY =
            Workload.named("property").jvmOptions("-Dcolour=blue").compute((String name) -> System.getProperty(name));

    @Override
    protected ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        return AutoStrategy.builder().cpus(workers).build();
    }

    @Test
    void run_eachTypeOfWork_isRunByTheStrategyThatSuitsIt() {
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build()) {
            assertThat(strategyThatRan(auto, COMPUTES)).isEqualTo("threads");
            assertThat(strategyThatRan(auto, BLOCKS)).isEqualTo("threads");
            assertThat(strategyThatRan(auto, WAITS)).isEqualTo("loops");
            assertThat(strategyThatRan(auto, ISOLATED)).isEqualTo("processes");
            assertThat(strategyThatRan(auto, TINY)).isEqualTo("batched-ipc");
            assertThat(auto.strategies()).hasSize(4);
        }
    }

    private static String strategyThatRan(AutoStrategy auto, Workload<Integer, Integer> workload) {
        Result<Integer> result = auto.run(workload, 1);
        assertThat(result).isEqualTo(Result.success(2));
        assertThat(auto.submit(workload, 1).join()).isEqualTo(Result.success(2));
        try (Stream<Result<Integer>> results = auto.map(workload, List.of(1, 2))) {
            assertThat(results).containsExactly(Result.success(2), Result.success(3));
        }
        assertThat(auto.strategyFor(workload).name())
                .isEqualTo(result.execution().strategy());
        return result.execution().strategy();
    }

    @Test
    void pipeline_eachStage_isRunByTheStrategyThatSuitsIt() {
        Pipeline<Integer, Integer> pipeline =
                Pipeline.of(WAITS).then(COMPUTES).then(ISOLATED).then(BLOCKS);
        AutoStrategy auto = AutoStrategy.builder().cpus(1).build();
        try (auto;
                Stream<Result<Integer>> results = pipeline.map(auto, List.of(1, 2, 3))) {
            assertThat(results).containsExactly(Result.success(5), Result.success(6), Result.success(7));
            assertThat(auto.strategies())
                    .allSatisfy(
                            strategy -> assertThat(strategy.snapshot().failed()).isZero())
                    .extracting(ExecutorStrategy::name)
                    .containsExactlyInAnyOrder("loops", "threads", "processes");
        }
        assertThatThrownBy(() -> pipeline.map(auto, List.of(1))).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void pipeline_failuresInEachStage_stayWithTheirInputs() {
        Pipeline<Integer, Integer> pipeline =
                Pipeline.of(WAITS).then(refusing(2)).then(killedBy(4)).then(BLOCKS);
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build();
                Stream<Result<Integer>> results = pipeline.map(auto, List.of(1, 2, 3, 4))) {
            assertThat(results.map(each -> each.fold(
                            Object::toString, failure -> failure.getClass().getSimpleName())))
                    .containsExactly("4", "IllegalStateException", "WorkerDiedException", "7");
        }
    }

    private static Workload<Integer, Integer> refusing(int input) {
        return Workload.compute("refuses", n -> {
            checkState(n - 1 != input, "refused");
            return n;
        });
    }

    private static Workload<Integer, Integer> killedBy(int input) {
        return Workload.named("killed").isolated().compute((Integer n) -> {
            if (n == input) {
                Runtime.getRuntime().halt(1);
            }
            return n + 1;
        });
    }

    @Test
    void pipeline_closedEarly_endsTheStagesOfAll() {
        Pipeline<Integer, Integer> pipeline =
                Pipeline.of(WAITS).then(COMPUTES).then(ISOLATED).then(BLOCKS);
        AtomicBoolean isSourceClosed = new AtomicBoolean();
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build()) {
            try (Stream<Result<Integer>> results =
                    pipeline.map(auto, Stream.iterate(1, n -> n + 1).onClose(() -> isSourceClosed.set(true)))) {
                assertThat(results.iterator().next()).isEqualTo(Result.success(5));
            }
            assertThat(isSourceClosed).isTrue();
            Patience.await()
                    .until(() -> auto.snapshot().running() + auto.snapshot().queued() == 0);
            assertThat(auto.run(ISOLATED, 1)).isEqualTo(Result.success(2));
        }
        assertNothingIsLeft();
    }

    @Test
    void pipeline_onOneInAnother_hasTheWindowOfTheStrategyThatRunsTheStage() {
        AtomicInteger pulled = new AtomicInteger();
        try (AutoStrategy inner = AutoStrategy.builder()
                        .make(
                                Stratagem.THREAD_POOL,
                                () -> ThreadPoolStrategy.builder().window(7).build())
                        .build();
                AutoStrategy outer =
                        AutoStrategy.builder().use(Stratagem.THREAD_POOL, inner).build();
                Stream<Result<Integer>> results =
                        Pipeline.of(COMPUTES).then(BLOCKS).map(outer, Stream.generate(pulled::incrementAndGet))) {
            assertThat(results.iterator().next()).isEqualTo(Result.success(3));
            assertThat(pulled).hasValueLessThanOrEqualTo(8);
        }
    }

    @Test
    void choose_eachTypeOfWork_saysWhatIsThenDone() {
        try (AutoStrategy auto = Stratagem.auto()) {
            for (Workload<Integer, Integer> workload : List.of(COMPUTES, BLOCKS, WAITS, ISOLATED, TINY)) {
                Choice choice = auto.choose(workload);
                assertThat(choice).isEqualTo(Stratagem.choose(workload));
                assertThat(choice.warnings()).isEmpty();
                assertThat(choice.alternatives()).isNotEmpty();
            }
            assertThat(auto.choose(COMPUTES).strategy()).isEqualTo(Stratagem.THREAD_POOL);
            assertThat(auto.choose(BLOCKS).strategy()).isEqualTo(Stratagem.THREAD_POOL);
            assertThat(auto.choose(WAITS).strategy()).isEqualTo(Stratagem.EVENT_LOOP);
            assertThat(auto.choose(ISOLATED).strategy()).isEqualTo(Stratagem.PROCESS_POOL);
            assertThat(auto.choose(TINY).strategy()).isEqualTo(Stratagem.BATCHED_IPC);
            assertThat(auto.strategies()).as("choosing makes none").isEmpty();
        }
    }

    @Test
    void choose_capturedObjectThatCannotBeSent_warnsWithItsPath() {
        Object lock = new Object();
        Workload<Integer, String> careless =
                Workload.named("careless").isolated().compute((Integer n) -> n + lock.toString());
        Workload<Integer, String> tiny =
                Workload.named("careless").isolated().fineGrained().compute((Integer n) -> n + lock.toString());
        for (Workload<?, ?> each : List.of(careless, tiny)) {
            assertThat(Stratagem.choose(each).warnings())
                    .singleElement()
                    .asString()
                    .contains("cannot be sent", "java.lang.Object");
        }
        assertThat(Stratagem.choose(careless).explain()).contains("\n  warning: ");
    }

    @Test
    void choose_capturedObjectThatIsTooLarge_warns() {
        Workload<Integer, Integer> large = Workload.named("large").isolated().compute(new Large());
        assertThatCode(() -> assertThat(Stratagem.choose(large).warnings())
                        .singleElement()
                        .asString()
                        .contains("cannot be sent", "not enough memory"))
                .doesNotThrowAnyException();
    }

    /** As where the heap is too small for what it holds. */
    private static final class Large implements Fn<Integer, Integer> {
        private static final long serialVersionUID = 1;

        @Override
        public Integer apply(Integer input) {
            return input;
        }

        private void writeObject(ObjectOutputStream out) {
            throw new OutOfMemoryError("no room");
        }
    }

    @Test
    void choose_moreThreadsThanCpus_warns() {
        int cpus = Runtime.getRuntime().availableProcessors();
        try (ThreadPoolStrategy many =
                        ThreadPoolStrategy.builder().computeThreads(cpus + 1).build();
                AutoStrategy own =
                        AutoStrategy.builder().use(Stratagem.THREAD_POOL, many).build();
                AutoStrategy told = AutoStrategy.builder().cpus(cpus + 1).build()) {
            for (AutoStrategy auto : List.of(own, told)) {
                assertThat(auto.choose(COMPUTES).warnings())
                        .singleElement()
                        .asString()
                        .contains((cpus + 1) + " threads", cpus + " CPUs");
                assertThat(auto.choose(BLOCKS).warnings()).isEmpty();
            }
        }
    }

    @Test
    void make_isCalledOnceWhenFirstNeeded_andClosed() {
        AtomicInteger made = new AtomicInteger();
        ThreadPoolStrategy threads = ThreadPoolStrategy.builder().name("mine").build();
        AutoStrategy auto = AutoStrategy.builder()
                .make(Stratagem.THREAD_POOL, () -> {
                    made.incrementAndGet();
                    return threads;
                })
                .build();
        try (auto) {
            assertThat(made).hasValue(0);
            assertThat(auto.run(COMPUTES, 1).execution().strategy()).isEqualTo("mine");
            assertThat(auto.run(BLOCKS, 1).execution().strategy()).isEqualTo("mine");
            assertThat(made).hasValue(1);
        }
        assertThat(threads.snapshot().closed()).isTrue();
    }

    @Test
    void use_theApplicationsOwn_staysOpen() {
        try (ThreadPoolStrategy threads =
                ThreadPoolStrategy.builder().name("mine").build()) {
            AutoStrategy auto =
                    AutoStrategy.builder().use(Stratagem.THREAD_POOL, threads).build();
            assertThat(auto.run(COMPUTES, 1).execution().strategy()).isEqualTo("mine");
            auto.close();
            assertThat(threads.snapshot().closed()).isFalse();
            assertThatThrownBy(() -> auto.run(COMPUTES, 1))
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasMessageContaining("'auto' is closed");
            auto.closeNow();
            assertThat(threads.run(COMPUTES, 1)).isEqualTo(Result.success(2));
        }
    }

    @Test
    void builder_badOptions_areRefused() {
        AutoStrategy.Builder builder = AutoStrategy.builder();
        assertThatThrownBy(() -> builder.cpus(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cpus must be positive: 0");
        assertThatThrownBy(() -> builder.name(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.make("cluster", ThreadPoolStrategy::create))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("cluster", "thread pool", "batched IPC");
        builder.name("mine").cpus(1).make(Stratagem.THREAD_POOL, ThreadPoolStrategy::create);
        assertThatThrownBy(() -> builder.name("yours"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("name was set already, to mine");
        assertThatThrownBy(() -> builder.cpus(2)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> builder.make(Stratagem.THREAD_POOL, ThreadPoolStrategy::create))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("thread pool was given already");
    }

    @Test
    void jvmOptions_getWorkersThatHaveThem() {
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build()) {
            assertThat(auto.choose(PROPERTY).reasons()).anyMatch(reason -> reason.contains("-Dcolour=blue"));
            long plain = auto.run(PID, 1).orElseThrow();
            assertThat(auto.run(PROPERTY, "colour")).isEqualTo(Result.success("blue"));
            assertThat(auto.run(PROPERTY, "colour")).isEqualTo(Result.success("blue"));
            assertThat(auto.strategies())
                    .as("one set of workers with the options, one without")
                    .hasSize(2);
            assertThat(auto.run(PID, 1)).as("the others go on").isEqualTo(Result.success(plain));
        }
    }

    @Test
    void jvmOptions_ofTheApplicationsWorkers_areUsed() {
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(
                        Stratagem.PROCESS_POOL,
                        () -> ProcessPoolStrategy.builder()
                                .workerProcesses(1)
                                .jvmOptions("-Dcolour=blue", "-Dshape=round")
                                .build())
                .build()) {
            assertThat(auto.run(PROPERTY, "shape")).isEqualTo(Result.success("round"));
            assertThat(auto.strategies()).hasSize(1);
        }
    }

    @Test
    void jvmOptions_onAStrategyWithoutThem_areRefusedWithTheRemedy() {
        try (ExecutorStrategy threads = Stratagem.threads();
                ExecutorStrategy processes = Stratagem.processes()) {
            for (ExecutorStrategy strategy : List.of(threads, processes)) {
                assertThatThrownBy(() -> strategy.run(PROPERTY, "colour")).isInstanceOf(IllegalArgumentException.class);
            }
            assertThatThrownBy(() -> processes.submit(PROPERTY, "colour"))
                    .hasMessageContainingAll("property", "-Dcolour=blue", "jvmOptions", "Stratagem.auto()");
        }
    }

    /** What would be as many threads as there are CPUs for each of as many workers. */
    @Test
    void cpus_areHandedDownToWorkers() {
        Workload<Integer, List<Integer>> counts = Workload.named("counts")
                .isolated()
                .compute((Integer n) -> List.of(Stratagem.cpus(), ForkJoinPool.getCommonPoolParallelism()));
        try (AutoStrategy auto = AutoStrategy.builder().cpus(2).build();
                ProcessPoolStrategy few = ProcessPoolStrategy.builder()
                        .workerProcesses(1)
                        .cpusPerWorker(5)
                        .build()) {
            assertThat(auto.run(counts, 1)).isEqualTo(Result.success(List.of(1, 1)));
            assertThat(few.run(counts, 1)).isEqualTo(Result.success(List.of(5, 4)));
        }
    }

    /** Other than what the application makes itself. */
    @Test
    void cpus_areWhatEachStrategyComputesWith() {
        int cpus = 3;
        try (AutoStrategy auto = AutoStrategy.builder()
                .cpus(cpus)
                .make(
                        Stratagem.BATCHED_IPC,
                        () -> BatchedIpcStrategy.builder().workerProcesses(1).build())
                .build()) {
            for (Workload<Integer, Integer> workload : List.of(COMPUTES, WAITS, ISOLATED, TINY)) {
                auto.run(workload, 1);
            }
            assertThat(auto.strategies())
                    .allSatisfy(strategy -> assertThat(strategy).isInstanceOf(EngineStrategy.class))
                    .extracting(
                            ExecutorStrategy::name, strategy -> ((EngineStrategy) strategy).parallelism(Kind.COMPUTE))
                    .containsExactlyInAnyOrder(
                            tuple("threads", cpus),
                            tuple("loops", cpus),
                            tuple("processes", cpus),
                            tuple("batched-ipc", 1));
        }
    }

    @Test
    void threadsEventLoopProcessesBatchedIpc_areThose() {
        try (ExecutorStrategy threads = Stratagem.threads();
                ExecutorStrategy loops = Stratagem.eventLoop();
                ExecutorStrategy processes = Stratagem.processes();
                ExecutorStrategy ipc = Stratagem.batchedIpc()) {
            assertThat(Stream.of(threads, loops, processes, ipc).map(ExecutorStrategy::name))
                    .containsExactly("threads", "loops", "processes", "batched-ipc");
        }
    }

    @Test
    void snapshot_isTheSumOfAll() {
        try (AutoStrategy auto = AutoStrategy.builder().cpus(1).build()) {
            auto.run(COMPUTES, 1);
            auto.run(WAITS, 1);
            auto.run(ISOLATED, 1);
            assertThat(auto.snapshot()).satisfies(all -> {
                assertThat(all.strategy()).isEqualTo("auto");
                assertThat(all.submitted()).isEqualTo(3);
                assertThat(all.succeeded()).isEqualTo(3);
                assertThat(all.failed()).isZero();
                assertThat(all.closed()).isFalse();
                assertThat(all.workers())
                        .extracting(worker -> worker.name())
                        .anyMatch(name -> name.startsWith("stratagem-threads"))
                        .anyMatch(name -> name.startsWith("stratagem-loops"))
                        .anyMatch(name -> name.startsWith("stratagem-processes"));
            });
        }
    }

    @Test
    void asExecutorService_kinds_areThreads() throws Exception {
        try (AutoStrategy auto = Stratagem.auto()) {
            ListeningExecutorService compute = auto.asExecutorService(Kind.COMPUTE);
            assertThat(compute.submit(() -> Thread.currentThread().getName()).get())
                    .startsWith("stratagem-threads-compute");
            assertThat(auto.asExecutorService()
                            .submit(() -> Thread.currentThread().getName())
                            .get())
                    .startsWith("stratagem-threads-blocking");
            assertThatThrownBy(() -> auto.asExecutorService(Kind.ASYNC)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** What waits there is not one task but all of the loop's. */
    @Test
    void submit_onALoopToAFullStrategy_doesNotHoldTheLoop() throws Exception {
        Gate gate = gate();
        Workload<Integer, Integer> stuck = waiting(Kind.BLOCKING, gate);
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(
                        Stratagem.THREAD_POOL,
                        () -> ThreadPoolStrategy.builder().maxPending(1).build())
                .build()) {
            Workload<Integer, List<CompletableFuture<Result<Integer>>>> submitting = Workload.async(
                    "submitting",
                    (n, loop) -> CompletableFuture.completedFuture(
                            List.of(auto.submit(stuck, 1), auto.submit(stuck, 2), auto.submit(stuck, 3))));
            List<CompletableFuture<Result<Integer>>> all =
                    Patience.get(auto.submit(submitting, 1)).orElseThrow();
            gate.open();
            for (CompletableFuture<Result<Integer>> each : all) {
                assertThat(Patience.get(each).isSuccess()).isTrue();
            }
        }
    }

    @Test
    void submit_onALoopToAFullStrategyThatRejects_isRejected() throws Exception {
        Gate gate = gate();
        Workload<Integer, Integer> stuck = waiting(Kind.BLOCKING, gate);
        try (AutoStrategy auto = AutoStrategy.builder()
                .make(
                        Stratagem.THREAD_POOL,
                        () -> ThreadPoolStrategy.builder()
                                .maxPending(1)
                                .rejection(Rejection.REJECT)
                                .build())
                .build()) {
            Workload<Integer, Integer> submitting = Workload.async("submitting", (n, loop) -> {
                List<CompletableFuture<Result<Integer>>> both = List.of(auto.submit(stuck, 1), auto.submit(stuck, 2));
                return CompletableFuture.completedFuture(both.size());
            });
            Result<Integer> result = Patience.get(auto.submit(submitting, 1));
            gate.open();
            assertThat(result)
                    .isInstanceOfSatisfying(
                            Result.Failure.class,
                            failure -> assertThat(failure.cause()).isInstanceOf(RejectedExecutionException.class));
        }
    }

    @Test
    void explain_isAsTheReadmeSays() throws Exception {
        Workload<byte[], byte[]> render = Workload.named("render")
                .isolated()
                .timeout(Duration.ofSeconds(5))
                .compute((byte[] svg) -> svg);
        assertThat(Files.readString(Path.of("..", "..", "README.md")))
                .contains("```\n" + Stratagem.choose(render).explain() + "\n```");
    }

    @Test
    void close_taskThatWaitsForATaskOfAnother_getsItsResult() throws Exception {
        Gate gate = gate();
        AutoStrategy auto = AutoStrategy.builder().cpus(1).build();
        Workload<Integer, Integer> isolated = Workload.named("slow").isolated().compute((Integer n) -> {
            gate.await();
            return n + 1;
        });
        Workload<Integer, Integer> outer =
                Workload.blocking("outer", n -> auto.run(isolated, n).orElseThrow());
        CompletableFuture<Result<Integer>> result = auto.submit(outer, 1);
        Patience.await()
                .until(() -> auto.strategies().size() == 2 && auto.snapshot().submitted() == 2);
        Thread closer = new Thread(auto::close);
        closer.start();
        Patience.await().until(() -> auto.snapshot().closed());
        assertThatThrownBy(() -> auto.submit(WAITS, 1)).isInstanceOf(RejectedExecutionException.class);
        gate.open();
        assertThat(Patience.get(result)).isEqualTo(Result.success(2));
        Patience.await().until(() -> !closer.isAlive());
        assertNothingIsLeft();
    }

    @Test
    void close_onAThreadOfAStrategy_doesNotWaitForItself() {
        AutoStrategy auto = AutoStrategy.builder().cpus(1).build();
        auto.run(ISOLATED, 1);
        Workload<Integer, Integer> closing = Workload.blocking("closing", n -> {
            auto.close();
            return n;
        });
        assertThat(auto.run(closing, 1)).isEqualTo(Result.success(1));
        assertNothingIsLeft();
    }

    @Test
    void close_interrupted_cancelsWhatIsLeftAndKeepsTheInterrupt() throws Exception {
        Gate gate = gate();
        AutoStrategy auto = AutoStrategy.builder().cpus(1).build();
        CompletableFuture<Result<Integer>> result = auto.submit(
                Workload.blocking("stuck", n -> {
                    gate.await();
                    return n;
                }),
                1);
        CompletableFuture<Boolean> isInterrupted = new CompletableFuture<>();
        Thread closer = new Thread(() -> {
            auto.close();
            isInterrupted.complete(Thread.currentThread().isInterrupted());
        });
        closer.start();
        closer.interrupt();
        assertThat(Patience.get(isInterrupted)).isTrue();
        assertThat(Patience.get(result).isSuccess()).isFalse();
        gate.open();
    }

    private static void assertNothingIsLeft() {
        for (String name : List.of("threads", "loops", "processes", "batched-ipc", "auto")) {
            ThreadLeaks.awaitNone("stratagem-" + name + "-");
        }
        Patience.await().until(() -> ProcessHandle.current().children().noneMatch(ProcessHandle::isAlive));
    }
}
