package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedMemoryFixture.array;
import static io.stratagem.batchedipc.SharedMemoryFixture.hasArenas;
import static io.stratagem.batchedipc.SharedMemoryFixture.passed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(Patience.TEST_SECONDS)
final class SharedArrayTest {
    private static final int LENGTH = 10_000;
    private static final long GIB = 1L << 30;

    private long descriptorsBefore;

    static Stream<Means> allMeans() {
        return SharedMemoryFixture.allMeans();
    }

    @BeforeEach
    void countDescriptors() {
        descriptorsBefore = SharedMemoryFixture.descriptors();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(SharedMemoryFixture.descriptors()).isEqualTo(descriptorsBefore);
        assertThat(SharedMemoryFixture.namedFiles(TestPlace.PATH)).isEmpty();
    }

    // ---------------------------------------------------------------------------------------------- elements

    @ParameterizedTest
    @MethodSource("allMeans")
    void elements_ofEachType_areKeptFromFirstToLast(Means means) {
        try (SharedArray bytes = array(means, SharedArray.Type.BYTE, LENGTH);
                SharedArray ints = array(means, SharedArray.Type.INT, LENGTH);
                SharedArray longs = array(means, SharedArray.Type.LONG, LENGTH);
                SharedArray floats = array(means, SharedArray.Type.FLOAT, LENGTH);
                SharedArray doubles = array(means, SharedArray.Type.DOUBLE, LENGTH)) {
            for (int i = 0; i < LENGTH; i++) {
                assertThat(bytes.getByte(i) + ints.getInt(i) + longs.getLong(i) + floats.getFloat(i))
                        .isZero();
                assertThat(doubles.getDouble(i)).isZero();
                bytes.setByte(i, (byte) i);
                ints.setInt(i, -i);
                longs.setLong(i, i * GIB);
                floats.setFloat(i, i / 8f);
                doubles.setDouble(i, -i / 3d);
            }
            for (int i = 0; i < LENGTH; i++) {
                assertThat(bytes.getByte(i)).isEqualTo((byte) i);
                assertThat(ints.getInt(i)).isEqualTo(-i);
                assertThat(longs.getLong(i)).isEqualTo(i * GIB);
                assertThat(floats.getFloat(i)).isEqualTo(i / 8f);
                assertThat(doubles.getDouble(i)).isEqualTo(-i / 3d);
            }
            assertThat(List.of(bytes, ints, longs, floats, doubles))
                    .extracting(SharedArray::sizeBytes)
                    .containsExactly(10_000L, 40_000L, 80_000L, 40_000L, 80_000L);
            assertThat(List.of(bytes, ints, longs, floats, doubles))
                    .extracting(SharedArray::type)
                    .containsExactly(SharedArray.Type.values());
        }
    }

