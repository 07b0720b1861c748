package io.stratagem.batchedipc;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Ours: as the strategy uses it, the records of a batch are published together, and taken out as copies. */
final class StratagemRing extends RecordRing {
    private static final int BATCH = 64;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final Rings rings;

    private StratagemRing(Rings rings) {
        this.rings = rings;
    }

    static StratagemRing create() throws IOException {
        return new StratagemRing(Rings.create(SharedMemory.Means.preferred(), CAPACITY, RECORD_BYTES));
    }

    static StratagemRing open(String place) throws IOException {
        return new StratagemRing(Rings.open(place, RECORD_BYTES));
    }

    @Override
    String place() {
        return rings.place();
    }

    @Override
    void putForEver(long first) {
        RingProducer producer = rings.producer();
        byte[] record = new byte[RECORD_BYTES];
        for (long number = first; ; number++) {
            LONG.set(record, 0, number);
            while (!producer.offer(record, 0, RECORD_BYTES)) {
                producer.publish();
                pause();
            }
            if (number % BATCH == 0) {
                producer.publish();
            }
        }
    }

    @Override
    long take(int records) {
        RingConsumer consumer = rings.consumer();
        long sum = 0;
        for (int i = 0; i < records; ) {
            if (consumer.poll() == RECORD_BYTES) {
                sum += (long) LONG.get(consumer.message(), 0);
                i++;
            } else {
                pause();
            }
        }
        return sum;
    }

    @Override
    public void close() throws IOException {
        rings.close();
    }
}
