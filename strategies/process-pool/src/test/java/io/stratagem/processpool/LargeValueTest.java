package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values of any size travel with the meaning of a copy, whichever way they take. */
final class LargeValueTest extends WorkerFixture {
    /** More than the connection and everything on the way to it takes at once. */
    private static final int HUGE = 12 << 20;

    private static final Workload<Object, Object> ECHO = Workload.blocking("echo", input -> input);

    private static byte[] bytes(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** One of each element type, with about so many bytes. */
    private static List<Object> arrays(int bytes) {
        ByteBuffer random = ByteBuffer.wrap(bytes(bytes, bytes));
        boolean[] booleans = new boolean[bytes];
        short[] shorts = new short[bytes / Short.BYTES];
        char[] chars = new char[bytes / Character.BYTES];
        int[] ints = new int[bytes / Integer.BYTES];
        long[] longs = new long[bytes / Long.BYTES];
        float[] floats = new float[bytes / Float.BYTES];
        double[] doubles = new double[bytes / Double.BYTES];
        for (int i = 0; i < bytes; i++) {
            booleans[i] = random.get(i) > 0;
        }
        random.asShortBuffer().get(shorts);
        random.asCharBuffer().get(chars);
        random.asIntBuffer().get(ints);
        random.asLongBuffer().get(longs);
        for (int i = 0; i < floats.length; i++) {
            floats[i] = random.getInt(Float.BYTES * i);
        }
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = random.getLong(Double.BYTES * i);
        }
        return List.of(booleans, random.array(), shorts, chars, ints, longs, floats, doubles);
    }

    // ---------------------------------------------------------------------------------------------- arrays

    @ParameterizedTest
    @ValueSource(
            ints = {
                Attachment.LEAST_BYTES - 8,
                Attachment.LEAST_BYTES,
                Attachment.LEAST_BYTES + 8,
                1 << 16,
                (1 << 20) + 8,
                (3 << 20) - 24
            })
    void array_ofAnyTypeAndSize_comesBackAsACopy(int bytes) {
        WorkerProcessStrategy pool = pool(1);
        for (Object array : arrays(bytes)) {
            Object copy = pool.run(ECHO, array).orElseThrow();

            assertThat(Arrays.deepEquals(new Object[] {copy}, new Object[] {array}))
                    .as(array.getClass().getSimpleName())
                    .isTrue();
            assertThat(copy).isNotSameAs(array);
        }
    }

    @Test
    void array_ofALengthThatIsNoMultipleOfEight_comesBackWhole() {
        WorkerProcessStrategy pool = pool(1);
        for (int more = 1; more < 8; more++) {
            byte[] array = bytes((1 << 20) + more, more);

            assertThat(pool.run(ECHO, array).orElseThrow()).isEqualTo(array);
        }
    }

    @SuppressWarnings("ArrayRecordComponent")
    record Pair(String name, int[] left, Object right) {}

    @Test
    void arrays_withinOtherValues_comeBackWhereTheyWere() {
        WorkerProcessStrategy pool = pool(1);
        int[] ints = new Random(1).ints(1 << 17).toArray();
        double[] doubles = new Random(2).doubles(1 << 16).toArray();
        Map<Object, Object> map = new HashMap<>();
        map.put("bytes", bytes(1 << 19, 3));
        map.put("text", "between");
        List<Object> input = new ArrayList<>(Arrays.asList(
                1, new Pair("both", ints, List.of(doubles, "end")), map, null, bytes(10, 4), bytes(1 << 15, 5)));

        List<?> output = (List<?>) pool.run(ECHO, input).orElseThrow();

        Pair pair = (Pair) output.get(1);
        assertThat(pair.name()).isEqualTo("both");
        assertThat(pair.left()).isEqualTo(ints);
        assertThat(((List<?>) pair.right()).get(0)).isEqualTo(doubles);
        assertThat(((List<?>) pair.right()).get(1)).isEqualTo("end");
        assertThat(((Map<?, ?>) output.get(2)).get("bytes")).isEqualTo(map.get("bytes"));
        assertThat(((Map<?, ?>) output.get(2)).get("text")).isEqualTo("between");
        assertThat(output.get(3)).isNull();
        assertThat(output.get(4)).isEqualTo(bytes(10, 4));
        assertThat(output.get(5)).isEqualTo(bytes(1 << 15, 5));
    }

    @Test
    void sameArray_twiceInOneInput_arrivesTwice() {
        byte[] array = bytes(1 << 18, 1);
        Workload<List<byte[]>, Boolean> isSame = Workload.blocking("same", list -> list.get(0) == list.get(1));

        assertThat(pool(1).run(isSame, List.of(array, array)).orElseThrow()).isFalse();
    }

    /** In a worker: the result of the last task. */
    private static byte[] kept = {};

    private static byte[] keep(byte[] input) {
        Arrays.fill(kept, (byte) 1);
        kept = input;
        return input;
    }

