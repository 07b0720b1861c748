package io.stratagem.processpool;

import io.stratagem.TransferException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.event.Level;

/** Writes into the application's log what was logged in a worker. */
final class RemoteLog {
    /** Under this the log's MDC has the worker's name. */
    static final String WORKER_KEY = "worker";

    private RemoteLog() {}

    /** Gets the rest of a frame and logs it; never throws what the application's logging throws. */
    static void write(String worker, Bytes frame, ThrowableCodec failures) {
        int level = frame.getByte();
        String logger = frame.getString();
        String message = frame.getString();
        String thread = frame.getString();
        Map<String, String> mdc = new HashMap<>();
        for (int i = frame.getInt(); i > 0; i--) {
            mdc.put(frame.getString(), frame.getString());
        }
        Throwable failure;
        try {
            failure = frame.getByte() == 0 ? null : failures.read(frame, worker);
        } catch (TransferException e) {
            failure = e;
        }
        mdc.put(WORKER_KEY, worker);
        Map<String, String> former = MDC.getCopyOfContextMap();
        try {
            MDC.setContextMap(mdc);
            log(level, logger, worker + " [" + thread + "] " + message, failure);
        } catch (Throwable e) {
            // The worker goes on, whatever the application's logging does.
        } finally {
            if (former == null) {
                MDC.clear();
            } else {
                MDC.setContextMap(former);
            }
        }
    }

    private static void log(int level, String logger, String message, @Nullable Throwable failure) {
        LoggerFactory.getLogger(logger)
                .atLevel(Level.intToLevel(level))
                .setCause(failure)
                .log(message);
    }
}
