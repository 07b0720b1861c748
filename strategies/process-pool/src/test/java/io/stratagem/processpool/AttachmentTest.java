package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.Bytes.MalformedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is large is not put into a frame, but counts as if it was. */
final class AttachmentTest {
    private static final int LEAST = Attachment.LEAST_BYTES;
    private static final String INPUT = "input of workload 'render'";

    private final Codec codec =
            new Codec(AttachmentTest.class.getClassLoader(), Filters.fromWorker(Set.of(), Filters.Limits.DEFAULT));

    private static Bytes attaching(int maxSize) {
        Bytes bytes = new Bytes(maxSize);
        bytes.beginAttaching();
        return bytes;
    }

    private static Bytes attaching() {
        return attaching(Bytes.LARGEST);
    }

    // ---------------------------------------------------------------------------------------------- what is attached

    @Test
    void array_belowTheLeastSize_isInTheFrame() {
        Bytes bytes = attaching();

        codec.write(bytes, new byte[LEAST - 1], INPUT);
        codec.write(bytes, new long[LEAST / Long.BYTES - 1], INPUT);
        codec.write(bytes, ByteBuffer.allocate(LEAST - 1), INPUT);

        assertThat(bytes.attachments()).isNull();
    }

    @Test
    void arrayAndBuffer_ofTheLeastSize_areBesideTheFrame() {
        Bytes bytes = attaching();

        codec.write(bytes, new byte[LEAST], INPUT);
        codec.write(bytes, new char[LEAST / Character.BYTES], INPUT);
        codec.write(bytes, List.of(new double[LEAST / Double.BYTES], 1), INPUT);
        codec.write(bytes, ByteBuffer.allocate(LEAST + 1).position(1), INPUT);
        codec.write(bytes, ByteBuffer.allocateDirect(LEAST), INPUT);

        assertThat(bytes.attachments().size()).isEqualTo(5);
        assertThat(bytes.size()).isLessThan(100);
        assertThat(bytes.weight()).isEqualTo(bytes.size() + 5 * LEAST);
    }

    @Test
    void booleansAndFunctionsAndWhatIsSerialised_areInTheFrame() {
        Bytes bytes = attaching();

        codec.write(bytes, new boolean[LEAST], INPUT);
        codec.write(bytes, new byte[][] {new byte[LEAST]}, INPUT);

        assertThat(bytes.attachments()).isNull();
    }

    @Test
    void array_inBytesThatWereNotAsked_isInThem() {
        Bytes bytes = attaching();
        bytes.clear();

        codec.write(bytes, new byte[LEAST], INPUT);

        assertThat(bytes.attachments()).isNull();
        assertThat((byte[]) codec.read(bytes, INPUT)).hasSize(LEAST);
    }

    // ---------------------------------------------------------------------------------------------- reading

    @Test
    void attachments_ofValuesThatNobodyReads_doNotMoveThoseBehind() {
        Bytes bytes = attaching();
        for (int i = 0; i < 5; i++) {
            int lengthAt = bytes.beginLength();
            codec.write(bytes, IntStream.range(i, LEAST).toArray(), INPUT);
            bytes.endLength(lengthAt);
        }

        for (int i = 0; i < 5; i++) {
            Bytes value = bytes.slice(bytes.getInt());
            if (i % 2 == 1) {
                assertThat((int[]) codec.read(value, INPUT)).hasSize(LEAST - i).startsWith(i);
            }
        }
    }

    @Test
    void attachment_thatHasBeenTaken_isNotThere() {
        Bytes bytes = attaching();
        codec.write(bytes, new byte[LEAST], INPUT);
        codec.read(bytes, INPUT);
        bytes.position(0);
        bytes.getByte();

        assertThatThrownBy(bytes::getAttachment).isInstanceOf(MalformedException.class);
    }

    // ---------------------------------------------------------------------------------------------- taking back