    @Test
    void copies_ofArraysOfEachType_areEqual() {
        // More than the piece that is written at once, and not a multiple of it.
        int length = 100_003;
        byte[] bytes = new byte[3 * length];
        int[] ints = new int[length];
        long[] longs = new long[length];
        float[] floats = new float[length];
        double[] doubles = new double[length];
        for (int i = 0; i < length; i++) {
            bytes[3 * i] = (byte) i;
            ints[i] = i;
            longs[i] = -i;
            floats[i] = i;
            doubles[i] = i / 7d;
        }
        try (SharedArray a = SharedArray.copyOf(bytes);
                SharedArray b = SharedArray.copyOf(ints);
                SharedArray c = SharedArray.copyOf(longs);
                SharedArray d = SharedArray.copyOf(floats);
                SharedArray e = SharedArray.copyOf(doubles)) {
            byte[] bytesBack = new byte[bytes.length];
            int[] intsBack = new int[length];
            long[] longsBack = new long[length];
            float[] floatsBack = new float[length];
            double[] doublesBack = new double[length];
            a.get(0, bytesBack);
            b.get(0, intsBack);
            c.get(0, longsBack);
            d.get(0, floatsBack);
            e.get(0, doublesBack);
            assertThat(bytesBack).isEqualTo(bytes);
            assertThat(intsBack).isEqualTo(ints);
            assertThat(longsBack).isEqualTo(longs);
            assertThat(floatsBack).isEqualTo(floats);
            assertThat(doublesBack).isEqualTo(doubles);
        }
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void parts_areCopiedInAndOut_andNothingElse(Means means) {
        try (SharedArray bytes = array(means, SharedArray.Type.BYTE, 10);
                SharedArray ints = array(means, SharedArray.Type.INT, 10);
                SharedArray longs = array(means, SharedArray.Type.LONG, 10);
                SharedArray floats = array(means, SharedArray.Type.FLOAT, 10);
                SharedArray doubles = array(means, SharedArray.Type.DOUBLE, 10)) {
            bytes.set(4, new byte[] {9, 1, 2, 9}, 1, 2);
            ints.set(4, new int[] {9, 1, 2, 9}, 1, 2);
            longs.set(4, new long[] {9, 1, 2, 9}, 1, 2);
            floats.set(4, new float[] {9, 1, 2, 9}, 1, 2);
            doubles.set(4, new double[] {9, 1, 2, 9}, 1, 2);

            byte[] bytesBack = {7, 7, 7, 7, 7, 7};
            int[] intsBack = {7, 7, 7, 7, 7, 7};
            long[] longsBack = {7, 7, 7, 7, 7, 7};
            float[] floatsBack = {7, 7, 7, 7, 7, 7};
            double[] doublesBack = {7, 7, 7, 7, 7, 7};
            bytes.get(3, bytesBack, 1, 4);
            ints.get(3, intsBack, 1, 4);
            longs.get(3, longsBack, 1, 4);
            floats.get(3, floatsBack, 1, 4);
            doubles.get(3, doublesBack, 1, 4);
            assertThat(bytesBack).containsExactly(7, 0, 1, 2, 0, 7);
            assertThat(intsBack).containsExactly(7, 0, 1, 2, 0, 7);
            assertThat(longsBack).containsExactly(7, 0, 1, 2, 0, 7);
            assertThat(floatsBack).containsExactly(7, 0, 1, 2, 0, 7);
            assertThat(doublesBack).containsExactly(7, 0, 1, 2, 0, 7);
        }
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void indices_outside_areRefused(Means means) {
        try (SharedArray array = array(means, SharedArray.Type.INT, 10)) {
            List<ThrowingCallable> outside = List.of(
                    () -> array.getInt(-1),
                    () -> array.getInt(10),
                    () -> array.getInt(Long.MAX_VALUE),
                    () -> array.setInt(10, 1),
                    () -> array.getVolatileInt(10),
                    () -> array.setVolatileInt(-1, 1),
                    () -> array.getAndAddInt(10, 1),
                    () -> array.compareAndSetInt(10, 1, 1),
                    () -> array.get(7, new int[4]),
                    () -> array.get(-1, new int[4]),
                    () -> array.get(0, new int[4], 1, 4),
                    () -> array.get(0, new int[4], 0, -1),
                    () -> array.set(7, new int[4]),
                    () -> array.set(0, new int[4], 3, 2),
                    () -> array.bytes(9, 2),
                    () -> array.bytes(-1, 2),
                    () -> array.ints(0, -1),
                    () -> array.ints(Long.MAX_VALUE, 1));
            for (int i = 0; i < outside.size(); i++) {
                assertThatThrownBy(outside.get(i)).as("call %d", i).isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @Test
    void methods_forAnotherType_areRefused() {
        try (SharedArray ints = SharedArray.ofInts(10);
                SharedArray doubles = SharedArray.ofDoubles(10)) {
            List<ThrowingCallable> wrong = List.of(
                    () -> ints.getByte(0),
                    () -> ints.getLong(0),
                    () -> ints.getFloat(0),
                    () -> ints.getDouble(0),
                    () -> ints.setByte(0, (byte) 1),
                    () -> ints.setLong(0, 1),
                    () -> ints.setFloat(0, 1),
                    () -> ints.setDouble(0, 1),
                    () -> ints.get(0, new byte[1]),
                    () -> ints.set(0, new float[1]),
                    () -> ints.longs(0, 1),
                    () -> ints.floats(0, 1),
                    () -> ints.doubles(0, 1),
                    () -> ints.getVolatileLong(0),
                    () -> ints.getAndAddLong(0, 1),
                    () -> doubles.getVolatileInt(0),
                    () -> doubles.compareAndSetLong(0, 1, 1),
                    () -> doubles.getInt(0),
                    () -> doubles.ints(0, 1));
            for (int i = 0; i < wrong.size(); i++) {
                assertThatThrownBy(wrong.get(i))
                        .as("call %d", i)
                        .isInstanceOf(UnsupportedOperationException.class)
                        .hasMessageMatching("This array has (ints|doubles), not \\w+s");
            }
        }
    }

    @Test
    void length_outOfRange_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SharedArray.ofBytes(-1))
                .withMessageContaining("-1");
        assertThatIllegalArgumentException().isThrownBy(() -> SharedArray.ofDoubles(Long.MAX_VALUE / 8));
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void empty_isAnArrayLikeAnother(Means means) throws Exception {
        try (SharedArray array = array(means, SharedArray.Type.DOUBLE, 0);
                SharedArray copy = SharedArray.copyOf(new int[0]);
                SharedArray arrived = passed(array)) {
            assertThat(arrived.length()).isZero();
            assertThat(arrived.doubles(0, 0).remaining()).isZero();
            assertThat(copy.sizeBytes()).isZero();
            array.set(0, new double[0]);
            assertThatThrownBy(() -> array.getDouble(0)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void steps_ofManyThreads_areAllCounted(Means means) {
        try (SharedArray ints = array(means, SharedArray.Type.INT, 3);
                SharedArray longs = array(means, SharedArray.Type.LONG, 3)) {
            RacingThreads.run(2, () -> {
                for (int i = 0; i < 10_000; i++) {
                    ints.getAndAddInt(1, 1);
                    longs.getAndAddLong(1, -1);
                    long seen;
                    do {
                        seen = longs.getVolatileLong(2);
                    } while (!longs.compareAndSetLong(2, seen, seen + 2));
                }
            });
            assertThat(ints.getVolatileInt(1)).isEqualTo(20_000);
            assertThat(longs.getLong(1)).isEqualTo(-20_000);
            assertThat(longs.getLong(2)).isEqualTo(40_000);
            ints.setVolatileInt(0, 5);
            assertThat(ints.compareAndSetInt(0, 4, 6)).isFalse();
            assertThat(ints.compareAndSetInt(0, 5, 6)).isTrue();
            assertThat(ints.getInt(0)).isEqualTo(6);
        }
    }

    // ---------------------------------------------------------------------------------------------- buffers

    @ParameterizedTest
    @MethodSource("allMeans")
    void buffers_areTheArray(Means means) {
        try (SharedArray ints = array(means, SharedArray.Type.INT, 100);
                SharedArray longs = array(means, SharedArray.Type.LONG, 100);
                SharedArray floats = array(means, SharedArray.Type.FLOAT, 100);
                SharedArray doubles = array(means, SharedArray.Type.DOUBLE, 100)) {
            ints.ints(10, 5).put(2, 42);
            longs.longs(10, 5).put(2, 42);
            floats.floats(10, 5).put(2, 42);
            doubles.doubles(10, 5).put(2, 42);
            assertThat(ints.getInt(12)).isEqualTo(42);
            assertThat(longs.getLong(12)).isEqualTo(42);
            assertThat(floats.getFloat(12)).isEqualTo(42);
            assertThat(doubles.getDouble(12)).isEqualTo(42);
            assertThat(doubles.doubles(10, 5).remaining()).isEqualTo(5);

            ByteBuffer bytes = doubles.bytes(12, 2);
            assertThat(bytes.order()).isEqualTo(ByteOrder.nativeOrder());
            assertThat(bytes.isDirect()).isTrue();
            assertThat(bytes.remaining()).isEqualTo(16);
            assertThat(bytes.getDouble(0)).isEqualTo(42);
            assertThat(doubles.bytes(100, 0).remaining()).isZero();
        }
    }

    @Test
    void buffer_ofMoreThanABufferCanHold_isRefused() throws IOException {
        assumeRoom();
        try (SharedArray array = SharedArray.ofLongs(GIB / 4 + 1)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> array.longs(0, (int) (GIB / 4)))
                    .withMessageContaining("2147483648");
        }
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void large_isUsableInAllItsParts(Means means) throws Exception {
        assumeRoom();
        long length = (2 * GIB + GIB / 8) / Double.BYTES + 3;
        try (SharedArray array = array(means, SharedArray.Type.DOUBLE, length);
                SharedArray arrived = passed(array)) {
            long[] border = {GIB / Double.BYTES, 2 * GIB / Double.BYTES, length - 3};
            for (long at : border) {
                array.set(at - 2, new double[] {1, 2, 3, 4, 5});
                double[] back = new double[7];
                arrived.get(at - 4, back);
                assertThat(back).containsExactly(0, 0, 1, 2, 3, 4, 5);
                assertThat(arrived.getDouble(at)).isEqualTo(3);
                assertThat(arrived.doubles(at - 2, 5).get(1)).isEqualTo(2);
                array.doubles(at - 2, 5).put(4, 6);
                assertThat(arrived.getDouble(at + 2)).isEqualTo(6);
            }
            // Nearly all that one buffer can have.
            int most = SharedArray.MAX_BUFFER_BYTES / Double.BYTES;
            DoubleBuffer buffer = arrived.doubles(length - most, most);
            assertThat(buffer.get(most - 1)).isEqualTo(6);
            assertThat(arrived.getDouble(7)).isZero();
        }
    }

    private static void assumeRoom() throws IOException {
        Path place = SharedMemoryFile.places().get(0);
        assumeTrue(Files.getFileStore(place).getUsableSpace() > 4 * GIB, "4 GiB of room in " + place);
    }

    // ---------------------------------------------------------------------------------------------- read-only

    @ParameterizedTest
    @MethodSource("allMeans")
    void readOnly_refusesAllThatWrites_hereAndWhereItArrives(Means means) throws Exception {
        try (SharedArray ints = array(means, SharedArray.Type.INT, 10);
                SharedArray longs = array(means, SharedArray.Type.LONG, 10);
                SharedArray arrivedInts = passed(ints.asReadOnly());
                SharedArray arrivedLongs = passed(longs.asReadOnly())) {
            ints.setInt(3, 7);
            try (SharedArray passedOn = passed(arrivedInts)) {
                for (SharedArray each : List.of(ints.asReadOnly(), arrivedInts, passedOn)) {
                    assertThat(each.isReadOnly()).isTrue();
                    assertThat(each.getInt(3)).isEqualTo(7);
                    assertThat(each.ints(3, 1).get(0)).isEqualTo(7);
                    assertThat(each.getVolatileInt(3)).isEqualTo(7);
                    refuses(() -> each.setInt(3, 8));
                    refuses(() -> each.set(3, new int[1]));
                    refuses(() -> each.setVolatileInt(3, 8));
                    refuses(() -> each.getAndAddInt(3, 8));
                    refuses(() -> each.compareAndSetInt(3, 7, 8));
                    refuses(() -> each.ints(3, 1).put(0, 8));
                    refuses(() -> each.bytes(3, 1).put(0, (byte) 8));
                    assertThat(each.asReadOnly()).isSameAs(each);
                }
            }
            refuses(() -> arrivedLongs.setLong(3, 8));
            refuses(() -> arrivedLongs.getAndAddLong(3, 8));
            refuses(() -> arrivedLongs.compareAndSetLong(3, 0, 8));
            refuses(() -> arrivedLongs.setVolatileLong(3, 8));
            assertThat(ints.isReadOnly()).isFalse();
            assertThat(ints.getInt(3)).isEqualTo(7);
        }
    }

    private static void refuses(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(ReadOnlyBufferException.class);
    }

    // ---------------------------------------------------------------------------------------------- passing

    @ParameterizedTest
    @MethodSource("allMeans")
    void arrived_isTheSameMemory_andHasALifeOfItsOwn(Means means) throws Exception {
        SharedArray again;
        try (SharedArray array = array(means, SharedArray.Type.LONG, 10)) {
            again = passed(array);
            try (SharedArray arrived = passed(again)) {
                arrived.setLong(1, 11);
                array.setLong(2, 22);
                assertThat(again.getLong(1) + again.getLong(2)).isEqualTo(33);
            }
            assertThat(array.getLong(1)).isEqualTo(11);
        }
        assertThat(again.getLong(2)).isEqualTo(22);
        try (SharedArray last = passed(again)) {
            again.close();
            assertThat(last.getLong(2)).isEqualTo(22);
        }
    }

    @Test
    void handle_isSmall() {
        try (SharedArray array = SharedArray.ofDoubles(1_000_000)) {
            assertThat(SharedMemoryFixture.written(array)).hasSizeLessThan(500);
        }
    }

    // ---------------------------------------------------------------------------------------------- the end

    @ParameterizedTest
    @MethodSource("allMeans")
    void closed_refusesAllUse(Means means) {
        SharedArray array = array(means, SharedArray.Type.INT, 10);
        SharedArray longs = array(means, SharedArray.Type.LONG, 10);
        SharedArray view = array.asReadOnly();
        array.close();
        array.close();
        longs.close();
        List<ThrowingCallable> uses = List.of(
                () -> array.getInt(0),
                () -> array.setInt(0, 1),
                () -> array.getVolatileInt(0),
                () -> array.setVolatileInt(0, 1),
                () -> array.getAndAddInt(0, 1),
                () -> array.compareAndSetInt(0, 1, 1),
                () -> longs.getLong(0),
                () -> longs.getAndAddLong(0, 1),
                () -> array.get(0, new int[1]),
                () -> array.get(0, new int[0]),
                () -> array.set(0, new int[1]),
                () -> array.bytes(0, 1),
                () -> array.ints(0, 1),
                () -> view.getInt(0),
                () -> view.ints(0, 1),
                () -> SharedMemoryFixture.written(array));
        for (int i = 0; i < uses.size(); i++) {
            assertThatIllegalStateException()
                    .as("call %d", i)
                    .isThrownBy(uses.get(i))
                    .withMessageContaining("closed");
        }
        assertThat(array.isClosed()).isTrue();
        assertThat(array.length()).isEqualTo(10);
        assertThat(array).hasToString("SharedArray[10 ints, closed]");
        assertThat(view).hasToString("SharedArray[10 ints, read-only, closed]");
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void buffer_afterTheClose_throwsOrIsStillThere(Means means) {
        SharedArray array = array(means, SharedArray.Type.DOUBLE, 10);
        DoubleBuffer buffer = array.doubles(2, 3);
        buffer.put(0, 1.5);
        array.close();
        if (means.mapper() == Mapping.COLLECTED) {
            assertThat(buffer.get(0)).isEqualTo(1.5);
        } else {
            assertThatIllegalStateException().isThrownBy(() -> buffer.get(0));
        }
    }

    @Test
    void close_unmapsAtOnce_whereJavaCan() {
        assumeTrue(hasArenas(), "Java 22");
        long before = SharedMemoryFixture.mappings();
        SharedArray array = SharedArray.ofDoubles(10);
        assertThat(SharedMemoryFixture.mappings()).isEqualTo(before + 1);
        array.close();
        assertThat(SharedMemoryFixture.mappings()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("allMeans")
    void close_whileOthersReadAndWrite_isAnException(Means means) {
        int rounds = 250; // for each of the means
        for (int round = 0; round < rounds; round++) {
            SharedArray array = array(means, SharedArray.Type.LONG, 1 << 14);
            AtomicBoolean isClosed = new AtomicBoolean();
            RacingThreads.run(() -> useUntilClosed(array, isClosed), () -> {
                Thread.yield();
                array.close();
                isClosed.set(true);
            });
        }
    }

    private static void useUntilClosed(SharedArray array, AtomicBoolean isClosed) {
        long[] some = new long[512];
        try {
            while (!isClosed.get()) {
                for (int i = 0; i < 1 << 14; i += 64) {
                    array.setLong(i, array.getLong(i) + 1);
                }
                array.get(100, some);
                array.longs(0, 1 << 14).put(some);
                array.getAndAddLong(5, 1);
            }
        } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("losed");
        }
    }

    @Test
    void forgotten_isClosedAndUnmappedByTheCollector() {
        long before = SharedMemoryFixture.mappings();
        forget();
        Patience.await().untilAsserted(() -> {
            System.gc();
            assertThat(SharedMemoryFixture.descriptors()).isEqualTo(descriptorsBefore);
            assertThat(SharedMemoryFixture.mappings()).isLessThanOrEqualTo(before);
        });
    }

    private static void forget() {
        SharedArray array = SharedArray.ofLongs(1000);
        array.longs(0, 10).put(0, 1);
    }

    @Test
    void buffer_ofAForgottenArray_staysUsable() {
        DoubleBuffer buffer = bufferOfForgotten();
        Patience.await().untilAsserted(() -> {
            System.gc();
            assertThat(SharedMemoryFixture.descriptors()).isEqualTo(descriptorsBefore);
        });
        // The collector has had its chance to unmap too much.
        assertThat(buffer.get(7)).isEqualTo(2.5);
        assertThat(buffer.duplicate().slice(7, 1).get(0)).isEqualTo(2.5);
    }

    private static DoubleBuffer bufferOfForgotten() {
        SharedArray array = SharedArray.ofDoubles(1000);
        array.setDouble(17, 2.5);
        return array.doubles(10, 100);
    }

    @Test
    void close_duringAnInputOutputOperation_leavesItOpenOrHarmless(@TempDir Path directory) throws Exception {
        SharedArray array = SharedArray.ofBytes(1 << 20);
        ByteBuffer bytes = array.bytes(0, 1 << 20);
        Path file = directory.resolve("copy");
        RacingThreads.run(
                () -> {
                    try (FileChannel channel =
                            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                        for (int i = 0; i < 50; i++) {
                            channel.write(bytes.duplicate(), 0);
                        }
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessageContaining("losed");
                    }
                },
                () -> {
                    while (!array.isClosed()) {
                        try {
                            array.close();
                        } catch (IllegalStateException e) {
                            assertThat(array.isClosed()).isFalse();
                        }
                    }
                });
        assertThat(array.isClosed()).isTrue();
    }

    // ---------------------------------------------------------------------------------------------- interrupts

    @ParameterizedTest
    @MethodSource("allMeans")
    void interrupted_threadMakesOpensAndUses(Means means) throws Exception {
        Thread.currentThread().interrupt();
        try (SharedArray array = array(means, SharedArray.Type.INT, 10);
                SharedArray arrived = passed(array);
                SharedArray again = passed(array)) {
            array.setInt(3, 4);
            assertThat(arrived.getInt(3) + again.getInt(3)).isEqualTo(8);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(SharedArray.Type.class)
    void text_namesLengthAndType(SharedArray.Type type) {
        try (SharedArray array = array(Means.preferred(), type, 1234)) {
            assertThat(array).hasToString("SharedArray[1,234 " + type + "s]");
            assertThat(array.asReadOnly()).hasToString("SharedArray[1,234 " + type + "s, read-only]");
        }
    }
}
