package io.stratagem.processpool;

import java.util.concurrent.atomic.LongAdder;

/** How many bytes a pool has exchanged with its workers, all of them, since it was made. Any thread may use it. */
/* Counted once for each frame. Each driver mostly has a cell of its own, so they do not get in each other's way. */
final class Traffic {
    private final LongAdder sent = new LongAdder();
    private final LongAdder received = new LongAdder();

    void countSent(long bytes) {
        sent.add(bytes);
    }

    void countReceived(long bytes) {
        received.add(bytes);
    }

    long sent() {
        return sent.sum();
    }

    long received() {
        return received.sum();
    }
}
