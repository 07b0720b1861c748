package io.stratagem;

import com.google.common.util.concurrent.Uninterruptibles;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What became of tasks that did not succeed. For one thread. */
final class Failures {
    private static final int MOST_CHARS = 400;
    private static final long TEXT_LIMIT_SECONDS = 1;

    private long count;
    private long deaths;
    private long transfers;
    private @Nullable Throwable first;
    private @Nullable String textOfFirst;
    private @Nullable Throwable broken;

    void add(Throwable cause) {
        count++;
        if (first == null) {
            first = cause;
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

    /** What the first failure was, in one line. To be asked when nothing is measured: what it says of itself may take long. */
    Optional<String> first() {
        if (first != null && textOfFirst == null) {
            textOfFirst = inOneLine(first);
        }
        return Optional.ofNullable(textOfFirst);
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
        String text = textOf(cause, name);
        List<String> lines =
                text.lines().limit(2).map(each -> OneLine.of(each).strip()).toList();
        String line = lines.isEmpty() ? name : lines.get(0);
        if (line.endsWith(":")) { // what is said comes in the next one
            line = String.join(" ", lines);
        }
        line = line.startsWith("io.stratagem.") ? line.substring("io.stratagem.".length()) : line;
        return line.length() > MOST_CHARS ? line.substring(0, MOST_CHARS) + "…" : line;
    }

    private static String textOf(Throwable cause, String name) {
        FutureTask<String> text = new FutureTask<>(cause::toString);
        try {
            Thread thread = new Thread(text, "stratagem-profile-text");
            thread.setDaemon(true);
            thread.start();
            return Objects.requireNonNullElse(
                    Uninterruptibles.getUninterruptibly(text, TEXT_LIMIT_SECONDS, TimeUnit.SECONDS), name);
        } catch (TimeoutException e) {
            return name + ", whose toString() does not return";
        } catch (Throwable e) {
            return name;
        } finally {
            text.cancel(true);
        }
    }
}
