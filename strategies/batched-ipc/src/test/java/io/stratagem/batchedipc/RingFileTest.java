package io.stratagem.batchedipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two sides find their two rings in one file. */
final class RingFileTest {
    private static final int CAPACITY = Ring.MIN_CAPACITY;

    @TempDir
    Path directory;

    private RingFile create() throws IOException {
        return RingFile.create(List.of(directory), CAPACITY, 100);
    }

    private static void assertPasses(RingProducer producer, RingConsumer consumer, byte[] message) {
        assertThat(producer.offer(message, 0, message.length)).isTrue();
        producer.publish();
        int length = consumer.poll();
        assertThat(Arrays.copyOf(consumer.message(), Math.max(0, length))).isEqualTo(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {CAPACITY, 1 << 18})
    void sides_ofOneFile_haveARingForEachDirection(int capacity) throws IOException {
        try (RingFile application = RingFile.create(List.of(directory), capacity, 100);
                RingFile worker = RingFile.open(application.path(), 100)) {
            application.unlink();
            assertThat(directory).isEmptyDirectory();
            for (int i = 0; i < 2 * capacity / 64; i++) {
                assertPasses(application.producer(), worker.consumer(), RingEnds.bytes(60, i));
                assertPasses(worker.producer(), application.consumer(), RingEnds.bytes(60, -i));
            }
        }
    }

    @Test
    void close_ofAFileThatWasNotUnlinked_removesIt() throws IOException {
        create().close();

        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void create_withAnImpossibleCapacity_makesNothing() {
        assertThatIllegalArgumentException().isThrownBy(() -> RingFile.create(List.of(directory), 5000, 100));
        assertThatIllegalArgumentException().isThrownBy(() -> RingFile.create(List.of(directory), CAPACITY, -1));
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void unlink_byTheSideThatOpened_isRefused() throws IOException {
        try (RingFile application = create();
                RingFile worker = RingFile.open(application.path(), 100)) {
            assertThatIllegalStateException().isThrownBy(worker::unlink);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 12})
    void open_ofAFileWithAnotherHeader_isRefused(int offset) throws IOException {
        try (RingFile application = create()) {
            // In a copy: a channel of the file itself that is closed here takes this process's lock away.
            Path copy = Files.copy(application.path(), directory.resolve("copy"));
            RingFile.open(copy, 100).close();
            try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), offset);
            }
            assertThatThrownBy(() -> RingFile.open(copy, 100))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(copy.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 100, 9088, 9090})
    void open_ofAFileOfAnotherSize_isRefused(int size) throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[size]);

        assertThatThrownBy(() -> RingFile.open(file, 100))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString());
    }
}
