package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedQueueTest.awaitWaiting;
import static io.stratagem.batchedipc.SharedQueueTest.waitingAt;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.spi.Hosts;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.StrategyFixture;
import io.stratagem.testkit.ThreadLeaks;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What workers do with the application's maps and queues, on each strategy that has such workers. */
abstract class SharedCollectionsContract extends StrategyFixture {
    private static final int LARGEST_MESSAGE = 100_000;

    private final SharedMap<String, Integer> map = SharedMap.create();
    private final SharedQueue<Integer> queue = SharedQueue.create();

    @AfterEach
    void closeCollections() {
        map.close();
        queue.close();
    }

    abstract ProcessPoolBuilder<?> builder();

    @Override
    protected final ExecutorStrategy newStrategy(int workers, Consumer<? super StrategyBuilder<?>> options) {
        ProcessPoolBuilder<?> builder =
                builder().workerProcesses(workers).maxHeapBytes(64 << 20).jvmOptions("-XX:TieredStopAtLevel=1");
        options.accept(builder);
        return builder.build();
    }

    private ExecutorStrategy pool(int workers, Consumer<ProcessPoolBuilder<?>> options) {
        return strategy(workers, builder -> options.accept((ProcessPoolBuilder<?>) builder));
    }

    private static Throwable causeOf(Result<?> result) {
        assertThat(result).isInstanceOf(Result.Failure.class);
        return ((Result.Failure<?>) result).cause();
    }

    // ---------------------------------------------------------------------------------------------- operations

    @Test
    void merge_fromWorkersAndHere_countsExactly() {
        ExecutorStrategy pool = strategy(3);
        SharedMap<String, Integer> counts = map;
        Workload<Integer, Integer> count = Workload.compute("count", input -> {
            for (int i = 0; i < 300; i++) {
                counts.merge("key-" + i % 3, 1, Integer::sum);
            }
            return 0;
        });

        List<CompletableFuture<Result<Integer>>> all =
                IntStream.range(0, 3).mapToObj(i -> pool.submit(count, i)).toList();
        for (int i = 0; i < 300; i++) {
            counts.merge("key-" + i % 3, 1, Integer::sum);
        }
        all.forEach(each -> each.join().orElseThrow());

        assertThat(map).isEqualTo(Map.of("key-0", 400, "key-1", 400, "key-2", 400));
    }

    private static String useMap(SharedMap<String, Integer> map) {
        List<Object> seen = new ArrayList<>();
        seen.add(map.put("a", 1));
        seen.add(map.put("a", 2));
        seen.add(map.putIfAbsent("a", 3));
        seen.add(map.putIfAbsent("b", 4));
        seen.add(map.get("b"));
        seen.add(map.replace("c", 1));
        seen.add(map.replace("b", 5));
        seen.add(map.replace("b", 4, 6));
        seen.add(map.replace("b", 5, 6));
        seen.add(map.remove("b", 5));
        seen.add(map.containsKey("b"));
        seen.add(map.size());
        seen.add(map.compute("d", (key, value) -> value == null ? 1 : value + 1));
        seen.add(map.compute("d", (key, value) -> value == null ? 1 : value + 1));
        seen.add(map.computeIfAbsent("e", key -> 8));
        seen.add(map.computeIfPresent("e", (key, value) -> null));
        seen.add(map.equals(Map.of("a", 2, "b", 6, "d", 2)));
        Iterator<String> keys = map.keySet().iterator();
        while (keys.hasNext()) {
            if (!keys.next().equals("d")) {
                keys.remove();
            }
        }
        seen.add(map.remove("x"));
        seen.add(map);
        return seen.toString();
    }

    @Test
    void map_inAWorker_doesWhatItDoesHere() {
        Workload<SharedMap<String, Integer>, String> using =
                Workload.compute("using", SharedCollectionsContract::useMap);

        String there = strategy(1).run(using, map).orElseThrow();

        assertThat(map).isEqualTo(Map.of("d", 2));
        map.clear();
        assertThat(there).isEqualTo(useMap(map));
    }

