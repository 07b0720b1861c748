package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.processpool.ApplicationSide.Echo;
import io.stratagem.processpool.ApplicationSide.Taken;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Both sides of a connection, fed with bytes that the other side should not send. What a fuzzer finds beyond that, see
 * {@link ApplicationFuzzTest} and {@link WorkerFuzzTest}, becomes a test here.
 */
@Timeout(120)
final class DecoderTest {
    private static final ApplicationSide APPLICATION = new ApplicationSide();
    private static final WorkerSide WORKER = new WorkerSide();
    private static final Exchange EXCHANGE = Exchange.between(APPLICATION, WORKER);
    private static final byte[] ALL_ANSWERS = last(EXCHANGE.fromWorker());
    private static final byte[] ALL_ORDERS = last(EXCHANGE.toWorker());

    /** What it may cost in memory to serve a worker, and to believe a length. */
    private static final long FIXED_BYTES = 4 << 20;

    /** Elements of a value that is to be large. */
    private static final int MANY = 200_000;

    private static byte[] last(List<byte[]> all) {
        return all.get(all.size() - 1);
    }

    // ---------------------------------------------------------------------------------------------- both sides

    @Test
    void exchange_thatNobodyDisturbs_givesEachTaskItsResult() {
        List<Result<Object>> results =
                APPLICATION.take(0, ByteBuffer.wrap(ALL_ANSWERS)).results();

        for (int i = 0; i < results.size(); i++) {
            Object input = ApplicationSide.INPUTS.get(i);
            Result<Object> result = results.get(i);
            if (Echo.THROW.equals(input)) {
                assertThat(WorkerFixture.causeOf(result))
                        .isInstanceOf(IllegalStateException.class)
                        .hasCauseInstanceOf(IOException.class);
            } else {
                assertThat(Objects.deepEquals(result.orElseThrow(), input))
                        .as("%s for %s", result, input)
                        .isTrue();
            }
        }
    }

    /** What a disturbance does. */
    private interface Disturbance {
        byte[] apply(byte[] bytes, int at);
    }

    private static void assertEndured(byte[] valid, Disturbance disturbance, Consumer<byte[]> side) {
        for (int at = 0; at < valid.length; at++) {
            FuzzedBytes.check(disturbance.apply(valid, at), side);
        }
    }

    private static Stream<Arguments> disturbances() {
        Disturbance end = Arrays::copyOf;
        Disturbance turn = (bytes, at) -> replaced(bytes, at, ~bytes[at]);
        return Stream.of(Arguments.of("ends there", end), Arguments.of("has all bits of a byte turned", turn));
    }

