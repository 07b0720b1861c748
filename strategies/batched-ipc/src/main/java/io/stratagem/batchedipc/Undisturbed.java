package io.stratagem.batchedipc;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Runs what an interrupt would harm, on a thread that nobody can interrupt: a channel is closed by it. */
final class Undisturbed {
    private Undisturbed() {}

    /** What is run. */
    @FunctionalInterface
    interface Action<T> {
        /** Runs. */
        T run() throws IOException;
    }

    /** Waits for the end, whatever interrupts come, and keeps them. */
    static <T> T call(Action<T> action) throws IOException {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        outcome.complete(action.run());
                    } catch (Throwable e) {
                        outcome.completeExceptionally(e);
                    }
                },
                "stratagem-undisturbed",
                0,
                false); // inherits nothing
        thread.setDaemon(true);
        thread.start();
        try {
            return outcome.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
