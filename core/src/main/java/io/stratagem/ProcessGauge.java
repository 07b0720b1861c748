package io.stratagem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads what this process uses, with those it has started since the gauge was made. */
final class ProcessGauge {
    private static final ProcessHandle SELF = ProcessHandle.current();
    private static final long BYTES_PER_KILOBYTE = 1024;

    private final Set<Long> others = SELF.descendants().map(ProcessHandle::pid).collect(Collectors.toUnmodifiableSet());

    /**
     * How long each process has run on CPUs so far.
     *
     * @param wallNanos the time
     * @param cpuNanos by process
     * @param queuedNanos how long threads of the worker processes were ready and had no CPU, by process; 0 if unknown
     */
    record Reading(long wallNanos, Map<Long, Long> cpuNanos, Map<Long, Long> queuedNanos) {

        /** How many CPUs were in use since then, this process and its workers together. */
        double cpusSince(Reading earlier) {
            return (double) difference(cpuNanos, earlier.cpuNanos, SELF.pid(), true) / (wallNanos - earlier.wallNanos);
        }

        /** CPU time of the workers alone since then. */
        long workerNanosSince(Reading earlier) {
            return difference(cpuNanos, earlier.cpuNanos, SELF.pid(), false);
        }

        /** For how long workers were ready and had no CPU since then. */
        long queuedNanosSince(Reading earlier) {
            return difference(queuedNanos, earlier.queuedNanos, SELF.pid(), false);
        }

        /** Whether none has died or begun since then: else the other differences are not those of the work. */
        boolean hasWorkersOf(Reading earlier) {
            return cpuNanos.keySet().equals(earlier.cpuNanos.keySet());
        }

        /** A process that died meanwhile has taken its figures with it. */
        private static long difference(Map<Long, Long> late, Map<Long, Long> early, long self, boolean withSelf) {
            long sum = 0;
            for (Map.Entry<Long, Long> each : late.entrySet()) {
                if (withSelf || each.getKey() != self) {
                    sum += each.getValue() - early.getOrDefault(each.getKey(), 0L);
                }
            }
            return Math.max(0, sum);
        }
    }

    Reading read() {
        Map<Long, Long> cpu = new HashMap<>();
        Map<Long, Long> queued = new HashMap<>();
        cpu.put(SELF.pid(), cpuNanos(SELF));
        for (ProcessHandle worker : workers()) {
            cpu.put(worker.pid(), cpuNanos(worker));
            queued.put(worker.pid(), queuedNanos(worker.pid()));
        }
        return new Reading(System.nanoTime(), cpu, queued);
    }

    private List<ProcessHandle> workers() {
        return SELF.descendants().filter(each -> !others.contains(each.pid())).toList();
    }

    private static long cpuNanos(ProcessHandle process) {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    private static long queuedNanos(long pid) {
        try (Stream<Path> threads = Files.list(Path.of("/proc", String.valueOf(pid), "task"))) {
            return threads.mapToLong(ProcessGauge::queuedNanosOfThread).sum();
        } catch (IOException | RuntimeException e) {
            return 0; // not Linux, or it has ended
        }
    }

    private static long queuedNanosOfThread(Path thread) {
        try {
            return Long.parseLong(Files.readString(thread.resolve("schedstat")).split(" ", -1)[1]);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    /** The memory that the workers have now; empty if there are none, or if the system does not say. */
    OptionalLong residentBytes() {
        long sum = 0;
        for (ProcessHandle worker : workers()) {
            sum += residentBytes(worker.pid());
        }
        return sum > 0 ? OptionalLong.of(sum) : OptionalLong.empty();
    }

    private static long residentBytes(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", String.valueOf(pid), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * BYTES_PER_KILOBYTE)
                    .findFirst()
                    .orElse(0);
        } catch (IOException | RuntimeException e) {
            return 0; // not Linux, or it has ended
        }
    }
}
