package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ContextPropagator;
import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.Faults.Way;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.MDC;

/** Everything that can go wrong with a task on its way to a worker, there, and on its way back. */
final class TransferTest extends WorkerFixture {
    private static final boolean IS_WORKER = Outbox.present() != null;

    /** Where it happens. */
    enum Stage {
        WRITE_INPUT,
        WRITE_FUNCTION,
        READ_FUNCTION,
        READ_INPUT,
        RUN,
        WRITE_RESULT,
        READ_RESULT
    }

    /** Input, function and result in one: something happens at one stage of its journey. */
    private static final class Trap implements Fn<Trap, Trap> {
        private static final long serialVersionUID = 1;
        private final Stage stage;
        private final Way way;

        /** Which of the three it is. */
        private final Stage writing;

        private final Stage reading;

        Trap(Stage stage, Way way, Stage writing, Stage reading) {
            this.stage = stage;
            this.way = way;
            this.writing = writing;
            this.reading = reading;
        }

        private void reach(Stage reached) {
            if (stage == reached) {
                way.happen();
            }
        }

        @Override
        public Trap apply(Trap input) {
            reach(Stage.RUN);
            return new Trap(stage, way, Stage.WRITE_RESULT, Stage.READ_RESULT);
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            reach(writing);
            out.defaultWriteObject();
        }

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            reach(reading);
        }
    }

    private WorkerProcessStrategy trusting(int workers) {
        return pool(workers, options -> options.allowPackage("io.stratagem.processpool"));
    }

    private static Workload<Trap, Trap> trapped(Workload.Builder<Object> options, Stage stage, Way way) {
        return options.blocking(new Trap(stage, way, Stage.WRITE_FUNCTION, Stage.READ_FUNCTION));
    }

    private static Trap input(Stage stage, Way way) {
        return new Trap(stage, way, Stage.WRITE_INPUT, Stage.READ_INPUT);
    }

    // ---------------------------------------------------------------------------------------------- each stage

    @ParameterizedTest
    @EnumSource
    void throwing_atAnyStage_failsThatTaskOnly(Stage stage) throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        long pid = pool.run(PID, 0).orElseThrow();

        CompletableFuture<Result<Trap>> task =
                pool.submit(trapped(Workload.named("trapped"), stage, Way.THROW), input(stage, Way.THROW));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);

        Throwable cause = causeOf(Patience.get(task));
        if (stage == Stage.RUN) {
            assertThat(cause).isInstanceOf(IllegalStateException.class).hasMessageContaining("thrown on purpose");
        } else {
            String what = stage.name().substring(stage.name().indexOf('_') + 1).toLowerCase(Locale.ROOT);
            assertThat(cause)
                    .isInstanceOf(TransferException.class)
                    .hasMessageStartingWith(what + " of workload 'trapped' cannot be "
                            + (stage.name().startsWith("WRITE") ? "serialised" : "rebuilt"))
                    .hasMessageContaining("thrown on purpose")
                    .hasMessageContaining(Trap.class.getName());
        }
        assertThat(Patience.get(next).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    static Stream<Arguments> deaths() {
        return Stream.of(Stage.READ_FUNCTION, Stage.READ_INPUT, Stage.RUN, Stage.WRITE_RESULT)
                .flatMap(stage -> Stream.of(Way.EXIT, Way.HALT, Way.SEGFAULT).map(way -> Arguments.of(stage, way)));
    }

    @ParameterizedTest
    @MethodSource("deaths")
    void death_atAnyStageInTheWorker_failsThatTaskOnly(Stage stage, Way way) throws Exception {
        WorkerProcessStrategy pool = trusting(1);

        CompletableFuture<Result<Trap>> task =
                pool.submit(trapped(Workload.named("trapped"), stage, way), input(stage, way));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);

        WorkerDiedException death = (WorkerDiedException) causeOf(Patience.get(task));
        assertThat(death).hasMessageContaining("workload 'trapped'");
        assertThat(death.mayHaveFinished()).isEqualTo(stage == Stage.WRITE_RESULT);
        assertThat(Patience.get(next).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_FUNCTION", "READ_INPUT", "RUN", "WRITE_RESULT"})
    void hanging_atAnyStageInTheWorker_isEndedByTheTimeout(Stage stage) throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        Workload<Trap, Trap> hanging =
                trapped(Workload.named("trapped").timeout(Duration.ofMillis(300)), stage, Way.HANG);

        CompletableFuture<Result<Trap>> task = pool.submit(hanging, input(stage, Way.HANG));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);

        assertThat(causeOf(Patience.get(task))).isInstanceOf(TaskTimeoutException.class);
        assertThat(Patience.get(next).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_FUNCTION", "READ_INPUT", "RUN", "WRITE_RESULT"})
    void hanging_atAnyStageInTheWorker_isEndedByCancel(Stage stage) throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        CompletableFuture<Result<Trap>> task =
                pool.submit(trapped(Workload.named("trapped"), stage, Way.HANG), input(stage, Way.HANG));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);
        Patience.await().until(() -> pool.snapshot().running() == 1);

        assertThat(task.cancel(true)).isTrue();

        assertThat(Patience.get(next).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_FUNCTION", "WRITE_INPUT", "READ_RESULT"})
    void hanging_atAnyStageHere_isEndedByCancel(Stage stage) throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        CompletableFuture<Result<Trap>> task =
                pool.submit(trapped(Workload.named("trapped"), stage, Way.WAIT), input(stage, Way.WAIT));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);
        Patience.await().until(Way::isWaiting);

        assertThat(task.cancel(true)).isTrue();

        assertThat(Patience.get(next).isSuccess()).isTrue();
        Patience.await().until(() -> !Way.isWaiting() && pool.snapshot().abandoned() == 0);
    }

    @Test
    void hanging_whileAResultIsRebuilt_doesNotHoldUpAnotherTask() throws Exception {
        WorkerProcessStrategy pool = trusting(2);
        CompletableFuture<Result<Trap>> task = pool.submit(
                trapped(Workload.named("trapped"), Stage.READ_RESULT, Way.WAIT), input(Stage.READ_RESULT, Way.WAIT));
        Patience.await().until(Way::isWaiting);

        assertThat(Patience.get(pool.submit(PID, 0)).isSuccess()).isTrue();

        assertThat(task).isNotDone();
        task.cancel(true);
        Patience.await().until(() -> !Way.isWaiting());
    }

    /** When it was cancelled, the driver was at the result of another task. */
    @Test
    void result_ofATaskThatWasCancelled_isNotRebuilt() throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        Journal journal = journal();
        Workload<Object, Object> echo = Workload.blocking("echo", input -> {
            journal.add(((Hooked) input).name());
            return input;
        });
        runUntilShort(pool, echo, new Hooked("short"));
        Gate submitted = gate();
        Gate rebuilding = gate();
        Gate cancelled = gate();
        Hooked.whenWritten("first", submitted::awaitIgnoringInterrupts);
        Hooked.whenRead("first", () -> {
            rebuilding.open();
            cancelled.awaitIgnoringInterrupts();
        });
        Hooked.whenRead("second", Way.WAIT::happen);
        CompletableFuture<Result<Object>> first = pool.submit(echo, new Hooked("first"));
        CompletableFuture<Result<Object>> second = pool.submit(echo, new Hooked("second"));
        submitted.open();
        rebuilding.await();
        Patience.await().until(() -> journal.entries().contains("second"));

        second.cancel(true);

        cancelled.open();
        assertThat(Patience.get(first).isSuccess()).isTrue();
        assertThat(Patience.get(pool.submit(PID, 0)).isSuccess()).isTrue();
    }

    @Test
    void hanging_whileAResultIsRebuilt_isEndedByTheTimeout() throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        Workload<Trap, Trap> hanging =
                trapped(Workload.named("trapped").timeout(Duration.ofMillis(300)), Stage.READ_RESULT, Way.WAIT);

        CompletableFuture<Result<Trap>> task = pool.submit(hanging, input(Stage.READ_RESULT, Way.WAIT));
        CompletableFuture<Result<Long>> next = pool.submit(PID, 0);

        assertThat(causeOf(Patience.get(task))).isInstanceOf(TaskTimeoutException.class);
        assertThat(Patience.get(next).isSuccess()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_FUNCTION", "WRITE_INPUT", "READ_RESULT"})
    void closeNow_whileItHangsHere_ends(Stage stage) throws Exception {
        WorkerProcessStrategy pool = trusting(1);
        CompletableFuture<Result<Trap>> task =
                pool.submit(trapped(Workload.named("trapped"), stage, Way.WAIT), input(stage, Way.WAIT));
        Patience.await().until(Way::isWaiting);

        pool.closeNow();

        assertThat(causeOf(Patience.get(task))).isInstanceOf(CancellationException.class);
        Patience.await().until(() -> !Way.isWaiting());
    }

    // ---------------------------------------------------------------------------------------------- what cannot travel

    @Test
    void values_thatAreNotSerializable_failTheirTasksOnly() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        Object captured = new Object();
        List<Result<?>> results = List.of(
                pool.run(Workload.blocking("in", (Object input) -> 1), captured),
                pool.run(Workload.blocking("function", (Integer input) -> captured.hashCode()), 1),
                pool.run(Workload.blocking("out", (Integer input) -> new Object()), 1),
                pool.run(Workload.blocking("deep", (Integer input) -> List.of(1, List.of(new Object()))), 1));

        assertThat(results)
                .allSatisfy(result -> assertThat(causeOf(result))
                        .isInstanceOf(TransferException.class)
                        .hasMessageContaining("java.lang.Object is not Serializable"));
        assertThat(causeOf(results.get(0))).hasMessageStartingWith("input of workload 'in'");
        assertThat(causeOf(results.get(1))).hasMessageStartingWith("function of workload 'function'");
        assertThat(causeOf(results.get(2))).hasMessageStartingWith("result of workload 'out'");
        assertThat(causeOf(results.get(3))).hasMessageContaining("[1][0]");
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    /** Serialisable, and of no package that the pool trusts. */
    private static final class Foreign implements Serializable {
        private static final long serialVersionUID = 1;

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            if (!IS_WORKER) {
                throw new AssertionError("the application must not rebuild what it was not told to trust");
            }
        }
    }

    @Test
    void result_ofAClassThatIsNotTrusted_failsItsTask() {
        WorkerProcessStrategy pool = pool(1);

        Result<Object> result = pool.run(Workload.blocking("foreign", input -> new Foreign()), 0);

        assertThat(causeOf(result))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("result of workload 'foreign' cannot be rebuilt")
                .hasMessageNotContaining("must not rebuild");
        assertUsable(pool);
    }

    @Test
    void map_withSomeInputsAndResultsThatCannotTravel_failsThoseOnly() {
        WorkerProcessStrategy pool = pool(2);
        Workload<Object, Object> mixed = Workload.compute("mixed", input -> input.equals(0) ? new Object() : input);
        List<Object> inputs = IntStream.range(0, 3_000)
                .mapToObj(i -> i % 10 == 3 ? new Object() : (Object) (i % 10))
                .toList();

        List<Result<Object>> results;
        try (Stream<Result<Object>> stream = pool.map(mixed, inputs)) {
            results = stream.toList();
        }

        assertThat(results).hasSize(3_000);
        for (int i = 0; i < results.size(); i++) {
            if (i % 10 == 3) {
                assertThat(causeOf(results.get(i)))
                        .isInstanceOf(TransferException.class)
                        .hasMessageStartingWith("input");
            } else if (i % 10 == 0) {
                assertThat(causeOf(results.get(i)))
                        .isInstanceOf(TransferException.class)
                        .hasMessageStartingWith("result");
            } else {
                assertThat(results.get(i)).isEqualTo(Result.success(i % 10));
            }
        }
    }

    @Test
    void values_thatAreTooLarge_failTheirTasksOnly() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        long pid = pool.run(PID, 0).orElseThrow();
        Workload<Integer, byte[]> making = Workload.blocking("making", size -> new byte[size]);
        Workload<byte[], Integer> taking = Workload.blocking("taking", bytes -> bytes.length);

        assertThat(pool.run(making, 50_000).orElseThrow()).hasSize(50_000);
        assertThat(causeOf(pool.run(making, 5_000_000))).isInstanceOf(TransferException.class);
        assertThat(pool.run(taking, new byte[50_000]).orElseThrow()).isEqualTo(50_000);
        assertThat(causeOf(pool.run(taking, new byte[5_000_000]))).isInstanceOf(TransferException.class);
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void mdc_thatIsTooLarge_failsItsTaskOnly() throws Exception {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        long pid = pool.run(PID, 0).orElseThrow();

        CompletableFuture<Result<Long>> result;
        MDC.put("story", "x".repeat(5_000_000));
        try {
            result = pool.submit(PID, 0);
        } finally {
            MDC.clear();
        }

        assertThat(causeOf(Patience.get(result)))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("workload 'pid'")
                .hasMessageContaining("more than the limit");
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    /** A context that cannot be rebuilt. */
    private record Broken() implements ContextPropagator.Captured {
        Broken {
            if (IS_WORKER) {
                throw new IllegalStateException("no such context");
            }
        }

        @Override
        public ContextPropagator.Scope apply() {
            return () -> {};
        }
    }

    @Test
    void context_thatCannotBeRebuilt_failsEachTask() {
        WorkerProcessStrategy pool = pool(1, options -> options.propagator(Broken::new));
        Journal journal = journal();
        Workload<Integer, Integer> tiny = Workload.compute("tiny", input -> {
            journal.enter();
            return input;
        });

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream =
                pool.map(tiny, IntStream.range(0, 1_000).boxed())) {
            results = stream.toList();
        }

        assertThat(results)
                .hasSize(1_000)
                .allSatisfy(result -> assertThat(causeOf(result))
                        .isInstanceOf(TransferException.class)
                        .hasMessageContaining("no such context"));
        assertThat(journal.entered()).isZero();
    }

    /** A context that uses the MDC when it is rebuilt. */
    private record Noting() implements ContextPropagator.Captured {
        Noting {
            if (IS_WORKER) {
                MDC.put("noted", "yes");
            }
        }

        @Override
        public ContextPropagator.Scope apply() {
            return () -> {};
        }
    }

    @Test
    void mdc_thatIsLeftByARebuiltContext_isNoTasks() {
        WorkerProcessStrategy pool = pool(1, options -> options.propagator(Noting::new));
        Workload<Integer, String> noted = Workload.compute("noted", input -> String.valueOf(MDC.get("noted")));
        for (int i = 0; i < 3; i++) {
            assertThat(pool.run(noted, i).orElseThrow()).isEqualTo("null");
        }
    }

    @Test
    void function_thatIsTooLarge_failsItsTasksOnly() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        long pid = pool.run(PID, 0).orElseThrow();
        byte[] captured = new byte[5_000_000];

        assertThat(causeOf(pool.run(Workload.blocking("heavy", input -> captured.length), 0)))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("function of workload 'heavy'")
                .hasMessageContaining("more than the limit");
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void exception_thatIsTooLarge_failsItsTaskOnly() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Integer> result = pool.run(
                Workload.blocking("shouting", input -> {
                    throw new IllegalStateException("x".repeat(5_000_000));
                }),
                0);

        assertThat(result.isSuccess()).isFalse();
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void map_ofValuesNearTheLimit_givesAllResults() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        Workload<byte[], byte[]> echo = Workload.compute("echo", input -> input);

        try (Stream<Result<byte[]>> stream =
                pool.map(echo, Stream.generate(() -> new byte[90_000]).limit(200))) {
            assertThat(stream.map(Result::orElseThrow)).hasSize(200).allMatch(bytes -> bytes.length == 90_000);
        }
    }

    @Test
    void map_ofShortTasksWithSomeLargeValues_doesNotBlockBothSides() {
        WorkerProcessStrategy pool = pool(1);
        Workload<byte[], byte[]> inverse =
                Workload.blocking("inverse", input -> new byte[input.length == 0 ? 3 << 20 : 0]);
        List<byte[]> kinds = List.of(new byte[0], new byte[3 << 20], new byte[1]);
        List<byte[]> inputs =
                IntStream.range(0, 90).mapToObj(i -> kinds.get(i % 3)).toList();

        try (Stream<Result<byte[]>> stream = pool.map(inverse, inputs)) {
            assertThat(stream.map(result -> result.orElseThrow().length)).hasSize(90);
        }
    }

    @Test
    void exception_thatCannotTravel_arrivesAsASurrogate() {
        WorkerProcessStrategy pool = pool(1);

        Result<Integer> result = pool.run(
                Workload.blocking("throwing", input -> {
                    throw new Unwritable();
                }),
                0);

        assertThat(causeOf(result))
                .hasMessageContaining(Unwritable.class.getName())
                .hasMessageContaining("cannot travel");
        assertUsable(pool);
    }

    private static final class Unwritable extends Exception {
        private static final long serialVersionUID = 1;

        @SuppressWarnings({"serial", "unused", "UnusedVariable"}) // on purpose
        private final Object thing = new Object();

        Unwritable() {
            super("cannot travel");
        }
    }
}
