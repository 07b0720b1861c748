package io.stratagem.processpool;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What both sides send when nothing is wrong: first as far as the first batch goes, then further each time. */
record Exchange(List<byte[]> toWorker, List<byte[]> fromWorker) {
    private static final int MOST_BATCHES = 20;

    /** Lets each side answer what the other one has answered, until all is said. */
    static Exchange between(ApplicationSide application, WorkerSide worker) {
        Exchange exchange = new Exchange(new ArrayList<>(), new ArrayList<>());
        byte[] answers = {};
        for (int i = 0; i < MOST_BATCHES; i++) {
            ApplicationSide.Taken taken = application.take(0, ByteBuffer.wrap(answers));
            if (taken.isConnected()) {
                return exchange;
            }
            answers = worker.take(ByteBuffer.wrap(taken.sent())).sent();
            exchange.toWorker.add(taken.sent());
            exchange.fromWorker.add(answers);
        }
        throw new AssertionError("they never come to an end");
    }
}
