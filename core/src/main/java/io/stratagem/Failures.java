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

    /** How long a text has to come, and then to stop when it was interrupted. */
    private static final long TEXT_LIMIT_SECONDS = 1;

    private long count;
    private long deaths;
    private long transfers;
    private @Nullable Throwable first;
    private @Nullable Text textOfFirst;
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
            textOfFirst = textOf(first);
        }
        return Optional.ofNullable(textOfFirst).map(Text::line);
    }

    /** Whether the thread that asked the first failure for its text is still at it. */
    boolean isTextStuck() {
        return textOfFirst != null && textOfFirst.isStuck();
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
        return textOf(cause).line();
    }

    /**
     * What a failure says.
     *
     * @param isStuck whether it did not, and does not stop
     */
    private record Text(String line, boolean isStuck) {}

    private static Text textOf(Throwable cause) {
        String name = cause.getClass().getName();
        FutureTask<String> asking = new FutureTask<>(cause::toString);
        Thread thread = new Thread(asking, "stratagem-profile-text");
        thread.setDaemon(true);
        String text = name;
        boolean isStuck = false;
        try {
            thread.start();
            text = Objects.requireNonNullElse(
                    Uninterruptibles.getUninterruptibly(asking, TEXT_LIMIT_SECONDS, TimeUnit.SECONDS), name);
        } catch (TimeoutException e) {
            text = name + ", whose toString() does not return";
            asking.cancel(true);
            Uninterruptibles.joinUninterruptibly(thread, TEXT_LIMIT_SECONDS, TimeUnit.SECONDS);
            isStuck = thread.isAlive();
        } catch (Throwable e) {
            // it is named by its class
        }
        return new Text(line(text, name), isStuck);
    }

    private static String line(String text, String name) {
        List<String> lines =
                text.lines().limit(2).map(each -> OneLine.of(each).strip()).toList();
        String line = lines.isEmpty() ? name : lines.get(0);
        if (line.endsWith(":")) { // what is said comes in the next one
            line = String.join(" ", lines);
        }
        line = line.startsWith("io.stratagem.") ? line.substring("io.stratagem.".length()) : line;
        return line.length() > MOST_CHARS ? line.substring(0, MOST_CHARS) + "…" : line;
    }
}