    @Test
    void value_thatCannotBeWritten_leavesNothingBeside() {
        Bytes bytes = attaching();
        codec.write(bytes, new byte[LEAST], INPUT);
        int weight = bytes.weight();

        assertThatThrownBy(() -> codec.write(bytes, List.of(new byte[LEAST], new short[LEAST], new Object()), INPUT))
                .hasMessageContaining("java.lang.Object is not Serializable");

        assertThat(bytes.attachments().size()).isEqualTo(1);
        assertThat(bytes.weight()).isEqualTo(weight);
        codec.write(bytes, new int[LEAST], INPUT);
        codec.read(bytes, INPUT);
        assertThat((int[]) codec.read(bytes, INPUT)).hasSize(LEAST);
    }

    @Test
    void value_thatIsNestedTooDeeply_hasItsArraysInTheFrame() {
        List<Object> nested = new ArrayList<>(Arrays.asList(new byte[LEAST], new byte[LEAST]));
        for (int i = 0; i < ValueWriter.MAX_DEPTH; i++) {
            nested = new ArrayList<>(Arrays.asList(new byte[LEAST], nested));
        }
        Bytes bytes = attaching();

        codec.write(bytes, nested, INPUT);

        assertThat(bytes.weight()).isEqualTo(bytes.size());
    }

    // ---------------------------------------------------------------------------------------------- limits

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 10_000, LEAST})
    void limit_isForFrameAndWhatIsBesideTogether(int before) {
        Bytes plain = new Bytes(before + 3 * LEAST);
        Bytes attaching = attaching(before + 3 * LEAST);
        for (Bytes bytes : List.of(plain, attaching)) {
            bytes.extend(before);
            codec.write(bytes, new byte[2 * LEAST], INPUT);

            assertThatThrownBy(() -> codec.write(bytes, new byte[LEAST], INPUT))
                    .hasMessage(INPUT + " cannot be serialised: it takes more than the limit of " + (before + 3 * LEAST)
                            + " bytes (see maxMessageBytes)");
            codec.write(bytes, new byte[LEAST - 100], INPUT);
            assertThatThrownBy(() -> bytes.extend(101)).isInstanceOf(Bytes.TooLargeException.class);
        }
    }

    @Test
    void array_ofMoreBytesThanAFrameCanHave_isTooLargeAndTakesNoMemory() {
        Bytes bytes = attaching();
        long[] array = new long[1 << 20];
        for (int i = 0; i < 255; i++) {
            codec.write(bytes, array, INPUT);
        }

        assertThatThrownBy(() -> codec.write(bytes, new long[1 << 20], INPUT))
                .hasMessageContaining("more than the limit of " + Bytes.LARGEST);
        assertThat(bytes.weight()).isBetween(255 << 23, Bytes.LARGEST);
    }

    @Test
    void directBuffers_thatAreEmpty_takeAsManyBytesAsTheyCost() {
        Bytes bytes = attaching();
        codec.write(bytes, ByteBuffer.allocateDirect(0), INPUT);
        int size = bytes.size();

        assertThat(size).isGreaterThan(128);
        bytes.truncate(size - 1);
        assertThatThrownBy(() -> codec.read(bytes, INPUT)).hasMessageContaining("malformed bytes");
    }

    // ---------------------------------------------------------------------------------------------- contents

    @ParameterizedTest
    @ValueSource(ints = {8, 24, 4096})
    void contents_inPieces_areCopied(int pieceBytes) {
        int[] ints = IntStream.range(0, 10_000).toArray();
        Attachment from = Attachment.of(Tag.INTS, ints, Integer.BYTES * ints.length);
        Attachment to = Attachment.empty(Tag.INTS, from.bytes());
        ByteBuffer memory = ByteBuffer.allocateDirect(pieceBytes + 20);
        for (int done = 0; done < from.bytes(); done += pieceBytes) {
            int count = Math.min(pieceBytes, from.bytes() - done);
            from.put(done, memory.clear().position(12).limit(12 + count));
            to.take(done, memory.clear().position(12).limit(12 + count));
        }

        assertThat((int[]) to.data()).isEqualTo(ints);
    }
}