    @Test
    void array_thatIsChangedOnTheOneSide_staysOnTheOther() {
        WorkerProcessStrategy pool = pool(1);
        Workload<byte[], byte[]> keeping = Workload.blocking("keeping", LargeValueTest::keep);
        byte[] input = bytes(1 << 20, 1);

        byte[] first = pool.run(keeping, input).orElseThrow();
        Arrays.fill(input, (byte) 2);
        byte[] second = pool.run(keeping, bytes(1 << 20, 3)).orElseThrow();

        assertThat(first).isEqualTo(bytes(1 << 20, 1));
        Arrays.fill(first, (byte) 4);
        assertThat(second).isEqualTo(bytes(1 << 20, 3));
    }

    @Test
    void manyArrays_inBatches_comeBackInOrder() {
        WorkerProcessStrategy pool = pool(2);
        Workload<byte[], byte[]> computing = Workload.compute("computing", input -> input);
        try (Stream<Result<byte[]>> results =
                pool.map(computing, Stream.iterate(0, i -> i + 1).limit(300).map(i -> bytes(20_000 + 700 * i, i)))) {
            int[] next = {0};
            results.forEach(result -> {
                int i = next[0]++;
                assertThat(result.orElseThrow()).isEqualTo(bytes(20_000 + 700 * i, i));
            });
            assertThat(next[0]).isEqualTo(300);
        }
    }

    @Test
    void inputs_thatCannotTravel_doNotMoveThoseAroundThem() {
        WorkerProcessStrategy pool = pool(1);
        Workload<Object, Object> computing = Workload.compute("computing", input -> input);
        Object unfit = List.of(bytes(1 << 16, -1), new Object());
        Stream<Object> inputs =
                Stream.iterate(0, i -> i + 1).limit(200).map(i -> i % 3 == 1 ? unfit : List.of(bytes(30_000, i)));
        try (Stream<Result<Object>> results = pool.map(computing, inputs)) {
            int[] next = {0};
            results.forEach(result -> {
                int i = next[0]++;
                if (i % 3 == 1) {
                    assertThat(causeOf(result)).isInstanceOf(TransferException.class);
                } else {
                    assertThat(((List<?>) result.orElseThrow()).get(0)).isEqualTo(bytes(30_000, i));
                }
            });
        }
    }

    // ---------------------------------------------------------------------------------------------- limits

    private static final int LIMIT = 1 << 20;

    @ParameterizedTest
    @ValueSource(ints = {3 << 20, 64 << 20})
    void arrays_thatAreTooLarge_failTheirTasksWithTheSameWords(int bytes) {
        WorkerProcessStrategy pool =
                plainPool(1, options -> options.maxMessageBytes(LIMIT).jvmOptions("-Xmx256m"));
        long pid = pool.run(PID, 0).orElseThrow();
        Workload<Integer, Object> making = Workload.blocking("making", count -> List.of(1, new long[count / 8]));
        String words = "takes more than the limit of ";

        assertThat(causeOf(pool.run(ECHO, List.of(1, new long[bytes / 8]))))
                .isInstanceOf(TransferException.class)
                .hasMessage("input of workload 'echo' cannot be serialised: it " + words
                        + (LIMIT + PoolSettings.MARGIN_BYTES) + " bytes (see maxMessageBytes)");
        assertThat(causeOf(pool.run(making, bytes)))
                .isInstanceOf(TransferException.class)
                .hasMessage("result of workload 'making' cannot be serialised: it " + words
                        + (LIMIT + PoolSettings.MARGIN_BYTES / 2) + " bytes (see maxMessageBytes)");
        byte[] most = bytes(LIMIT, 1);
        assertThat(pool.run(ECHO, most).orElseThrow()).isEqualTo(most);
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
    }

