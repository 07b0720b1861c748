package io.stratagem.testkit;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Holds up tasks until a test opens it, wherever they run: in this JVM it is a latch; a copy that has travelled to
 * another one looks for a file. Who waits for ever would outlive its test, so waiting ends with an error some day.
 */
public final class Gate implements Serializable {
    private static final long serialVersionUID = 1;
    private static final long POLL_MILLIS = 2;

    private final String file;
    private final transient @Nullable CountDownLatch latch = new CountDownLatch(1);

    /**
     * Creates a closed gate.
     *
     * @param file does not exist yet; is made when the gate opens
     */
    Gate(Path file) {
        this.file = file.toString();
    }

    /** Opens it for all who wait and will wait. Only for the test itself. */
    public void open() {
        try {
            if (!isOpen()) {
                Files.createFile(Path.of(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (latch != null) {
            latch.countDown();
        }
    }

    /**
     * Whether it is open.
     *
     * @return true from {@link #open} on
     */
    public boolean isOpen() {
        return latch == null ? Files.exists(Path.of(file)) : latch.getCount() == 0;
    }

    /**
     * Waits until it is open.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    public void await() throws InterruptedException {
        long millis = Patience.LIMIT.toMillis();
        if (latch != null) {
            if (!latch.await(millis, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("nobody opened the gate within " + Patience.LIMIT);
            }
            return;
        }
        for (long waited = 0; !isOpen(); waited += POLL_MILLIS) {
            if (waited > millis) {
                throw new AssertionError("nobody opened the gate within " + Patience.LIMIT);
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Waits until it is open, whatever interrupts come, and keeps them. */
    public void awaitIgnoringInterrupts() {
        boolean isInterrupted = false;
        try {
            while (true) {
                try {
                    await();
                    return;
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