    private static String useQueue(SharedQueue<Integer> queue) throws InterruptedException {
        List<Object> seen = new ArrayList<>();
        seen.add(queue.offer(1));
        queue.put(2);
        seen.add(queue.offer(3, 1000, SECONDS));
        seen.add(queue.offer(4, 1, MILLISECONDS));
        seen.add(queue.offer(4));
        seen.add(queue.remainingCapacity());
        seen.add(queue.toString());
        seen.add(queue.remove(2));
        seen.add(queue.contains(2));
        seen.add(queue.peek());
        seen.add(queue.take());
        seen.add(queue.poll(1000, SECONDS));
        seen.add(queue.poll(1, MILLISECONDS));
        seen.add(queue.poll(0, MILLISECONDS));
        seen.add(queue.poll());
        queue.add(7);
        queue.add(8);
        Iterator<Integer> iterator = queue.iterator();
        iterator.next();
        iterator.remove();
        queue.add(9);
        List<Integer> drained = new ArrayList<>();
        queue.drainTo(drained);
        seen.add(drained);
        seen.add(queue.isEmpty());
        queue.add(1);
        queue.clear();
        seen.add(queue.size());
        return seen.toString();
    }

    @Test
    void queue_inAWorker_doesWhatItDoesHere() throws Exception {
        Workload<SharedQueue<Integer>, String> using = Workload.compute("using", SharedCollectionsContract::useQueue);
        try (SharedQueue<Integer> small = SharedQueue.create(3)) {
            assertThat(strategy(1).run(using, small).orElseThrow()).isEqualTo(useQueue(small));
            assertThat(waitingAt(small)).isZero();
        }
    }

    @Test
    void compute_ofValuesWithoutEquals_ends() {
        try (SharedMap<String, byte[]> arrays = SharedMap.create()) {
            arrays.put("a", new byte[] {1});
            Workload<Integer, Integer> change = Workload.compute("change", input -> {
                arrays.compute("a", (key, value) -> new byte[] {(byte) (value[0] + 1)});
                arrays.replaceAll((key, value) -> new byte[] {(byte) (value[0] + 1)});
                return (int) arrays.merge("a", new byte[] {5}, (old, given) -> new byte[] {(byte) (old[0] + given[0])})[
                        0];
            });
            assertThat(strategy(1).run(change, 0).orElseThrow()).isEqualTo(8);
            assertThat(arrays.get("a")).containsExactly(8);
        }
    }

    record Both(String name, SharedMap<String, Integer> map, SharedQueue<Integer> queue) {}

    @Test
    void inputs_captured_andNested_areTheSame() {
        SharedMap<String, Integer> captured = map;
        Workload<Both, String> using = Workload.compute("using", both -> {
            both.map.put(both.name, 1);
            both.queue.add(captured.get(both.name));
            return captured.toString();
        });
        ExecutorStrategy pool = strategy(1);
        for (int i = 0; i < 3; i++) {
            map.clear();
            assertThat(pool.run(using, new Both("n" + i, map, queue)).orElseThrow())
                    .isEqualTo("{n" + i + "=1}");
        }
        assertThat(queue).containsExactly(1, 1, 1);
    }

    @Test
    void closeInAWorker_closesOnlyTheWayThere() {
        Workload<SharedMap<String, Integer>, String> closing = Workload.compute("closing", each -> {
            each.close();
            try {
                return "got " + each.get("a");
            } catch (IllegalStateException e) {
                return each.toString();
            }
        });
        ExecutorStrategy pool = strategy(1);
        map.put("a", 1);
        assertThat(pool.run(closing, map).orElseThrow()).isEqualTo("SharedMap[closed]");
        assertThat(pool.run(closing, map).orElseThrow()).isEqualTo("SharedMap[closed]");
        assertThat(map).containsEntry("a", 1);
    }

