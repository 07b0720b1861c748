package io.stratagem.batchedipc;

import java.io.IOException;

/**
 * A ring between two processes that carries records of 64 bytes, the first eight of which are a number. In this package,
 * since the rings of ours are not public.
 */
abstract class RecordRing implements AutoCloseable {
    static final int RECORD_BYTES = 64;

    /** Of each direction, for all contestants. */
    static final int CAPACITY = 1 << 18;

    /** How often one looks again before it lets others run; the same for all. */
    private static final int SPINS = 100;

    private int spins;

    /** Which one. */
    enum Kind {
        STRATAGEM {
            @Override
            RecordRing create() throws IOException {
                return StratagemRing.create();
            }

            @Override
            RecordRing open(String place) throws IOException {
                return StratagemRing.open(place);
            }
        },
        AGRONA {
            @Override
            RecordRing create() throws IOException {
                return AgronaRing.create();
            }

            @Override
            RecordRing open(String place) throws IOException {
                return AgronaRing.open(place);
            }
        };

        /** In a new place; this side takes. */
        abstract RecordRing create() throws IOException;

        /** In what the other side has created; this side puts. */
        abstract RecordRing open(String place) throws IOException;
    }

    abstract String place();

    /** Puts one record after the other, from that number on, for ever. */
    abstract void putForEver(long first);

    /** Takes so many records, and gives the sum of their numbers. */
    abstract long take(int records);

    /** The ring is full or empty. */
    @SuppressWarnings("ThreadPriorityCheck") // with more threads than cores, spinning measures the scheduler
    final void pause() {
        if (++spins % SPINS == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    @Override
    public abstract void close() throws IOException;
}
