package io.stratagem.processpool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a worker process has done and how large it has become: after so many tasks, or from such a size on, another takes
 * its place. For who has the driver's turn.
 */
final class Wear {
    private static final long WEIGHING_NANOS = 100_000_000;

    private final long pid;
    private final long maxTasks;
    private final long maxResidentBytes;

    private long tasks;
    private long weighedAt;
    private boolean isOverweight;
    private boolean hasProved;

    Wear(PoolSettings settings, long pid) {
        this.pid = pid;
        this.maxTasks = settings.maxTasksPerProcess();
        this.maxResidentBytes = settings.maxResidentBytes();
    }

    /** So many tasks are sent to it. */
    void sent(int count) {
        tasks += count;
    }

    /** One of them did not run. */
    void tookBack() {
        tasks--;
    }

    /** How many more it may have. */
    long tasksLeft() {
        return maxTasks - tasks;
    }

    boolean isWornOut() {
        return isWornOutBy(0);
    }

    /** Whether it is worn out when it has had so many more. */
    boolean isWornOutBy(int count) {
        return isOverweight || tasks + count >= maxTasks;
    }

    /** Looks now and then how much memory it has. */
    void weigh() {
        long now = System.nanoTime();
        if (maxResidentBytes < Long.MAX_VALUE && now - weighedAt > WEIGHING_NANOS) {
            weighedAt = now;
            isOverweight = residentBytes() > maxResidentBytes;
        }
    }

    /** What it has in memory, or 0 where that cannot be found out. */
    private long residentBytes() {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0;
        }
    }

    /** It has done something; whether that is the first. */
    boolean proves() {
        boolean isFirst = !hasProved;
        hasProved = true;
        return isFirst;
    }
}