    @Test
    @SuppressWarnings("NullAway")
    void nulls_inAWorker_areRefused() {
        Workload<Both, Integer> putting = Workload.compute("putting", both -> {
            int refused = 0;
            for (Runnable each : List.<Runnable>of(
                    () -> both.map.put(null, 1), () -> both.map.put("a", null), () -> both.queue.add(null))) {
                try {
                    each.run();
                } catch (NullPointerException e) {
                    refused++;
                }
            }
            return refused;
        });
        assertThat(strategy(1).run(putting, new Both("", map, queue)).orElseThrow())
                .isEqualTo(3);
        assertThat(map).isEmpty();
        assertThat(queue).isEmpty();
    }

    @Test
    void result_comesBackAsTheVeryOne_ifThePackageIsAllowed() {
        Workload<SharedMap<String, Integer>, SharedMap<String, Integer>> same = Workload.compute("same", each -> each);
        ExecutorStrategy trusting = pool(1, builder -> builder.allowPackage("io.stratagem.batchedipc"));
        assertThat(trusting.run(same, map).orElseThrow()).isSameAs(map);
        assertThat(causeOf(strategy(1).run(same, map))).isInstanceOf(TransferException.class);
    }

    // ---------------------------------------------------------------------------------------------- values

    /** Of a class that workers may not send. */
    static final class Own implements Serializable {
        private static final long serialVersionUID = 1;
        private final int number;

        Own(int number) {
            this.number = number;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Own own && own.number == number;
        }

        @Override
        public int hashCode() {
            return number;
        }
    }

    private static List<String> failures(List<? extends Runnable> steps) {
        List<String> failures = new ArrayList<>();
        for (Runnable each : steps) {
            try {
                each.run();
            } catch (TransferException e) {
                failures.add(e.getMessage());
            }
        }
        return failures;
    }

    @Test
    void forbiddenClass_fromAWorker_failsAndChangesNothing() throws Exception {
        try (SharedMap<Object, Object> any = SharedMap.create();
                SharedQueue<Object> elements = SharedQueue.create()) {
            Own here = new Own(1);
            any.put(here, here);
            Workload<Integer, List<String>> sending = Workload.compute(
                    "sending",
                    input -> failures(List.of(
                            () -> any.put("a", new Own(2)),
                            () -> any.put(new Own(2), "a"),
                            () -> any.get(new Own(1)),
                            () -> any.merge("b", new Own(2), (old, given) -> given),
                            () -> elements.add(new Own(2)))));
            Workload<Integer, Boolean> receiving = Workload.compute(
                    "receiving", input -> any.keySet().iterator().next().equals(new Own(1)));
            ExecutorStrategy pool = strategy(1);

            List<String> failures = pool.run(sending, 0).orElseThrow();

            assertThat(failures).hasSize(5).allMatch(text -> text.contains("Own") && text.contains("not allowed"));
            assertThat(failures.get(0)).startsWith("key or value of a SharedMap");
            assertThat(failures.get(4)).startsWith("element of a SharedQueue");
            assertThat(any).isEqualTo(Map.of(here, here));
            assertThat(elements).isEmpty();
            assertThat(pool.run(receiving, 0).orElseThrow()).isTrue();

            ExecutorStrategy trusting = pool(1, builder -> builder.allowPackage("io.stratagem.batchedipc"));
            assertThat(trusting.run(sending, 0).orElseThrow()).isEmpty();
            assertThat(any).containsEntry("a", new Own(2));
        }
    }