    private static byte[] replaced(byte[] bytes, int at, int value) {
        byte[] changed = bytes.clone();
        changed[at] = (byte) value;
        return changed;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("disturbances")
    void answers_disturbedAnywhere_giveEachTaskAResult(String what, Disturbance disturbance) {
        assertEndured(ApplicationSide.withPageWord(0, ALL_ANSWERS), disturbance, APPLICATION::takeAndCheck);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("disturbances")
    void orders_disturbedAnywhere_areRunOrEndTheWorker(String what, Disturbance disturbance) {
        assertEndured(ALL_ORDERS, disturbance, WORKER::takeAndCheck);
    }

    // ---------------------------------------------------------------------------------------------- frames

    private static byte[] frame(byte kind, Consumer<Bytes> contents) {
        Bytes frame = Link.frame(new Bytes(), kind);
        contents.accept(frame);
        frame.setInt(0, frame.size() - Integer.BYTES);
        return frame.toByteArray();
    }

    /** The outcome of the first task. */
    private static byte[] outcome(byte kind, Consumer<Bytes> contents) {
        return frame(Frames.RESULTS, frame -> {
            frame.putLong(1);
            frame.putInt(0);
            frame.putLong(0);
            frame.putInt(1);
            frame.putByte(kind);
            int lengthAt = frame.size();
            frame.putInt(0);
            contents.accept(frame);
            frame.setInt(lengthAt, frame.size() - lengthAt - Integer.BYTES);
        });
    }

    private static byte[] value(Consumer<Bytes> contents) {
        return outcome(Frames.VALUE, contents);
    }

    private static byte[] javaForm(Serializable value) {
        return value(out -> {
            Bytes compact = new Bytes();
            new Codec(DecoderTest.class.getClassLoader(), Filters.fromApplication()).write(compact, value, "value");
            out.putBytes(compact.array(), 0, compact.size());
        });
    }

    private static byte[] list(Tag tag, int count, Consumer<Bytes> element) {
        return value(out -> {
            tag.put(out);
            out.putVarInt(count);
            for (int i = 0; i < count; i++) {
                element.accept(out);
            }
        });
    }

    private static byte[] log(int mdcSize, Consumer<Bytes> rest) {
        return frame(Frames.LOG, out -> {
            out.putByte(20);
            out.putString("logger");
            out.putString("message");
            out.putString("thread");
            out.putInt(mdcSize);
            rest.accept(out);
        });
    }

    private static void putThrowable(Bytes out, int frames, int suppressed) {
        out.putString("");
        out.putByte(0);
        out.putString("");
        out.putVarInt(frames);
        for (int i = 0; i < 5 * frames; i++) {
            out.putByte(0);
        }
        out.putVarInt(-1);
        out.putVarInt(suppressed);
        for (int i = 0; i < suppressed; i++) {
            out.putVarInt(0);
        }
        out.putInt(0);
        out.putString("");
    }

    private static byte[] throwables(int count, int frames, int suppressed) {
        return outcome(Frames.THROWN, out -> {
            out.putInt(count);
            for (int i = 0; i < count; i++) {
                putThrowable(out, frames, suppressed);
            }
        });
    }

    private static byte[] concatenated(byte[]... frames) {
        ByteBuffer all = ByteBuffer.allocate(
                Stream.of(frames).mapToInt(frame -> frame.length).sum());
        Stream.of(frames).forEach(all::put);
        return all.array();
    }

    // ---------------------------------------------------------------------------------------------- memory

    static Stream<Arguments> bulk() {
        return Stream.of(
                Arguments.of("nulls", list(Tag.ARRAY_LIST, MANY, Tag.NULL::put)),
                Arguments.of("in an immutable list", list(Tag.IMMUTABLE_LIST, MANY, Tag.TRUE::put)),
                Arguments.of("empty strings", list(Tag.ARRAY_LIST, MANY, out -> {
                    Tag.STRING.put(out);
                    out.putString("");
                })),
                Arguments.of("empty arrays", list(Tag.ARRAY_LIST, MANY, out -> {
                    Tag.LONGS.put(out);
                    out.putVarInt(0);
                })),
                Arguments.of("small lists", list(Tag.ARRAY_LIST, MANY, out -> {
                    Tag.ARRAY_LIST.put(out);
                    out.putVarInt(1);
                    Tag.NULL.put(out);
                })),
                Arguments.of("small maps", list(Tag.ARRAY_LIST, MANY, out -> {
                    Tag.IMMUTABLE_MAP.put(out);
                    out.putVarInt(1);
                    Tag.TRUE.put(out);
                    Tag.TRUE.put(out);
                })),
                Arguments.of("a long array", value(out -> {
                    Tag.LONGS.put(out);
                    out.putArray(MANY, Long.BYTES);
                })),
                Arguments.of("an object array", javaForm(new Object[MANY])),
                Arguments.of("throwables", throwables(100, 1024, 100)),
                Arguments.of("a log's MDC", log(MANY, out -> {
                    for (int i = 0; i < MANY; i++) {
                        out.putString("");
                        out.putString("");
                    }
                    out.putByte(0);
                })),
                Arguments.of(
                        "logs",
                        concatenated(Collections.nCopies(MANY / 10, log(0, out -> out.putByte(0)))
                                .toArray(byte[][]::new))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bulk")
    void answer_thatAmountsToMuch_takesMemoryInProportion(String what, byte[] answer) {
        Taken taken = APPLICATION.take(0, ByteBuffer.wrap(answer));

        assertThat(taken.allocatedBytes()).isLessThan(FIXED_BYTES + ApplicationSide.FACTOR * answer.length);
    }

    // ---------------------------------------------------------------------------------------------- lies

    private static final int HUGE = ApplicationSide.MAX_MESSAGE_BYTES;

    static Stream<Arguments> lies() {
        byte[] arrayOfBytes = javaForm(new byte[0][0]); // its last int is a length
        return Stream.of(
                Arguments.of("length of a string", value(out -> {
                    Tag.STRING.put(out);
                    out.putVarInt(HUGE);
                })),
                Arguments.of("length of a string of chars", value(out -> {
                    Tag.STRING.put(out);
                    out.putVarInt(~Integer.MAX_VALUE);
                })),
                Arguments.of("length of an array", value(out -> {
                    Tag.LONGS.put(out);
                    out.putVarInt(Integer.MAX_VALUE);
                })),
                Arguments.of("negative length of an array", value(out -> {
                    Tag.BYTES.put(out);
                    out.putVarInt(-1);
                })),
                Arguments.of("size of a list", value(out -> {
                    Tag.ARRAY_LIST.put(out);
                    out.putVarInt(HUGE);
                })),
                Arguments.of("size of a map", value(out -> {
                    Tag.HASH_MAP.put(out);
                    out.putVarInt(HUGE);
                })),
                Arguments.of("number of a class", value(out -> {
                    Tag.RECORD.put(out);
                    out.putVarInt(1);
                })),
                Arguments.of("name of a class", value(out -> {
                    Tag.RECORD.put(out);
                    out.putVarInt(0);
                    out.putString("x".repeat(1 << 17));
                })),
                Arguments.of("depth", value(out -> {
                    for (int i = 0; i < 1 << 16; i++) {
                        Tag.ARRAY_LIST.put(out);
                        out.putVarInt(1);
                    }
                    Tag.NULL.put(out);
                })),
                Arguments.of(
                        "length of an array in Java's form",
                        replaced(arrayOfBytes, arrayOfBytes.length - Integer.BYTES, 0x10)),
                Arguments.of("number of throwables", outcome(Frames.THROWN, out -> out.putInt(HUGE))),
                Arguments.of("number of frames", throwables(1, 1 << 16, 0)),
                Arguments.of("number of suppressed", throwables(1, 0, 1 << 16)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void outcome_thatLies_failsItsTaskAndTakesLittleMemory(String about, byte[] answer) {
        Taken taken = APPLICATION.take(0, ByteBuffer.wrap(answer));

        assertThat(WorkerFixture.causeOf(taken.results().get(0))).isInstanceOf(TransferException.class);
        assertThat(taken.allocatedBytes()).isLessThan(FIXED_BYTES);
    }

    static Stream<Arguments> malformed() {
        return Stream.of(
                Arguments.of("length of a frame", new byte[] {-1, -1, -1, 0x0F, Frames.LOG}),
                Arguments.of("negative length of a frame", new byte[] {-1, -1, -1, -1, Frames.LOG}),
                Arguments.of("empty frame", new byte[] {0, 0, 0, 0}),
                Arguments.of("unknown kind", frame((byte) 99, out -> {})),
                Arguments.of("length of an outcome", frame(Frames.RESULTS, out -> {
                    out.putLong(1);
                    out.putInt(0);
                    out.putLong(0);
                    out.putInt(1);
                    out.putByte(Frames.VALUE);
                    out.putInt(HUGE);
                })),
                Arguments.of("start of a task that is not there", frame(Frames.STARTED, out -> {
                    out.putLong(1);
                    out.putInt(1);
                    out.putLong(0);
                })),
                Arguments.of("size of an MDC", log(HUGE, out -> {})),
                Arguments.of("number of places in a question", frame(Frames.QUESTION, out -> {
                    out.putInt(1);
                    out.putInt(1);
                    out.putByte(0);
                    out.putString("name");
                    out.putVarInt(HUGE);
                })));
    }

    @Test
    void log_withAMalformedFailure_doesNoHarm() {
        byte[] log = log(0, out -> {
            out.putByte(1);
            out.putInt(HUGE);
        });

        Taken taken = APPLICATION.take(0, ByteBuffer.wrap(concatenated(log, ALL_ANSWERS)));

        assertThat(taken.isConnected()).isTrue();
        assertThat(taken.results().get(0).isSuccess()).isTrue();
    }

    /** Nobody wants it: if that hung, there would be nobody to notice. */
    @Test
    void outcome_behindATaskThatWasTakenBack_isNotRebuilt() {
        AtomicBoolean isRebuilt = new AtomicBoolean();
        Hooked.whenRead("unwanted", () -> isRebuilt.set(true));
        byte[] first = value(Tag.NULL::put);
        byte[] others = frame(Frames.RESULTS, out -> {
            out.putLong(2);
            out.putInt(0);
            out.putLong(0);
            out.putInt(2);
            out.putByte(Frames.REVOKED);
            out.putInt(0);
            out.putByte(Frames.VALUE);
            Bytes compact = new Bytes();
            new Codec(DecoderTest.class.getClassLoader(), Filters.fromApplication())
                    .write(compact, new Hooked("unwanted"), "value");
            out.putInt(compact.size());
            out.putBytes(compact.array(), 0, compact.size());
        });

        Taken taken = APPLICATION.take(0, ByteBuffer.wrap(concatenated(first, others)));
        Hooked.clear();

        assertThat(taken.results().get(0).isSuccess()).isTrue();
        assertThat(isRebuilt).isFalse();
        assertThat(taken.isConnected()).isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void frame_thatLies_endsTheWorkerAndTakesLittleMemory(String about, byte[] lie) {
        Taken taken = APPLICATION.take(0, ByteBuffer.wrap(concatenated(lie, ALL_ANSWERS)));

        assertThat(taken.isConnected()).isFalse();
        assertThat(taken.results()).noneMatch(Result::isSuccess);
        assertThat(taken.allocatedBytes()).isLessThan(FIXED_BYTES);
    }

    // ---------------------------------------------------------------------------------------------- the worker

    private static byte[] orders(Consumer<Bytes> batch) {
        byte[] naming = frame(Frames.LOADER, out -> {
            out.putInt(1);
            out.putByte(1);
            out.putVarInt(0);
        });
        byte[] definition = frame(Frames.DEFINE, out -> {
            out.putInt(0);
            out.putInt(1);
            out.putInt(1);
            out.putString("COMPUTE");
            out.putString("echo");
            Tag.RECORD.put(out);
            out.putVarInt(0);
            out.putString(Echo.class.getName());
        });
        return concatenated(naming, definition, frame(Frames.BATCH, batch));
    }

    private static void putBatch(Bytes out, int size, Consumer<Bytes> input) {
        out.putLong(1);
        out.putInt(0);
        out.putByte(0);
        out.putVarInt(0);
        out.putInt(0);
        out.putInt(size);
        for (int i = 0; i < size; i++) {
            int lengthAt = out.size();
            out.putInt(0);
            input.accept(out);
            out.setInt(lengthAt, out.size() - lengthAt - Integer.BYTES);
        }
    }

    @Test
    void batch_ofTheGreatestSize_isRun() {
        byte[] orders = orders(out -> putBatch(out, TaskPage.MAX_BATCH, Tag.NULL::put));

        WorkerSide.Taken taken = WORKER.take(ByteBuffer.wrap(orders));

        assertThat(taken.end()).isNull();
        assertThat(taken.sent()).hasSizeGreaterThan(5 * TaskPage.MAX_BATCH);
    }

    private static void putColumnBatch(Bytes out, Tag tag, int size, Consumer<Bytes> values) {
        out.putLong(1);
        out.putInt(0);
        out.putByte(Frames.COLUMN);
        out.putVarInt(0);
        out.putInt(0);
        out.putInt(size);
        tag.put(out);
        values.accept(out);
    }

    @Test
    void batch_ofAColumn_isRun() {
        byte[] orders = orders(out -> putColumnBatch(out, Tag.LONG, TaskPage.MAX_BATCH, values -> {
            for (long i = 0; i < TaskPage.MAX_BATCH; i++) {
                values.putLong(i);
            }
        }));

        WorkerSide.Taken taken = WORKER.take(ByteBuffer.wrap(orders));

        assertThat(taken.end()).isNull();
        assertThat(taken.sent()).hasSizeBetween(8 * TaskPage.MAX_BATCH, 9 * TaskPage.MAX_BATCH);
    }

    @Test
    void batch_ofAColumnThatIsCutOff_isMalformed() {
        byte[] orders = orders(out -> putColumnBatch(out, Tag.LONG, 2, values -> values.putLong(1)));

        assertThat(WORKER.take(ByteBuffer.wrap(orders)).end()).isInstanceOf(Bytes.MalformedException.class);
    }

    @Test
    void batch_ofAColumnOfWhatIsNone_isMalformed() {
        byte[] orders = orders(out -> putColumnBatch(out, Tag.STRING, 1, values -> values.putString("text")));

        assertThat(WORKER.take(ByteBuffer.wrap(orders)).end()).isInstanceOf(Bytes.MalformedException.class);
    }

    @Test
    void batch_ofMoreTasksThanThereMayBe_isMalformed() {
        byte[] orders = orders(out -> putBatch(out, 10 * TaskPage.MAX_BATCH, Tag.NULL::put));

        assertThat(WORKER.take(ByteBuffer.wrap(orders)).end()).isInstanceOf(Bytes.MalformedException.class);
    }

    @Test
    void input_thatAmountsToMuch_takesMemoryInProportion() {
        byte[] orders = orders(out -> putBatch(out, 1, input -> {
            Tag.ARRAY_LIST.put(input);
            input.putVarInt(MANY);
            for (int i = 0; i < MANY; i++) {
                Tag.LONGS.put(input);
                input.putVarInt(0);
            }
        }));

        WorkerSide.Taken taken = WORKER.take(ByteBuffer.wrap(orders));

        assertThat(taken.end()).isNull();
        assertThat(taken.allocatedBytes())
                .isLessThan(FIXED_BYTES + ApplicationSide.FACTOR * (orders.length + taken.sent().length));
    }
}
