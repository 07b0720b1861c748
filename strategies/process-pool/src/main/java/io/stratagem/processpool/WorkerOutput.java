package io.stratagem.processpool;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a worker process prints: its lines go to the log, standard output as information and standard error as warnings,
 * and the last of them are kept for when it dies.
 */
final class WorkerOutput {
    private static final Logger log = LoggerFactory.getLogger("io.stratagem.worker");

    /** In which workers print. */
    static final Charset CHARSET = StandardCharsets.UTF_8;

    private static final int KEPT_LINES = 20;
    private static final int MAX_LINE_CHARS = 8192;
    private static final String CRASHED = "# A fatal error has been detected by the Java Runtime Environment";
    static final String OUT_OF_MEMORY = "Terminating due to java.lang.OutOfMemoryError";

    private volatile String worker;
    private final Deque<String> last = new ArrayDeque<>(); // guarded by itself
    private final Thread out;
    private final Thread err;
    private volatile boolean isOutOfMemory;

    /** The signal or the internal error that the JVM reported. */
    private volatile @Nullable String crash;

    private boolean isInCrashReport; // of the thread that reads the standard output

    private WorkerOutput(String worker, Process process) {
        this.worker = worker;
        this.out = reading(process.getInputStream(), "out", false);
        this.err = reading(process.getErrorStream(), "err", true);
    }

    static WorkerOutput of(String worker, Process process) {
        WorkerOutput output = new WorkerOutput(worker, process);
        output.out.start();
        output.err.start();
        return output;
    }

    void rename(String newName) {
        worker = newName;
    }

    /** Of use only for a worker that crashes. */
    private static final class CrashReport {
        static final Pattern CAUSE = Pattern.compile("#  (SIG[A-Z]+|EXCEPTION_[A-Z_]+|Internal Error)");
    }

    private Thread reading(InputStream stream, String name, boolean isError) {
        Thread thread = new Thread(null, null, worker + "-" + name, 0, false) {
            @Override
            public void run() {
                read(stream, isError);
            }
        };
        thread.setDaemon(true);
        return thread;
    }

    private void read(InputStream stream, boolean isError) {
        StringBuilder line = new StringBuilder();
        char[] buffer = new char[4096];
        try (Reader reader = new InputStreamReader(stream, CHARSET)) {
            for (int count = reader.read(buffer); count >= 0; count = reader.read(buffer)) {
                for (int i = 0; i < count; i++) {
                    if (buffer[i] == '\n') {
                        end(line, isError);
                    } else {
                        line.append(buffer[i]);
                        if (line.length() == MAX_LINE_CHARS) {
                            end(line, isError);
                        }
                    }
                }
            }
        } catch (IOException e) {
            log.debug("{}: no more of its output can be read", worker, e);
        }
        if (line.length() > 0) {
            end(line, isError);
        }
    }

    private void end(StringBuilder chars, boolean isError) {
        String line = chars.toString();
        chars.setLength(0);
        if (line.startsWith(OUT_OF_MEMORY)) {
            isOutOfMemory = true;
        } else if (!isError && line.startsWith(CRASHED)) {
            isInCrashReport = true;
        } else if (isInCrashReport && crash == null) {
            Matcher cause = CrashReport.CAUSE.matcher(line);
            if (cause.lookingAt()) {
                crash = cause.group(1);
            }
        }
        synchronized (last) {
            last.addLast(line);
            if (last.size() > KEPT_LINES) {
                last.removeFirst();
            }
        }
        try {
            if (isError) {
                log.warn("{}: {}", worker, line);
            } else {
                log.info("{}: {}", worker, line);
            }
        } catch (Throwable e) {
            // Whatever the application's logging does, the worker must be able to print.
        }
    }

    /** Waits until all is read that was printed before the process ended; what its children print later is not. */
    void awaitEnd() throws InterruptedException {
        TimeUnit.MILLISECONDS.timedJoin(out, 500);
        TimeUnit.MILLISECONDS.timedJoin(err, 500);
    }

    /** Whether the JVM has said that it ends since it has no memory left. */
    boolean isOutOfMemory() {
        return isOutOfMemory;
    }

    /** The signal by which the JVM crashed, if it has said so. */
    Optional<String> crash() {
        return Optional.ofNullable(crash);
    }

    List<String> lastLines() {
        synchronized (last) {
            return List.copyOf(last);
        }
    }
}