    @Test
    void valueThatIsTooLarge_failsEitherWay() throws Exception {
        try (SharedMap<String, byte[]> arrays = SharedMap.create();
                SharedQueue<byte[]> elements = SharedQueue.create()) {
            int tooLarge = LARGEST_MESSAGE + (2 << 20);
            arrays.put("here", new byte[tooLarge]);
            elements.add(new byte[tooLarge]);
            Workload<Integer, List<String>> sending = Workload.compute(
                    "sending",
                    input -> failures(List.of(
                            () -> arrays.put("there", new byte[tooLarge]),
                            () -> arrays.get("here"),
                            () -> elements.add(new byte[tooLarge]),
                            () -> elements.poll(),
                            () -> elements.drainTo(new ArrayList<>()))));
            ExecutorStrategy pool = pool(1, builder -> builder.maxMessageBytes(LARGEST_MESSAGE));

            assertThat(pool.run(sending, 0).orElseThrow())
                    .hasSize(5)
                    .allMatch(text -> text.contains("more than the limit") && text.contains("maxMessageBytes"));
            assertThat(arrays).containsOnlyKeys("here");
            assertThat(elements).as("what could not be sent stays").hasSize(1);
        }
    }

    @Test
    void drainTo_ofMoreThanFitsInAMessage_takesThemOneByOne() throws Exception {
        try (SharedQueue<byte[]> elements = SharedQueue.create()) {
            for (int i = 0; i < 30; i++) {
                elements.add(new byte[LARGEST_MESSAGE]);
            }
            Workload<Integer, Integer> draining =
                    Workload.compute("draining", input -> elements.drainTo(new ArrayList<>()));
            ExecutorStrategy pool = pool(1, builder -> builder.maxMessageBytes(LARGEST_MESSAGE));
            assertThat(pool.run(draining, 0).orElseThrow()).isEqualTo(30);
        }
    }

    /** Is not rebuilt in a worker. */
    static final class OneWay implements Serializable {
        private static final long serialVersionUID = 1;

        private void readObject(ObjectInputStream in) throws IOException {
            throw new InvalidObjectException("only one way");
        }
    }

    @Test
    void drainTo_ofOneThatCannotBeRebuilt_losesNoOther() throws Exception {
        try (SharedQueue<Object> elements = SharedQueue.create()) {
            elements.addAll(List.of(1, 2, new OneWay(), 3, new OneWay(), 4));
            Workload<Integer, String> draining = Workload.compute("draining", input -> {
                List<Object> drained = new ArrayList<>();
                try {
                    return "got " + elements.drainTo(drained);
                } catch (TransferException e) {
                    return drained + ", " + e.getMessage() + ", and " + e.getSuppressed().length + " more";
                }
            });
            assertThat(strategy(1).run(draining, 0).orElseThrow())
                    .startsWith("[1, 2, 3, 4], element of a SharedQueue")
                    .contains("only one way")
                    .endsWith("and 1 more");
            assertThat(elements).isEmpty();
        }
    }

    @Test
    void elementThatCannotBeSerialised_stays() throws Exception {
        try (SharedQueue<Object> elements = SharedQueue.create()) {
            Workload<Integer, Object> taking = Workload.blocking("taking", input -> elements.take());
            ExecutorStrategy pool = strategy(2);
            CompletableFuture<Result<Object>> first = pool.submit(taking, 0);
            awaitWaiting(elements, 1);
            CompletableFuture<Result<Object>> second = pool.submit(taking, 0);
            awaitWaiting(elements, 2);

            Object element = new Object();
            elements.add(element);

            for (CompletableFuture<Result<Object>> each : List.of(first, second)) {
                assertThat(causeOf(Patience.get(each)))
                        .isInstanceOf(TransferException.class)
                        .hasMessageContaining("java.lang.Object is not Serializable");
            }
            Patience.await().until(() -> elements.peek() == element);
            elements.add("next");
            assertThat(elements.poll()).isSameAs(element);
            assertThat(pool.run(taking, 0).orElseThrow()).isEqualTo("next");
        }
    }

    /** Does something with the map in each of its own steps. */
    static final class Busy implements Serializable {
        private static final long serialVersionUID = 1;
        private final SharedMap<String, Integer> counts;

