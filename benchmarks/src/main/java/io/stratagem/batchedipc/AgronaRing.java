package io.stratagem.batchedipc;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

/** Agrona's ring for one producer and one consumer. The records are put from an array, and taken out into one. */
final class AgronaRing extends RecordRing {
    private static final int TYPE = 1;
    private static final long BYTES = CAPACITY + RingBufferDescriptor.TRAILER_LENGTH;

    private final Path path;
    private final OneToOneRingBuffer ring;

    private AgronaRing(Path path) throws IOException {
        this.path = path;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ring = new OneToOneRingBuffer(new UnsafeBuffer(channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES)));
        }
    }

    static AgronaRing create() throws IOException {
        return new AgronaRing(Files.createTempFile(SharedMemoryFile.places().get(0), "agrona", ".ring"));
    }

    static AgronaRing open(String place) throws IOException {
        return new AgronaRing(Path.of(place));
    }

    @Override
    String place() {
        return path.toString();
    }

    @Override
    void putForEver(long first) {
        UnsafeBuffer record = new UnsafeBuffer(new byte[RECORD_BYTES]);
        for (long number = first; ; number++) {
            record.putLong(0, number);
            while (!ring.write(TYPE, record, 0, RECORD_BYTES)) {
                pause();
            }
        }
    }

    @Override
    long take(int records) {
        UnsafeBuffer record = new UnsafeBuffer(new byte[RECORD_BYTES]);
        long[] sum = new long[1];
        for (int i = 0; i < records; ) {
            int taken = ring.read(
                    (type, buffer, index, length) -> {
                        record.putBytes(0, buffer, index, length);
                        sum[0] += record.getLong(0);
                    },
                    records - i);
            i += taken;
            if (taken == 0) {
                pause();
            }
        }
        return sum[0];
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(path);
    }
}