    @Test
    void arrays_thatAreOnlyTogetherTooLarge_travelInFurtherBatches() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(LIMIT));
        Workload<byte[], Integer> length = Workload.compute("length", array -> array.length);
        try (Stream<Result<Integer>> results =
                pool.map(length, Stream.generate(() -> new byte[LIMIT]).limit(100))) {
            assertThat(results.map(Result::orElseThrow)).hasSize(100).containsOnly(LIMIT);
        }
    }

    // ---------------------------------------------------------------------------------------------- buffers

    private static Stream<ByteBuffer> buffers() {
        return Stream.of(0, 1, 100, 200, 1 << 15, (1 << 20) + 3).flatMap(count -> {
            ByteBuffer direct = ByteBuffer.allocateDirect(count + 10)
                    .put(bytes(count + 10, count))
                    .flip();
            ByteBuffer middle =
                    ByteBuffer.wrap(bytes(count + 10, count)).position(3).limit(count + 3);
            return Stream.of(
                    ByteBuffer.wrap(bytes(count, count)),
                    middle,
                    middle.slice().order(ByteOrder.LITTLE_ENDIAN),
                    middle.asReadOnlyBuffer(),
                    direct,
                    direct.duplicate().position(5).order(ByteOrder.LITTLE_ENDIAN),
                    direct.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
        });
    }

    @Test
    void buffer_comesBackAsABufferOfItsOwn() {
        WorkerProcessStrategy pool = pool(1);
        buffers().forEach(buffer -> {
            int position = buffer.position();
            int limit = buffer.limit();
            ByteBuffer copy = (ByteBuffer) ((List<?>)
                            pool.run(ECHO, List.of("before", buffer, "behind")).orElseThrow())
                    .get(1);

            assertThat(copy).isEqualTo(buffer);
            assertThat(copy.position()).isZero();
            assertThat(copy.limit()).isEqualTo(buffer.remaining()).isEqualTo(copy.capacity());
            assertThat(copy.order()).isEqualTo(buffer.order());
            assertThat(copy.isDirect()).isEqualTo(buffer.isDirect());
            assertThat(copy.isReadOnly()).isEqualTo(buffer.isReadOnly());
            assertThat(buffer.position()).isEqualTo(position);
            assertThat(buffer.limit()).isEqualTo(limit);
        });
    }

    // ---------------------------------------------------------------------------------------------- death

    private static void signal(String name, long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static boolean isSending(Thread thread) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(Link.class.getName())
                        && frame.getMethodName().startsWith("send"));
    }

    private static void awaitSending() {
        Patience.await()
                .alias("a driver is sending")
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread ->
                                thread.getName().startsWith("stratagem-faults-worker-") && isSending(thread)));
    }

    @Test
    void worker_thatIsKilledWhileAnArrayIsSentToIt_costsNoTask() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        byte[] array = bytes(HUGE, 1);
        Workload<byte[], Integer> hash = Workload.blocking("hash", Arrays::hashCode);
        signal("STOP", pid);
        CompletableFuture<Result<Integer>> task = pool.submit(hash, array);
        awaitSending();

        signal("KILL", pid);

        assertThat(Patience.get(task)).isEqualTo(Result.success(Arrays.hashCode(array)));
        assertThat(pool.run(PID, 0).orElseThrow()).isNotEqualTo(pid);
    }

    @Test
    void poolThatIsClosedNow_whileAnArrayIsSent_isClosed() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        signal("STOP", pid);
        CompletableFuture<Result<Object>> task = pool.submit(ECHO, bytes(HUGE, 1));
        awaitSending();

        pool.closeNow();

        assertThat(Patience.get(task).isSuccess()).isFalse();
        awaitGone(pid);
    }

    /** In a worker: halts it as soon as its tasks' thread sends a result. */
    private static long[] sendAndDie(int length) {
        Thread tasks = Thread.currentThread();
        Thread watcher = new Thread(() -> {
            while (!isSending(tasks)) {
                Thread.onSpinWait();
            }
            Runtime.getRuntime().halt(7);
        });
        watcher.setDaemon(true);
        watcher.start();
        return new long[length];
    }

    @Test
    void worker_thatDiesWhileItSendsAnArray_losesThatTaskOnly() throws Exception {
        WorkerProcessStrategy pool = plainPool(1, options -> options.jvmOptions("-Xmx768m"));
        long pid = pool.run(PID, 0).orElseThrow();
        Workload<Integer, long[]> dying = Workload.blocking("dying", LargeValueTest::sendAndDie);

        Result<long[]> result = pool.run(dying, (64 << 20) / Long.BYTES);
        for (int i = 0; i < 50 && result.isSuccess(); i++) { // who was to halt it has been asleep
            result = pool.run(dying, (64 << 20) / Long.BYTES);
        }

        assertThat(causeOf(result)).isInstanceOfSatisfying(WorkerDiedException.class, died -> {
            assertThat(died.exitCode()).isEqualTo(7);
            assertThat(died.mayHaveFinished()).isTrue();
        });
        assertThat(pool.run(PID, 0).orElseThrow()).isNotEqualTo(pid);
        assertThat(pool.run(ECHO, bytes(HUGE, 1)).orElseThrow()).isEqualTo(bytes(HUGE, 1));
    }

    // ---------------------------------------------------------------------------------------------- cancellation

    @Test
    void arrays_ofTasksThatAreCancelled_areNotThoseOfOthers() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        CompletableFuture<Result<Integer>> blocking = pool.submit(
                Workload.<Gate, Integer>blocking("waiting", open -> {
                    open.await();
                    return 1;
                }),
                gate);
        List<CompletableFuture<Result<Object>>> tasks = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            tasks.add(pool.submit(ECHO, bytes(1 << 18, i)));
        }
        for (int i = 0; i < 10; i += 2) {
            tasks.get(i).cancel(true);
        }
        gate.open();

        assertThat(Patience.get(blocking)).isEqualTo(Result.success(1));
        for (int i = 1; i < 10; i += 2) {
            assertThat(Patience.get(tasks.get(i)).orElseThrow()).isEqualTo(bytes(1 << 18, i));
        }
    }
}