        Busy(SharedMap<String, Integer> counts) {
            this.counts = counts;
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            counts.merge("written", 1, Integer::sum);
            out.defaultWriteObject();
        }

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            counts.merge("read", 1, Integer::sum);
        }
    }

    @Test
    void operations_whileValuesAreSerialisedAndRebuilt_work() {
        try (SharedMap<String, Object> values = SharedMap.create()) {
            Workload<Busy, Object> passing = Workload.compute("passing", busy -> {
                values.put("there", busy);
                return values.get("there");
            });
            ExecutorStrategy pool = pool(1, builder -> builder.allowPackage("io.stratagem.batchedipc"));
            assertThat(pool.run(passing, new Busy(map)).orElseThrow()).isInstanceOf(Busy.class);
            assertThat(map).isEqualTo(Map.of("written", 4, "read", 4));
        }
    }

    @Test
    void initializer_mayUseThem() {
        SharedMap<String, Integer> counts = map;
        ExecutorStrategy pool =
                pool(1, builder -> builder.initializer(() -> counts.merge("initialised", 1, Integer::sum)));
        Workload<Integer, Integer> reading = Workload.compute("reading", input -> counts.get("initialised"));
        assertThat(pool.run(reading, 0).orElseThrow()).isEqualTo(1);
    }

    @Test
    void asynchronousTasks_mayUseThem() {
        SharedMap<String, Integer> counts = map;
        SharedQueue<Integer> elements = queue;
        Workload<Integer, Integer> using = Workload.async(
                "using",
                (input, loop) -> loop.offload(() -> {
                            counts.put("off the loop", input);
                            return elements.take();
                        })
                        .thenApply(taken -> counts.merge("sum", taken, Integer::sum)));
        CompletableFuture<Result<Integer>> result = strategy(1).submit(using, 5);
        awaitWaiting(queue, 1);
        queue.add(3);
        assertThat(result.join().orElseThrow()).isEqualTo(3);
        assertThat(map).isEqualTo(Map.of("off the loop", 5, "sum", 3));
    }

    // ---------------------------------------------------------------------------------------------- waiting

    @Test
    void producersAndConsumers_passEachElementOnce() throws Exception {
        try (SharedQueue<Integer> small = SharedQueue.create(4);
                SharedQueue<Integer> results = SharedQueue.create()) {
            int each = 300;
            Workload<Integer, Integer> producing = Workload.blocking("producing", first -> {
                for (int i = 0; i < each; i++) {
                    small.put(first + i);
                }
                return 0;
            });
            Workload<Integer, Integer> consuming = Workload.blocking("consuming", ignored -> {
                for (int element = small.take(); element >= 0; element = small.take()) {
                    results.put(element);
                }
                return 0;
            });
            ExecutorStrategy pool = strategy(3);
            List<CompletableFuture<Result<Integer>>> producers = List.of(pool.submit(producing, 0));
            List<CompletableFuture<Result<Integer>>> consumers =
                    List.of(pool.submit(consuming, 0), pool.submit(consuming, 0));
            for (int i = 0; i < each; i++) {
                small.put(each + i);
            }
            producers.forEach(future -> future.join().orElseThrow());
            small.put(-1);
            small.put(-1);
            consumers.forEach(future -> future.join().orElseThrow());

            assertThat(results)
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, 2 * each).boxed().toList());
            assertThat(small).isEmpty();
        }
    }

    private static List<Thread> start(int threads, Runnable body) {
        List<Thread> all = IntStream.range(0, threads)
                .mapToObj(i -> new Thread(body, "own-" + i))
                .toList();
        all.forEach(Thread::start);
        return all;
    }

    @Test
    void manyWaitersOfAWorker_holdNoThreadHereAndNothingUp() throws Exception {
        int threads = 100;
        SharedQueue<Integer> elements = queue;
        SharedMap<String, Integer> counts = map;
        Gate gate = gate();
        Workload<Integer, Integer> waiting = Workload.blocking("waiting", ignored -> {
            AtomicInteger sum = new AtomicInteger();
            List<Thread> all = start(threads, () -> {
                try {
                    sum.addAndGet(elements.take());
                    counts.merge("taken", 1, Integer::sum);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            gate.await();
            counts.put("meanwhile", 1);
            for (Thread each : all) {
                each.join();
            }
            return sum.get();
        });
        ExecutorStrategy pool = strategy(1);
        CompletableFuture<Result<Integer>> result = pool.submit(waiting, 0);
        awaitWaiting(queue, threads);
        assertThat(ThreadLeaks.named("stratagem-" + pool.name() + "-worker")).hasSizeLessThan(10);

        gate.open();
        Patience.await().until(() -> map.containsKey("meanwhile"));
        IntStream.range(0, threads).forEach(queue::add);

        assertThat(Patience.get(result).orElseThrow())
                .isEqualTo(IntStream.range(0, threads).sum());
        assertThat(map).containsEntry("taken", threads);
    }

    @Test
    void moreWaitersThanMayBe_fail() throws Exception {
        SharedQueue<Integer> elements = queue;
        Workload<Integer, String> waiting = Workload.blocking("waiting", ignored -> {
            CompletableFuture<String> refused = new CompletableFuture<>();
            List<Thread> all = start(1025, () -> {
                try {
                    elements.take();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                } catch (IllegalStateException e) {
                    refused.complete(e.getMessage());
                }
            });
            String message = refused.get();
            for (int i = 0; i < 1024; i++) {
                elements.put(i);
            }
            for (Thread each : all) {
                each.join();
            }
            return message;
        });
        assertThat(strategy(1).run(waiting, 0).orElseThrow()).contains("1024");
        assertThat(queue).isEmpty();
    }

    /** Interrupts the present thread when somebody waits, which the other side says by a gate. */
    private static Thread interruptAfter(Gate gate) {
        Thread waiting = Thread.currentThread();
        Thread interrupter = new Thread(() -> {
            gate.awaitIgnoringInterrupts();
            waiting.interrupt();
        });
        interrupter.start();
        return interrupter;
    }

    private static String waitAndSay(BlockingQueue<Integer> queue, boolean mayPut) {
        try {
            if (mayPut) {
                queue.put(7);
                return "put";
            }
            return "took " + queue.take();
        } catch (InterruptedException e) {
            return Thread.currentThread().isInterrupted() ? "still interrupted" : "interrupted";
        }
    }

    @Test
    void interruptOfAWaitingTask_endsTheWaitAndLosesNothing() throws Exception {
        try (SharedQueue<Integer> full = SharedQueue.create(1)) {
            full.put(1);
            ExecutorStrategy pool = strategy(1);
            for (boolean mayPut : new boolean[] {false, true}) {
                SharedQueue<Integer> used = mayPut ? full : queue;
                for (boolean isOwnThread : new boolean[] {false, true}) {
                    Gate gate = gate();
                    Workload<Integer, String> waiting = Workload.blocking("waiting", ignored -> {
                        CompletableFuture<String> said = new CompletableFuture<>();
                        Runnable body = () -> {
                            interruptAfter(gate);
                            said.complete(waitAndSay(used, mayPut));
                        };
                        if (isOwnThread) {
                            new Thread(body).start();
                        } else {
                            body.run();
                        }
                        return said.get();
                    });
                    CompletableFuture<Result<String>> result = pool.submit(waiting, 0);
                    awaitWaiting(used, 1);
                    gate.open();
                    assertThat(Patience.get(result).orElseThrow()).isEqualTo("interrupted");
                    assertThat(waitingAt(used)).isZero();
                }
            }
            assertThat(full).containsExactly(1);
            queue.add(5);
            assertThat(queue.poll()).isEqualTo(5);
        }
    }

    /** Whatever the interrupts hit, each element is taken once; and the connection stays, over which they are asked for. */
    @Test
    void interruptsAtAllTimes_loseNothing() throws Exception {
        SharedQueue<Integer> elements = queue;
        int rounds = 500;
        Workload<Integer, List<Integer>> taking = Workload.blocking("taking", ignored -> {
            List<Integer> taken = new ArrayList<>();
            CountDownLatch end = new CountDownLatch(1);
            Thread taker = new Thread(() -> {
                while (taken.isEmpty() || taken.get(taken.size() - 1) >= 0) {
                    try {
                        taken.add(elements.take());
                    } catch (InterruptedException e) {
                        // goes on
                    }
                }
                end.countDown();
            });
            taker.start();
            Random random = new Random(1);
            while (!end.await(random.nextInt(200), java.util.concurrent.TimeUnit.MICROSECONDS)) {
                taker.interrupt();
            }
            return taken;
        });
        CompletableFuture<Result<List<Integer>>> result = strategy(1).submit(taking, 0);
        for (int i = 0; i < rounds; i++) {
            if (i % 4 == 0) {
                Patience.await().until(queue::isEmpty); // so that some have to be waited for
            }
            queue.add(i);
        }
        queue.add(-1);
        List<Integer> expected =
                new ArrayList<>(IntStream.range(0, rounds).boxed().toList());
        expected.add(-1);
        assertThat(Patience.get(result).orElseThrow()).isEqualTo(expected);
    }

    // ---------------------------------------------------------------------------------------------- ends

    @Test
    void workerThatIsKilledWhileItWaits_leavesTheElementToOthers() throws Exception {
        SharedQueue<Integer> elements = queue;
        SharedQueue<Long> pids = SharedQueue.create();
        Workload<Integer, Integer> taking = Workload.blocking("taking", ignored -> {
            pids.put(ProcessHandle.current().pid());
            return elements.take();
        });
        ExecutorStrategy pool = strategy(2);
        CompletableFuture<Result<Integer>> first = pool.submit(taking, 0);
        awaitWaiting(queue, 1);
        CompletableFuture<Result<Integer>> second = pool.submit(taking, 0);
        awaitWaiting(queue, 2);

        ProcessHandle.of(pids.take()).orElseThrow().destroyForcibly();
        awaitWaiting(queue, 1);
        queue.add(1);

        assertThat(causeOf(Patience.get(first))).isInstanceOf(WorkerDiedException.class);
        assertThat(Patience.get(second).orElseThrow()).isEqualTo(1);
        pids.close();
    }

    @Test
    void taskThatIsCancelledWhileItWaits_waitsNoMore() throws Exception {
        SharedQueue<Integer> elements = queue;
        Workload<Integer, Integer> taking = Workload.blocking("taking", ignored -> elements.take());
        ExecutorStrategy pool = strategy(1);
        CompletableFuture<Result<Integer>> cancelled = pool.submit(taking, 0);
        awaitWaiting(queue, 1);
        cancelled.cancel(true);
        awaitWaiting(queue, 0);
        queue.add(1);
        assertThat(pool.run(taking, 0).orElseThrow()).isEqualTo(1);
    }

    @Test
    void close_failsWhoWaitsInAWorkerAndWhoComes() throws Exception {
        SharedQueue<Integer> elements = queue;
        Workload<Integer, String> taking = Workload.blocking("taking", ignored -> {
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                try {
                    elements.take();
                } catch (IllegalStateException e) {
                    boolean isHere = List.of(e.getStackTrace()).toString().contains("SharedCollectionsContract");
                    failures.add(
                            (e.getMessage().contains("closed") ? "closed" : e.toString()) + (isHere ? " here" : ""));
                }
            }
            return failures.toString();
        });
        CompletableFuture<Result<String>> result = strategy(1).submit(taking, 0);
        awaitWaiting(queue, 1);
        queue.close();
        assertThat(Patience.get(result).orElseThrow()).isEqualTo("[closed here, closed here]");
    }

    @Test
    void closedCollection_failsTheTaskThatGetsIt() {
        Workload<SharedMap<String, Integer>, Integer> reading = Workload.compute("reading", SharedMap::size);
        map.close();
        assertThat(causeOf(strategy(1).run(reading, map)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void strategyThatIsClosedWhileTasksWait_closes() throws Exception {
        SharedQueue<Integer> elements = queue;
        Workload<Integer, Integer> taking = Workload.blocking("taking", ignored -> elements.take());
        ExecutorStrategy pool = strategy(2);
        var unused1 = pool.submit(taking, 0);
        var unused2 = pool.submit(taking, 0);
        awaitWaiting(queue, 2);
        pool.closeNow();
        awaitWaiting(queue, 0);
        queue.add(1);
        assertThat(queue).containsExactly(1);
    }

    /** What a worker keeps from one task to the next. */
    private static final class Kept {
        private static SharedMap<String, Integer> map;
    }

    @Test
    void collectionThatTheApplicationForgets_isClosed() {
        Workload<SharedMap<String, Integer>, Integer> keeping = Workload.compute("keeping", each -> {
            Kept.map = each;
            return each.size();
        });
        Workload<Integer, Integer> using = Workload.compute("using", ignored -> Kept.map.size());
        ExecutorStrategy pool = strategy(1);
        UUID id = forget(pool, keeping);
        Patience.await().until(() -> {
            System.gc();
            return Hosts.find(id) == null;
        });
        assertThat(causeOf(pool.run(using, 0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("has not kept a reference");
    }

    private static UUID forget(ExecutorStrategy pool, Workload<SharedMap<String, Integer>, Integer> keeping) {
        SharedMap<String, Integer> forgotten = SharedMap.create();
        assertThat(pool.run(keeping, forgotten).orElseThrow()).isZero();
        return forgotten.access.id();
    }

    /** What the application's own code does to one worker is not the others' concern. */
    record Slow(String name) {
        private static Gate gate;
        private static Journal journal;

        @Override
        public int hashCode() {
            if (gate != null) {
                journal.enter();
                gate.awaitIgnoringInterrupts();
            }
            return 1;
        }
    }

    @Test
    void keyWhoseMethodsHang_holdsUpItsWorkerOnly() throws Exception {
        try (SharedMap<Object, Integer> any = SharedMap.create()) {
            Slow.gate = gate();
            Slow.journal = journal();
            Workload<Object, Integer> putting = Workload.blocking("putting", key -> {
                any.put(key, 1);
                return 0;
            });
            ExecutorStrategy pool = strategy(2);
            CompletableFuture<Result<Integer>> slow = pool.submit(putting, new Slow("a"));
            Patience.await().until(() -> Slow.journal.entered() == 1);

            assertThat(Patience.get(pool.submit(putting, "b")).orElseThrow()).isZero();
            assertThat(any).hasSize(1);
            Slow.gate.open();
            assertThat(Patience.get(slow).orElseThrow()).isZero();
            assertThat(any).hasSize(2);
        } finally {
            Slow.gate = null;
        }
    }

    /** Each kill may lose the element that had been sent, and no other; none comes twice. */
    @Test
    void kills_loseOnlyWhatHadBeenSent() throws Exception {
        int count = 600;
        SharedQueue<Integer> elements = queue;
        SharedQueue<Integer> results = SharedQueue.create();
        SharedQueue<Long> pids = SharedQueue.create();
        Workload<Integer, Integer> consuming = Workload.blocking("consuming", ignored -> {
            pids.put(ProcessHandle.current().pid());
            while (true) {
                results.put(elements.take());
            }
        });
        ExecutorStrategy pool = strategy(2);
        var unused3 = pool.submit(consuming, 0);
        var unused4 = pool.submit(consuming, 0);
        Random random = new Random(7);
        int kills = 0;
        for (int i = 0; i < count; i++) {
            queue.put(i);
            if (i % 60 == 59) {
                long pid = pids.take();
                for (long burn = random.nextInt(100_000); burn > 0; burn--) {
                    Thread.onSpinWait();
                }
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                kills++;
                var unused5 = pool.submit(consuming, 0);
            }
        }
        Patience.await().until(queue::isEmpty);
        pool.closeNow();
        pool.close();

        int lost = count - results.size() - queue.size();
        assertThat(results).doesNotHaveDuplicates();
        assertThat(lost).isBetween(0, kills + 2);
        results.close();
        pids.close();
    }
}
