package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.WorkerFailureException;
import io.stratagem.Workload;
import io.stratagem.processpool.spi.Wire;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** What the application takes from a worker that is up to no good. */
final class HostileWorkerTest extends WorkerFixture {
    @TempDir
    Path directory;

    private final LogRecorder log = new LogRecorder();

    @BeforeEach
    void record() {
        log.attach(ProcessPoolStrategy.class.getName());
        Evidence.FOUND.clear();
    }

    @AfterEach
    void recordNoMore() {
        log.detach();
    }

    // ---------------------------------------------------------------------------------------------- classes

    /** What happened in this JVM. In a class of its own, since to ask the other one would initialise it. */
    private static final class Evidence {
        private static final List<String> FOUND = new CopyOnWriteArrayList<>();
    }

    /** Serialisable, and of no package that the pool was told to trust. */
    private static final class Forbidden implements Serializable, InvocationHandler {
        private static final long serialVersionUID = 1;

        static {
            Evidence.FOUND.add("initialised");
        }

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            Evidence.FOUND.add("rebuilt");
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            Evidence.FOUND.add("invoked");
            return null;
        }
    }

    record Holder(Object held) {}

    /** How an object gets into a result. */
    enum Smuggling {
        ITSELF {
            @Override
            Object wrap(Forbidden forbidden) {
                return forbidden;
            }
        },
        IN_A_COMPACT_LIST {
            @Override
            Object wrap(Forbidden forbidden) {
                return new ArrayList<>(Arrays.asList(1, forbidden));
            }
        },
        IN_A_SERIALISED_QUEUE {
            @Override
            Object wrap(Forbidden forbidden) {
                return new ArrayDeque<>(Arrays.asList(1, forbidden));
            }
        },
        IN_A_SET {
            @Override
            Object wrap(Forbidden forbidden) {
                return new HashSet<>(Set.of(forbidden));
            }
        },
        AS_A_KEY {
            @Override
            Object wrap(Forbidden forbidden) {
                return new HashMap<>(Map.of(forbidden, 1));
            }
        },
        IN_A_RECORD {
            @Override
            Object wrap(Forbidden forbidden) {
                return new Holder(new Holder(forbidden));
            }
        },
        IN_AN_ARRAY {
            @Override
            Object wrap(Forbidden forbidden) {
                return new Object[] {forbidden};
            }
        },
        BY_ITS_ARRAY {
            @Override
            Object wrap(Forbidden forbidden) {
                return new Forbidden[0][0];
            }
        },
        BY_ITS_CLASS {
            @Override
            Object wrap(Forbidden forbidden) {
                return Forbidden.class;
            }
        },
        BEHIND_A_PROXY {
            @Override
            Object wrap(Forbidden forbidden) {
                return Proxy.newProxyInstance(
                        getClass().getClassLoader(), new Class<?>[] {Comparable.class}, forbidden);
            }
        },
        CAPTURED_BY_A_LAMBDA {
            @Override
            Object wrap(Forbidden forbidden) {
                return (Supplier<Object> & Serializable) () -> forbidden;
            }
        };

        abstract Object wrap(Forbidden forbidden);
    }

    @Test
    void result_withAForbiddenClass_failsItsTaskAndTouchesNothing() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        Workload<Smuggling, Object> smuggling = Workload.blocking("smuggling", way -> way.wrap(new Forbidden()));

        for (Smuggling way : Smuggling.values()) {
            assertThat(causeOf(pool.run(smuggling, way)))
                    .as(way.name())
                    .isInstanceOf(TransferException.class)
                    .hasMessageStartingWith("result of workload 'smuggling' cannot be rebuilt")
                    .hasMessageContaining(
                            way == Smuggling.BEHIND_A_PROXY
                                    ? "java.lang.reflect.Proxy"
                                    : HostileWorkerTest.class.getName())
                    .hasMessageContaining("is not allowed");
            assertThat(Evidence.FOUND).as(way.name()).isEmpty();
        }
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    private static final class Carrier extends Exception {
        private static final long serialVersionUID = 1;

        @SuppressWarnings({"unused", "UnusedVariable"}) // it is there to travel
        private final Forbidden carried = new Forbidden();

        Carrier() {
            super("look what I have");
        }
    }

    @Test
    void exception_withAForbiddenClass_arrivesWithoutIt() {
        WorkerProcessStrategy pool = pool(1);

        Result<Integer> result = pool.run(
                Workload.blocking("throwing", input -> {
                    throw new Carrier();
                }),
                0);

        assertThat(causeOf(result))
                .isInstanceOf(WorkerFailureException.class)
                .hasMessageContaining("look what I have")
                .satisfies(cause -> assertThat(cause.getSuppressed()[0])
                        .isInstanceOf(TransferException.class)
                        .hasMessageContaining("Forbidden is not allowed"));
        assertThat(Evidence.FOUND).isEmpty();
    }

    @Test
    void logEvent_withAForbiddenClass_arrivesWithoutIt() {
        LogRecorder logged = new LogRecorder();
        logged.attach("hostile.logger");
        try {
            pool(1).run(
                            Workload.blockingAction(
                                    "logging",
                                    input -> LoggerFactory.getLogger("hostile.logger")
                                            .error("see", new Carrier())),
                            0)
                    .orElseThrow();

            assertThat(logged.await("see").getThrowableProxy().getClassName())
                    .isEqualTo(WorkerFailureException.class.getName());
        } finally {
            logged.detach();
        }
        assertThat(Evidence.FOUND).isEmpty();
    }

    @Test
    void url_whichWouldAskNameServers_isNotAllowed() {
        Result<Object> result = pool(1).run(Workload.blocking("url", input -> new URL("file:///nowhere")), 0);

        assertThat(causeOf(result))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("java.net.URL is not allowed");
    }

    private static final class Chain implements Serializable {
        private static final long serialVersionUID = 1;

        @SuppressWarnings({"serial", "unused", "UnusedVariable"}) // it is there to be long
        private final Object next;

        Chain(Object next) {
            this.next = next;
        }
    }

    @Test
    void result_nestedTooDeeply_failsItsTask() {
        WorkerProcessStrategy pool = plainPool(
                1,
                options -> options.allowPackage("io.stratagem.processpool")
                        .jvmOptions("-Xss64m", "-XX:TieredStopAtLevel=1"));
        long pid = pool.run(PID, 0).orElseThrow();
        Workload<Integer, Object> nesting = Workload.blocking("nesting", depth -> {
            Object nested = 1;
            for (int i = 0; i < depth; i++) {
                nested = new Chain(nested);
            }
            return nested;
        });

        assertThat(pool.run(nesting, 100).isSuccess()).isTrue();
        for (int depth : List.of(1_005, 10_000)) {
            assertThat(causeOf(pool.run(nesting, depth)))
                    .isInstanceOf(TransferException.class)
                    .hasMessageStartingWith("result of workload 'nesting' cannot be rebuilt");
        }
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    // ---------------------------------------------------------------------------------------------- forged frames

    /** What a task can do in its process with the connection. */
    static final class Connection {

        static <T> T get(Class<T> type, Object owner, String field) {
            try {
                Field declared = owner.getClass().getDeclaredField(field);
                declared.setAccessible(true);
                return type.cast(declared.get(owner));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        private static Link link() {
            return get(Link.class, Outbox.present(), "link");
        }

        static void send(byte kind, Consumer<Bytes> contents) throws IOException {
            Bytes frame = Link.frame(new Bytes(), kind);
            contents.accept(frame);
            link().send(frame);
        }

        /** As the outcomes of the present batch from its first task on. */
        static void sendOutcomes(int count, Consumer<Bytes> outcomes) throws IOException {
            send(Frames.RESULTS, frame -> {
                frame.putLong(get(Long.class, Outbox.present(), "batch"));
                frame.putInt(0);
                frame.putLong(1_000);
                frame.putInt(count);
                outcomes.accept(frame);
            });
        }

        /** A frame that says that it has that length; where there is a wire, which says that itself, one that has. */
        static void sendLength(int length) throws IOException {
            Bytes frame = new Bytes();
            frame.putInt(length);
            frame.extend(Math.max(0, length));
            if (get(Wire.class, link(), "wire") == null) {
                get(SocketChannel.class, link(), "channel").write(ByteBuffer.wrap(frame.toByteArray(), 0, 4));
            } else {
                synchronized (Outbox.present()) { // which others take who send
                    link().send(frame);
                }
            }
        }
    }

    private interface Sending extends Serializable {
        void send() throws IOException;
    }

    /** What can be read by no rule. */
    enum Nonsense {
        LENGTH_BEYOND_THE_LIMIT(() -> Connection.sendLength(100_001 + PoolSettings.MARGIN_BYTES)),
        NEGATIVE_LENGTH(() -> Connection.sendLength(-1)),
        NO_LENGTH(() -> Connection.sendLength(0)),
        UNKNOWN_KIND(() -> Connection.send((byte) 99, frame -> frame.putLong(1))),
        EMPTY_RESULTS(() -> Connection.send(Frames.RESULTS, frame -> {})),
        RESULTS_OF_ANOTHER_BATCH(() -> Connection.send(Frames.RESULTS, frame -> {
            frame.putLong(77);
            frame.putInt(0);
            frame.putLong(0);
            frame.putInt(0);
        })),
        MORE_RESULTS_THAN_TASKS(() -> Connection.sendOutcomes(Integer.MAX_VALUE, frame -> {
            for (int i = 0; i < 1_000; i++) {
                frame.putByte(Frames.VALUE);
                frame.putInt(1);
                Tag.NULL.put(frame);
            }
        })),
        RESULT_OF_NEGATIVE_LENGTH(() -> Connection.sendOutcomes(1, frame -> {
            frame.putByte(Frames.VALUE);
            frame.putInt(-5);
        })),
        RESULT_LONGER_THAN_ITS_FRAME(() -> Connection.sendOutcomes(1, frame -> {
            frame.putByte(Frames.VALUE);
            frame.putInt(1 << 30);
        })),
        COLUMN_OF_MORE_RESULTS_THAN_ANNOUNCED(() -> Connection.sendOutcomes(1, frame -> putColumn(frame, Tag.INT, 2))),
        COLUMN_OF_MORE_RESULTS_THAN_TASKS(
                () -> Connection.sendOutcomes(Integer.MAX_VALUE, frame -> putColumn(frame, Tag.INT, 1_000))),
        COLUMN_OF_NOTHING(() -> Connection.sendOutcomes(1, frame -> putColumn(frame, Tag.INT, 0))),
        COLUMN_OF_LESS_THAN_NOTHING(() -> Connection.sendOutcomes(1, frame -> putColumn(frame, Tag.INT, -1))),
        COLUMN_OF_STRINGS(() -> Connection.sendOutcomes(1, frame -> putColumn(frame, Tag.STRING, 1))),
        COLUMN_CUT_OFF(() -> Connection.sendOutcomes(1, frame -> {
            frame.putByte(Frames.VALUES);
            Tag.LONG.put(frame);
            frame.putInt(1);
            frame.putInt(1);
        })),
        START_OF_ANOTHER_BATCH(() -> Connection.send(Frames.STARTED, frame -> {
            frame.putLong(77);
            frame.putInt(0);
            frame.putLong(0);
        })),
        QUESTION_OF_AN_UNKNOWN_LOADER(() -> Connection.send(Frames.QUESTION, frame -> {
            frame.putInt(1);
            frame.putInt(1_000);
            frame.putByte(0);
            frame.putString("any/Class.class");
            frame.putVarInt(0);
        })),
        LOG_EVENT_CUT_OFF(() -> Connection.send(Frames.LOG, frame -> {
            frame.putByte(0);
            frame.putVarInt(1 << 30);
        }));

        @SuppressWarnings("ImmutableEnumChecker") // a function without state
        private final Sending sending;

        Nonsense(Sending sending) {
            this.sending = sending;
        }

        private static void putColumn(Bytes frame, Tag tag, int count) {
            frame.putByte(Frames.VALUES);
            tag.put(frame);
            frame.putInt(count);
            for (int i = 0; i < count; i++) {
                frame.putInt(i);
            }
        }
    }

    /** The other batch is too large to be sent before the worker has done the first. */
    @Test
    void nonsense_whileAnotherBatchIsAboutToBeSent_isNotThatOnes() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Workload<Object, Object> sending = Workload.blocking("sending", input -> {
            if (input instanceof Hooked) {
                Nonsense.UNKNOWN_KIND.sending.send();
                while (true) {
                    LockSupport.park();
                }
            }
            return 0;
        });
        runUntilShort(pool, sending, 0);
        Gate submitted = gate();
        Hooked.whenWritten("nonsense", submitted::awaitIgnoringInterrupts);

        CompletableFuture<Result<Object>> nonsense = pool.submit(sending, new Hooked("nonsense"));
        CompletableFuture<Result<Object>> large = pool.submit(sending, new byte[1 << 20]);
        submitted.open();

        assertThat(causeOf(Patience.get(nonsense))).isInstanceOf(WorkerDiedException.class);
        assertThat(Patience.get(large)).isEqualTo(Result.success(0));
    }

    @Test
    void nonsense_whenThePoolIsClosed_holdsNothingUpAndLeavesNoProcess() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(
                        Workload.blocking("hooking", input -> {
                            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                                try {
                                    Nonsense.UNKNOWN_KIND.sending.send();
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                                while (true) {
                                    LockSupport.park();
                                }
                            }));
                            return ProcessHandle.current().pid();
                        }),
                        0)
                .orElseThrow();

        pool.close();

        assertThat(isGone(pid)).isTrue();
    }

    @Test
    void nonsense_fromAWorker_isItsEndAndNobodyElses() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        Workload<Nonsense, Integer> sending = Workload.blocking("sending", nonsense -> {
            nonsense.sending.send();
            while (true) {
                LockSupport.park(); // it does not go by itself
            }
        });
        for (Nonsense nonsense : Nonsense.values()) {
            long pid = pool.run(PID, 0).orElseThrow();

            Result<Integer> result = pool.run(sending, nonsense);

            if (!nonsense.name().endsWith("MORE_RESULTS_THAN_TASKS")) { // of which the first is as good as any
                assertThat(causeOf(result)).as(nonsense.name()).isInstanceOf(WorkerDiedException.class);
            }
            awaitGone(pid);
            assertThat(log.await("pid " + pid + ") sent what cannot be read").getLevel())
                    .as(nonsense.name())
                    .isEqualTo(Level.ERROR);
        }
        assertUsable(pool);
    }

    /** Core would drop all that is reported with them. */
    @Test
    void outcomesOfTasksThatWereTakenBack_areNonsense() {
        WorkerProcessStrategy pool = pool(2);
        int size = 20_000;
        int hostile = size / 2;
        Workload<Integer, Integer> sending = Workload.compute("sending", input -> {
            if (input == hostile) {
                Outbox outbox = Outbox.present();
                outbox.flush();
                int index = (int) (Connection.get(Long.class, outbox, "begun") >>> Integer.SIZE) - 1;
                long batch = Connection.get(Long.class, outbox, "batch");
                Connection.send(Frames.STARTED, frame -> {
                    frame.putLong(batch);
                    frame.putInt(index);
                    frame.putLong(1);
                });
                Connection.send(Frames.RESULTS, frame -> {
                    frame.putLong(batch);
                    frame.putInt(index);
                    frame.putLong(1_000);
                    frame.putInt(2);
                    Nonsense.putColumn(frame, Tag.INT, 2);
                });
                while (true) {
                    LockSupport.park();
                }
            }
            return input;
        });

        List<Result<Integer>> results;
        try (Stream<Result<Integer>> stream =
                pool.map(sending, IntStream.range(0, size).boxed())) {
            results = stream.toList();
        }

        assertThat(causeOf(results.get(hostile))).isInstanceOf(WorkerDiedException.class);
        for (int i = 0; i < size; i++) {
            if (i != hostile) {
                assertThat(results.get(i)).isEqualTo(Result.success(i));
            }
        }
        log.await("sent what cannot be read");
    }

    private static Fn<Integer, Integer> forging(Sending sending) {
        return input -> {
            sending.send();
            Runtime.getRuntime().halt(0);
            return 0;
        };
    }

    private static void putForbidden(Bytes frame, Tag tag) {
        frame.putByte(Frames.VALUE);
        int lengthAt = frame.size();
        frame.putInt(0);
        tag.put(frame);
        frame.putVarInt(0);
        frame.putString(Forbidden.class.getName());
        frame.putString("CONSTANT");
        frame.setInt(lengthAt, frame.size() - lengthAt - Integer.BYTES);
    }

    @ParameterizedTest
    @EnumSource(names = {"RECORD", "ENUM"})
    void forgedResult_withAForbiddenClass_touchesNothing(Tag tag) {
        WorkerProcessStrategy pool = pool(1);
        String name = tag.name();

        Result<Integer> result = pool.run(
                Workload.blocking(
                        "forging",
                        forging(() -> Connection.sendOutcomes(1, frame -> putForbidden(frame, Tag.valueOf(name))))),
                0);

        assertThat(causeOf(result))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("Forbidden is not allowed");
        assertThat(Evidence.FOUND).isEmpty();
        assertUsable(pool);
    }

    @Test
    void forgedException_thatCannotBeRead_failsItsTask() {
        WorkerProcessStrategy pool = pool(1);

        Result<Integer> result = pool.run(
                Workload.blocking(
                        "forging",
                        forging(() -> Connection.sendOutcomes(1, frame -> {
                            frame.putByte(Frames.THROWN);
                            frame.putInt(Integer.BYTES);
                            frame.putInt(1_000_000);
                        }))),
                0);

        assertThat(causeOf(result))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("malformed bytes: 1000000 throwables");
        assertUsable(pool);
    }

    // ---------------------------------------------------------------------------------------------- jdk.serialFilter

    record Point(int x, int y) {}

    private static final class Trusted implements Serializable {
        private static final long serialVersionUID = 1;
    }

    private static final class Rejected implements Serializable {
        private static final long serialVersionUID = 1;
    }

    /** Prints how results fare where a filter is set. */
    static final class Filtered {
        private Filtered() {}

        public static void main(String[] arguments) {
            try (WorkerProcessStrategy pool = ProcessPoolStrategy.builder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .allowPackage("io.stratagem.processpool")
                    .build()) {
                print("trusted", pool.run(Workload.blocking("trusted", input -> new Trusted()), 0));
                print("rejected", pool.run(Workload.blocking("rejected", input -> new Rejected()), 0));
                print("record", pool.run(Workload.blocking("record", input -> new Point(1, 2)), 0));
                print("of the JDK", pool.run(Workload.blocking("bits", input -> new BitSet()), 0));
                print("short array", pool.run(Workload.blocking("short", input -> new Integer[10]), 0));
                print("long array", pool.run(Workload.blocking("long", input -> new Integer[200]), 0));
                print("input", pool.run(Workload.blocking("input", (BitSet input) -> input.length()), new BitSet()));
            }
        }

        private static void print(String what, Result<?> result) {
            System.out.println(what + ": "
                    + result.fold(
                            value -> "arrived",
                            failure -> failure.getClass().getSimpleName() + ", " + failure.getMessage()));
        }
    }

    @Test
    void jdkSerialFilter_ofTheApplication_isHonoured() throws Exception {
        String here = HostileWorkerTest.class.getName();

        List<String> printed = new JvmRun()
                .options("-Djdk.serialFilter=!" + here + "$Rejected;!" + here + "$Point;!java.util.BitSet;maxarray=100")
                .lines(directory, Filtered.class);

        assertThat(printed).contains("trusted: arrived", "short array: arrived", "input: arrived");
        for (String what : List.of("rejected", "record", "of the JDK")) {
            assertThat(printed)
                    .anyMatch(line -> line.startsWith(what + ": TransferException") && line.contains("is not allowed"));
        }
        assertThat(printed)
                .anyMatch(
                        line -> line.startsWith("long array: TransferException") && line.contains("array length 200"));
    }
}
