package io.stratagem;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What became of tasks that did not succeed. For one thread. */
final class Failures {
    private static final int MOST_CHARS = 400;

    private long count;
    private long deaths;
    private long transfers;
    private @Nullable String first;
    private @Nullable Throwable broken;

    void add(Throwable cause) {
        count++;
        if (first == null) {
            first = inOneLine(cause);
        }
        if (cause instanceof WorkerDiedException) {
            deaths++;
        } else if (cause instanceof TransferException) {
            transfers++;
        } else if (cause instanceof VirtualMachineError && (broken == null || cause instanceof OutOfMemoryError)) {
            broken = cause;
        }
    }

    long count() {
        return count;
    }

    /** How many tasks have killed their worker. */
    long deaths() {
        return deaths;
    }

    /** How many could not be sent, or could not be sent back. */
    long transfers() {
        return transfers;
    }

    /** What the first failure was, in one line. */
    Optional<String> first() {
        return Optional.ofNullable(first);
    }

    /** An error that leaves no JVM as it was: the first, or one for want of memory. */
    Optional<Throwable> broken() {
        return Optional.ofNullable(broken);
    }

    boolean isOutOfMemory() {
        return broken instanceof OutOfMemoryError;
    }

    /** Whatever it is, and whatever it says of itself. */
    static String inOneLine(Throwable cause) {
        String name = cause.getClass().getName();
        String text;
        try {
            text = Objects.requireNonNullElse(cause.toString(), name);
        } catch (Throwable e) {
            text = name;
        }
        String line = text.lines().findFirst().orElse(name);
        line = line.startsWith("io.stratagem.") ? line.substring("io.stratagem.".length()) : line;
        return line.length() > MOST_CHARS ? line.substring(0, MOST_CHARS) + "…" : line;
    }
}
